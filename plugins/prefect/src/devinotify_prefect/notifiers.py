"""The notifiers of this process: one for each URL, made when it is first sent by, closed at the process's end.

Prefect makes a block anew for each notification; logins, connections and threads outlive them here.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
from threading import Lock
from typing import TYPE_CHECKING

# Imported before ``close`` is registered below, so that it still finds the threads that this module ends at exit.
from devinotify import AsyncNotifier

if TYPE_CHECKING:
    from devinotify import DevinoURL


class Notifiers:
    """Notifiers by settings; safe to share between threads and event loops, and to go on with after a fork."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[DevinoURL, AsyncNotifier] = {}

    def known(self, settings: DevinoURL) -> AsyncNotifier | None:
        """Return the notifier of these settings, or ``None`` where none was made yet; never waits."""
        return self._kept.get(settings)

    def get(self, settings: DevinoURL) -> AsyncNotifier:
        """Return the notifier of these settings, made where there is none, which may wait for its outbox.

        Raises what ``Notifier`` raises.
        """
        with self._lock:
            notifier = self._kept.get(settings)
            if notifier is None:
                notifier = self._kept[settings] = AsyncNotifier(settings)
            return notifier

    def start_anew(self) -> None:
        """Go on in a process that was forked off: notifiers see to themselves, the lock may be held."""
        if self._lock.locked():
            self._kept = {}
        self._lock = Lock()

    def close(self) -> None:
        """Wait for what was begun, and close everything; what is asked for later is made anew. Not on an event loop."""
        with self._lock:
            for notifier in self._kept.values():
                # Python begins no thread while it ends; where there is none to do it, nothing is under way.
                with contextlib.suppress(RuntimeError):
                    asyncio.run(notifier.aclose())
                notifier.notifier.close()
            self._kept.clear()


shared: Notifiers = Notifiers()
"""Those of this process."""

atexit.register(shared.close)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=shared.start_anew)
