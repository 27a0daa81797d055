"""The sending itself: threads that claim a batch, send it through the Notifier, and settle it, until nothing is left.

What an error means for the campaign is a table: most are a recipient's affair and are settled, some are the
account's, and then nothing is lost by stopping: the batch is put back as it was.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify import exceptions as errors
from devinotify.bulk.batch_size import Caution
from devinotify.bulk.rate_limit import Pace, Speed
from devinotify.channels.batch import blames_a_recipient
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox import RowState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from devinotify.models import Outcome
    from devinotify.notifier import Notifier
    from devinotify.outbox import Batch, Outbox

log = logging.getLogger(__name__)

MOST_TROUBLES = 8
"""Times in a row that the gateway may be in trouble (5xx, 429, a broken connection), with about a minute of pauses
between them, before the campaign stops; and times that outcomes may be unknown before batches have their size again."""
MOST_ATTEMPTS = 10
"""Attempts after which a recipient that never leaves is waited for no more."""
MOST_LOGINS = 3
"""Times in a row that the session may be refused before the campaign stops."""
MOST_REFUSALS = 3
"""Batches in a row that the gateway may refuse for no recipient's sake before the campaign stops."""
PUT_BACK = 1.0
"""Seconds for which what was refused for no recipient's sake stands behind the others in the queue."""
SETTLE_TRIES = 5
"""Times that an outcome is written to a journal that cannot be written, a full disk for one, a second apart."""


class End(StrEnum):
    """Why a run ended; nothing is lost by any of them: the same command goes on where this run stopped."""

    DONE = "done"
    ELSEWHERE = "elsewhere"
    LIMIT = "limit"
    STOPPED = "stopped"
    CREDITS = "credits"
    LOGIN = "login"
    REFUSED = "refused"
    FAILING = "failing"


ENDS: Mapping[End, str] = MappingProxyType(
    {
        End.DONE: "all recipients are dealt with",
        End.ELSEWHERE: "nothing is left for this process; another one is still sending",
        End.LIMIT: "the limit of this run is reached; run the same command again to go on",
        End.STOPPED: "stopped; run the same command again to go on",
        End.CREDITS: "the account has not enough credits; top it up, and run the same command again to go on",
        End.LOGIN: "the gateway refused the login; correct it, and run the same command again to go on",
        End.REFUSED: "the gateway refuses the account; set that right, and run the same command again to go on",
        End.FAILING: "the gateway keeps failing or cannot be reached; run the same command again later to go on",
    }
)
"""What each end says to a person."""

STOPS: Mapping[type[DevinotifyError], End] = MappingProxyType(
    {
        errors.NotEnoughCredits: End.CREDITS,
        errors.InvalidSender: End.REFUSED,
    }
)
"""Refusals that concern the account: the batch is put back, and the campaign stops."""

_SESSION = (errors.Unauthorized, errors.InvalidSession)
"""A wrong password, or a session that ended once more right after the login: the batch is put back and tried again."""


@dataclass(slots=True)
class Reading:
    """What the outcomes of one batch mean: what to settle, whose rows to put back, and what it says of the gateway.

    ``held`` are the outcomes of a batch that was refused as a whole, for no recipient's sake. ``doubt``: some are
    unknown. ``refused`` is the end that it comes to where the next batches are refused like it.
    """

    settle: list[Outcome] = field(default_factory=list)
    release: set[str] = field(default_factory=set)
    held: list[Outcome] = field(default_factory=list)
    doubt: bool = False
    stop: End | None = None
    error: DevinotifyError | None = None
    trouble: bool = False
    retry_after: float | None = None
    refused: End | None = None


