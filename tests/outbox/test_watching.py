"""Looks at deliveries, and the steps of a fallback."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from devinotify import exceptions as errors
from devinotify.exceptions import InvalidInput
from devinotify.models import DeliveryStatus, SmsState, ViberState
from devinotify.outbox import Outbox, Row, RowState
from tests.outbox.support import START, Clock, accepted, claim, failed, message, not_sent, state, step
from tests.tables import table

if TYPE_CHECKING:
    from tests.outbox.conftest import Places

DAY = 86400.0


def sent(outbox: Outbox, *, patience: float | None = None, fallback: bool = False, watch: bool = True) -> Row:
    """Return a row that the gateway has accepted."""
    outbox.enqueue(message(), patience=patience, fallback=fallback, watch=watch)
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    return now(outbox, batch.rows[0])


def ended(outbox: Outbox, error: errors.DevinotifyError, *, fallback: bool = True) -> Row:
    """Return a row that met an error."""
    outbox.enqueue(message(), fallback=fallback)
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, error))
    return now(outbox, batch.rows[0])


def now(outbox: Outbox, row: Row) -> Row:
    """Return the row as it stands now."""
    found = outbox.get(row.id)
    assert found is not None
    return found


def test_an_accepted_row_becomes_due_for_a_look(outbox: Outbox, clock: Clock) -> None:
    """After the first delay the row is handed out once, and again when its lease is over."""
    row = sent(outbox)
    assert [] == outbox.watch_due()
    clock.now += 15
    assert ([row], []) == (outbox.watch_due(lease=60), outbox.watch_due())
    clock.now += 60
    assert [row.id] == [each.id for each in outbox.watch_due()]


def test_an_unwatched_row_is_never_due(outbox: Outbox, clock: Clock) -> None:
    """A message that nobody watches asks for no attention, and takes a state told by other means."""
    row = sent(outbox, watch=False)
    clock.now += DAY
    assert ([], None) == (outbox.watch_due(), outbox.next_due())
    assert None is outbox.record_state(row, state(DeliveryStatus.SENT)).next_poll_at


STATUSES = [
    (DeliveryStatus.QUEUED, RowState.ACCEPTED),
    (DeliveryStatus.SENT, RowState.ACCEPTED),
    (DeliveryStatus.UNKNOWN, RowState.ACCEPTED),
    (DeliveryStatus.DELIVERED, RowState.DELIVERED),
    (DeliveryStatus.READ, RowState.DELIVERED),
    (DeliveryStatus.UNDELIVERED, RowState.FAILED),
    (DeliveryStatus.EXPIRED, RowState.FAILED),
    (DeliveryStatus.REJECTED, RowState.FAILED),
    (DeliveryStatus.DELETED, RowState.FAILED),
    (DeliveryStatus.STOPPED, RowState.FAILED),
    (DeliveryStatus.FAILED, RowState.FAILED),
]


@table("status, expected", STATUSES)
def test_a_status_decides_the_state(places: Places, status: DeliveryStatus, expected: RowState) -> None:
    """Every delivery status leaves the row open or ends it."""
    outbox = places().open()
    row = outbox.record_state(sent(outbox), state(status, 7))
    assert (expected, status, 7, row) == (row.state, row.status, row.status_code, now(outbox, row))


def test_every_status_was_tested() -> None:
    """The list above has them all."""
    assert set(DeliveryStatus) == {status for status, _ in STATUSES}


def test_price_and_report_time_are_kept(outbox: Outbox, clock: Clock) -> None:
    """What the gateway tells of cost and time stays with the row."""
    told = SmsState(DeliveryStatus.DELIVERED, 0, price=Decimal("1.50"), reported_at=clock.datetime)
    row = outbox.record_state(sent(outbox), told)
    assert (Decimal("1.50"), START) == (now(outbox, row).price, row.status_at)


def test_a_resent_sms_tells_the_whole_story(outbox: Outbox) -> None:
    """Where Viber failed and the platform resent, the SMS decides."""
    told = ViberState(DeliveryStatus.UNDELIVERED, 4, resent_sms=(SmsState(DeliveryStatus.DELIVERED, 0),))
    assert RowState.DELIVERED is outbox.record_state(sent(outbox), told).state


def test_a_delivered_row_may_be_read(outbox: Outbox) -> None:
    """READ after DELIVERED is taken, and nothing else afterwards changes it."""
    row = outbox.record_state(sent(outbox), state(DeliveryStatus.DELIVERED))
    row = outbox.record_state(row, state(DeliveryStatus.READ))
    for old in (DeliveryStatus.DELIVERED, DeliveryStatus.SENT):
        assert DeliveryStatus.READ is outbox.record_state(row, state(old)).status


@table(
    "first, second",
    [(DeliveryStatus.DELIVERED, DeliveryStatus.FAILED), (DeliveryStatus.FAILED, DeliveryStatus.DELIVERED)],
)
def test_an_end_is_an_end(places: Places, first: DeliveryStatus, second: DeliveryStatus) -> None:
    """Delivered never becomes failed, nor failed delivered."""
    outbox = places().open()
    row = outbox.record_state(sent(outbox), state(first))
    with pytest.raises(InvalidInput, match="cannot become"):
        outbox.record_state(row, state(second))
    assert first is now(outbox, row).status


def test_a_queued_row_has_no_delivery(outbox: Outbox) -> None:
    """A delivery state of a row that was not accepted is refused."""
    (row,) = outbox.enqueue(message())
    for status in (DeliveryStatus.DELIVERED, DeliveryStatus.SENT):
        with pytest.raises(InvalidInput, match="cannot become"):
            outbox.record_state(row, state(status))


def test_looks_become_rarer(outbox: Outbox, clock: Clock) -> None:
    """The next look comes after a quarter of the age."""
    row = sent(outbox)
    clock.now += 400
    assert clock.now + 100 == outbox.record_state(row, state(DeliveryStatus.SENT)).next_poll_at


def test_a_watch_closes_after_48_hours(outbox: Outbox, clock: Clock) -> None:
    """Without a final state the row stays accepted and is looked at no more."""
    row = sent(outbox)
    clock.now += 2 * DAY
    (row,) = outbox.watch_due()
    row = outbox.record_state(row, state(DeliveryStatus.UNKNOWN, 255))
    assert (RowState.ACCEPTED, None) == (row.state, row.next_poll_at)


def test_a_scheduled_message_is_watched_from_its_sending(outbox: Outbox, clock: Clock) -> None:
    """The 48 hours and the first look count from the scheduled instant."""
    outbox.enqueue(message())
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch, at=clock.datetime + timedelta(days=3)))
    (row,) = outbox
    assert (START + 3 * DAY + 15, START + 5 * DAY) == (row.next_poll_at, row.watch_until)


def test_patience_calls_for_attention(outbox: Outbox, clock: Clock) -> None:
    """A row of a fallback is due when its patience ends, whatever the looks before said."""
    row = sent(outbox, patience=40.0, fallback=True)
    clock.now += 16
    row = outbox.record_state(row, state(DeliveryStatus.SENT))
    assert (START + 31, START + 40) == (row.next_poll_at, row.patience_until)
    clock.now += 15
    assert START + 40 == outbox.record_state(row, state(DeliveryStatus.SENT)).next_poll_at


def test_an_undecided_fallback_outlives_the_watch(outbox: Outbox, clock: Clock) -> None:
    """Where nobody decided on the next step within 48 hours, the row stays due."""
    row = sent(outbox, patience=40.0, fallback=True)
    clock.now += 3 * DAY
    row = outbox.record_state(row, state(DeliveryStatus.UNKNOWN, 255))
    assert [row] == outbox.watch_due()
    outbox.close_watch([row])
    assert None is outbox.next_due()


@table("error", [errors.Forbidden("no", code=7), errors.OutcomeUnknown("lost"), errors.InvalidText("too long")])
def test_a_bad_end_waits_for_the_fallback(places: Places, error: errors.DevinotifyError) -> None:
    """A row that ends badly is due at once in a fallback, and never without one."""
    outbox = places().open()
    row = ended(outbox, error)
    ended(outbox, error, fallback=False)
    assert [row] == outbox.watch_due()


def test_a_retry_does_not_wait_for_the_fallback(outbox: Outbox) -> None:
    """A row that is queued again has not ended."""
    ended(outbox, not_sent())
    assert [] == outbox.watch_due()


def test_an_expired_row_waits_for_the_fallback(outbox: Outbox, clock: Clock) -> None:
    """A row whose deadline passed in the queue has ended too."""
    outbox.enqueue(message(), fallback=True, deadline=clock.datetime)
    clock.now += 1
    assert None is outbox.claim()
    assert [RowState.NOT_SENT] == [row.state for row in outbox.watch_due()]


def test_a_failed_delivery_waits_for_the_fallback(outbox: Outbox) -> None:
    """An undelivered row of a fallback is due until its step is taken."""
    row = outbox.record_state(sent(outbox, fallback=True), state(DeliveryStatus.UNDELIVERED))
    assert [row] == outbox.watch_due()
    step(outbox, row, "viber")
    assert [] == [row for row in outbox if row.next_poll_at is not None]


def test_a_step_queues_the_next_channel(outbox: Outbox) -> None:
    """The step is a queued row of the same message and recipient that knows where it comes from."""
    row = ended(outbox, errors.Forbidden("no", code=7))
    child = step(outbox, row, "viber")
    assert (row.recipient, row.message_id, "viber", RowState.QUEUED, row.id, row.deadline) == (
        child.recipient,
        child.message_id,
        child.channel,
        child.state,
        child.parent,
        child.deadline,
    )
    assert (True, child) == (now(outbox, row).stepped, now(outbox, child))
    assert (("viber", row.id), row.recipient) == ((claim(outbox).rows[0].channel, child.parent), child.recipient)


def test_a_step_is_taken_once(outbox: Outbox, clock: Clock) -> None:
    """Asked again after a crash, there is no second one."""
    row = ended(outbox, errors.Forbidden("no", code=7))
    assert [1, 0] == [outbox.step_later([row], "viber", not_before=clock.datetime) for _ in range(2)]
    assert 2 == len(outbox)


def test_a_step_of_its_own_time(outbox: Outbox, clock: Clock) -> None:
    """A step may wait, and have a deadline of its own."""
    row = ended(outbox, errors.Forbidden("no", code=7))
    later = clock.datetime + timedelta(seconds=30)
    child = step(outbox, row, "viber", not_before=later, deadline=later)
    assert (START + 30, START + 30) == (child.next_attempt_at, child.deadline)


def test_an_accepted_row_is_watched_after_its_step(outbox: Outbox, clock: Clock) -> None:
    """When patience ended, the late delivery is still worth knowing."""
    row = sent(outbox, patience=5.0, fallback=True)
    clock.now += 20
    step(outbox, row, "viber")
    row = outbox.record_state(row, state(DeliveryStatus.SENT))
    assert clock.now + 15 == row.next_poll_at


def test_no_second_step(outbox: Outbox, clock: Clock) -> None:
    """A row goes on to one channel, and never back to one that the message has been on."""
    row = ended(outbox, errors.Forbidden("no", code=7))
    child = step(outbox, row)
    assert 0 == outbox.step_later([row], "pigeon", not_before=clock.datetime)
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, errors.Forbidden("no", code=7)))
    for take in (outbox.go_on, lambda *step: outbox.step_later(*step, not_before=clock.datetime)):
        with pytest.raises(InvalidInput, match="on sms before"):
            take([child], "sms")
    assert (2, False) == (len(outbox), now(outbox, child).stepped)


@table("claimed", [False, True])
def test_no_step_from_an_open_row(places: Places, claimed: bool) -> None:
    """A row that may yet be sent has no fallback."""
    place = places()
    outbox, clock = place.open(), place.clock
    (row,) = outbox.enqueue(message())
    if claimed:
        claim(outbox)
    assert (0, None) == (outbox.step_later([row], "viber", not_before=clock.datetime), outbox.go_on([row], "viber"))


def test_no_step_from_a_delivered_row(outbox: Outbox) -> None:
    """What has arrived is not sent again elsewhere."""
    row = outbox.record_state(sent(outbox), state(DeliveryStatus.DELIVERED))
    assert None is outbox.go_on([row], "viber")


def test_a_state_of_nobody_is_an_error(outbox: Outbox) -> None:
    """There must be a row to tell of."""
    with pytest.raises(InvalidInput, match="no row 99"):
        outbox.record_state(99, state(DeliveryStatus.DELIVERED))


def test_the_update_time_stands_in_for_the_report_time(outbox: Outbox) -> None:
    """Where the gateway names no report time, its last update is taken."""
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    told = replace(state(DeliveryStatus.SENT), updated_at=moment)
    assert moment.timestamp() == outbox.record_state(sent(outbox), told).status_at
