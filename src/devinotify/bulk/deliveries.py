"""What became of the accepted: asks the gateway for deliveries, on several connections, as they come due."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from devinotify.delivery.stopping import Stopping
from devinotify.exceptions import DevinotifyError, Unauthorized
from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from devinotify.bulk.journal import Journal
    from devinotify.notifier import Notifier
    from devinotify.outbox import Counts, Row

SOME = 50
"""Deliveries that one connection looks at before it takes more."""
NAP = 1.0
"""Seconds between two looks whether deliveries have come due."""
MOST_FAILURES = 10
"""Looks that fail one after the other before the others are not tried: each takes as long as all its retries."""
QUIET = 5.0
"""Seconds without a sender on the journal after which what waits is taken for left alone: one may be about to begin."""


class Deliveries:
    """Looks at the deliveries of a journal's accepted recipients, each as often as the outbox's watch says.

    Nothing is sent. ``stop`` ends it from any thread or signal handler. A look that fails is repeated when it comes due
    again: ``error`` and ``unseen`` tell of those that have not had an answer since. ``some`` and ``most_failures`` are
    counts of deliveries, ``nap`` and ``quiet`` seconds, all as the constants of these names say.
    """

    def __init__(
        self,
        notifier: Notifier,
        journal: Journal,
        *,
        connections: int = 8,
        some: int = SOME,
        nap: float = NAP,
        most_failures: int = MOST_FAILURES,
        quiet: float = QUIET,
    ) -> None:
        self._account = notifier.url.account
        journal.use(self._account)
        self._following = notifier.following(journal.outbox)
        self._outbox = journal.outbox
        self._connections = connections
        self._some = some
        self._nap = nap
        self._most_failures = most_failures
        self._quiet = quiet
        self._stopping = Stopping()
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self._looked = 0
        self._error: DevinotifyError | None = None
        self._missed: set[int] = set()
        self._in_a_row = 0
        self._gave_up = False

    @property
    def error(self) -> DevinotifyError | None:
        """The last error of the looks, or ``None`` where each delivery that was due has had an answer."""
        return self._error if self._missed else None

    @property
    def refused(self) -> bool:
        """Whether the gateway refused the login: no look can go well."""
        return isinstance(self.error, Unauthorized)

    @property
    def unseen(self) -> int:
        """How many deliveries that were due could not be looked at."""
        if not self._gave_up:
            return len(self._missed)
        now = time.time()
        due = (row for row in self._outbox.rows(states={RowState.ACCEPTED}) if row.next_poll_at is not None)
        return len(self._missed | {row.id for row in due if (row.next_poll_at or 0.0) <= now})

    def stop(self) -> None:
        """End ``poll`` and ``watch`` after the looks under way."""
        self._stopping.ask()

    def poll(self) -> int:
        """Look at all deliveries that are due now; return how many had an answer.

        The looks end early where the login is refused, and where ``most_failures`` of them fail one after the other.
        """
        self._looked = self._in_a_row = 0
        self._gave_up = False
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)
        if self._failure is not None:
            raise self._failure
        return self._looked

    def watch(self, observe: Callable[[Counts], None] | None = None) -> int:
        """Look until every delivery is decided or forgotten by the gateway, and nobody sends to more recipients.

        Returns how many recipients still wait to be sent to, and no process sends; a refused login ends it as well.
        ``observe`` is told after each round.
        """
        last, since = -1, time.monotonic()
        while not self._stopping.asked:
            self.poll()
            counts = self._outbox.counts()
            if observe is not None:
                observe(counts)
            if self.refused:
                break
            waiting = counts.queued + counts.claimed
            # While a campaign reads its input, its rows grow in number and it has no lock yet.
            if counts.total != last or self._outbox.senders_alive():
                last, since = counts.total, time.monotonic()
            sent = not waiting or time.monotonic() - since >= self._quiet
            if sent and not self._watched():
                return waiting
            self._stopping.wait(self._nap)
        return 0

    def _watched(self) -> bool:
        return any(row.next_poll_at is not None for row in self._outbox.rows(states={RowState.ACCEPTED}))

    def _work(self) -> None:
        try:
            while not self._ended():
                rows = self._outbox.watch_due(self._some, account=self._account)
                if not rows:
                    return
                self._following.attend(self._each(rows), missed=self._miss)
        except BaseException as failure:  # noqa: BLE001 - raised again by poll(), in the caller's thread
            self._failure = self._failure or failure

    def _ended(self) -> bool:
        return self._gave_up or self._stopping.asked

    def _each(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Yield the rows, and take note of those that had an answer; none any more once the looks have ended."""
        for number, row in enumerate(rows):
            if self._ended():
                with self._lock:
                    self._missed.update(left.id for left in rows[number:] if self._gave_up)
                return
            with self._lock:
                self._missed.discard(row.id)
            yield row
            with self._lock:
                if row.id not in self._missed:
                    self._looked += 1
                    self._in_a_row = 0

    def _miss(self, row: Row, error: Exception) -> None:
        if not isinstance(error, DevinotifyError):
            # A plugin's channel may raise anything, and its words may hold a number.
            error = DevinotifyError(f"{type(error).__name__} was raised while the delivery was looked at")
        with self._lock:
            self._error = error
            self._missed.add(row.id)
            self._in_a_row += 1
            self._gave_up |= isinstance(error, Unauthorized) or self._in_a_row >= self._most_failures
