"""Turns at asking the gateway, for all who ask through one Notifier: whoever asks first goes first."""

from __future__ import annotations

import os
import threading
from collections import deque

SECOND = 1.0


class Turns:
    """Hands out turns, ``rate`` requests in any second at most, to any number of threads; nobody waits for his here.

    ``now`` is in seconds, of one monotonic clock. A child begins anew after a fork.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._begin()

    def _begin(self) -> None:
        self._given: deque[float] = deque(maxlen=self._rate)  # when the last requests begin
        self._lock, self._pid = threading.Lock(), os.getpid()

    def ahead(self, now: float) -> float:
        """Return the seconds until whoever takes a turn now has it."""
        return max(self._next(now) - now, 0.0)

    def take(self, requests: int, now: float) -> float:
        """Take a turn for so many requests, and return the seconds until all of them may begin."""
        if self._pid != os.getpid():
            self._begin()  # the lock may have been held in the parent when it forked; nobody here will release it
        with self._lock:
            for _ in range(requests):
                self._given.append(self._next(now))
            begins = self._given[-1]
            for place in range(-min(requests, self._rate), 0):  # none of them begins before the last may
                self._given[place] = begins
            return max(begins - now, 0.0)

    def _next(self, now: float) -> float:
        full = len(self._given) == self._rate
        return max(now, self._given[0] + SECOND) if full else now
