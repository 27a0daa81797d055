"""What an answer of 200 stands on: what was stored has reached the disk, and not the system's memory alone.

An outbox in a file is written to SQLite's log (``-wal``), which survives a killed process as it is; for a power failure
the log has to be synced. Any descriptor of it will do: SQLite takes no locks on the log, only on the file itself and
its index. A database sees to this by itself when it commits.
"""

from __future__ import annotations

import os
from contextlib import suppress

SUFFIX = "-wal"


def sync(outbox: str) -> None:
    """Have what was written to the outbox of this name on the disk when this returns; raises OSError where it fails."""
    with suppress(FileNotFoundError, NotADirectoryError):  # a database, or a log that was folded in, which syncs it
        descriptor = os.open(outbox + SUFFIX, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
