"""Enqueue, claim, settle: one process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from devinotify import exceptions as errors
from devinotify.exceptions import InvalidInput, Verdict
from devinotify.models import Message, Outcome, Receipt
from devinotify.outbox import Counts, Outbox, RowState
from devinotify.outbox.records import NewMessage
from tests.outbox.support import (
    NUMBER,
    START,
    Clock,
    accepted,
    claim,
    failed,
    message,
    not_sent,
    numbers,
    step,
)
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.outbox import Batch
    from devinotify.outbox.store import Transaction
    from tests.outbox.conftest import Place, Places


# --- in


def test_enqueue_returns_a_queued_row(outbox: Outbox) -> None:
    """A message to one number makes one row, queued."""
    (row,) = outbox.enqueue(message())
    assert (NUMBER, "sms", RowState.QUEUED, 0) == (row.recipient, row.channel, row.state, row.attempts)


@table("count", [1, 3])
def test_enqueue_returns_what_get_returns(places: Places, count: int) -> None:
    """The rows that enqueue returns are those in the file."""
    outbox = places().open()
    rows = outbox.enqueue(message(*numbers(count)))
    assert rows == [outbox.get(row.id) for row in rows] == list(outbox)


@table("count", [2, 39, 40, 41, 80, 81])
def test_each_of_many_recipients_has_its_row(places: Places, count: int) -> None:
    """However many a store writes at once: in their order, with ids that count up, and once each."""
    outbox = places().open()
    given = numbers(count)
    rows = outbox.enqueue(message(*given))
    again = outbox.extend(rows[0].message_id, (*given, "not a number"))
    assert ([*given, "not a number"], rows, 1) == ([row.recipient for row in outbox], list(outbox)[:count], again)


def test_what_is_not_a_number_keeps_its_place_among_numbers(outbox: Outbox) -> None:
    """Texts of all kinds stand between numbers as they were given, and ids count up over both."""
    given = ("+79160000001", 'a "b" \\n', "+0123456789", "+79160000002", "null", "79160000003")
    rows = outbox.enqueue(message(*given))
    first = rows[0].id
    assert (given, list(range(first, first + 6)), list(outbox)) == (
        tuple(row.recipient for row in outbox),
        [row.id for row in rows],
        rows,
    )


def test_enqueue_drops_repeated_recipients(outbox: Outbox) -> None:
    """A recipient given twice gets one row, in the order of first appearance."""
    rows = outbox.enqueue(message("+79160000002", "+79160000001", "+79160000002"))
    assert ["+79160000002", "+79160000001"] == [row.recipient for row in rows]


def test_enqueue_of_nobody_stores_nothing(outbox: Outbox) -> None:
    """A message without recipients leaves no trace."""
    assert ([], Counts()) == (outbox.enqueue(Message("a", ())), outbox.counts())


@table("count", [1, 2])
@table("moved", [False, True])
def test_a_known_key_returns_the_rows_that_exist(places: Places, count: int, moved: bool) -> None:
    """The same key twice makes one message, whether the first has been moved to the queue or not."""
    outbox = places().open()
    rows = outbox.enqueue(message(*numbers(count)), key="k")
    if moved:
        list(outbox)
    again = outbox.enqueue(message(*numbers(count), text="another"), key="k")
    assert (rows, count) == (again, len(outbox))


def test_find_returns_the_rows_of_a_key(outbox: Outbox) -> None:
    """A key leads to its rows, an unknown one to none."""
    rows = outbox.enqueue(message(), key="k")
    assert (rows, []) == (outbox.find("k"), outbox.find("other"))


def test_ids_are_never_used_twice(outbox: Outbox) -> None:
    """A row that comes after a forgotten one does not get its id."""
    first = outbox.enqueue(message())
    outbox.forget(first)
    second = outbox.enqueue(message(*numbers(2)))
    outbox.forget(second)
    (third,) = outbox.enqueue(message())
    assert first[0].id < second[0].id < second[1].id < third.id


def test_enqueue_many_queues_personal_texts(outbox: Outbox) -> None:
    """Many messages go in at once, those with a known key left out."""
    outbox.enqueue(message(), key="b")
    texts = [message(text=text) for text in "abc"]
    assert 2 == outbox.enqueue_many(texts, keys=["a", "b", "c"])
    assert 3 == outbox.enqueue_many(texts)
    assert 6 == outbox.counts().queued


def test_a_registered_message_is_extended(outbox: Outbox) -> None:
    """A campaign's message is stored once and takes recipients in portions, each once."""
    number = outbox.register(message(text="campaign"), key="campaign")
    assert number == outbox.register(message(text="campaign"), key="campaign")
    assert [2, 1] == [outbox.extend(number, numbers(2)), outbox.extend(number, numbers(3))]
    assert numbers(3) == claim(outbox).message.recipients


