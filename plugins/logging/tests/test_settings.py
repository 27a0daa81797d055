"""The handler's arguments: what is understood, and how a bad one is named."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from devinotify import InvalidInput
from hypothesis import given
from hypothesis import settings as laws
from hypothesis import strategies as st

from devinotify_logging import settings
from devinotify_logging.settings import Rate

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD: dict[str, Any] = {
    "to": None,
    "channel": None,
    "max_segments": 2,
    "rate": "5/min",
    "burst": 3,
    "dedupe": "60s",
    "daily_limit": 100,
    "queue_size": 1000,
    "outbox": None,
    "flush_timeout": 5.0,
}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5/min", Rate(5, 60)),
        ("1/10s", Rate(1, 10)),
        ("20 / hour", Rate(20, 3600)),
        ("0.5/s", Rate(0.5, 1)),
        ("3/2 days", Rate(3, 172800)),
        (" 100/D ", Rate(100, 86400)),
    ],
)
def test_rate(written: str, expected: Rate) -> None:
    """A rate is a number of messages in a time."""
    assert expected == settings.parse_rate(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("60s", 60),
        ("5m", 300),
        ("1h", 3600),
        ("250ms", 0.25),
        ("90", 90),
        (0, 0),
        (1.5, 1.5),
        ("2 min", 120),
        ("1 week", 604800),
    ],
)
def test_duration(written: object, expected: float) -> None:
    """A duration is a number of seconds, or one with its unit."""
    assert expected == settings.seconds_of(written)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("to", ""),
        ("to", " , "),
        ("to", 7916.0),
        ("to", [None]),
        ("to", True),
        ("channel", ""),
        ("channel", 3),
        ("max_segments", 0),
        ("max_segments", "two"),
        ("max_segments", 2.0),
        ("max_segments", True),
        ("max_segments", 13),
        ("rate", "5"),
        ("rate", "5/fortnight"),
        ("rate", "0/min"),
        ("rate", 5),
        ("rate", "-1/min"),
        ("rate", "1/0s"),
        ("burst", 0),
        ("burst", None),
        ("dedupe", "soon"),
        ("dedupe", -1),
        ("dedupe", None),
        ("dedupe", float("nan")),
        ("dedupe", "99999999d"),
        ("daily_limit", 0),
        ("daily_limit", "∞"),
        ("queue_size", -5),
        ("outbox", ""),
        ("outbox", 7),
        ("outbox", "postgresql://user:s3cret@host/alerts"),
        ("flush_timeout", "5 parsecs"),
        ("flush_timeout", True),
    ],
)
def test_bad_value(name: str, value: object) -> None:
    """A bad value is refused with an error that names its argument and says what is expected."""
    with pytest.raises(InvalidInput, match=rf"^bad value.* for {name}: \w"):
        settings.read(**{**GOOD, name: value})


def test_password_of_a_database_is_not_shown() -> None:
    """An outbox is a file here, for the limits stand beside it: a database is refused, and its password hidden."""
    with pytest.raises(InvalidInput) as caught:
        settings.read(**{**GOOD, "outbox": "postgresql://user:s3cret@host/alerts"})
    assert "bad value for outbox: the path of a file, beside which the limits are kept" == str(caught.value)


def test_numbers_as_text() -> None:
    """What an ini file or an environment variable holds is understood: numbers as text, recipients with commas."""
    found = settings.read(
        **{
            **GOOD,
            "to": " +79161234567, oncall ",
            "max_segments": "3",
            "burst": "1",
            "daily_limit": "50",
            "queue_size": "10",
            "flush_timeout": "2.5",
        }
    )
    assert (("+79161234567", "oncall"), 3, 1, 50, 10, 2.5) == (
        found.to,
        found.max_segments,
        found.burst,
        found.daily_limit,
        found.queue_size,
        found.flush_timeout,
    )


@pytest.mark.parametrize("value", [79161234567, [79161234567], "79161234567"])
def test_number_as_a_number(value: object) -> None:
    """YAML makes a number of a recipient that is written without its plus sign."""
    assert ("79161234567",) == settings.read(**{**GOOD, "to": value}).to


def test_number_of_a_recipient_is_not_shown() -> None:
    """An error about recipients does not quote them."""
    with pytest.raises(InvalidInput) as caught:
        settings.read(**{**GOOD, "to": ["+79161234567", None]})
    assert "7916" not in str(caught.value)


MOST = {"max_segments": 12, "burst": 10**6, "daily_limit": 10**9, "queue_size": 10**7}


@given(data=st.data(), name=st.sampled_from(sorted(MOST)), written=st.sampled_from([int, str, " {} ".format]))
def test_whole_numbers_have_their_bounds(data: st.DataObject, name: str, written: Callable[[int], object]) -> None:
    """From 1 to the most of each they are read, as numbers or as text, and all others are refused."""
    number = data.draw(st.integers(1, MOST[name]) | st.integers(-1, 1) | st.integers(0, 2).map(MOST[name].__add__))
    if 1 <= number <= MOST[name]:
        assert number == getattr(settings.read(**{**GOOD, name: written(number)}), name)
    else:
        with pytest.raises(InvalidInput, match=f"for {name}: "):
            settings.read(**{**GOOD, name: written(number)})


@given(
    seconds=st.integers(-(10**9), 2 * 10**3 * int(settings.LONGEST)).map(lambda number: number / 1000)
    | st.sampled_from([0.0, -0.001, settings.LONGEST, settings.LONGEST + 0.001]),
    name=st.sampled_from(["dedupe", "flush_timeout"]),
    written=st.sampled_from([float, str, "{!r}s".format]),
)
def test_durations_have_their_bounds(seconds: float, name: str, written: Callable[[float], object]) -> None:
    """From nothing to a month they are read, as numbers or as text, and all others are refused."""
    if 0 <= seconds <= settings.LONGEST:
        assert seconds == getattr(settings.read(**{**GOOD, name: written(seconds)}), name)
    else:
        with pytest.raises(InvalidInput, match=f"for {name}: "):
            settings.read(**{**GOOD, name: written(seconds)})


@laws(max_examples=30)
@given(st.one_of(st.text(max_size=12), st.integers(), st.floats(), st.none(), st.binary(max_size=4)))
def test_anything_is_read_or_refused(value: object) -> None:
    """No value of any type makes an argument fail in another way than by its own error."""
    for name in GOOD:
        with contextlib.suppress(InvalidInput):
            settings.read(**{**GOOD, name: value})


@pytest.mark.parametrize(
    ("value", "expected"), [("ERROR", "ERROR"), ("error", "ERROR"), (" 25 ", 25), (40, 40), ("LOUD", "LOUD")]
)
def test_level(value: int | str, expected: int | str) -> None:
    """A level may be written in small letters, and as a number in text; whether there is such a one, logging knows."""
    assert expected == settings.level(value)
