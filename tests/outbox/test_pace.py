"""The pace that all who send from one outbox keep together."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.exceptions import InvalidInput
from devinotify.outbox.pace import SET_BACK, StoredPace
from tests.outbox.support import START, claim, message, numbers
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.outbox import Outbox
    from tests.outbox.conftest import Place, Places
    from tests.outbox.support import Clock

ME, OTHER = "me@host/rest", "other@host/rest"


def test_without_a_pace_nobody_waits(outbox: Outbox) -> None:
    """However much is booked."""
    assert (0.0, 0.0, None) == (outbox.reserve(1_000_000), outbox.reserve(1, ME), outbox.pace())


def test_each_waits_for_those_before(place: Place, clock: Clock) -> None:
    """Whoever has opened the outbox; and what is over is over."""
    first, second = place.open(), place.open()
    first.set_pace(100)
    assert [0.0, 2.0, 3.0] == [first.reserve(200), second.reserve(100), first.reserve(50)]
    clock.now += 1
    assert 2.5 == second.reserve(1)
    clock.now += 10
    assert (0.0, 100.0) == (second.reserve(100), second.pace())


def test_what_is_given_back_is_others(outbox: Outbox) -> None:
    """Booked for a batch that turned out smaller."""
    outbox.set_pace(10)
    outbox.reserve(100)
    outbox.reserve(-95)
    assert 0.5 == outbox.reserve(1)


def test_an_account_may_have_a_pace_of_its_own(outbox: Outbox) -> None:
    """All others share the one that is everybody's."""
    outbox.set_pace(10)
    outbox.set_pace(1, ME)
    assert ([0.0, 5.0], [0.0, 0.5]) == (
        [outbox.reserve(5, ME), outbox.reserve(5, ME)],
        [outbox.reserve(5, OTHER), outbox.reserve(5)],
    )
    outbox.set_pace(None, ME)
    assert (10.0, 1.0) == (outbox.pace(ME), outbox.reserve(1, ME))
    outbox.set_pace(None)
    assert (None, 0.0) == (outbox.pace(ME), outbox.reserve(1, ME))


def test_a_change_keeps_what_is_booked(outbox: Outbox) -> None:
    """Or it would be a way round the pace."""
    outbox.set_pace(10)
    outbox.reserve(100)
    outbox.set_pace(1000)
    assert 10.0 == outbox.reserve(1)


def test_a_clock_that_was_set_back_keeps_nobody_waiting(outbox: Outbox, clock: Clock) -> None:
    """What was booked by the clock as it was lies in a time to come."""
    outbox.set_pace(10)
    outbox.reserve(10)
    clock.now -= 2 * SET_BACK
    assert (0.0, 1.0) == (outbox.reserve(10), outbox.reserve(10))


@table("hourly", [1, 7, 60])
def test_a_slow_pace_is_kept_however_many_ask(places: Places, hourly: int) -> None:
    """Each connection of each worker waits for its own turn, the last for hours, or for days."""
    outbox = places().open()
    outbox.set_pace(hourly / 3600)
    waits = [outbox.reserve(1) for _ in range(3 * hourly + 5)]
    assert [place * 3600 / hourly for place in range(3 * hourly + 5)] == pytest.approx(waits, abs=1)


def test_who_books_many_is_waited_for(outbox: Outbox) -> None:
    """However long that takes."""
    outbox.set_pace(1)
    outbox.reserve(10_000)
    assert (10_000.0, 10_001.0) == (outbox.reserve(1), outbox.reserve(1))


def test_two_who_were_told_the_time_in_another_order_than_they_book_keep_the_pace() -> None:
    """A transaction that waited for the other is a moment behind: the clock was not set back."""
    first, _ = StoredPace(1, START).booked(10, START)
    second, wait = first.booked(10, START - 0.5)
    assert (10.5, 20.0, START) == (wait, second.next_at - START, second.booked_at)


@table("rate", [0, -1, float("inf"), float("nan")])
def test_what_is_not_a_pace_is_refused(places: Places, rate: float) -> None:
    """And so is an account that is not one."""
    outbox = places().open()
    with pytest.raises(InvalidInput, match="a pace is a number"):
        outbox.set_pace(rate)
    with pytest.raises(InvalidInput, match="an account is written"):
        outbox.reserve(1, "me")
    assert None is outbox.pace()


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 1000)), max_size=50), st.floats(1e-4, 5000))
def test_no_second_has_more_than_its_rate(bookings: list[tuple[float, int]], rate: float) -> None:
    """A message goes no sooner than all those before it, at the rate, have gone."""
    pace, now, free_at = StoredPace(rate, START), START, START
    for pause, number in bookings:
        now += pause
        pace, wait = pace.booked(number, now)
        assert now + wait >= free_at - 1e-3
        free_at = max(free_at, now) + number / rate


def test_who_sends_is_known(place: Place) -> None:
    """From the first claim until the end: where, since when, and how much is in flight."""
    watcher, worker = place.open(), place.open()
    assert [] == watcher.workers()
    worker.enqueue(message(*numbers(3)))
    claim(worker, 2)
    (found,) = watcher.workers()
    assert (socket.gethostname(), os.getpid(), 2) == (found.host, found.pid, found.rows)
    worker.close()
    assert [] == watcher.workers()
