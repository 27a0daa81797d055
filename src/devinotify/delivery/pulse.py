"""Whether those who work still come round: what a watchdog has to know, and a thread that only looks on cannot tell.

A step is what comes to an end by itself (a claim, a request with its retries, a hook). Waiting for one's turn is none:
at a pace of a few messages an hour that takes as long as it takes.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Pulse:
    """The steps that threads are at, and for how long; thread-safe. ``clock`` is a monotonic one, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}  # thread -> when its step began

    @property
    def longest(self) -> float:
        """Seconds that the longest step has lasted so far; 0 where nobody is at one."""
        began = list(self._since.values())
        return max(self._clock() - min(began), 0.0) if began else 0.0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Begin a step of this thread's, which lasts as long as the block, but for what interrupts it."""
        self._since[threading.get_ident()] = self._clock()
        try:
            yield
        finally:
            self._since.pop(threading.get_ident(), None)

    def step(self) -> None:
        """Begin the next step of this thread's, where it is at one."""
        if threading.get_ident() in self._since:
            self._since[threading.get_ident()] = self._clock()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Wait in the block for what others do or time brings; the next step begins with its end."""
        worked = self._since.pop(threading.get_ident(), None) is not None
        try:
            yield
        finally:
            if worked:
                self._since[threading.get_ident()] = self._clock()
