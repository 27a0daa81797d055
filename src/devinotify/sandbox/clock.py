"""The sandbox's clock: real time, plus whatever it was advanced by, and never backwards."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
"""The last instant the clock goes to, so that dates stay within what datetime can hold."""


class Clock:
    """Seconds since the epoch that a test can move forward.

    A running clock keeps step with real time (the monotonic clock, so that an adjustment of the machine's
    time never turns it back). With ``running=False`` it stands where it was made, or at ``start``, until
    it is advanced: what a deterministic test wants.
    """

    def __init__(self, *, running: bool = True, start: datetime | None = None) -> None:
        self._running = running
        self._base = time.time() if start is None else start.timestamp()
        # A running clock adds the monotonic clock, so what that shows now is taken off first.
        self._base -= time.monotonic() if running else 0.0
        self._offset = 0.0

    @property
    def running(self) -> bool:
        """Whether it moves by itself."""
        return self._running

    @property
    def advanced(self) -> float:
        """The seconds by which it was advanced."""
        return self._offset

    def reset(self) -> None:
        """Take back every advance; time that has really passed stays passed."""
        self._offset = 0.0

    def now(self) -> float:
        """Return the sandbox's time, in seconds since the epoch, UTC."""
        return self._base + self._offset + (time.monotonic() if self._running else 0.0)

    def advance(self, seconds: float) -> float:
        """Move the clock forward by so many seconds and return its new time.

        Raises ValueError for a negative or endless step, and for one past the year 9000.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError("the clock can only be advanced by a finite number of seconds, 0 or more")
        if self.now() + seconds > LATEST:
            raise ValueError("the clock cannot be advanced past the year 9000")
        self._offset += seconds
        return self.now()


def iso(seconds: float) -> str:
    """Return an instant as ``2026-01-28T16:00:00.250Z``, for the control API and the page."""
    moment = datetime.fromtimestamp(min(seconds, LATEST), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