def read(outcomes: Sequence[Outcome]) -> Reading:
    """Return what the outcomes of a batch mean for the campaign."""
    reading = Reading()
    refusals: list[Outcome] = []
    for outcome in outcomes:
        error = outcome.error
        if error is None:
            reading.settle.append(outcome)
            continue
        stop = next((STOPS[kind] for kind in type(error).__mro__ if kind in STOPS), None)
        if stop is not None and outcome.verdict is not Verdict.UNKNOWN:
            reading.stop, reading.error = stop, error
            reading.release.add(outcome.recipient)
            continue
        if isinstance(error, _SESSION) and outcome.verdict is not Verdict.UNKNOWN:
            reading.trouble, reading.error, reading.refused = True, error, End.LOGIN
            reading.release.add(outcome.recipient)
            continue
        # A login that did not get through, a 429, a connection that was refused: nothing left, and it may yet.
        again = error.retryable and outcome.verdict is not Verdict.UNKNOWN
        if again or outcome.verdict is Verdict.UNKNOWN:
            reading.trouble, reading.error = True, error
            reading.retry_after = max(reading.retry_after or 0.0, error.retry_after or 0.0) or None
            reading.doubt |= outcome.verdict is Verdict.UNKNOWN
        elif not blames_a_recipient(error) and not isinstance(error, errors.InvalidInput):
            refusals.append(outcome)
            reading.error = error
            continue
        if again and outcome.verdict is Verdict.REJECTED:
            reading.release.add(outcome.recipient)
        else:
            reading.settle.append(outcome)
    if refusals and len(refusals) == len(outcomes):
        reading.held, reading.refused = refusals, End.REFUSED
    else:  # somebody was accepted, or unknown: the account may send
        reading.settle += refusals
    return reading


@dataclass(frozen=True, slots=True)
class Sent:
    """What this run has done so far, in recipients; ``segments`` are those that the gateway accepted."""

    accepted: int = 0
    rejected: int = 0
    not_sent: int = 0
    unknown: int = 0
    segments: int = 0

    @property
    def done(self) -> int:
        """Recipients that are dealt with."""
        return self.accepted + self.rejected + self.not_sent + self.unknown


