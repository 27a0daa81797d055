"""What becomes of a row: expired, given up, tried again, looked at, gone on. Values in, values out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput, InvalidPhoneNumber, LimitExceeded, Verdict
from devinotify.models import ONE_TIME, DeliveryStatus, ViberState
from devinotify.outbox.records import NO_ERROR, encode_error, make_row, with_error
from devinotify.outbox.states import RETRIES, STEPS, WATCH_FOR, RowState, poll_delay, require

if TYPE_CHECKING:
    from devinotify.models import Outcome, SmsState
    from devinotify.outbox.records import Row, StoredMessage

EXPIRED = "its deadline passed before it could be sent"
"""The description of a row that was still queued at its deadline."""

NO_OUTCOME = "the worker ended before it recorded what became of the message"
"""The description of a row that was found claimed by a worker that is gone."""

_ENDED_BADLY = frozenset({RowState.REJECTED, RowState.NOT_SENT, RowState.UNKNOWN, RowState.FAILED})


def attention(state: RowState, *, fallback: bool, stepped: bool, now: float) -> float | None:
    """Return when a row that has just reached a state needs a fallback's decision: at once, or ``None`` for never."""
    return now if fallback and not stepped and state in _ENDED_BADLY else None


def _ended(row: Row, stored: StoredMessage, now: float, state: RowState, error: str, text: str) -> Row:
    return with_error(row, (error, None, None, text))._replace(
        state=state,
        next_poll_at=attention(state, fallback=stored.fallback, stepped=row.stepped, now=now),
    )


def expired(row: Row, stored: StoredMessage, now: float) -> Row:
    """Return what a queued row becomes whose deadline has passed."""
    return _ended(row, stored, now, RowState.NOT_SENT, "NotSent", EXPIRED)


def asked_deadline(row: Row, stored: StoredMessage) -> float | None:
    """Return by when somebody wants a message, ``None`` where nobody has said.

    The deadline that is the outbox's own ends its tries and is nobody's wish, but for a one-time code it is as good as
    any.
    """
    return None if row.own_deadline and ONE_TIME not in stored.message.tags else row.deadline


