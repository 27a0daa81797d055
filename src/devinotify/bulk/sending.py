"""A campaign's run over its journal: it sends until nothing is left, or nothing can go out, and tells why it ended.

The sending itself is ``devinotify.delivery``'s: what is a campaign's is the limit, the progress, and the end.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.accepted import segments_of
from devinotify.delivery.crew import Crew
from devinotify.delivery.dispatching import MOST_TROUBLES, Dispatcher
from devinotify.delivery.reading import CAUSES, Cause
from devinotify.delivery.sending import PUT_BACK, Sender
from devinotify.delivery.stopping import Stopping
from devinotify.exceptions import DevinotifyError, LimitExceeded, Verdict
from devinotify.outbox import RowState
from devinotify.retry import Backoff
from devinotify.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from devinotify.bulk.own_sends import OwnSends
    from devinotify.bulk.windowing import Windowing
    from devinotify.delivery import sending as delivery
    from devinotify.delivery.fallback import Fallback
    from devinotify.delivery.rate_limit import Speed
    from devinotify.notifier import Notifier
    from devinotify.outbox import Batch, Outbox, Row

MOST_ATTEMPTS = 10
"""Attempts after which a recipient that never leaves is waited for no more."""
WRITTEN_AGAIN = Backoff(1.0, factor=1.0, tries=4)
"""How an outcome is written again to a journal that cannot be written, a full disk for one."""


TOLD = (RowState.ACCEPTED, RowState.REJECTED, RowState.NOT_SENT, RowState.UNKNOWN)
"""The states that a recipient may be in once it is dealt with, in the order of Sent."""

LONGEST_WAIT = 60.0
"""Seconds for which a run waits at most for what a limit leaves no room for: a next period seldom begins so soon."""
FED_ELSEWHERE_EVERY = 1.0
"""Seconds after which who does not put the input in asks again whether all is in."""

_END = object()


class End(StrEnum):
    """Why a run ended; nothing is lost by any of them: the same command goes on where this run stopped."""

    DONE = "done"
    ELSEWHERE = "elsewhere"
    LIMIT = "limit"
    STOPPED = "stopped"
    CREDITS = "credits"
    LOGIN = "login"
    REFUSED = "refused"
    PLUGIN = "plugin"
    FAILING = "failing"
    OVER_LIMIT = "over_limit"


_AGAIN = "run the same command again"

ENDS: Mapping[End, str] = MappingProxyType(
    {
        End.DONE: "all recipients are dealt with",
        End.ELSEWHERE: "nothing is left for this process; another one is still sending",
        End.LIMIT: f"the limit of this run is reached; {_AGAIN} to go on",
        End.STOPPED: f"stopped; {_AGAIN} to go on",
        End.CREDITS: f"{CAUSES[Cause.CREDITS]}; top it up, and {_AGAIN} to go on",
        End.LOGIN: f"{CAUSES[Cause.LOGIN]}; correct it, and {_AGAIN} to go on",
        End.REFUSED: f"{CAUSES[Cause.REFUSED]}; set that right, and {_AGAIN} to go on",
        End.PLUGIN: f"{CAUSES[Cause.PLUGIN]}; set that right, and {_AGAIN} to go on",
        End.FAILING: f"{CAUSES[Cause.FAILING]}; {_AGAIN} later to go on",
        End.OVER_LIMIT: f"{CAUSES[Cause.OVER_LIMIT]}; {_AGAIN} when there is room, or with a higher one, to go on",
    }
)
"""What each end says to a person."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What this run has done so far, in recipients; ``segments`` are those that the gateway accepted.

    On a fallback they are those of the first step, which ``first`` messages were accepted of, and ``second`` of the
    second step: one that costs by segments counts them there.
    """

    accepted: int = 0
    rejected: int = 0
    not_sent: int = 0
    unknown: int = 0
    segments: int = 0
    first: int = 0
    second: int = 0

    @property
    def done(self) -> int:
        """Recipients that are dealt with."""
        return self.accepted + self.rejected + self.not_sent + self.unknown


class Sending:
    """One run over a journal's queue; ``run`` returns why it ended, ``stop`` ends it after the batches under way.

    ``feed`` puts a part of the input into the journal with each step, beside the sending, or yields ``None`` while
    another process does; the run does not end before, unless there is nothing that it might still send.
    ``personal``: each recipient has a text, and so a request, of its own. ``fallback`` is the channel, where it is
    one: the run goes on to the end of first steps, and of second ones that are due at once. ``fail_fast`` ends the run
    with the first batch that cannot reach the gateway. ``sender`` sends in place of the notifier. ``most_troubles`` is
    how often in a row the gateway may be in trouble, ``put_back`` for how many seconds a refused batch stands behind
    the others.
    """

    def __init__(
        self,
        notifier: Notifier,
        outbox: Outbox,
        speed: Speed,
        *,
        personal: bool = False,
        feed: Iterator[object] | None = None,
        fallback: Fallback | None = None,
        fail_fast: bool = False,
        sender: OwnSends | Windowing | None = None,
        most_troubles: int = MOST_TROUBLES,
        put_back: float = PUT_BACK,
        written_again: Backoff = WRITTEN_AGAIN,
    ) -> None:
        self._account = notifier.url.account
        self._outbox = outbox
        self._speed = speed
        self._feed = feed
        self._lock = threading.Lock()
        self._fallback = fallback
        self._states: Counter[RowState] = Counter()
        self._accepted: Counter[str] = Counter()  # by channel, where the channel is a fallback
        self._segments: Counter[str] = Counter()  # likewise
        self._over: LimitExceeded | None = None  # a limit of a recipient's that leaves no room for now
        self._hurried = False  # what waited for a limit was tried once more
        self._told = -1  # how many were done when the progress was last told
        self._stopping = Stopping()
        outbox.request_seconds = notifier.url.timeout
        self._dispatcher = Dispatcher(
            Sender(
                outbox,
                fallbacks={} if fallback is None else {fallback.name: fallback},
                send=(sender or notifier).send,
                process=(sender or notifier).process,
                again=written_again,
                put_back=put_back,
            ),
            outbox,
            speed,
            account=self._account,
            alike=True,
            personal=personal,
            ends_unreached=fail_fast,
            most_troubles=most_troubles,
            told=self._count,
        )

    @property
    def sent(self) -> Sent:
        """What this run has done so far."""
        with self._lock:
            states, segments = self._states, self._segments
            accepted, rejected, not_sent, unknown = (states[state] for state in TOLD)
            if (steps := self._fallback) is None:
                return Sent(accepted, rejected, not_sent, unknown, segments[""])
            first, second = steps.first.name, steps.second.name
            more = segments[second] if steps.second.segmented else self._accepted[second]
            return Sent(accepted, rejected, not_sent, unknown, segments[first], self._accepted[first], more)

    @property
    def connections(self) -> int:
        """Connections that are used at the moment: fewer while the gateway is in trouble."""
        return self._dispatcher.connections

    @property
    def error(self) -> DevinotifyError | None:
        """The last error that stopped or slowed it."""
        return self._dispatcher.error or self._over

    def trouble(self) -> tuple[DevinotifyError | None, float | None]:
        """Return why nothing goes out, and in how many seconds it is tried again; nothing while messages go out."""
        error, done = self._dispatcher.trouble, self.sent.done
        if error is None or done != self._told:
            self._told = done
            return None, None
        due = self._due()
        return error, None if due is None else max(due, self._dispatcher.pause)

    def stop(self) -> None:
        """End the run after the batches under way; from any thread or signal handler."""
        self._stopping.ask()

    def run(
        self,
        observe: Callable[[Sent], None] = lambda sent: None,  # noqa: ARG005 - who does not ask is not told
        every: float = 0.5,
    ) -> End:
        """Send what is queued, and return why that ended; ``observe`` is told how far it is every so many seconds.

        Raises DevinotifyError where the journal cannot be written; its verdict is ``unknown`` where recipients have
        been sent to and nobody could write down what became of them.
        """
        end: End | None = None
        while end is None:
            before = self.sent.done
            self._drain(observe, every)
            end = self._end(before)
            if end is None:
                self._wait(observe, every)
        observe(self.sent)
        return end

    def _drain(self, observe: Callable[[Sent], None], every: float) -> None:
        dispatcher = self._dispatcher
        turns = [dispatcher.turn] * self._speed.connections
        if self._feed is not None:
            turns.append(self._fed)
        crew = Crew(
            turns,
            self._stopping,
            forever=False,
            nap=lambda: every,
            name="bulk",
        )
        try:
            crew.run(lambda: observe(self.sent), every, halt=dispatcher.stop)
        except DevinotifyError as failure:
            if not dispatcher.adrift:
                raise
            raise self._lost(failure) from failure

    def _fed(self) -> bool:
        """Put the next part of the input into the journal; return whether there was one."""
        part = _END if self._feed is None else next(self._feed, _END)
        if part is None and not self._dispatcher.exhausted and self._dispatcher.cause is None:
            self._stopping.wait(FED_ELSEWHERE_EVERY)
        elif part is None or part is _END:
            self._feed = None
            return False
        return True

    def _lost(self, failure: DevinotifyError) -> DevinotifyError:
        adrift = counted(self._dispatcher.adrift, "recipient")
        told = f"{adrift} may have been sent to, and will be unknown, for the journal failed: {failure}"
        return DevinotifyError(told, operation="outbox.settle", verdict=Verdict.UNKNOWN)

    def _end(self, before: int) -> End | None:
        """Return why the run has ended, or ``None`` where it goes on with what comes due."""
        if self._dispatcher.cause is not None:
            return End(self._dispatcher.cause)
        if self._stopping.asked:
            return End.STOPPED
        waiting = self._waiting()
        if waiting is None:
            return End.DONE
        if self._dispatcher.exhausted:
            return End.LIMIT
        if self._waits_for_limit() and not self._has_room_again():
            return End.OVER_LIMIT
        if self.sent.done == before and waiting.attempts >= MOST_ATTEMPTS:
            return End.FAILING
        return None

    def _waiting(self) -> Row | None:
        # What waits of the steps of a fallback is not this run's to wait for.
        channel = None if self._fallback is None else self._fallback.name
        return next(self._outbox.rows(states={RowState.QUEUED}, channel=channel, limit=1), None)

    def _due(self) -> float | None:
        """Return in how many seconds something that is queued comes due; ``None`` where nothing is queued."""
        due = self._outbox.next_due(self._account, queued=True)
        return None if due is None else max(due - self._outbox.now(), 0.0)

    def _waits_for_limit(self) -> bool:
        """Return whether what comes due next waits for a limit, and for longer than a run does."""
        limit = self._limit()
        room = None if limit is None else limit.resets_at
        due = None if room is None else self._due()
        if room is None or due is None or due <= LONGEST_WAIT:
            return False
        return self._outbox.now() + due >= room.timestamp() - 1

    def _has_room_again(self) -> bool:
        """Make due, once, what may have been put off for room that was given back; return whether there is any."""
        if self._hurried or not self._dispatcher.has_given_back:
            return False
        self._hurried = True
        return self._outbox.hurry() > 0

    def _limit(self) -> LimitExceeded | None:
        """Return the limit that has room first of those that have none now: what has begun anew is forgotten."""
        over = self._over
        if over is not None and over.resets_at is not None and over.resets_at.timestamp() <= self._outbox.now():
            self._over = over = None
        return over

    def _wait(self, observe: Callable[[Sent], None], every: float) -> None:
        """Wait until something may be due again."""
        until = time.monotonic() + max(self._due() or 0.0, 0.05)
        while (left := until - time.monotonic()) > 0 and not self._stopping.wait(min(left, every)):
            observe(self.sent)

    def _count(self, batch: Batch, sent: delivery.Sent) -> None:
        if self._fallback is not None and batch.rows[0].channel != self._fallback.name:
            return  # a step that came due: its recipient has been counted
        for error in {outcome.error for outcome in sent.reading.over}:
            self._over = _earlier(self._limit(), error)
        found = Counter(sent.states.values())
        accepted: Counter[str] = Counter()
        segments: Counter[str] = Counter()
        if self._fallback is None:
            segments[""] = segments_of(sent.reading.settle)
        else:
            for attempt in (attempt for one in sent.reading.settle for attempt in one.attempts):
                if attempt.receipt is not None:
                    accepted[attempt.channel] += 1
                    segments[attempt.channel] += attempt.receipt.segments or 0
        with self._lock:
            self._states += found
            self._accepted += accepted
            self._segments += segments


def _earlier(one: LimitExceeded | None, other: DevinotifyError | None) -> LimitExceeded | None:
    """Return which of two limits has room first."""
    if not isinstance(other, LimitExceeded) or other.resets_at is None:
        return one
    return other if one is None or one.resets_at is None or other.resets_at < one.resets_at else one
