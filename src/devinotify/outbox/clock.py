"""Whether the wall clock was set while a process ran."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from devinotify.outbox import forking

if TYPE_CHECKING:
    from collections.abc import Callable

NOTICED = 5.0
"""Seconds between two looks that a wall clock may gain or lose by being kept in time."""


class WallClock:
    """Notices when the wall clock is set: it and the monotonic one no longer go together. Seconds throughout.

    Threads may share it; nothing is noticed twice.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._apart = wall() - monotonic()
        # When it was set forward, by the clock as it was, and by how much.
        self._forward: list[tuple[float, float]] = []
        self.lock: threading.RLock = threading.RLock()
        forking.watch(self)

    def stepped(self) -> float:
        """Return by how many seconds it was set since this was last asked, forward or (negative) back; else 0."""
        with self.lock:
            apart = self._wall() - self._monotonic()
            step = apart - self._apart
            self._apart = apart
            if step >= NOTICED:
                self._forward.append((self._wall() - step, step))
            return step if abs(step) >= NOTICED else 0.0

    def gained(self, since: float) -> float:
        """Return by how many seconds it was set forward after ``since``: so much less than it shows has passed."""
        with self.lock:
            self.stepped()
            return sum(step for moment, step in self._forward if since <= moment)
