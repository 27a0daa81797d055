"""A heart that beats in the triggerer's loop, beside what a test awaits there."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any


async def beat(**kwargs: Any) -> None:
    """Write the time ten times a second, until a file says that it is enough: its context is of no use."""
    folder = Path(os.environ["AIRFLOW_HOME"])
    with (folder / "beats").open("a") as beats:
        while not (folder / "enough").exists():
            beats.write(f"{time.monotonic()}\n")
            beats.flush()
            await asyncio.sleep(0.1)
