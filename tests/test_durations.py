"""How long something takes, as people write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import parse_duration
from devinotify.durations import UNITS
from tests.tables import table


def test_seconds_of_each_unit() -> None:
    """Each unit has its words, and no others."""
    assert UNITS == {
        "": 1.0,
        "ms": 0.001,
        "s": 1.0,
        "sec": 1.0,
        "second": 1.0,
        "seconds": 1.0,
        "m": 60.0,
        "min": 60.0,
        "minute": 60.0,
        "minutes": 60.0,
        "h": 3600.0,
        "hour": 3600.0,
        "hours": 3600.0,
        "d": 86400.0,
        "day": 86400.0,
        "days": 86400.0,
        "w": 604800.0,
        "week": 604800.0,
        "weeks": 604800.0,
    }


@table(
    "written, expected",
    [("90", 90.0), ("1.5h", 5400.0), (" 5 MIN ", 300.0), ("7 days", 604800.0), ("1e-05", 0.00001), ("0w", 0.0)],
)
def test_a_duration_is_in_seconds(written: str, expected: float) -> None:
    """A number may have a fraction or an exponent, and a space before its unit; letters are of either case."""
    assert expected == parse_duration(written)


@given(number=st.floats(0, 1e9), unit=st.sampled_from(sorted(UNITS)))
def test_any_number_with_any_unit_is_read(number: float, unit: str) -> None:
    """What Python writes of a number, with a unit behind it, is that many of them."""
    assert number * UNITS[unit] == parse_duration(f"{number!r}{unit}")


@table("written", ["", "m", "-5", "5 m s", "1.", ".5", "0x5", "five", "5 parsecs", "nan", "inf", "1e+5"])
def test_anything_else_is_refused(written: str) -> None:
    """What is not a number with a unit that is known is not a duration, and what is one is said."""
    expected = "a duration is a number of seconds, or one with one of the units ms, s, sec, second"
    with pytest.raises(ValueError, match=f"^{expected}"):
        parse_duration(written)


@table("written", ["5", "5ms"])
def test_a_unit_that_is_not_allowed_is_refused(written: str) -> None:
    """Where some units alone make sense, no other is taken, and neither is a number without one."""
    with pytest.raises(ValueError, match=r"^a duration is a number with one of the units s, h$"):
        parse_duration(written, ("s", "h"))
