"""What a process makes once and shares: a Notifier for each account, say, so that logins and connections outlive calls.

For hosts that make their plugin, sender or block anew for each message.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class Pool(Generic[K, V]):
    """One value for each key, made by ``make`` when it is first asked for, closed by ``close`` when the process ends.

    Threads may share it, and a process that was forked off goes on with it, never waiting for a thread of the parent's.
    With a ``capacity`` what was not used for longest is closed when there are more: whatever is made has to be one that
    whoever is using it at that moment can go on with, as a Client and a Notifier are. Made once, for as long as the
    process lasts.
    """

    def __init__(self, make: Callable[[K], V], close: Callable[[V], object], *, capacity: int | None = None) -> None:
        self._make = make
        self._close = close
        self._capacity = capacity
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, V] = OrderedDict()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):  # not on Windows
            os.register_at_fork(after_in_child=self.start_anew)

    def get(self, key: K) -> V:
        """Return the value of a key, made where there is none, which others wait for; raise what ``make`` raises."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._make(key)
            self._kept.move_to_end(key)
            while self._capacity is not None and len(self._kept) > self._capacity:
                self._close(self._kept.popitem(last=False)[1])
            return self._kept[key]

    def known(self, key: K) -> V | None:
        """Return the value of a key, or ``None`` where none was made yet; never waits."""
        return self._kept.get(key)

    def start_anew(self) -> None:
        """Go on in a process that was forked off: the values see to themselves, but the lock may be held for ever.

        Then what a thread of the parent's was doing is half done: all values are forgotten, and made anew.
        """
        if self._lock.locked():
            self._kept = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close everything; what is asked for later is made anew."""
        with self._lock:
            for value in self._kept.values():
                self._close(value)
            self._kept.clear()
