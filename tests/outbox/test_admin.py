"""Retry, forget, the bound, the counts, the notes, and reading page by page."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from devinotify import exceptions as errors
from devinotify.exceptions import InvalidInput, InvalidPhoneNumber
from devinotify.instants import iso
from devinotify.models import DeliveryStatus
from devinotify.outbox import Batch, Counts, Outbox, Row, RowState
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
    state,
    step,
)
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.outbox.conftest import Place, Places


REJECTED = errors.Forbidden("no", code=7)
REFUSED = errors.InvalidText("empty")
UNKNOWN = errors.OutcomeUnknown("lost")


def settled(outbox: Outbox, error: errors.DevinotifyError, count: int = 1) -> Batch:
    """Return a batch whose rows met an error."""
    outbox.enqueue(message(*numbers(count)))
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, error))
    return batch


# --- retry


@table("error", [REJECTED, REFUSED])
def test_what_was_not_sent_is_retried(places: Places, error: errors.DevinotifyError) -> None:
    """Rejected and not_sent rows are queued again without their error."""
    outbox = places().open()
    rows = settled(outbox, error).rows
    assert 1 == outbox.retry(rows)
    (row,) = outbox
    assert (RowState.QUEUED, None, 1) == (row.state, row.error, len(claim(outbox)))


def test_unknown_takes_force(outbox: Outbox) -> None:
    """What may have been sent is sent again only by force."""
    rows = settled(outbox, UNKNOWN).rows
    with pytest.raises(InvalidInput, match="takes force"):
        outbox.retry(rows)
    assert (1, 1) == (outbox.counts().unknown, outbox.retry(rows, force=True))


def test_a_row_with_a_fallback_takes_force(outbox: Outbox) -> None:
    """What went on to another channel may reach the recipient twice."""
    (row,) = settled(outbox, REJECTED).rows
    step(outbox, row)
    with pytest.raises(InvalidInput, match="takes force"):
        outbox.retry([row])
    assert (0, 1) == (outbox.retry_all(RowState.REJECTED), outbox.retry([row], force=True))


@table("error", [REJECTED, REFUSED, UNKNOWN])
@table("waited, stale", [(9, False), (11, True)])
def test_a_code_that_would_come_late_is_not_retried(
    places: Places, error: errors.DevinotifyError, waited: int, stale: bool
) -> None:
    """Nobody wants a one-time code any more after its deadline; any other message is sent all the same."""
    place = places()
    outbox, clock = place.open(), place.clock
    for tags in (frozenset({"one-time"}), frozenset({"urgent"})):
        outbox.enqueue(replace(message(), tags=tags), deadline=clock.datetime + timedelta(seconds=10))
        outbox.settle(batch := claim(outbox), failed(batch, error))
    clock.now += waited
    code, other = outbox
    why = outbox.no_retries([code, other], force=True)
    assert [code.id] * stale == list(why)
    if stale:
        assert "one-time code whose time is over" in why[code.id]
        with pytest.raises(InvalidInput, match="one-time code"):
            outbox.retry([other, code], force=True)
    assert 2 - stale == outbox.retry_all(code.state, force=True)
    assert [code.state if stale else RowState.QUEUED, RowState.QUEUED] == [row.state for row in outbox]


def test_why_rows_are_not_retried(outbox: Outbox) -> None:
    """What ``retry`` would refuse is told by row beforehand, and rows that are gone are nobody's."""
    (row,) = settled(outbox, UNKNOWN).rows
    assert "takes force" in outbox.no_retries([row, 999])[row.id]
    assert {} == outbox.no_retries([row], force=True)


def test_what_is_on_its_way_is_not_retried(outbox: Outbox) -> None:
    """Queued, claimed and accepted rows are refused, and nothing else is changed then."""
    good = settled(outbox, REJECTED).rows[0]
    (row,) = outbox.enqueue(message())
    for turn in range(3):
        with pytest.raises(InvalidInput, match="cannot be sent again"):
            outbox.retry([good, row], force=True)
        if turn == 0:
            batch = claim(outbox)
        if turn == 1:
            outbox.settle(batch, accepted(batch))
    assert 1 == outbox.counts().rejected