def test_extending_an_unknown_message_is_an_error(outbox: Outbox) -> None:
    """There must be a message to extend."""
    with pytest.raises(InvalidInput, match="no message 5"):
        outbox.extend(5, numbers(1))


def test_refused_recipients_are_recorded(outbox: Outbox) -> None:
    """What our own checks refused is accounted for, and never sent."""
    number = outbox.register(message())
    error = errors.InvalidPhoneNumber("too short", reason="too_short")
    assert 1 == outbox.refuse(number, [("12", error)])
    (row,) = outbox
    assert ("12", RowState.NOT_SENT, "InvalidPhoneNumber", "too_short", None) == (
        row.recipient,
        row.state,
        row.error,
        row.error_reason,
        outbox.claim(),
    )


# --- claim


def test_claim_returns_a_batch_of_one_message(outbox: Outbox) -> None:
    """Rows of two messages come in two batches, the older first."""
    outbox.enqueue(message(*numbers(3), text="first"))
    outbox.enqueue(message(*numbers(2), text="second"))
    batches = [claim(outbox), claim(outbox)]
    assert [("first", 3), ("second", 2)] == [(batch.message.text, len(batch)) for batch in batches]
    assert outbox.claim() is None


def test_claim_respects_its_limit(outbox: Outbox) -> None:
    """A batch holds at most what was asked for."""
    outbox.enqueue(message(*numbers(5)))
    assert [2, 2, 1] == [len(claim(outbox, 2)) for _ in range(3)]


def test_claim_needs_a_limit(outbox: Outbox) -> None:
    """A claim of nothing is an error."""
    with pytest.raises(InvalidInput):
        outbox.claim(0)


def test_a_claimed_row_is_not_claimed_again(outbox: Outbox) -> None:
    """What is in flight is nobody else's."""
    outbox.enqueue(message())
    batch = claim(outbox)
    assert (RowState.CLAIMED, 1, None) == (batch.rows[0].state, batch.rows[0].attempts, outbox.claim())
    assert batch.rows == tuple(outbox)


def test_claim_of_given_rows(outbox: Outbox) -> None:
    """A caller may claim just the rows that it has enqueued, in front of older ones."""
    outbox.enqueue(message(text="old"))
    rows = outbox.enqueue(message(*numbers(2), text="mine"))
    batch = outbox.claim(rows=rows)
    assert batch is not None
    assert (("mine", 2), None) == ((batch.message.text, len(batch)), outbox.claim(rows=rows))


def test_steps_of_one_message_share_a_batch(outbox: Outbox, clock: Clock) -> None:
    """Rows of one message that came due at different times are claimed together, other messages' rows between them."""
    rows = outbox.enqueue(message(*numbers(3)), channel="sms")
    outbox.settle(claim(outbox), [Outcome(row.recipient, Verdict.REJECTED, "sms") for row in rows])
    for row in rows:
        clock.now += 1
        step(outbox, row)
        outbox.enqueue(message(text="between"))
    batch = claim(outbox)
    assert ("viber", 3) == (batch.message.channel, len(batch))


def test_not_before_delays_a_row(outbox: Outbox, clock: Clock) -> None:
    """A row is not claimed before its time."""
    outbox.enqueue(message(), not_before=clock.datetime + timedelta(seconds=10))
    assert outbox.claim() is None
    clock.now += 10
    assert 1 == len(claim(outbox))


def test_next_due_tells_when_to_come_back(outbox: Outbox, clock: Clock) -> None:
    """A worker may sleep until the next row is due, wherever that row stands."""
    assert outbox.next_due() is None
    outbox.enqueue(message(), not_before=clock.datetime + timedelta(seconds=10))
    waiting = outbox.next_due()
    list(outbox)
    assert (START + 10, START + 10) == (waiting, outbox.next_due())


