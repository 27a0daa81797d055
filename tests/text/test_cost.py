"""What a text costs: exact sums, and nothing that is not exact."""

from __future__ import annotations

from decimal import Decimal

import pytest

from devinotify.text import SegmentLimits, estimate_cost
from tests.tables import table


@table("price", [Decimal("2.35"), "2.35"])
def test_the_cost_is_segments_times_recipients_times_price(price: Decimal | str) -> None:
    """Two segments to a hundred people."""
    assert Decimal("470.00") == estimate_cost("я" * 71, 100, price)


def test_each_distinct_recipient_counts_once() -> None:
    """The client sends to a number once, however often it is listed."""
    assert Decimal(4) == estimate_cost("hello", ["79161234567", "79161234568", "79161234567"], 2)


@table("recipient", ["+79161234567", "79161234567", b"79161234567"])
def test_one_number_is_one_recipient(recipient: str) -> None:
    """And not as many as it has different characters."""
    assert Decimal(2) == estimate_cost("hello", recipient, 2)


def test_the_cost_follows_the_limits() -> None:
    """A gateway that bills Latin as octets makes two segments of 150 letters."""
    assert Decimal(2) == estimate_cost("a" * 150, 1, 1, SegmentLimits(gsm7=140, gsm7_part=134))


def test_a_float_is_no_price() -> None:
    """0.1 is not a tenth, and a campaign multiplies the error."""
    with pytest.raises(TypeError, match="float"):
        estimate_cost("hello", 1, 0.1)  # type: ignore[arg-type]


@table("recipients, price", [(1, "free"), (1, "-1"), (1, "NaN"), (1, "Infinity"), (-1, "1")])
def test_what_is_no_price_or_no_number_is_refused(recipients: int, price: str) -> None:
    """Negative, infinite or not a number."""
    with pytest.raises(ValueError, match="price"):
        estimate_cost("hello", recipients, price)
