"""How a report writes numbers, money, shares, times and spans, in two languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.bulk.language import Language, zone
from devinotify.exceptions import InvalidInput
from tests.tables import table

EN, RU = Language("en"), Language("ru")
_ = "\N{NO-BREAK SPACE}"


def test_numbers() -> None:
    """Thousands are apart as each language has them."""
    assert ("1,234,567", f"1{_}234{_}567") == (EN.number(1_234_567), RU.number(1_234_567))


@table(
    "amount, en, ru",
    [
        ("7.5", "7.50", "7,50"),
        ("1234", "1,234.00", f"1{_}234,00"),
        ("0.125", "0.125", "0,125"),
        ("1E+3", "1,000.00", f"1{_}000,00"),
    ],
)
def test_money(amount: str, en: str, ru: str) -> None:
    """Two decimals at least, and all that there are."""
    assert (en, ru) == (EN.money(Decimal(amount)), RU.money(Decimal(amount)))


@table(
    "part, whole, expected",
    [
        *((0, 5, "0"), (1, 2, "50"), (1, 3, "33.3"), (2, 3, "66.6")),
        *((9999, 10_000, "99.9"), (1, 10**6, "0.1"), (3, 3, "100"), (0, 0, "0")),
    ],
)
def test_shares(part: int, whole: int, expected: str) -> None:
    """Rounded down, but not to nothing."""
    assert f"{expected}{_}%" == EN.percent(part, whole)


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_share_is_all_only_of_all(part: int, whole: int) -> None:
    """100 % says that nobody is missing, and 0 % that nobody was reached."""
    part = min(part, whole)
    assert (part == whole, part == 0) == (EN.percent(part, whole) == f"100{_}%", EN.percent(part, whole) == f"0{_}%")


def test_times() -> None:
    """With the month in words, and the seconds where they matter."""
    moment = datetime(2026, 1, 8, 9, 5, 7, tzinfo=UTC)
    assert (f"8{_}January 2026, 09:05", f"8{_}января 2026, 09:05:07") == (
        EN.moment(moment),
        RU.moment(moment, seconds=True),
    )


@table(
    "seconds, expected",
    [
        (0.2, "under a second"),
        (16, f"16{_}s"),
        (60, f"1{_}min"),
        (3661, f"1{_}h 1{_}min"),
        (3 * 86_400 + 59, f"3{_}d"),
        (3605, f"1{_}h"),
    ],
)
def test_spans(seconds: float, expected: str) -> None:
    """In the two largest units."""
    assert expected == EN.span(seconds)


@table("minutes, expected", [(0, "UTC"), (180, "UTC+3"), (330, "UTC+5:30"), (-210, "UTC\N{MINUS SIGN}3:30")])
def test_zones(minutes: int, expected: str) -> None:
    """By their offset."""
    assert expected == zone(datetime(2026, 1, 1, tzinfo=timezone(timedelta(minutes=minutes))))


def test_another_language_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(InvalidInput, match="en or ru"):
        Language("de")
