"""Deadlines that were asked for, and those of the outbox's own, where a message waits for a limit to have room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devinotify.exceptions import LimitExceeded
from devinotify.models import ONE_TIME
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.states import RETRY_FOR
from tests.outbox.support import NUMBER, START, Clock, claim, failed, message, not_sent
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.outbox import Row
    from tests.outbox.conftest import Place, Places

HOUR = 3600.0


def at(seconds: float) -> datetime:
    """Return a moment so many seconds after the start."""
    return datetime.fromtimestamp(START + seconds, UTC)


def fail(outbox: Outbox) -> Row:
    """Return the one row after a try that failed and may be made again."""
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, not_sent()))
    (row,) = outbox
    return row


def wait(outbox: Outbox, until: datetime) -> Row:
    """Return the one row, due now, after a limit left no room for it before then."""
    batch = claim(outbox)
    outbox.wait_for_room(batch, failed(batch, LimitExceeded("full", resets_at=until)), until)
    (row,) = outbox
    return row


@table("after, state", [(61, RowState.NOT_SENT), (60, RowState.NOT_SENT), (59, RowState.QUEUED)])
@table("hours", [1, 30, 58])
def test_what_was_asked_for_holds_for_whoever_waits(places: Places, after: int, state: RowState, hours: int) -> None:
    """However far ahead it was when it was asked for, and however near it is by now, also after a failure."""
    place = places()
    outbox, clock = place.open(), place.clock
    outbox.enqueue(message(), deadline=at(60 * HOUR))
    assert not fail(outbox).own_deadline
    clock.now += hours * HOUR
    row = wait(outbox, at(after * HOUR))
    assert (state, START + 60 * HOUR, "LimitExceeded") == (row.state, row.deadline, row.error)


def test_the_outboxs_own_ends_tries_alone(outbox: Outbox, clock: Clock) -> None:
    """Who waits is not tried: it is dropped, and the day counts anew once there is room."""
    outbox.enqueue(message())
    row = fail(outbox)
    assert (START + RETRY_FOR, True) == (row.deadline, row.own_deadline)
    clock.now += 60
    row = wait(outbox, at(100 * HOUR))
    assert (RowState.QUEUED, None, False, 1) == (row.state, row.deadline, row.own_deadline, row.attempts)
    clock.now = START + 100 * HOUR + 5
    row = fail(outbox)
    assert (START + 100 * HOUR + RETRY_FOR, True) == (row.deadline, row.own_deadline)


def test_what_may_not_be_tried_until_then_counts_anew(outbox: Outbox, clock: Clock) -> None:
    """As who is put back for a daily window that opens a day later: its tries are not over before they go on."""
    outbox.enqueue(message())
    fail(outbox)
    clock.now += 60
    for until, expected in ((RETRY_FOR - 1, (START + RETRY_FOR, True)), (RETRY_FOR, (None, False))):
        batch = claim(outbox)
        outbox.release(batch, not_before=at(until))
        (row,) = outbox
        assert (START + until, *expected) == (row.next_attempt_at, row.deadline, row.own_deadline)
        clock.now = START + until


def test_what_was_asked_for_is_not_put_off(outbox: Outbox, clock: Clock) -> None:
    """Nobody wants it after its deadline, and nobody a one-time code after its day."""
    outbox.enqueue(message(), deadline=at(HOUR))
    batch = claim(outbox)
    outbox.release(batch, not_before=at(2 * HOUR))
    clock.now += 2 * HOUR
    assert (None, START + HOUR) == (outbox.claim(), next(iter(outbox)).deadline)
    outbox.enqueue(replace(message(), tags=frozenset({ONE_TIME})))
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, not_sent()))
    clock.now += 60
    outbox.release(claim(outbox), not_before=at(100 * HOUR))
    clock.now = START + 100 * HOUR
    assert (None, {RowState.NOT_SENT}) == (outbox.claim(), {row.state for row in outbox})


def test_a_claim_tells_whose_a_deadline_is(place: Place, outbox: Outbox, clock: Clock) -> None:
    """In whichever way a row is claimed, by whichever process, and until the last try has failed."""
    outbox.enqueue(message())
    (number,) = [fail(outbox).id]
    other = place.open()
    for rows in (None, [number]):
        clock.now += 60
        batch = other.claim(rows=rows)
        assert batch is not None
        assert ([True], {}) == ([row.own_deadline for row in batch.rows], other.minutes_left(batch))
        other.release(batch)
        assert [True] == [row.own_deadline for row in other]
    clock.now = START + RETRY_FOR
    assert (RowState.NOT_SENT, True) == (fail(outbox).state, fail_again(outbox, clock).own_deadline)


def fail_again(outbox: Outbox, clock: Clock) -> Row:
    """Return the one row, queued again after its deadline by a person, after one more failure."""
    clock.now += 60
    outbox.retry(list(outbox))
    assert [(None, False)] == [(row.deadline, row.own_deadline) for row in outbox]
    return fail(outbox)


def test_no_one_time_code_waits_beyond_its_day(outbox: Outbox, clock: Clock) -> None:
    """Nobody wants it then: the outbox's own deadline is as good as any."""
    outbox.enqueue(replace(message(), tags=frozenset({ONE_TIME})))
    fail(outbox)
    clock.now += 60
    row = wait(outbox, at(20 * HOUR))
    assert (RowState.QUEUED, START + RETRY_FOR, True) == (row.state, row.deadline, row.own_deadline)
    clock.now = START + 21 * HOUR
    assert RowState.NOT_SENT is wait(outbox, at(30 * HOUR)).state


def test_what_waits_is_hurried_whenever_it_was_put_there(place: Place, outbox: Outbox, clock: Clock) -> None:
    """Also what is put back while somebody else looks for what waits: the next who looks finds it."""
    other = place.open()
    outbox.enqueue(message(NUMBER))
    wait(outbox, at(HOUR))
    clock.now += HOUR
    batch = claim(outbox)
    settle, hurried = outbox._settle, []

    def late(settlement: object) -> object:
        hurried.append(other.hurry())
        return settle(settlement)  # type: ignore[arg-type]  # what it was given

    outbox._settle = late  # type: ignore[method-assign,assignment]  # the other comes right before
    outbox.wait_for_room(batch, failed(batch, LimitExceeded("full")), at(2 * HOUR))
    assert ([0], 1, 0) == (hurried, other.hurry(), other.hurry())
