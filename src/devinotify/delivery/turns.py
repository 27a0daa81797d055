"""Turns at asking the gateway, for all who ask through one Notifier: whoever asks first goes first."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from devinotify.outbox.pace import StoredPace

if TYPE_CHECKING:
    from collections.abc import Callable


class Turns:
    """Hands out turns at ``rate`` requests a second, to any number of threads; nobody waits here for his own.

    ``clock`` is a monotonic one, in seconds. A child begins anew after a fork.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._pace = StoredPace(self._rate, 0.0)
        self._lock, self._pid = threading.Lock(), os.getpid()

    def ahead(self) -> float:
        """Return the seconds until whoever takes a turn now has it."""
        return max(self._pace.next_at - self._clock(), 0.0)

    def take(self, requests: int) -> float:
        """Take a turn for so many requests, and return the seconds until it comes."""
        if self._pid != os.getpid():
            self._begin()  # the lock may have been held in the parent when it forked; nobody here will release it
        with self._lock:
            self._pace, wait = self._pace.booked(requests, self._clock())
        return wait
