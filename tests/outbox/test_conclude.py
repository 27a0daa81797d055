"""The row that ordered the steps of a fallback takes what their story has come to, in either store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devinotify.exceptions import Forbidden, NotSent, OutcomeUnknown, Verdict
from devinotify.models import DeliveryStatus, Message, Outcome, Receipt, SmsState
from devinotify.outbox import RowState
from tests.outbox.support import NUMBER, START, claim
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.outbox import Outbox, Row
    from tests.outbox.conftest import Places

RECEIPT = Receipt(NUMBER, ("id",), 2, "viber", sent_at=datetime.fromtimestamp(START, UTC), resends=True)


def story(verdict: Verdict, status: DeliveryStatus | None = None) -> Outcome:
    """Return what a story has come to."""
    errors = {
        Verdict.REJECTED: Forbidden("no", code=7),
        Verdict.UNKNOWN: OutcomeUnknown("?"),
        Verdict.NOT_SENT: NotSent(),
    }
    accepted = verdict is Verdict.ACCEPTED
    state = None if status is None else SmsState(status, 3)
    return Outcome(NUMBER, verdict, "sms-viber", RECEIPT if accepted else None, errors.get(verdict), state=state)


def ordered(outbox: Outbox, verdict: Verdict) -> Row:
    """Return an order that was settled so."""
    outbox.enqueue(Message("hi", (NUMBER,), channel="sms-viber"))
    outbox.settle(claim(outbox), [story(verdict)])
    (row,) = outbox
    return row


@table("before", [Verdict.UNKNOWN, Verdict.ACCEPTED])
@table(
    "verdict, status, expected",
    [
        (Verdict.ACCEPTED, DeliveryStatus.DELIVERED, RowState.DELIVERED),
        (Verdict.ACCEPTED, DeliveryStatus.READ, RowState.DELIVERED),
        (Verdict.ACCEPTED, DeliveryStatus.EXPIRED, RowState.FAILED),
        (Verdict.ACCEPTED, DeliveryStatus.SENT, RowState.ACCEPTED),
        (Verdict.ACCEPTED, None, RowState.ACCEPTED),
        (Verdict.REJECTED, None, RowState.REJECTED),
    ],
)
def test_an_open_order_takes_what_is_certain(
    places: Places, before: Verdict, verdict: Verdict, status: DeliveryStatus | None, expected: RowState
) -> None:
    """Its state, and with it the receipt or the error, are those of the story; nobody watches it any more."""
    outbox = places().open()
    row = ordered(outbox, before)
    told = outbox.conclude(row, story(verdict, status))
    assert (expected, status, None) == (told.state, told.status, told.next_poll_at)
    assert told == outbox.get(row.id)
    if verdict is Verdict.ACCEPTED:
        assert RECEIPT == told.receipt
    else:
        assert "Forbidden" == told.error


@table("verdict", [Verdict.UNKNOWN, Verdict.NOT_SENT])
def test_what_is_not_certain_changes_nothing(places: Places, verdict: Verdict) -> None:
    """An order stays unknown while nobody knows better."""
    outbox = places().open()
    row = ordered(outbox, Verdict.UNKNOWN)
    assert row == outbox.conclude(row, story(verdict))


@table("before", [Verdict.REJECTED, Verdict.NOT_SENT])
def test_an_order_that_has_ended_stays(places: Places, before: Verdict) -> None:
    """What ended for good, or is queued again, is not told otherwise."""
    outbox = places().open()
    row = ordered(outbox, before)
    assert row == outbox.conclude(row, story(Verdict.ACCEPTED, DeliveryStatus.DELIVERED))
