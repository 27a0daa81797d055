"""A clock that is wrong, and then set right: nothing waits for it without a word, and nothing untried is given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.exceptions import InvalidInput
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.outbox import LOOK_AHEAD_EVERY
from tests.outbox.support import Clock, claim, failed, message, not_sent, numbers
from tests.tables import table

if TYPE_CHECKING:
    from tests.outbox.conftest import Place, Places

HOUR = 3600.0


@pytest.mark.parametrize(("count", "words"), [(1, "1 message was"), (3, "3 messages were")])
def test_what_was_stored_by_a_clock_ahead_goes_out(
    place: Place, clock: Clock, caplog: pytest.LogCaptureFixture, count: int, words: str
) -> None:
    """At the next worker's first claim, said in one line; who comes later finds nothing to say."""
    clock.now += HOUR
    place.open().enqueue(message(*numbers(count)))
    clock.now -= HOUR
    worker = place.open()
    assert (count, None) == (len(claim(worker)), worker.claim())
    place.open().claim()
    (said,) = caplog.messages
    assert f"{words} stored by a clock that was ahead" in said


def test_one_that_works_already_finds_it_within_a_minute(place: Place, clock: Clock) -> None:
    """It does not take a new one: it looks for it now and then, by the seconds that really pass."""
    passed = [0.0]
    worker = place.open(monotonic=lambda: passed[0])
    found = [worker.claim()]
    clock.now += HOUR
    place.open().enqueue(message())
    clock.now -= HOUR
    for passed[0] in (LOOK_AHEAD_EVERY - 1, LOOK_AHEAD_EVERY):
        found.append(worker.claim())
    assert [None, None, 1] == [batch and len(batch) for batch in found]


def test_a_backoff_is_kept(place: Place, clock: Clock) -> None:
    """What was tried under the wrong clock is tried again after as long."""
    clock.now += HOUR
    outbox = place.open()
    outbox.enqueue(message())
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, not_sent()))
    clock.now -= HOUR
    worker = place.open()
    before = worker.claim()
    clock.now += 5
    assert (None, 1) == (before, len(claim(worker)))


def test_a_moment_that_was_named_is_waited_for(place: Place, clock: Clock) -> None:
    """It is a moment of the right clock."""
    later = clock.datetime + timedelta(hours=2)
    clock.now += HOUR
    place.open().enqueue(message(), not_before=later)
    clock.now -= HOUR
    worker = place.open()
    before = worker.claim()
    clock.now += 2 * HOUR
    assert (None, 1) == (before, len(claim(worker)))


def test_what_is_days_late_is_tried_once(place: Place, clock: Clock) -> None:
    """Whether the clock was behind or no worker ran: nothing is given up untried, nothing old is tried for a day."""
    clock.now -= 72 * HOUR
    place.open().enqueue(message(*numbers(2)))
    clock.now += 72 * HOUR
    worker = place.open()
    batch = claim(worker)
    worker.settle(batch, failed(batch, not_sent()))
    assert {RowState.NOT_SENT: 2} == {state: number for state, number in worker.counts() if number}


def test_the_time_to_try_runs_from_when_a_message_was_due(outbox: Outbox, clock: Clock) -> None:
    """Not from its first failure, and not from when it was stored."""
    outbox.enqueue(message(), not_before=clock.datetime + timedelta(hours=48))
    clock.now += 48 * HOUR + 23 * HOUR
    batch = claim(outbox)
    outbox.settle(batch, failed(batch, not_sent()))
    queued = outbox.counts().queued
    clock.now += 2 * HOUR
    assert (1, None, 1) == (queued, outbox.claim(), outbox.counts().not_sent)


def test_a_deadline_that_was_named_holds(outbox: Outbox, clock: Clock) -> None:
    """What is too late is not sent, tried or not."""
    outbox.enqueue(message(), deadline=clock.datetime + timedelta(hours=1))
    clock.now += 2 * HOUR
    assert (None, 1) == (outbox.claim(), outbox.counts().not_sent)


@table(
    "deadline",
    [
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), id="year 1"),
        pytest.param(datetime(1969, 12, 31, tzinfo=UTC), id="before the epoch"),
        pytest.param(datetime.max.replace(tzinfo=timezone(timedelta(hours=-3))), id="past the last year of UTC"),
        pytest.param(datetime(2030, 1, 1), id="naive"),  # noqa: DTZ001 - the very thing that is refused
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("inf"), id="infinite"),
    ],
)
def test_a_deadline_that_is_no_moment_is_refused_where_it_enters(places: Places, deadline: Any) -> None:  # noqa: ANN401 - that is tested
    """Whoever gives it: before anything is stored that could not be read again."""
    outbox = places().open()
    number = outbox.register(message())
    for use in (
        lambda: outbox.enqueue(message(), deadline=deadline),
        lambda: outbox.enqueue(message(), not_before=deadline),
        lambda: outbox.enqueue(message(), original_time=deadline),
        lambda: outbox.enqueue_many([message()], deadline=deadline),
        lambda: outbox.extend(number, numbers(2), deadline=deadline),
        lambda: outbox.begin(message(), deadline=deadline),
    ):
        with pytest.raises(InvalidInput, match="a deadline or an original time"):
            use()
    assert 0 == len(outbox)


@table("deadline", [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)])
def test_the_first_and_the_last_moment_come_back(places: Places, deadline: datetime) -> None:
    """All that is taken can be read again."""
    outbox = places().open()
    (row,) = outbox.enqueue(message(), deadline=deadline)
    told = outbox.describe(row)
    assert told is not None
    assert str(deadline.year) == told["deadline"][:4]


@table("seconds", [float("inf"), float("nan"), -1.0])
def test_seconds_that_make_no_sense_are_refused_where_they_enter(places: Places, seconds: float) -> None:
    """Before anything is stored, and long before anything is sent."""
    outbox = places().open()
    for use in (
        lambda: outbox.enqueue(message(), patience=seconds),
        lambda: outbox.register(message(), patience=seconds),
        lambda: outbox.begin(message(), patience=seconds),
        lambda: outbox.enqueue_many([message()], patience=seconds),
        lambda: outbox.watch_due(lease=seconds),
        lambda: Outbox("never.db", retry_for=seconds),
        lambda: Outbox("never.db", poll=seconds),
    ):
        with pytest.raises(InvalidInput, match="number of seconds"):
            use()
    assert 0 == len(outbox)
