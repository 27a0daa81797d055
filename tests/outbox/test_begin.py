"""Rows that are claimed from the start, and the steps that follow them, each written down before it is taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinotify.exceptions import InvalidInput, Verdict
from devinotify.models import DeliveryStatus, Outcome, Receipt
from devinotify.outbox import Outbox, RowState
from tests.outbox.support import NUMBER, START, Clock, accepted, message, numbers, state, step

if TYPE_CHECKING:
    from devinotify.outbox import Batch
    from tests.outbox.conftest import Place


def begun(outbox: Outbox, *recipients: str) -> Batch:
    """Return a batch of a message with a fallback."""
    batch = outbox.begin(message(*recipients, channel="sms-viber"), channel="sms", patience=300, fallback=True)
    assert batch is not None
    return batch


def refused(batch: Batch) -> list[Outcome]:
    """Return outcomes of rows that the gateway refused."""
    return [Outcome(row.recipient, Verdict.REJECTED, row.channel) for row in batch.rows]


def test_rows_are_claimed_from_the_start(outbox: Outbox) -> None:
    """No other worker ever sees them queued."""
    batch = begun(outbox, *numbers(3))
    assert ([RowState.CLAIMED] * 3, None, "sms", 3) == (
        [row.state for row in outbox],
        outbox.claim(),
        batch.message.channel,
        len(batch),
    )


def test_a_recipient_is_begun_once(outbox: Outbox) -> None:
    """A number that is given twice is one row."""
    assert 1 == len(begun(outbox, NUMBER, NUMBER))


def test_a_batch_that_was_begun_is_settled(outbox: Outbox) -> None:
    """Its rows take their outcomes as those of any claim."""
    batch = begun(outbox)
    outbox.settle(batch, accepted(batch))
    assert 1 == outbox.counts().accepted


def test_what_was_begun_is_unknown_after_a_crash(place: Place, outbox: Outbox) -> None:
    """A worker that is gone may have sent it."""
    with place.open() as other:
        begun(other)
    assert 1 == outbox.counts().unknown


def test_a_full_outbox_begins_nothing(place: Place) -> None:
    """The batch holds what found room; where there is none it is no batch."""
    outbox = place.open(max_rows=1)
    assert (1, None) == (len(begun(outbox, *numbers(2))), outbox.begin(message()))


def test_the_rows_of_what_waits_are_not_mixed_up(outbox: Outbox) -> None:
    """What is enqueued one by one before keeps its ids."""
    outbox.enqueue(message(NUMBER))
    batch = begun(outbox)
    assert [(1, RowState.QUEUED), (2, RowState.CLAIMED)] == [(row.id, row.state) for row in outbox]
    assert [2] == [row.id for row in batch.rows]


def test_a_lease_keeps_the_next_step_for_the_caller(outbox: Outbox, clock: Clock) -> None:
    """Until it ends no worker is asked for the step; then one is."""
    batch = begun(outbox)
    outbox.settle(batch, refused(batch), lease=60)
    before = outbox.watch_due()
    clock.now += 60
    assert ([], [1]) == (before, [row.id for row in outbox.watch_due()])


def test_go_on_claims_the_next_step(outbox: Outbox) -> None:
    """The step is on the other channel, has its parent, and is sent by whoever asked."""
    batch = begun(outbox, *numbers(2))
    outbox.settle(batch, refused(batch))
    following = outbox.go_on(batch.rows, "viber")
    assert following is not None
    assert ([("viber", 1), ("viber", 2)], "viber", None, []) == (
        [(row.channel, row.parent) for row in following.rows],
        following.message.channel,
        outbox.claim(),
        outbox.watch_due(),
    )


def test_go_on_is_given_once(place: Place, outbox: Outbox) -> None:
    """Of two workers one has the step, and the other nothing."""
    batch = begun(outbox)
    outbox.settle(batch, refused(batch))
    other = place.open()
    first, second = outbox.go_on(batch.rows, "viber"), other.go_on(batch.rows, "viber")
    assert (True, None) == (first is not None, second)


def test_go_on_takes_what_is_left(outbox: Outbox) -> None:
    """Rows that have gone on before, or whose step is open, are passed over."""
    batch = begun(outbox, *numbers(3))
    outbox.settle(batch, refused(batch)[:2])
    outbox.go_on(batch.rows[:1], "viber")
    following = outbox.go_on(batch.rows, "viber")
    assert following is not None
    assert [2] == [row.parent for row in following.rows]


def test_go_on_of_nothing_is_nothing(outbox: Outbox) -> None:
    """No rows, no batch."""
    assert None is outbox.go_on([], "viber")


def test_go_on_of_a_row_that_is_not_there(outbox: Outbox) -> None:
    """It raises, and changes nothing."""
    with pytest.raises(InvalidInput, match="there is no row 7"):
        outbox.go_on([7], "viber")


def test_an_accepted_row_is_watched_on_when_its_fallback_goes_out(outbox: Outbox, clock: Clock) -> None:
    """That it was delivered late is worth knowing."""
    batch = begun(outbox)
    outbox.settle(batch, accepted(batch))
    clock.now += 300
    (due,) = outbox.watch_due()
    outbox.go_on([due], "viber")
    outbox.record_state(due, state(DeliveryStatus.DELIVERED))
    assert [RowState.DELIVERED, RowState.CLAIMED] == [row.state for row in outbox]


def test_a_step_may_wait(outbox: Outbox, clock: Clock) -> None:
    """It is queued for later, once, and tried until its own deadline."""
    batch = begun(outbox, *numbers(2))
    outbox.settle(batch, refused(batch))
    later = clock.datetime + timedelta(hours=1)
    until = later + timedelta(hours=2)
    new = [outbox.step_later(batch.rows, "viber", not_before=later, deadline=until) for _ in range(2)]
    before = outbox.claim()
    clock.now += 3600
    following = outbox.claim()
    assert following is not None
    assert ([2, 0], None, {START + 3 * 3600}) == (new, before, {row.deadline for row in following.rows})


def test_a_step_that_should_have_gone_already_goes_now(outbox: Outbox, clock: Clock) -> None:
    """A moment in the past is now."""
    batch = begun(outbox)
    outbox.settle(batch, refused(batch))
    past = datetime(2020, 1, 1, tzinfo=UTC)
    outbox.step_later(batch.rows, "viber", not_before=past, deadline=clock.datetime)
    assert START == list(outbox)[1].next_attempt_at


def test_the_steps_of_a_row_come_in_order(outbox: Outbox) -> None:
    """The first step and what followed it, of this recipient alone; nothing for a row that is gone."""
    batch = begun(outbox, *numbers(2))
    outbox.settle(batch, refused(batch))
    outbox.go_on(batch.rows, "viber")
    assert ([(1, "sms"), (3, "viber")], [(3, "viber")], []) == (
        [(row.id, row.channel) for row in outbox.steps(1)],
        [(row.id, row.channel) for row in outbox.steps(3)],
        outbox.steps(99),
    )


def test_a_row_is_described_as_it_is_exported(outbox: Outbox) -> None:
    """One row by itself reads like a line of the export; one that is forgotten is nothing."""
    (row,) = outbox.enqueue(message())
    described, exported = outbox.describe(row, full=True), next(iter(outbox.export(full=True)))
    outbox.forget([row])
    assert (exported, None) == (described, outbox.describe(row))


def test_receipts_without_ids_are_stored(outbox: Outbox) -> None:
    """A bulk whose ids cannot be told apart is accepted all the same, and due when patience is over."""
    batch = begun(outbox)
    receipt = Receipt(NUMBER, (), None, sent_at=datetime.fromtimestamp(START, UTC))
    outbox.settle(batch, [Outcome(NUMBER, Verdict.ACCEPTED, "sms", receipt)])
    (row,) = outbox
    assert (RowState.ACCEPTED, START + 300) == (row.state, row.next_poll_at)


def test_a_late_outcome_asks_for_no_second_decision(place: Place, outbox: Outbox, clock: Clock) -> None:
    """A row that was given up and has gone on stays out of what is due when its own outcome comes at last."""
    batch = begun(outbox, NUMBER)
    place.kill(outbox)
    other = place.open()
    assert 1 == other.recover()
    (due,) = other.watch_due()
    step(other, due)
    outbox.settle(batch, refused(batch))
    clock.now += 3600
    assert [] == outbox.watch_due()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text("aZ09+-é\U0001f600", min_size=1, max_size=4), max_size=3), min_size=1, max_size=6))
def test_every_row_keeps_its_own_ids(outbox: Outbox, ids: list[list[str]]) -> None:
    """Whether the rows of a batch are written at once or one by one, and whatever their ids look like."""
    batch = begun(outbox, *numbers(len(ids)))
    at = datetime.fromtimestamp(START, UTC)
    outcomes = [
        Outcome(row.recipient, Verdict.ACCEPTED, "sms", Receipt(row.recipient, tuple(own), len(own), sent_at=at))
        for row, own in zip(batch.rows, ids, strict=True)
    ]
    outbox.settle(batch, outcomes)
    found = list(outbox.rows(message_id=batch.stored.id))
    assert [(tuple(own), len(own), RowState.ACCEPTED) for own in ids] == [
        (row.message_ids, row.segments, row.state) for row in found
    ]


def test_rows_that_do_not_follow_each_other_are_settled(outbox: Outbox) -> None:
    """A part of a batch, in another order than its rows."""
    batch = begun(outbox, *numbers(4))
    outcomes = accepted(batch)
    outbox.settle(batch, [outcomes[3], outcomes[0]])
    assert [("id-1",), (), (), ("id-4",)] == [row.message_ids for row in outbox]