def test_an_unknown_id_is_an_error(outbox: Outbox) -> None:
    """There must be a row to retry."""
    with pytest.raises(InvalidInput, match="no row 5"):
        outbox.retry([5])


def test_a_retry_after_the_deadline_gets_a_new_one(outbox: Outbox, clock: Clock) -> None:
    """A person's retry is tried as long as a new message, and keeps a deadline that lies ahead."""
    outbox.enqueue(message(), deadline=clock.datetime + timedelta(days=1))
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, REJECTED))
    outbox.retry(batch.rows)
    assert [START + 86400] == [row.deadline for row in outbox]
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, REJECTED))
    clock.now += 100_000
    outbox.retry(batch.rows)
    assert [None] == [row.deadline for row in outbox]
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, not_sent()))
    assert [(RowState.QUEUED, clock.now + 86400)] == [(row.state, row.deadline) for row in outbox]


@table("error", [REJECTED, UNKNOWN])
@table("fallback", [False, True])
def test_a_retried_row_is_as_a_fresh_one(places: Places, error: errors.DevinotifyError, fallback: bool) -> None:
    """In all columns, but for its place, its attempts and the claim that may still tell of it."""
    place = places()
    outbox, clock = place.open(), place.clock
    outbox.enqueue(message(), fallback=fallback, deadline=clock.datetime + timedelta(seconds=10))
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, error))
    clock.now += 60
    outbox.retry(batch.rows, force=True)
    (fresh,) = outbox.enqueue(message())
    again = outbox.get(batch.rows[0].id)
    assert again is not None
    assert fresh == again._replace(id=fresh.id, message_id=fresh.message_id, attempts=0, claim=None)


def test_retry_all(place: Place) -> None:
    """All rows of a state, of one message or all, go back to the queue, page by page."""
    outbox = place.open(page=2)
    first = settled(outbox, REJECTED, 5)
    settled(outbox, REJECTED, 3)
    assert 5 == outbox.retry_all(RowState.REJECTED, message_id=first.stored.id)
    assert 3 == outbox.retry_all(RowState.REJECTED)
    assert 8 == outbox.counts().queued


def test_retry_all_on_one_channel(outbox: Outbox) -> None:
    """The steps that a channel of two others has written down stay as they are."""
    settled(outbox, REJECTED, 2)
    outbox.enqueue(message(channel="viber"))
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, REJECTED))
    assert (1, 2) == (outbox.retry_all(RowState.REJECTED, channel="viber"), outbox.counts().rejected)


def test_what_ended_undelivered_is_sent_anew_where_that_is_said(outbox: Outbox) -> None:
    """Of what the gateway had told of it nothing is left; what is noted of it is written with that."""
    outbox.enqueue(message(*numbers(2)))
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    before = outbox.record_state(batch.rows[0], state(DeliveryStatus.EXPIRED, 46))
    with pytest.raises(InvalidInput, match="cannot be sent again"):
        outbox.retry_all(RowState.FAILED, force=True)

    def note(kept: str | None, rows: Sequence[Row]) -> str:
        return f"{kept} {[(row.id, row.status_code) for row in rows]}"

    again = outbox.retry_all(RowState.FAILED, undelivered=True, note=("seen", note))
    after = outbox.get(before.id)
    assert (1, f"None [({before.id}, 46)]") == (again, outbox.recall("seen"))
    fresh = Row(before.id, before.message_id, before.recipient, before.channel, RowState.QUEUED, before.attempts)
    assert after is not None
    assert fresh == after._replace(next_attempt_at=None)
    assert 1 == outbox.counts().accepted
    second = claim(outbox)
    assert {before.id: RowState.ACCEPTED} == outbox.settle(second, accepted(second))


