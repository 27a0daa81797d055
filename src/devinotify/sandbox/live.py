"""Who wants to know that something has changed: threads that wait, and event streams that are woken."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Live:
    """A count of changes, under the emulator's lock, that threads can wait on and streams can be woken by."""

    def __init__(self, lock: threading.RLock) -> None:
        self._condition = threading.Condition(lock)
        self._wakers: set[Callable[[], None]] = set()
        self.version: int = 0
        """Grows with every change."""

    def changed(self) -> None:
        """Count a change and wake all who wait."""
        with self._condition:
            self.version += 1
            self._condition.notify_all()
            for wake in self._wakers:
                wake()

    def wait(self, timeout: float) -> None:
        """Give the lock up until something changes, for at most so many seconds."""
        self._condition.wait(timeout)

    @contextmanager
    def woken(self, wake: Callable[[], None]) -> Iterator[None]:
        """Have ``wake`` called at every change, from whichever thread makes it, inside the block."""
        with self._condition:
            self._wakers.add(wake)
        try:
            yield
        finally:
            with self._condition:
                self._wakers.discard(wake)

    @property
    def watchers(self) -> int:
        """How many are woken."""
        return len(self._wakers)