def test_next_due_of_what_is_queued_alone(outbox: Outbox, clock: Clock) -> None:
    """What is looked at after its sending does not count, wherever what waits stands; ``None`` where nothing does."""
    outbox.enqueue(message())
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    looked_at = outbox.next_due()
    assert (True, None) == (looked_at is not None, outbox.next_due(queued=True))
    outbox.enqueue(message(), not_before=clock.datetime + timedelta(seconds=600))
    waiting = outbox.next_due(queued=True)
    list(outbox)
    assert (looked_at, START + 600, START + 600) == (outbox.next_due(), waiting, outbox.next_due(queued=True))


def test_a_row_past_its_deadline_is_not_sent(outbox: Outbox, clock: Clock) -> None:
    """What nobody claimed in time ends as not_sent, and the next message is claimed."""
    (late,) = outbox.enqueue(message(text="late"), deadline=clock.datetime + timedelta(seconds=5))
    outbox.enqueue(message(text="in time"))
    clock.now += 6
    assert "in time" == claim(outbox).message.text
    row = outbox.get(late.id)
    assert row is not None
    assert (RowState.NOT_SENT, "NotSent") == (row.state, row.error)


def test_nothing_left_after_expiry(outbox: Outbox, clock: Clock) -> None:
    """Where all that is due is too late, nothing is claimed."""
    outbox.enqueue(message(), deadline=clock.datetime)
    clock.now += 1
    assert (None, 1) == (outbox.claim(), outbox.counts().not_sent)


def test_a_schedule_reaches_the_channel(outbox: Outbox) -> None:
    """A wall clock stays naive, an instant stays an instant, and neither delays the claim: the gateway schedules."""
    naive = datetime(2030, 1, 1, 9)  # noqa: DTZ001 - a wall clock
    aware = datetime(2030, 1, 1, 9, tzinfo=UTC)
    outbox.enqueue(Message("a", (NUMBER,), send_at=naive))
    outbox.enqueue(Message("b", (NUMBER,), send_at=aware))
    assert [naive, aware] == [claim(outbox).message.send_at, claim(outbox).message.send_at]


def test_begin_claims_from_the_start(outbox: Outbox) -> None:
    """Who sends at once gets its rows as a batch that nobody else ever saw queued."""
    batch = outbox.begin(message(*numbers(2)), channel="viber")
    assert batch is not None
    assert ("viber", 2, None) == (batch.message.channel, len(batch), outbox.claim())
    outbox.settle(batch, accepted(batch))
    assert 2 == outbox.counts().accepted


def test_begin_in_a_full_outbox(place: Place) -> None:
    """Where there is no room, nothing is begun."""
    outbox = place.open(max_rows=1)
    outbox.enqueue(message())
    assert (None, 1) == (outbox.begin(message()), outbox.counts().dropped)


def test_go_on_takes_the_step_as_a_batch(outbox: Outbox) -> None:
    """The fallback of several rows is claimed with its making, once, and passes over what is open."""
    (queued,) = outbox.enqueue(message())
    batch = outbox.begin(message(*numbers(2)))
    assert batch is not None
    outbox.settle(batch, failed(batch, errors.Forbidden("no", code=7)))
    following = outbox.go_on(batch.rows, "viber")
    assert following is not None
    assert ("viber", [row.id for row in batch.rows]) == (
        following.message.channel,
        [row.parent for row in following.rows],
    )
    assert None is outbox.go_on([queued, *batch.rows], "viber")


# --- settle


def test_accepted(outbox: Outbox, clock: Clock) -> None:
    """An accepted row holds its receipt and is watched."""
    outbox.enqueue(message())
    batch = claim(outbox)
    assert {batch.rows[0].id: RowState.ACCEPTED} == outbox.settle(batch, accepted(batch))
    (row,) = outbox
    receipt = Receipt(NUMBER, (f"id-{row.id}",), 1, sent_at=clock.datetime)
    assert (receipt, START + 15, START + 48 * 3600, None) == (row.receipt, row.next_poll_at, row.watch_until, row.claim)


def test_a_receipt_of_another_channel_is_kept(outbox: Outbox, clock: Clock) -> None:
    """Where the platform resends, the receipt comes back with its own channel and the mark of it."""
    outbox.enqueue(message(channel="viber-sms"))
    batch = claim(outbox)
    receipt = Receipt(NUMBER, ("a", "b"), 2, channel="viber", sent_at=clock.datetime, resends=True)
    outbox.settle(batch, [Outcome(NUMBER, Verdict.ACCEPTED, "viber-sms", receipt)])
    assert [receipt] == [row.receipt for row in outbox]