class Sending:
    """One run over a journal's queue; ``run`` returns why it ended, ``stop`` ends it after the batches under way.

    ``personal``: each recipient has a text, and so a request, of its own.
    """

    def __init__(self, notifier: Notifier, outbox: Outbox, speed: Speed, *, personal: bool = False) -> None:
        self._notifier = notifier
        self._outbox = outbox
        self._speed = speed
        self._pace = Pace(speed)
        self._caution = Caution(1 if personal else speed.size)
        self._lock = threading.Lock()
        self._left = speed.limit
        self._states: Counter[RowState] = Counter()
        self._segments = 0
        self._adrift = 0  # recipients sent to, and what became of them not written down
        self._end: End | None = None
        self._failure: BaseException | None = None
        self._warned = False
        self._wake = threading.Event()
        self.error: DevinotifyError | None = None

    @property
    def sent(self) -> Sent:
        """What this run has done so far."""
        with self._lock:
            states = self._states
            return Sent(
                states[RowState.ACCEPTED],
                states[RowState.REJECTED],
                states[RowState.NOT_SENT],
                states[RowState.UNKNOWN],
                self._segments,
            )

    @property
    def connections(self) -> int:
        """Connections that are used at the moment: fewer while the gateway is in trouble."""
        return self._pace.allowed

    def stop(self, end: End = End.STOPPED) -> None:
        """End the run after the batches under way; from any thread or signal handler."""
        # No lock here: a signal handler may have interrupted its holder.
        if self._end is None:
            self._end = end
        self._wake.set()

    def run(self, observe: Callable[[Sent], None] | None = None, every: float = 0.5) -> End:
        """Send what is queued, and return why that ended; ``observe`` is told how far it is every so many seconds.

        Raises DevinotifyError where the journal cannot be written; its verdict is ``unknown`` where recipients have
        been sent to and nobody could write down what became of them.
        """
        while self._end is None:
            before = self.sent.done
            self._drain(observe, every)
            if self._end is not None:
                break
            waiting = next(self._outbox.rows(states={RowState.QUEUED}, limit=1), None)
            if waiting is None:
                self._end = End.DONE
            elif self._left == 0:
                self._end = End.LIMIT
            elif self.sent.done == before and waiting.attempts >= MOST_ATTEMPTS:
                self._end = End.FAILING
            else:
                due = (waiting.next_attempt_at or 0.0) - time.time()
                self._wait(max(due, 0.05), observe, every)
        if self._failure is not None:
            raise self._failure if not self._adrift else self._lost(self._failure)
        if observe is not None:
            observe(self.sent)
        return self._end

    def _lost(self, failure: BaseException) -> DevinotifyError:
        told = (
            f"{self._adrift} recipients may have been sent to, and will be unknown, for the journal failed: {failure}"
        )
        error = DevinotifyError(told, operation="outbox.settle", verdict=Verdict.UNKNOWN)
        error.__cause__ = failure
        return error

    def _drain(self, observe: Callable[[Sent], None] | None, every: float) -> None:
        threads = [
            threading.Thread(target=self._work, name=f"devinotify-bulk-{number}", daemon=True)
            for number in range(self._speed.connections)
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(every)
                    if self._end is not None:
                        self._pace.stop()
                    if observe is not None:
                        observe(self.sent)
        except BaseException:  # an interrupt, or the observer: the threads must not go on without us
            self.stop()
            self._pace.stop()
            raise

    def _wait(self, seconds: float, observe: Callable[[Sent], None] | None, every: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._wake.wait(min(left, every)):
            if observe is not None:
                observe(self.sent)

    def _work(self) -> None:
        try:
            while self._end is None:
                size = self._take()
                if not size:
                    return  # what another connection may give back is taken up by the next round
                if not self._pace.enter(size) or not self._turn(size):
                    self._give_back(size)
                    return
        except BaseException as failure:  # noqa: BLE001 - raised again by run(), in the caller's thread
            self._failure = self._failure or failure
            self.stop()
        finally:
            if self._end is not None:
                self._pace.stop()

    def _turn(self, size: int) -> bool:
        """Send one batch; return whether there was one."""
        claimed = 0
        began = self._caution.begin()
        try:
            # Stopped while it waited to go: nothing more is claimed. And there may be less trust than there was.
            batch = self._outbox.claim(min(size, self._caution.size)) if self._end is None else None
            if batch is None:
                return False
            claimed = len(batch)
            asked = {row.recipient for row in batch.rows}
            outcomes = [one for one in self._notifier.process(batch.message) if one.recipient in asked]
            try:
                self._settle(batch, outcomes, size, began)
            except DevinotifyError:
                with self._lock:
                    self._adrift += claimed
                raise
        finally:
            self._pace.leave(size - claimed)
        return True

    def _settle(self, batch: Batch, outcomes: Sequence[Outcome], size: int, began: int) -> None:
        reading = read(outcomes)
        if reading.held and self._caution.refused(began, [one.recipient for one in reading.held]):
            reading.settle, reading.held, reading.refused = reading.held, [], None
        states: dict[int, RowState] = {}
        if reading.settle:
            states.update(self._written(lambda: self._outbox.settle(batch, reading.settle)))
        if reading.release:
            rows = [row for row in batch.rows if row.recipient in reading.release]
            states.update(self._written(lambda: self._outbox.release(batch, rows)))
        if reading.held:
            later = datetime.now(UTC) + timedelta(seconds=PUT_BACK)
            states.update(self._written(lambda: self._outbox.release(batch, not_before=later)))
        found = Counter(states.values())
        segments = sum(one.receipt.segments or 0 for one in reading.settle if one.receipt is not None)
        with self._lock:
            self._states += found
            self._segments += segments
        self._give_back(size - len(batch) + found[RowState.QUEUED])
        self._react(reading, began)

    def _react(self, reading: Reading, began: int) -> None:
        self.error = reading.error or self.error
        if reading.doubt:
            self._caution.doubt(began)
        if reading.trouble:
            self._pace.trouble(reading.retry_after)
            log.info("slowing down: %s", reading.error)
        elif reading.stop is None:
            self._pace.well()
            if any(outcome.error is None for outcome in reading.settle):
                self._caution.well(began)
        if reading.stop is not None:
            self.stop(reading.stop)
        elif max(self._pace.troubles, self._caution.doubts) >= MOST_TROUBLES:
            self.stop(End.FAILING)
        elif reading.refused is End.LOGIN and self._pace.troubles >= MOST_LOGINS:
            self.stop(End.LOGIN)
        elif reading.refused is End.REFUSED and self._caution.refusals >= MOST_REFUSALS:
            self.stop(End.REFUSED)

    def _written(self, write: Callable[[], dict[int, RowState]]) -> dict[int, RowState]:
        """Write to the journal, again where it fails: what was sent must not be forgotten for a full disk's sake."""
        for _ in range(SETTLE_TRIES - 1):
            try:
                return write()
            except DevinotifyError as error:
                if not self._warned:
                    self._warned = True
                    log.warning("the journal cannot be written, trying again: %s", error)
                time.sleep(1.0)
        return write()

    def _take(self) -> int:
        """Return how many recipients the next batch may have: none where the limit is used up."""
        with self._lock:
            if self._left is None:
                return self._caution.size
            size = min(self._caution.size, self._left)
            self._left -= size
            return size

    def _give_back(self, number: int) -> None:
        with self._lock:
            if self._left is not None:
                self._left += number
