"""The pace: a rate, connections, and slower in trouble; the clock stands still unless it is moved."""

from __future__ import annotations

import threading

import pytest

from devinotify.delivery.rate_limit import LONGEST_ASKED, PAUSES, Pace, Speed
from devinotify.exceptions import InvalidInput
from tests.tables import table
from tests.waiting import ended


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


def waits(pace: Pace, size: int = 1) -> bool:
    """Whether a batch would have to wait: it is let in by a stop alone, as none."""
    entered: list[bool] = []
    thread = threading.Thread(target=lambda: entered.append(pace.enter(size)))
    thread.start()
    thread.join(0.05)
    waiting = thread.is_alive()
    pace.stop()
    ended(thread)
    assert [not waiting] == entered
    return waiting


@table("wrong", [{"connections": 0}, {"connections": 257}, {"batch": 0}, {"batch": 1001}, {"rate": 0.0}, {"limit": 0}])
def test_speeds_that_make_no_sense(wrong: dict[str, int]) -> None:
    """Each setting has its bounds."""
    with pytest.raises(InvalidInput):
        Speed(**wrong)


def test_a_batch_is_no_more_than_a_second_of_the_rate() -> None:
    """A slow campaign flows in small batches."""
    assert [500, 20, 1] == [Speed(rate=rate).size for rate in (None, 20.0, 0.5)]


def test_the_rate_is_that_of_all_connections() -> None:
    """After ten recipients at ten a second, the next batch goes a second later; what was not used is given back."""
    clock = Clock()
    pace = Pace(Speed(rate=10), clock)
    assert pace.enter(10)
    clock.now += 0.9
    assert waits(pace)
    pace = Pace(Speed(rate=10), clock)
    assert pace.enter(10)
    pace.leave(unused=10)
    assert not waits(pace)


def test_it_tells_how_long_the_next_batch_waits() -> None:
    """For the rate, and for what the gateway asked for after a trouble, as far as it has not passed."""
    clock = Clock()
    pace = Pace(Speed(rate=10), clock)
    assert (0.0, True, 0.5) == (pace.wait, pace.enter(5), pace.wait)
    pace.trouble(60.0)
    clock.now += 20
    assert 40.0 == pace.wait
    clock.now += 100
    assert 0.0 == pace.wait


def test_no_more_than_the_connections() -> None:
    """Whoever comes when all are busy waits until one leaves."""
    pace = Pace(Speed(connections=1), Clock())
    assert pace.enter(1)
    pace.leave()
    assert pace.enter(1)
    assert waits(pace)


def test_trouble_slows_down_and_success_gives_back() -> None:
    """Trouble halves the connections and makes all wait; a batch that goes well gives one back."""
    clock = Clock()
    pace = Pace(Speed(connections=8), clock)
    for expected in (4, 2, 1, 1):
        pace.trouble()
        assert expected == pace.allowed
        clock.now += PAUSES.most
    pace.well()
    assert (2, 0) == (pace.allowed, pace.troubles)
    pace.trouble()
    assert waits(pace)


def test_one_trouble_of_many_connections_is_one() -> None:
    """Requests that were under way when the trouble began do not slow down further."""
    pace = Pace(Speed(connections=8), Clock())
    for _ in range(8):
        pace.trouble()
    assert (4, 1) == (pace.allowed, pace.troubles)


@table("asked, wait", [(None, PAUSES.first), (5.0, 5.0), (10_000.0, LONGEST_ASKED)], ids=["none", "some", "too much"])
def test_the_gateway_may_ask_for_a_pause(asked: float | None, wait: float) -> None:
    """The pause is the one asked for, within reason."""
    clock = Clock()
    pace = Pace(Speed(), clock)
    pace.trouble(asked)
    clock.now += wait
    assert pace.enter(1)


def test_a_pause_has_a_longest() -> None:
    """However much trouble, a minute later it is tried again."""
    clock = Clock()
    pace = Pace(Speed(), clock)
    for _ in range(20):
        clock.now += PAUSES.most
        pace.trouble()
    clock.now += PAUSES.most
    assert pace.enter(1)