def test_whom_the_first_step_reached_after_all_gets_no_second_one_again(outbox: Outbox) -> None:
    """The SMS was late, the Viber message failed, and the SMS arrived: there is nothing to send anew."""
    batch = outbox.begin(message(channel="sms-viber"), channel="sms", patience=300, fallback=True)
    assert batch is not None
    outbox.settle(batch, accepted(batch))
    second = outbox.go_on(batch.rows, "viber")
    assert second is not None
    outbox.settle(second, accepted(second))
    outbox.record_state(second.rows[0], state(DeliveryStatus.UNDELIVERED))
    outbox.record_state(batch.rows[0], state(DeliveryStatus.DELIVERED))
    assert (0, 1) == (outbox.retry_all(RowState.FAILED, undelivered=True), outbox.counts().failed)


def test_retry_all_takes_force_for_unknown(outbox: Outbox) -> None:
    """Unknown rows are resent together only by force, and accepted ones not at all."""
    settled(outbox, UNKNOWN, 2)
    with pytest.raises(InvalidInput, match="takes force"):
        outbox.retry_all(RowState.UNKNOWN)
    with pytest.raises(InvalidInput, match="cannot be sent again"):
        outbox.retry_all(RowState.ACCEPTED, force=True)
    assert 2 == outbox.retry_all(RowState.UNKNOWN, force=True)


# --- the truth that comes late


def test_a_late_outcome_wins(place: Place, outbox: Outbox) -> None:
    """Where a claim's outcome comes after the row was retried by force, the row takes it and is not sent twice."""
    outbox.enqueue(message(*numbers(2)))
    batch = claim(outbox)
    other = place.open()
    place.kill(outbox)  # an administrator's mistake: the worker seems dead
    assert (True, 2, False) == (outbox.holds(batch), other.recover(), outbox.holds(batch))
    other.retry([batch.rows[0]], force=True)
    assert {row.id: RowState.ACCEPTED for row in batch.rows} == outbox.settle(batch, accepted(batch))
    assert (2, None) == (outbox.counts().accepted, outbox.claim())


@pytest.mark.parametrize(
    "error", [REJECTED, not_sent(), errors.NotSent("given up", retryable=False), errors.OutcomeUnknown("lost")], ids=str
)
def test_a_late_failure_takes_no_wish_away(place: Place, outbox: Outbox, error: errors.DevinotifyError) -> None:
    """What a person has queued again is sent, also where its first worker tells afterwards that it did not go out."""
    outbox.enqueue(message(*numbers(2)))
    batch = claim(outbox)
    place.kill(outbox)
    other = place.open()
    assert 2 == other.recover()
    other.retry([batch.rows[0]], force=True)
    outcomes = failed(batch, error)
    taken = outbox.settle(batch, outcomes)
    assert [batch.rows[1].id] == list(taken)
    again = claim(other)
    assert [batch.rows[0].id] == [row.id for row in again.rows]
    assert {again.rows[0].id: RowState.ACCEPTED} == other.settle(again, accepted(again))


