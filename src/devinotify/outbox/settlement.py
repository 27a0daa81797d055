"""What a batch comes to: its outcomes as changes that a store writes down, computed from values. Pure."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from devinotify.accepted import recipients_of
from devinotify.exceptions import InvalidInput, Verdict
from devinotify.outbox.records import NO_ERROR, ErrorParts, encode_error
from devinotify.outbox.rules import asked_deadline, attention
from devinotify.outbox.states import BACKOFF, LATE, VERDICTS, WATCH_FOR, RowState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from devinotify.accepted import Accepted
    from devinotify.models import Outcome
    from devinotify.outbox.records import Batch, Row


LEAST_WAIT = 1.0
"""Seconds that who waits for a limit does so at least."""


class Acceptance(NamedTuple):
    """What rows that the gateway took alike have in common; their state becomes ``accepted``, their error none."""

    segments: int | None
    sent_at: float
    resends: bool
    next_poll_at: float | None
    watch_until: float | None
    patience_until: float | None


AcceptedRow = tuple[tuple[str, ...], "str | None", int]
"""One accepted row: the gateway's ids, the receipt's channel where it is another than the row's, the row's id."""


class Ending(NamedTuple):
    """What a row comes to that was not accepted."""

    id: int
    state: RowState
    due: float | None
    deadline: float | None
    own_deadline: bool
    """Whether nobody has asked for the deadline."""
    untried: int
    """Attempts to take back: 1 where nothing was tried."""
    error: ErrorParts
    attention: float | None
    """When a fallback is to be decided; a row that has gone on meanwhile needs no decision."""


_Shared = tuple[bool, "int | None", "datetime | None", bool]
"""Has no ids, segments, sent at, resends: what the rows of one reply share."""


class Settlement:
    """The changes that a batch's outcomes make; ``states`` tells what each row becomes by them.

    ``waits``: some of them wait until a limit has room.

    ``now`` is the store's time, and ``ahead`` by how many seconds its clock is ahead of this machine's, by which the
    receipts are timed. ``jitter`` is a random number from 0 to 1, ``first_poll`` and ``lease`` are in seconds, and so
    is ``retry_for``: for how long from when it was due a row without a deadline is tried, once at the least.
    """

    def __init__(
        self,
        batch: Batch,
        *,
        now: float,
        ahead: float,
        jitter: float,
        first_poll: float,
        lease: float = 0.0,
        retry_for: float | None = None,
    ) -> None:
        self.batch = batch
        self._stored = batch.stored
        self._now = now
        self._ahead = ahead
        self._attend = now + lease
        self._jitter = jitter
        self._first_poll = first_poll
        self._retry_for = retry_for
        self._accepted: dict[_Shared, list[AcceptedRow]] = {}
        self.endings: list[Ending] = []
        self.states: dict[int, RowState] = {}
        self.waits: bool = False

    def add(self, outcomes: Iterable[tuple[Row, Outcome]]) -> None:
        """Take what became of rows, each with its outcome."""
        # In line, with what the last receipt shares with the next one at hand: this is done for every message.
        states, accepted, state = self.states, Verdict.ACCEPTED, RowState.ACCEPTED
        last: _Shared | None = None
        lines: list[AcceptedRow] = []
        for row, outcome in outcomes:
            if outcome.verdict is not accepted:
                self._failed(row, outcome)
                continue
            number, receipt = row.id, outcome.receipt
            states[number] = state
            if receipt is None:
                self._accepted.setdefault((True, None, None, False), []).append(((), None, number))
                continue
            ids, via = receipt.message_ids, receipt.channel
            shared = (not ids, receipt.segments, receipt.sent_at, receipt.resends)
            if shared != last:
                last = shared
                lines = self._accepted.setdefault(shared, [])
            lines.append((ids, None if via == row.channel else via, number))

    def add_all(self, bulk: Accepted) -> None:
        """Take that all rows of the batch, in their order, were accepted by one bulk."""
        receipt, numbers = bulk.receipt, [row.id for row in self.batch.rows]
        self.states.update(dict.fromkeys(numbers, RowState.ACCEPTED))
        each = receipt.segments_per_recipient
        via = None if receipt.channel == self.batch.rows[0].channel else receipt.channel
        lines = self._accepted.setdefault((each is None, each, receipt.sent_at, receipt.resends), [])
        lines.extend(zip(receipt.ids_per_recipient, repeat(via), numbers, strict=False))  # repeat has no end

    def release(self, row: Row, due: float | None = None) -> None:
        """Queue a row again as if nothing had been tried: due from ``due`` on, or as it was before.

        A deadline that ends tries is dropped where it would end them before they may go on: they count anew.
        """
        again, deadline, own = row.next_attempt_at if due is None else due, row.deadline, row.own_deadline
        if due is not None and deadline is not None and deadline <= due and asked_deadline(row, self._stored) is None:
            deadline, own = None, False
        self._end(row, RowState.QUEUED, again, deadline, NO_ERROR, own=own, untried=1)

    def wait(self, matched: Iterable[tuple[Row, Outcome]], until: float) -> None:
        """Queue rows until there is room for them, as if nothing had been tried; their errors say for what.

        Who is wanted by then ends with the outcome. A deadline that ends tries is dropped: that counts anew.
        """
        for row, outcome in matched:
            due = until if until > self._now else self._now + _time_left(outcome)
            asked = asked_deadline(row, self._stored)
            if asked is not None and asked <= due:
                self._failed(row, outcome)
                continue
            self.waits = True
            own = asked is not None and row.own_deadline
            self._end(row, RowState.QUEUED, due, asked, encode_error(outcome.error), own=own, untried=1)

    def accepted(self) -> Iterator[tuple[Acceptance, Sequence[AcceptedRow]]]:
        """Yield what was accepted alike, with the rows that it holds of."""
        stored = self._stored
        for (without_ids, segments, sent_at, resends), lines in self._accepted.items():
            sent = self._now if sent_at is None else self._by_store(sent_at.timestamp())
            patience_until = None if stored.patience is None else sent + stored.patience
            looks = [] if patience_until is None else [patience_until]
            if stored.watch and not without_ids:
                looks.append(max(sent, self._now) + self._first_poll)
            yield (
                Acceptance(
                    None if segments is None else int(segments),
                    sent,
                    bool(resends),
                    min(looks, default=None),
                    sent + WATCH_FOR if looks else None,
                    patience_until,
                ),
                lines,
            )

    def is_taken_by(self, number: int, state: RowState) -> bool:
        """Whether a row that still has this settlement's claim takes its outcome in the state that it is in."""
        return state not in LATE or self.states[number] in LATE[state]

    def _by_store(self, sent: float) -> float:
        """Return when a message went out by the store's clock, of when it did by this machine's.

        An instant that somebody has named, and one that is still to come, is the same by any clock.
        """
        named = self._stored.message.send_at is not None or sent > self._now - self._ahead
        return sent if named else sent + self._ahead

    def _failed(self, row: Row, outcome: Outcome) -> None:
        state = VERDICTS[outcome.verdict]
        error = outcome.error
        due, deadline, own = row.next_attempt_at, row.deadline, row.own_deadline
        if state is RowState.NOT_SENT and error is not None and error.retryable:
            if deadline is None and self._retry_for is not None:
                # From when it was due, not from now: who comes days late tries it once, and not for another day.
                deadline = min(self._now, self._now if due is None else due) + self._retry_for
                own = True
            # One jitter for the whole batch: its rows come due together and stay one batch.
            again = self._now + BACKOFF.pause(row.attempts, self._jitter)
            if deadline is None or again <= deadline:
                state, due = RowState.QUEUED, again
        self._end(row, state, due, deadline, encode_error(error), own=own)

    def _end(
        self,
        row: Row,
        state: RowState,
        due: float | None,
        deadline: float | None,
        error: ErrorParts,
        *,
        own: bool,
        untried: int = 0,
    ) -> None:
        look = attention(state, fallback=self._stored.fallback, stepped=row.stepped, now=self._attend)
        self.endings.append(Ending(row.id, state, due, deadline, own, untried, error, look))
        self.states[row.id] = state


def _time_left(outcome: Outcome) -> float:
    """Return in how many seconds a limit has room again that has none, although its period is over by our clock.

    It is counted in a store whose clock is behind: until that is there too, it would be asked again and again.
    """
    asked = None if outcome.error is None else outcome.error.retry_after
    return max(asked or 0.0, LEAST_WAIT)


def match(batch: Batch, outcomes: Sequence[Outcome]) -> Iterable[tuple[Row, Outcome]]:
    """Return each outcome with its row; raise InvalidInput where one is of no row of the batch, or one row has two."""
    if recipients_of(outcomes) == batch.recipients:
        return zip(batch.rows, outcomes, strict=True)
    rows = {row.recipient: row for row in batch.rows}
    try:
        return [(rows.pop(outcome.recipient), outcome) for outcome in outcomes]
    except KeyError:
        raise InvalidInput("an outcome is of no recipient of the batch, or its recipient has two") from None
