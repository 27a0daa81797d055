"""What became of the accepted: asks the gateway for deliveries, on several connections, as they come due."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.bulk.journal import Journal
    from devinotify.notifier import Notifier
    from devinotify.outbox import Counts

SOME = 50
"""Deliveries that one connection looks at before it takes more."""
NAP = 1.0
"""Seconds between two looks whether deliveries have come due."""


class Deliveries:
    """Looks at the deliveries of a journal's accepted recipients, each as often as the outbox's watch says.

    Nothing is sent. ``stop`` ends it from any thread or signal handler.
    """

    def __init__(self, notifier: Notifier, journal: Journal, *, connections: int = 8) -> None:
        self._following = notifier.following(journal.outbox)
        self._outbox = journal.outbox
        self._connections = connections
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._looked = 0
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End ``poll`` and ``watch`` after the looks under way."""
        self._stopping.set()

    def poll(self) -> int:
        """Look at all deliveries that are due now; return how many were looked at."""
        self._looked = 0
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)
        if self._failure is not None:
            raise self._failure
        return self._looked

    def watch(self, observe: Callable[[Counts], None] | None = None) -> None:
        """Look until every delivery is decided or forgotten by the gateway; ``observe`` is told after each round."""
        while not self._stopping.is_set():
            self.poll()
            counts = self._outbox.counts()
            if observe is not None:
                observe(counts)
            watched = any(row.next_poll_at is not None for row in self._outbox.rows(states={RowState.ACCEPTED}))
            if not watched or self._stopping.wait(NAP):
                return

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                rows = self._outbox.watch_due(SOME)
                if not rows:
                    return
                self._following.attend(rows)
                with self._lock:
                    self._looked += len(rows)
        except BaseException as failure:  # noqa: BLE001 - raised again by poll(), in the caller's thread
            self._failure = self._failure or failure