def test_a_row_claimed_anew_is_anothers(place: Place, outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """Where the row has been claimed again meanwhile, the late outcome is not taken; answer and log say so."""
    outbox.enqueue(message(*numbers(2)))
    batch = claim(outbox)
    other = place.open()
    place.kill(outbox)
    other.recover()
    other.retry([batch.rows[0]], force=True)
    claim(other)
    assert {batch.rows[1].id: RowState.ACCEPTED} == outbox.settle(batch, accepted(batch))
    assert (1, 1) == (other.counts().claimed, other.counts().accepted)
    assert "what became of 1 row is not taken" in caplog.text


# --- forget


def test_forget_removes_rows_and_texts(outbox: Outbox) -> None:
    """A forgotten row is gone, and its message with its last row; both are counted."""
    rows = outbox.enqueue(message(*numbers(2)))
    message_id = rows[0].message_id
    assert 1 == outbox.forget([rows[0]])
    assert outbox.message(message_id) is not None
    assert 1 == outbox.forget([rows[0].id, rows[1]])
    assert (None, Counts(forgotten=2)) == (outbox.message(message_id), outbox.counts())


def test_what_is_in_flight_is_not_forgotten(outbox: Outbox) -> None:
    """A claimed row stays, and with it all that was to be forgotten."""
    settled(outbox, REJECTED)
    outbox.enqueue(message())
    claim(outbox)
    with pytest.raises(InvalidInput, match="being sent"):
        outbox.forget(list(outbox))
    with pytest.raises(InvalidInput, match="being sent"):
        outbox.forget_all([RowState.CLAIMED])
    assert 2 == len(outbox)


def test_forget_all_spares_what_is_watched(outbox: Outbox) -> None:
    """Finished rows go; what is queued, unknown or watched stays."""
    settled(outbox, REJECTED, 2)
    settled(outbox, UNKNOWN)
    outbox.enqueue(message())
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    outbox.enqueue(message())
    assert 2 == outbox.forget_all()
    assert Counts(queued=1, accepted=1, unknown=1, forgotten=2) == outbox.counts()


def test_forget_all_by_age_and_message(outbox: Outbox, clock: Clock) -> None:
    """Only what is older, and only of the message named."""
    old = settled(outbox, REJECTED)
    clock.now += 100
    new = settled(outbox, REJECTED)
    then = clock.datetime - timedelta(seconds=50)
    assert 0 == outbox.forget_all(older_than=then, message_id=new.stored.id)
    assert 1 == outbox.forget_all(older_than=then)
    assert (None, True) == (outbox.get(old.rows[0].id), outbox.get(new.rows[0].id) is not None)


# --- the bound


@pytest.fixture
def small(place: Place) -> Outbox:
    """An outbox for three rows."""
    return place.open(max_rows=3)


def test_a_full_outbox_drops_and_counts(place: Place, small: Outbox) -> None:
    """What finds no room is not stored, is counted, and the count survives."""
    rows = [small.enqueue(message()) for _ in range(5)]
    assert [1, 1, 1, 0, 0] == [len(each) for each in rows]
    assert (3, 2, 5) == (small.counts().queued, small.counts().dropped, small.counts().offered)
    small.close()
    assert 2 == place.open(max_rows=3).counts().dropped


def test_a_bulk_is_stored_as_far_as_it_fits(small: Outbox) -> None:
    """Of many recipients the first that fit are queued; later ones are dropped altogether."""
    assert ["+79160000000", "+79160000001"] == [row.recipient for row in small.enqueue(message(*numbers(2)))]
    assert ["+79160000000"] == [row.recipient for row in small.enqueue(message(*numbers(4)))]
    assert [] == small.enqueue(message(*numbers(2)))
    assert Counts(queued=3, dropped=5) == small.counts()


def test_finished_rows_make_room(small: Outbox) -> None:
    """The oldest finished row goes when a new one comes, and is counted as forgotten."""
    settled(small, REJECTED, 2)
    settled(small, UNKNOWN)
    assert 1 == len(small.enqueue(message()))
    assert Counts(queued=1, rejected=1, unknown=1, forgotten=1) == small.counts()
    assert 1 == len(small.enqueue(message(*numbers(2))))
    assert Counts(queued=2, unknown=1, forgotten=2, dropped=1) == small.counts()


def test_other_processes_count_too(place: Place, small: Outbox) -> None:
    """What another one stored is noticed at the latest when the bound is reached."""
    place.open(max_rows=3).enqueue(message(*numbers(3)))
    assert [] == small.enqueue(message())


def test_forgetting_gives_room_back(small: Outbox) -> None:
    """A full outbox takes messages again after it was cleared."""
    rows = small.enqueue(message(*numbers(4)))
    small.forget(rows)
    assert (3, 0) == (len(small.enqueue(message(*numbers(3)))), len(small.enqueue(message())))


def test_a_claimed_row_is_not_dropped(small: Outbox) -> None:
    """A bulk portion that finds no room at all is dropped and counted."""
    number = small.register(message())
    assert [3, 0] == [small.extend(number, numbers(4)), small.extend(number, numbers(2, 79170000000))]
    assert (3, 3, 0) == (small.counts().queued, small.counts().dropped, small.enqueue_many([message()]))


def test_an_unbounded_outbox(place: Place) -> None:
    """Without a bound nothing is dropped."""
    outbox = place.open(max_rows=None)
    assert (1, 2) == (len(outbox.enqueue(message())), len(outbox.enqueue(message(*numbers(2)))))


# --- reading


def test_rows_come_in_pages(place: Place) -> None:
    """All rows come in the order of their ids, however many pages they fill, and may change meanwhile."""
    outbox = place.open(page=2)
    rows = outbox.enqueue(message(*numbers(5)))
    seen = []
    for row in outbox:
        seen.append(row.id)
        outbox.forget([row])
    assert ([row.id for row in rows], 0) == (seen, len(outbox))


@table("limit", [0, 1, 2, 3, 9])
def test_rows_are_limited(places: Places, limit: int) -> None:
    """No more rows come than were asked for."""
    place = places()
    outbox = place.open(page=2)
    outbox.enqueue(message(*numbers(5)))
    assert min(limit, 5) == len(list(outbox.rows(limit=limit)))


def test_rows_are_filtered(outbox: Outbox) -> None:
    """State, message, channel, recipient and place narrow what comes."""
    first = settled(outbox, REJECTED, 2)
    second = outbox.enqueue(message(*numbers(2)), channel="viber")
    found = [
        outbox.rows(states=[RowState.REJECTED]),
        outbox.rows(message_id=second[0].message_id),
        outbox.rows(channel="viber"),
        outbox.rows(recipient="+79160000000"),
        outbox.rows(after=second[0].id),
        outbox.rows(message_id=99),
    ]
    ids = [row.id for row in first.rows], [row.id for row in second]
    expected = [ids[0], ids[1], ids[1], [ids[0][0], ids[1][0]], [ids[1][1]], []]
    assert expected == [[row.id for row in each] for each in found]


@table("count", [2, 7])
def test_rows_of_one_message(places: Places, count: int) -> None:
    """A message's rows come complete and in order, be they few or many, with others between them and a step far off."""
    place = places()
    outbox = place.open(page=3)
    rows = outbox.enqueue(message(*numbers(count)))
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, REJECTED))
    outbox.enqueue(message(*numbers(4)))
    child = step(outbox, rows[0])
    found = [row.id for row in outbox.rows(message_id=rows[0].message_id)]
    assert [*(row.id for row in rows), child.id] == found


