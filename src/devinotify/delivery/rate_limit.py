"""How fast it goes: connections, a rate across all of them, and slower while the gateway is in trouble.

Trouble halves the connections and makes all of them wait, twice as long each time; every batch that goes well
gives one connection back.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify.channels.batch import BATCH
from devinotify.delivery.pulse import Pulse
from devinotify.exceptions import InvalidInput
from devinotify.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSES = Backoff(0.25, most=60.0)
"""How long all connections wait after trouble, unless the gateway asks for more."""
LONGEST_ASKED = 600.0
"""Seconds that are waited at most where the gateway asks for it."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast to send: ``connections`` at once, ``batch`` recipients a request, ``rate`` recipients a second over all.

    ``limit`` ends the run after so many recipients; the rest waits for the next run. Raises InvalidInput for what makes
    no sense.
    """

    connections: int = 8
    batch: int = 500
    rate: float | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.connections <= 256:
            raise InvalidInput("connections must be from 1 to 256")
        if not 1 <= self.batch <= BATCH:
            raise InvalidInput(f"a batch must be of 1 to {BATCH} recipients")
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise InvalidInput("the rate must be a number of recipients a second, more than 0")
        if self.limit is not None and self.limit < 1:
            raise InvalidInput("the limit must be at least 1")

    @property
    def size(self) -> int:
        """Recipients a request: a batch, but no more than one second of the rate, so that it flows."""
        return self.batch if self.rate is None else max(1, min(self.batch, int(self.rate)))


class Pace:
    """Lets batches go, one call of ``enter`` each; thread-safe. ``stop`` lets nobody in any more.

    ``gently`` begins with one connection, as after trouble. ``clock`` is a monotonic one, in seconds. Who waits here is
    at no step of ``pulse``.
    """

    def __init__(
        self,
        speed: Speed,
        clock: Callable[[], float] = time.monotonic,
        *,
        gently: bool = False,
        pulse: Pulse | None = None,
    ) -> None:
        self._speed = speed
        self._clock = clock
        self._pulse = pulse or Pulse()
        self._condition = threading.Condition()
        self._allowed = 1 if gently else speed.connections
        self._inside = 0
        self._next = clock()
        self._calm = clock()  # when the pause after the last trouble ends
        self.troubles: int = 0  # in a row, each with its pause
        self.stopped: bool = False

    @property
    def allowed(self) -> int:
        """Connections that may be used at the moment."""
        return self._allowed

    @property
    def wait(self) -> float:
        """Seconds until the rate, or the pause after a trouble, lets the next batch go."""
        return max(self._next - self._clock(), 0.0)

    def enter(self, size: int) -> bool:
        """Wait until a batch of so many recipients may go; return whether it may, or all is stopped."""
        with self._condition:
            while not self.stopped:
                wait = self.wait
                if self._inside < self._allowed and not wait:
                    self._inside += 1
                    self._charge(size)
                    return True
                with self._pulse.resting():
                    self._condition.wait(wait if wait > 0 and self._inside < self._allowed else None)
            return False

    def rest(self, seconds: float) -> bool:
        """Wait for so long, being in; return whether a batch may still go, or all is stopped."""
        until = self._clock() + seconds
        with self._condition:
            while not self.stopped and (left := until - self._clock()) > 0:
                with self._pulse.resting():
                    self._condition.wait(left)
            return not self.stopped

    def leave(self, unused: int = 0) -> None:
        """Make room for the next batch; ``unused`` recipients of what was entered with were not there to be sent."""
        with self._condition:
            self._inside -= 1
            self._charge(-unused)
            self._condition.notify_all()

    def well(self) -> None:
        """Take note that a batch went well."""
        with self._condition:
            self.troubles = 0
            self._allowed = min(self._allowed + 1, self._speed.connections)
            self._condition.notify_all()

    def trouble(self, retry_after: float | None = None) -> None:
        """Slow down; ``retry_after`` is in seconds, as the gateway asked for."""
        with self._condition:
            now = self._clock()
            # What was under way when the trouble began meets it too, and is no further one.
            if now >= self._calm:
                self.troubles += 1
                self._allowed = max(1, self._allowed // 2)
            wait = max(PAUSES.pause(self.troubles), min(retry_after or 0.0, LONGEST_ASKED))
            self._calm = max(self._calm, now + wait)
            self._next = max(self._next, self._calm)
            self._condition.notify_all()

    def stop(self) -> None:
        """Let nobody in any more; who is in goes on."""
        with self._condition:
            self.stopped = True
            self._condition.notify_all()

    def resume(self) -> None:
        """Let batches in again."""
        with self._condition:
            self.stopped = False

    def _charge(self, size: int) -> None:
        if self._speed.rate is not None and size:
            start = self._next if size < 0 else max(self._next, self._clock())
            self._next = start + size / self._speed.rate
