"""What became of the accepted: a campaign's deliveries looked at as they come due, and a fallback's later steps taken.

The looks are those of a worker (``devinotify.delivery.looking``), at the pace that the vendor asks for; what is a
campaign's is the end: when there is nothing more to look at, and what could not be seen.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from devinotify.bulk.journal import OPEN, UNDECIDED
from devinotify.delivery.crew import Crew
from devinotify.delivery.dispatching import Dispatcher
from devinotify.delivery.looking import MOST_FAILURES, RATE, SOME, Looks
from devinotify.delivery.rate_limit import Speed
from devinotify.delivery.stopping import Stopping
from devinotify.exceptions import DevinotifyError, Unauthorized
from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from devinotify.bulk.journal import Journal
    from devinotify.notifier import Notifier
    from devinotify.outbox import Batch, Counts, Row

CONNECTIONS = 8
"""Deliveries that are asked for at a time, so that a slow gateway is asked ``RATE`` times a second all the same."""
STEP_CONNECTIONS = 2
"""Connections that take steps which were put off."""
NAP = 1.0
"""Seconds between two looks whether deliveries have come due."""
QUIET = 5.0
"""Seconds without a sender on the journal after which what waits is taken for left alone: one may be about to begin."""
STEPS_EVERY = 5.0
"""Seconds, at most, between two searches for steps that were put off and have come due."""


class Deliveries:
    """Looks at the deliveries of a journal's accepted recipients, each as often as the outbox's watch says.

    ``poll`` sends nothing; ``watch`` takes the later steps of a fallback, and leaves what waits for its first one to
    the campaign's own run. ``stop`` ends both from any thread or signal handler. A look that fails is repeated when it
    comes due again: ``error`` and ``unseen`` tell of those that have not had an answer since. ``rate`` is in requests a
    second, ``some`` and ``most_failures`` are counts of deliveries, ``nap`` and ``quiet`` seconds.
    """

    def __init__(
        self,
        notifier: Notifier,
        journal: Journal,
        *,
        connections: int = CONNECTIONS,
        rate: float | None = RATE,
        some: int = SOME,
        nap: float = NAP,
        most_failures: int = MOST_FAILURES,
        quiet: float = QUIET,
    ) -> None:
        self._account = notifier.url.account
        journal.use(self._account)
        self._following = notifier.following(journal.outbox)
        self._following.puts_back = True
        self._journal = journal
        self._outbox = journal.outbox
        self._second = journal.second
        self._connections = connections
        self._rate = rate
        self._some = some
        self._nap = nap
        self._most_failures = most_failures
        self._quiet = quiet
        self._stopping = Stopping()
        self._watching: Stopping | None = None
        self._lock = threading.Lock()
        self._looks: Looks | None = None
        self._looked = 0
        self._error: DevinotifyError | None = None
        self._missed: set[int] = set()
        self._gave_up = False
        self._steps_at = 0.0

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
        now = self._outbox.now()
        due = (row for row in self._outbox.rows(states={RowState.ACCEPTED}) if row.next_poll_at is not None)
        return len(self._missed | {row.id for row in due if (row.next_poll_at or 0.0) <= now})

    def stop(self) -> None:
        """End ``poll`` and ``watch`` after the looks under way."""
        self._stopping.ask()
        if self._watching is not None:
            self._watching.ask()

    def poll(self) -> int:
        """Look at all deliveries that are due now; return how many had an answer.

        The looks end early where the login is refused, and where ``most_failures`` of them fail one after the other.
        """
        self._looked, self._gave_up = 0, False
        looks = self._new_looks(patient=False)
        crew = Crew(
            [looks.turn] * self._connections, self._stopping, forever=False, nap=lambda: self._nap, name="deliveries"
        )
        crew.run(lambda: None, self._nap, halt=looks.stop)
        self._gave_up |= looks.gave_up
        return self._looked

    def watch(self, observe: Callable[[Counts], None] | None = None) -> int:
        """Look until every delivery is decided or forgotten by the gateway, and nobody sends to more recipients.

        Returns how many recipients still wait to be sent to, and no process sends; a refused login ends it as well.
        ``observe`` is told after each round.
        """
        self._gave_up = False
        looks = self._new_looks(patient=True)
        turns = [looks.turn] * self._connections
        steps = self._new_dispatcher() if self._second is not None else None
        if steps is not None:
            turns += [steps.turn] * STEP_CONNECTIONS
        over = self._watching = Stopping()
        last, since, left = -1, time.monotonic(), 0

        def halt() -> None:
            looks.stop()
            if steps is not None:
                steps.stop()

        def tick() -> None:
            nonlocal last, since, left
            if over.asked:
                return
            counts = self._journal.counts()
            if observe is not None:
                observe(counts)
            waiting = counts.queued + counts.claimed
            # While a campaign reads its input, its rows grow in number and it has no lock yet.
            if counts.total != last or self._outbox.senders_alive():
                last, since = counts.total, time.monotonic()
            sent = not waiting or time.monotonic() - since >= self._quiet
            if self.refused:
                over.ask()
            elif sent and not self._watched():
                left = waiting
                over.ask()

        if not self._stopping.asked:
            Crew(turns, over, forever=True, nap=lambda: self._nap, name="deliveries").run(tick, self._nap, halt=halt)
        self._watching = None
        return left

    # --- the parts

    def _new_looks(self, *, patient: bool) -> Looks:
        self._looks = Looks(
            self._following,
            account=self._account,
            connections=self._connections,
            rate=self._rate,
            some=self._some,
            most_failures=self._most_failures,
            patient=patient,
            steps=patient,
            looked=self._note,
            put_off=self._put_off,
        )
        return self._looks

    def _new_dispatcher(self) -> Dispatcher:
        speed = Speed(connections=STEP_CONNECTIONS)
        return Dispatcher(self._following.sender, self._outbox, speed, gently=True, ends=False, claim=self._claim_step)

    def _claim_step(self, limit: int) -> Batch | None:
        """Claim steps of a fallback that were put off and are due: what waits for its first step is the run's."""
        now = self._outbox.now()
        if now < self._steps_at:
            return None
        due: list[int] = []
        later = math.inf
        for row in self._steps_to_come():
            at = row.next_attempt_at or 0.0
            if at <= now:
                due.append(row.id)
                if len(due) == limit:
                    break
            else:
                later = min(later, at)
        batch = self._outbox.claim(limit, rows=due, account=self._account) if due else None
        self._steps_at = 0.0 if batch is not None else min(later, now + STEPS_EVERY)
        return batch

    def _steps_to_come(self) -> Iterator[Row]:
        """Yield what is queued of the second steps."""
        return self._outbox.rows(states={RowState.QUEUED}, channel=self._second)

    def _watched(self) -> bool:
        """Whether a delivery is still looked at, or a step of a fallback is to come."""
        if self._second is None:
            return any(row.next_poll_at is not None for row in self._outbox.rows(states={RowState.ACCEPTED}))
        # By one look at each row: between two, a step may go from the one that is asked about into the other.
        return any(
            row.next_poll_at is not None or (row.state in OPEN and row.channel == self._second)
            for row in self._outbox.rows(states=UNDECIDED)
        )

    # --- told by the looks

    def _note(self, row: Row, error: Exception | None) -> None:
        if error is not None and not isinstance(error, DevinotifyError):
            # A plugin's channel may raise anything, and its words may hold a number.
            error = DevinotifyError(f"{type(error).__name__} was raised while the delivery was looked at")
        with self._lock:
            if error is None:
                self._missed.discard(row.id)
                self._looked += 1
                return
            self._error = error
            self._missed.add(row.id)
        if isinstance(error, Unauthorized) and self._looks is not None:
            self._gave_up = True
            self._looks.stop()

    def _put_off(self, rows: Sequence[Row]) -> None:
        if not self._stopping.asked:
            with self._lock:
                self._missed.update(row.id for row in rows)