def test_get_of_nothing(outbox: Outbox) -> None:
    """An id that is not there gives nothing."""
    assert (None, None) == (outbox.get(5), outbox.message(5))


def test_counts_of_a_channel(outbox: Outbox) -> None:
    """Only the rows on it, those that nobody has read yet among them."""
    outbox.enqueue(message(*numbers(3)))
    outbox.enqueue(message(channel="viber"))
    outbox.claim(2)
    found = outbox.counts(channel="sms")
    assert (1, 2, 1, 4) == (found.queued, found.claimed, outbox.counts(channel="viber").queued, outbox.counts().total)


def test_counts_add_up(outbox: Outbox) -> None:
    """The states and their sum, by name, by key and by iteration."""
    settled(outbox, REJECTED, 2)
    outbox.enqueue(message())
    counts = outbox.counts()
    assert (3, 2, {"queued": 1, "rejected": 2}) == (
        counts.total,
        counts[RowState.REJECTED],
        {str(state): number for state, number in counts if number},
    )


def test_an_export_is_masked(outbox: Outbox) -> None:
    """Without being asked, an export holds neither number nor id nor text."""
    outbox.enqueue(message(text="secret"), key="key of secret", meta={"a": "secret"})
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    shown = json.dumps(list(outbox.export()))
    assert (False, False, True) == (NUMBER in shown, "secret" in shown, "+7916***4567" in shown)


