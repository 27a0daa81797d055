"""How long the tests wait: a minute at most for whatever it is, so that what hangs is named where it hangs."""

from __future__ import annotations

import gc
import time
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

LONGEST = 60.0
"""Seconds."""


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for what a server or another thread does by itself, and tells nobody."""
    until = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)  # it has to be asked


class _Garbage:
    """What only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def collect() -> None:
    """Collect all the garbage there is: ``gc.collect`` alone does nothing while another thread collects."""
    gone = weakref.ref(_Garbage())
    wait_until(lambda: gc.collect() >= 0 and gone() is None)


def ended(*threads: threading.Thread) -> None:
    """Wait for the end of the threads."""
    for thread in threads:
        thread.join(LONGEST)
        assert not thread.is_alive(), f"{thread.name} did not end"