@table("receipt", [None, Receipt(NUMBER, (), None)])
def test_accepted_without_ids_is_not_watched(places: Places, receipt: Receipt | None) -> None:
    """Without an id there is nothing to ask for."""
    outbox = places().open()
    outbox.enqueue(message())
    outbox.settle(claim(outbox), [Outcome(NUMBER, Verdict.ACCEPTED, "sms", receipt)])
    (row,) = outbox
    assert (RowState.ACCEPTED, None, START) == (row.state, row.next_poll_at, row.sent_at)


@table(
    "error, expected",
    [
        (errors.NotEnoughCredits("no", code=5), RowState.REJECTED),
        (errors.OutcomeUnknown("lost"), RowState.UNKNOWN),
        (errors.InvalidText("empty"), RowState.NOT_SENT),
        (errors.NotSent("refused"), RowState.QUEUED),
    ],
)
def test_a_verdict_decides_the_state(places: Places, error: errors.DevinotifyError, expected: RowState) -> None:
    """Each error's verdict leads to its state, and only what is provably unsent and worth it is queued again."""
    outbox = places().open()
    outbox.enqueue(message())
    batch = claim(outbox)
    settled = outbox.settle(batch, failed(batch, error))
    (row,) = outbox
    assert ({row.id: expected}, expected, type(error).__name__) == (settled, row.state, row.error)


def test_a_retry_waits_for_its_backoff(outbox: Outbox, clock: Clock) -> None:
    """What is queued again is not due before its backoff is over, and counts its attempts."""
    outbox.enqueue(message(*numbers(3)))
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, not_sent()))
    assert (START + 5, None) == (outbox.next_due(), outbox.claim())
    clock.now += 5
    assert [2, 2, 2] == [row.attempts for row in claim(outbox).rows]


def test_a_retry_ends_at_the_deadline(outbox: Outbox, clock: Clock) -> None:
    """Where the next attempt would come too late, not_sent is final."""
    outbox.enqueue(message(), deadline=clock.datetime + timedelta(seconds=4))
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, not_sent()))
    assert 1 == outbox.counts().not_sent


def test_without_a_deadline_a_retry_never_ends(place: Place, clock: Clock) -> None:
    """An outbox may be told to try for ever."""
    outbox = place.open(retry_for=None)
    outbox.enqueue(message())
    for _ in range(50):
        batch = claim(outbox)
        outbox.settle(batch, failed(batch, not_sent()))
        clock.now += 86400
    assert 1 == outbox.counts().queued


def test_a_part_of_a_batch_may_be_settled(outbox: Outbox) -> None:
    """Outcomes are matched by recipient, in any order, and the rest stays claimed."""
    outbox.enqueue(message(*numbers(3)))
    batch = claim(outbox)
    outcomes = accepted(batch)
    outbox.settle(batch, [outcomes[2], outcomes[0]])
    assert (True, 2, 1) == (outbox.holds(batch), outbox.counts().accepted, outbox.counts().claimed)
    outbox.settle(batch, [outcomes[1]])
    assert (False, 3) == (outbox.holds(batch), outbox.counts().accepted)


def test_an_outcome_of_nobody_is_an_error(outbox: Outbox) -> None:
    """An outcome for a stranger, or two for one recipient, is refused and nothing is recorded."""
    outbox.enqueue(message(*numbers(2)))
    batch = claim(outbox)
    first, _ = accepted(batch)
    with pytest.raises(InvalidInput):
        outbox.settle(batch, [first, first])
    assert 2 == outbox.counts().claimed


def test_settling_twice_changes_nothing(outbox: Outbox) -> None:
    """A second settlement finds its rows settled and leaves them alone."""
    outbox.enqueue(message())
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    assert {} == outbox.settle(batch, failed(batch, not_sent()))
    assert 1 == outbox.counts().accepted


def test_released_rows_are_as_before(outbox: Outbox) -> None:
    """A worker that stops gives back what it has not tried, without an attempt counted."""
    before = outbox.enqueue(message(*numbers(2)))
    batch = claim(outbox)
    outbox.release(batch, [batch.rows[0]])
    assert [before[0], batch.rows[1]] == list(outbox)
    outbox.release(batch)
    assert before == list(outbox)