def test_a_full_export_has_everything(outbox: Outbox, clock: Clock) -> None:
    """On request, an export holds number, ids and text in full."""
    outbox.enqueue(message(text="secret"), key="k", meta={"a": 1}, original_time=clock.datetime)
    batch = claim(outbox)
    outbox.settle(batch, accepted(batch))
    (line,) = outbox.export(full=True, states=[RowState.ACCEPTED])
    expected = {
        "recipient": NUMBER,
        "text": "secret",
        "key": "k",
        "meta": {"a": 1},
        "message_ids": ["id-1"],
        "original_time": iso(clock.datetime),
        "sent_at": iso(clock.datetime),
    }
    assert expected == {name: line[name] for name in expected}


def test_an_export_passes_over_what_vanishes(outbox: Outbox) -> None:
    """A row that is forgotten while its page is exported is left out."""
    outbox.enqueue(message())
    outbox.enqueue(message())
    lines = outbox.export()
    next(lines)
    outbox.forget([2])
    assert [] == list(lines)


def test_notes_are_kept(outbox: Outbox) -> None:
    """A note is found again, may be overwritten, and never touches the counts."""
    outbox.remember("dropped", "a")
    outbox.remember("dropped", "b")
    assert ("b", None, 0) == (outbox.recall("dropped"), outbox.recall("other"), outbox.counts().dropped)


def test_own_claims_are_not_recovered(outbox: Outbox) -> None:
    """A worker that recovers leaves alone what it sends itself."""
    outbox.enqueue(message())
    claim(outbox)
    assert (0, 1) == (outbox.recover(), outbox.counts().claimed)


def test_a_retryable_error_names_the_backoff(outbox: Outbox) -> None:
    """A row that is queued again still tells why."""
    settled(outbox, not_sent())
    assert ["NotSent"] == [row.error for row in outbox]


def test_what_is_no_number_is_not_tried_again(outbox: Outbox) -> None:
    """A recipient that our own checks refused stays as it is, with its reason, however often others are retried."""
    number = outbox.register(message())
    outbox.refuse(number, [("row 7: 12345", InvalidPhoneNumber("it is too short", reason="too_short"))])
    (row,) = outbox.rows()
    assert (0, [row]) == (outbox.retry_all(RowState.NOT_SENT), list(outbox.rows()))
    with pytest.raises(InvalidInput, match=f"row {row.id} is not a number"):
        outbox.retry([row], force=True)


def test_nothing_is_held_back_as_a_rule(outbox: Outbox) -> None:
    """Nor is there anything to resume, and no harm in it."""
    outbox.enqueue(message())
    outbox.resume()
    assert (None, 1) == (outbox.held(), len(claim(outbox)))


def test_several_rows_at_once(outbox: Outbox) -> None:
    """Rows by their ids come in the order asked, each once, those left out that are gone."""
    first, second, third = outbox.enqueue(message(*numbers(3)))
    outbox.forget([second])
    assert [third, first] == outbox.get_all([third.id, second.id, first.id, third.id])
    assert [] == outbox.get_all([])


def test_latest_come_first(outbox: Outbox) -> None:
    """The newest rows come first, a page at a time, each once."""
    ids = [outbox.enqueue(message(number))[0].id for number in numbers(5)]
    first = outbox.latest(limit=2)
    rest = outbox.latest(before=first[-1].id)
    assert ids[::-1] == [row.id for row in (*first, *rest)]


def test_latest_of_a_selection(outbox: Outbox) -> None:
    """The filters of ``rows`` hold here, too."""
    one, two = numbers(2)
    rows = outbox.enqueue(message(one, two))
    outbox.forget([outbox.enqueue(message(one))[0]])
    for chosen in ({"recipient": two}, {"message_id": rows[0].message_id, "recipient": two}):
        assert [rows[1]] == outbox.latest(**chosen)
    assert [] == outbox.latest(states=[RowState.ACCEPTED])
    assert [] == outbox.latest(channel="viber")
    assert rows[::-1] == outbox.latest(account="login@host", states=[RowState.QUEUED])