def minutes_left(row: Row, stored: StoredMessage, now: float) -> int | None:
    """Return the whole minutes until the deadline that was asked for, ``None`` where there is none."""
    until = asked_deadline(row, stored)
    return None if until is None else int((until - now) // 60)


def given_up(row: Row, stored: StoredMessage, now: float) -> Row:
    """Return what a claimed row becomes whose worker is gone.

    It keeps the claim: should the worker be alive after all, its outcome is still taken.
    """
    return _ended(row, stored, now, RowState.UNKNOWN, "OutcomeUnknown", NO_OUTCOME)


def concluded(row: Row, outcome: Outcome) -> Row:
    """Return what a row becomes that ordered the steps of a fallback, now that their story has come to ``outcome``.

    Accepted or rejected for certain: one that was unknown, or accepted until now, has that state; any other stays.
    """
    if row.state not in _OPEN_ORDERS or outcome.verdict not in _CERTAIN:
        return row
    status, receipt, error = outcome.status, outcome.receipt, None
    if outcome.verdict is Verdict.REJECTED:
        state, error = RowState.REJECTED, outcome.error
    elif status is not None and status.is_final:
        state = RowState.DELIVERED if status.is_delivered else RowState.FAILED
    else:
        state = RowState.ACCEPTED
    new = with_error(row, encode_error(error))._replace(
        state=state,
        claim=None,
        status=status,
        status_code=None if outcome.state is None else outcome.state.code,
        price=None if outcome.state is None else outcome.state.whole_price,
        next_poll_at=None,
    )
    if receipt is None:
        return new
    sent_at = None if receipt.sent_at is None else receipt.sent_at.timestamp()
    return new._replace(
        message_ids=receipt.message_ids,
        segments=receipt.segments,
        sent_at=sent_at,
        via=receipt.channel,
        resends=receipt.resends,
    )


_OPEN_ORDERS = frozenset({RowState.ACCEPTED, RowState.UNKNOWN})
_CERTAIN = frozenset({Verdict.ACCEPTED, Verdict.REJECTED})


def brought_back(row: Row, stored: StoredMessage, now: float) -> Row:
    """Return a queued row of a message that was stored by a clock that was ahead, as if it had been stored now.

    What was to wait until a moment that somebody named still does.
    """
    created = stored.created_at.timestamp()
    due = row.next_attempt_at
    if created <= now or due is None or (not row.attempts and due > created):
        return row
    return row._replace(next_attempt_at=due - (created - now))


def no_retry(row: Row, *, force: bool, undelivered: bool = False) -> str | None:
    """Return why a row may not be queued again at a person's wish, or ``None`` where it may.

    ``undelivered``: also one that the gateway took and that ended undelivered.
    """
    again = undelivered and row.state is RowState.FAILED
    if row.state not in RETRIES and not again:
        return f"row {row.id} is {row.state} and cannot be sent again"
    if is_no_number(row):
        return f"row {row.id} is not a number that could be sent to"
    if (RETRIES.get(row.state, False) or row.stepped) and not force:
        return f"row {row.id} is {row.state} and may have been sent: sending it again takes force"
    return None


def may_be_stale(row: Row, now: float) -> bool:
    """Whether it takes a row's message to say whether it may be queued again: its deadline has passed."""
    return row.state in (*RETRIES, RowState.FAILED) and row.deadline is not None and row.deadline < now


def stale(row: Row, stored: StoredMessage) -> str | None:
    """Return why the message of a row that ``may_be_stale`` is of no use any more: it is a one-time code.

    Any other message is queued again without the deadline that has passed: a person has asked for it.
    """
    if ONE_TIME in stored.message.tags:
        return f"row {row.id} is a one-time code whose time is over: nobody wants it late, so have a new one sent"
    return None


def is_no_number(row: Row) -> bool:
    """Whether our own checks refused the recipient: that is final, and what stood there is all that is known of it."""
    return row.state is RowState.NOT_SENT and row.error == InvalidPhoneNumber.__name__


def waits_for_limit(row: Row, now: float) -> bool:
    """Whether a queued row is not due because a limit leaves no room for it by now."""
    return row.error == LimitExceeded.__name__ and row.next_attempt_at is not None and row.next_attempt_at > now


def retried(row: Row, now: float) -> Row:
    """Return a row as it is queued again: as a fresh one, but for its attempts and its claim.

    The claim stays: should its worker tell after all that the message went out, the row takes that. That of one that
    ended undelivered has told all that it had to.
    """
    if row.state is RowState.FAILED:
        row = make_row(*row[:8], parent=row.parent)._replace(story=row.story, own_deadline=row.own_deadline)
    if row.deadline is not None and row.deadline < now:
        row = row._replace(deadline=None, own_deadline=False)
    return with_error(row, NO_ERROR)._replace(state=RowState.QUEUED, next_attempt_at=now, next_poll_at=None)


def may_step(row: Row) -> bool:
    """Whether a row may go on to another channel, and has not yet."""
    return row.state in STEPS and not row.stepped


def stepped(row: Row) -> Row:
    """Return a row whose fallback has been enqueued: one that was accepted is watched on, any other is done."""
    return row._replace(stepped=True, next_poll_at=row.next_poll_at if row.state is RowState.ACCEPTED else None)


def recorded(row: Row, stored: StoredMessage | None, state: SmsState, now: float, first_poll: float) -> Row:
    """Return a row with the delivery state that the gateway told; raise InvalidInput for an illegal transition."""
    status = state.whole_status if isinstance(state, ViberState) else state.status
    after = _after(row, status)
    if after is not row.state:
        require(row.state, after)
    elif row.state is not RowState.ACCEPTED and not _is_more(row, status):
        return row
    reported = state.reported_at or state.updated_at
    return row._replace(
        state=after,
        status=status,
        status_code=state.code,
        status_at=now if reported is None else reported.timestamp(),
        price=row.price if state.whole_price is None else state.whole_price,
        next_poll_at=_next_look(row, after, now, first_poll, fallback=stored is not None and stored.fallback),
    )


def _after(row: Row, status: DeliveryStatus) -> RowState:
    if status.is_delivered:
        return RowState.DELIVERED
    if status.is_final:
        return RowState.FAILED
    # An open status after a final one is old news, not a step back.
    return row.state if row.state in (RowState.DELIVERED, RowState.FAILED) else RowState.ACCEPTED


def _is_more(row: Row, status: DeliveryStatus) -> bool:
    """Whether a decided row hears more: delivered, and now read."""
    return row.state is RowState.DELIVERED and status is DeliveryStatus.READ and row.status is not status


def _next_look(row: Row, after: RowState, now: float, first_poll: float, *, fallback: bool) -> float | None:
    if after is not RowState.ACCEPTED:
        return attention(after, fallback=fallback, stepped=row.stepped, now=now)
    sent = now if row.sent_at is None else row.sent_at
    if now >= (row.watch_until or sent + WATCH_FOR):
        # Closed; only a fallback that has not been decided yet keeps the row due.
        return now if fallback and not row.stepped else None
    if row.watch_until is None:
        return None  # nobody asked for a watch: the state was told by other means
    look = now + poll_delay(max(now - sent, 0.0), first_poll)
    if row.patience_until is not None and not row.stepped and now < row.patience_until:
        look = min(look, row.patience_until)
    return look


def check_forgettable(row: Row) -> None:
    """Raise InvalidInput where a row is being sent: its outcome must find it."""
    if row.state is RowState.CLAIMED:
        raise InvalidInput(f"row {row.id} is being sent and cannot be forgotten now")
