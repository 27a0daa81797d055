"""The clock that tests move."""

from __future__ import annotations

import math
import time

import pytest

from devinotify.sandbox.clock import LATEST, Clock, iso
from tests.sandbox.conftest import START
from tests.tables import table


def test_a_standing_clock_stands() -> None:
    """A clock that does not run tells its start however often it is asked."""
    clock = Clock(running=False, start=START)
    assert [START.timestamp()] * 2 == [clock.now(), clock.now()]


def test_a_running_clock_keeps_real_time() -> None:
    """A running clock tells the machine's time and never goes back."""
    before = time.time()
    clock = Clock()
    first = clock.now()
    assert before - 1 <= first <= clock.now() <= time.time() + 1


def test_advance_moves_the_clock() -> None:
    """Advancing adds up, and answers the new time."""
    clock = Clock(running=False, start=START)
    clock.advance(10)
    assert START.timestamp() + 12.5 == clock.advance(2.5) == clock.now()


def test_reset_takes_advances_back() -> None:
    """A reset clock tells the time as if it had never been advanced."""
    clock = Clock(running=False, start=START)
    clock.advance(3600)
    clock.reset()
    assert START.timestamp() == clock.now()


@table("seconds", [-1, math.nan, math.inf])
def test_a_step_must_be_finite_and_forward(seconds: float) -> None:
    """A negative or endless step is refused."""
    with pytest.raises(ValueError, match="finite number of seconds"):
        Clock().advance(seconds)


def test_the_clock_ends() -> None:
    """A step past the year 9000 is refused, since dates end soon after."""
    with pytest.raises(ValueError, match="9000"):
        Clock().advance(LATEST)


@table(
    "seconds, shown",
    [(START.timestamp() + 0.25, "2026-01-28T12:00:00.250Z"), (1e30, "9000-01-01T00:00:00.000Z")],
)
def test_iso(seconds: float, shown: str) -> None:
    """An instant is shown in UTC with milliseconds, one out of range at its bound."""
    assert shown == iso(seconds)