def test_close_makes_open_claims_unknown(place: Place) -> None:
    """What was in flight when the outbox closed is unknown."""
    with place.open() as outbox:
        outbox.enqueue(message())
        claim(outbox)
    again = place.open()
    assert (1, False) == (again.counts().unknown, again.senders_alive())


def test_close_tells_of_what_it_gives_up(outbox: Outbox) -> None:
    """Once it is written, and as long as the outbox can still be asked; what was settled is not among it."""
    told: list[tuple[RowState, bool]] = []
    outbox.on_end = lambda rows: told.extend((row.state, outbox.message(row.message_id) is not None) for row in rows)
    outbox.enqueue(message(*numbers(2)))
    outbox.enqueue(message("+79261234567"))
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    claim(outbox)
    outbox.close()
    outbox.close()
    assert [(RowState.UNKNOWN, True)] == told


def test_closed_is_closed(outbox: Outbox) -> None:
    """A closed outbox closes again quietly and does nothing else."""
    outbox.close()
    outbox.close()
    with pytest.raises(InvalidInput, match="closed"):
        outbox.enqueue(message())
    assert "closed" in repr(outbox)


def test_nothing_is_shown(outbox: Outbox) -> None:
    """The outbox's repr names its file alone."""
    outbox.enqueue(message())
    assert f"<Outbox {outbox.name}>" == repr(outbox)


def test_a_bound_is_at_least_one(place: Place) -> None:
    """An outbox for nothing is an error."""
    with pytest.raises(InvalidInput):
        place.open(max_rows=0)


def test_recipients_may_come_from_the_outbox_itself(outbox: Outbox) -> None:
    """They are read before anything is written."""
    number = outbox.register(message())

    def recipients() -> Iterator[str]:
        outbox.remember("a", "b")
        yield NUMBER

    assert (1, "b") == (outbox.extend(number, recipients()), outbox.recall("a"))


def test_use_within_its_own_transaction_is_refused(outbox: Outbox) -> None:
    """Work that comes back to its outbox from within is an error and no deadlock, and is undone."""
    number = outbox.register(message())

    def work(transaction: Transaction) -> None:
        transaction.extend(number, numbers(2), "sms", START, None)
        outbox.remember("a", "b")

    with pytest.raises(InvalidInput, match="own transaction"):
        outbox._store.write("test", work)
    assert (0, None) == (len(outbox), outbox.recall("a"))


def test_what_fails_is_undone(outbox: Outbox) -> None:
    """Whatever a transaction has done before it fails, everything stands as before."""
    batch, expected = _in_every_way(outbox)

    def work(transaction: Transaction) -> None:
        transaction.register(NewMessage(message(), key="new"))
        transaction.add_each([(NewMessage(message(), key="newer"), NUMBER, None)])
        transaction.take(outbox._store.enlist(), 1, "me@host/rest")
        transaction.attend(10, START + 60, "me@host/rest")
        transaction.put([batch.rows[0]._replace(state=RowState.UNKNOWN)])
        transaction.add_to("dropped", 5)
        transaction.remember("a", "changed")
        transaction.hand_over("they@host/rest", "me@host/rest")
        transaction.drop_claims(str(outbox._store.worker))
        transaction.remove([row.id for row in outbox_rows])
        raise ZeroDivisionError

    outbox_rows = list(outbox)
    with pytest.raises(ZeroDivisionError):
        outbox._store.write("test", work)
    assert expected == _everything(outbox)
    assert {row.id: RowState.ACCEPTED for row in batch.rows} == outbox.settle(batch, accepted(batch))


def _in_every_way(outbox: Outbox) -> tuple[Batch, object]:
    """Return a claimed batch of an outbox that holds something of everything, and all that is known of it."""
    outbox.remember("a", "b")
    outbox.enqueue(message(*numbers(2)), key="k", account="they@host/rest")
    outbox.enqueue(message(), fallback=True)
    outbox.settle(claim(outbox), [])
    failing = claim(outbox)
    outbox.settle(failing, failed(failing, errors.Forbidden("no", code=7)))
    outbox.enqueue(message())
    batch = outbox.begin(message(*numbers(2)))
    assert batch is not None
    return batch, _everything(outbox)


def _everything(outbox: Outbox) -> object:
    return (
        list(outbox.export(full=True)),
        list(outbox),
        outbox.counts(),
        outbox.waiting(),
        outbox.recall("a"),
        outbox.find("new"),
    )
