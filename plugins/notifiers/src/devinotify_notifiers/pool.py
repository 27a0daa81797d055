"""The Notifiers of this process: one for each URL, made when it is first asked for, closed at its end.

``notifiers`` makes a provider for each message; the login and the connections outlive it here.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from devinotify import Notifier

if TYPE_CHECKING:
    from devinotify import DevinoURL

CAPACITY = 32
"""Notifiers that are kept: a URL may be made for each message."""


class Pool:
    """Notifiers by URL; safe to share between threads, and to go on with after a fork."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._kept: OrderedDict[DevinoURL, Notifier] = OrderedDict()

    def get(self, url: DevinoURL) -> Notifier:
        """Return the Notifier of a URL; raise InvalidInput where channel, sender or outbox are wrong."""
        with self._lock:
            notifier = self._kept.get(url)
            if notifier is None:
                notifier = self._kept[url] = Notifier(url)
            self._kept.move_to_end(url)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)[1].close()  # whoever is using it opens a connection anew
            return notifier

    def start_anew(self) -> None:
        """Go on in a process that was forked off: Notifiers see to themselves, the lock may be held."""
        if self._lock.locked():
            self._kept = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close everything; what is asked for later is made anew."""
        with self._lock:
            for notifier in self._kept.values():
                notifier.close()
            self._kept.clear()


shared: Pool = Pool()
"""The Notifiers of this process."""

atexit.register(shared.close)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=shared.start_anew)
