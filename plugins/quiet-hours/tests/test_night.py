"""The night: what it takes in, and when it ends."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from devinotify import InvalidInput
from hypothesis import given
from hypothesis import strategies as st

from devinotify_quiet_hours import Night

NIGHT = Night(time(22), time(8))
minutes = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
nights = st.tuples(minutes, minutes).filter(lambda ends: ends[0] != ends[1]).map(lambda ends: Night(*ends))


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("21:59:59", False), ("22:00", True), ("00:00", True), ("07:59:59", True), ("08:00", False), ("12:00", False)],
)
def test_starts_and_ends_sharply(clock: str, expected: bool) -> None:
    """The first minute is night, the last moment named is day."""
    assert expected is (datetime.fromisoformat(f"2026-01-15T{clock}") in NIGHT)


@pytest.mark.parametrize(
    ("clock", "expected"), [("12:59", False), ("13:00", True), ("14:59", True), ("15:00", False), ("00:00", False)]
)
def test_may_lie_within_a_day(clock: str, expected: bool) -> None:
    """A siesta is a night too."""
    assert expected is (datetime.fromisoformat(f"2026-01-15T{clock}") in Night(time(13), time(15)))


@pytest.mark.parametrize(
    ("night", "moment", "expected"),
    [
        ("22:00-08:00", "2026-01-15T23:30", "2026-01-16T08:00"),
        ("22:00-08:00", "2026-01-16T00:00", "2026-01-16T08:00"),
        ("22:00-08:00", "2026-12-31T22:00", "2027-01-01T08:00"),
        ("22:00-08:00", "2028-02-28T23:00", "2028-02-29T08:00"),
        ("22:00-00:00", "2026-01-15T23:00", "2026-01-16T00:00"),
        ("00:00-07:00", "2026-01-15T00:00", "2026-01-15T07:00"),
        ("13:00-15:00", "2026-01-15T14:00", "2026-01-15T15:00"),
    ],
)
def test_morning_is_the_end_of_that_night(night: str, moment: str, expected: str) -> None:
    """Before midnight it is tomorrow's, after it today's."""
    assert datetime.fromisoformat(expected) == Night.parse(night).morning(datetime.fromisoformat(moment))


@given(nights, st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - a wall clock
def test_morning_is_the_first_moment_after_it(night: Night, moment: datetime) -> None:
    """It is less than a day ahead, and no night."""
    if moment in night:
        morning = night.morning(moment)
        assert (True, False) == (0 < (morning - moment).total_seconds() <= 86400, morning in night)


@pytest.mark.parametrize(
    "written", ["", "22-8", "22:00", "22:00-08:00-09:00", "24:00-08:00", "22:60-08:00", "２２:00-08:00", "off"]
)
def test_malformed(written: str) -> None:
    """What is no night says how one is written."""
    with pytest.raises(InvalidInput, match="write it as 22:00-08:00"):
        Night.parse(written)


def test_empty() -> None:
    """A night that ends when it starts may mean always or never, so it is refused."""
    with pytest.raises(InvalidInput, match="another time than it starts"):
        Night.parse("08:00-08:00")
