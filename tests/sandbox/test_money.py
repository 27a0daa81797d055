"""Amounts of money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.sandbox.money import MOST, amount
from tests.tables import table


@table("given_as, money", [("7.50", "7.50"), (0, "0"), (0.1, "0.1"), (MOST, str(MOST)), (Decimal("1.000"), "1.000")])
def test_amounts(given_as: Any, money: str) -> None:  # noqa: ANN401 - a number of any type
    """A number, or its text, is an amount with the digits that were written."""
    assert money == f"{amount(given_as):f}"


@table("value", ["", "much", "NaN", "-1", -1, -0.01, MOST + 1, "1e30", "Infinity", float("inf"), True])
def test_what_is_not_an_amount(value: Any) -> None:  # noqa: ANN401 - what is refused
    """What an account cannot hold is refused with what it can."""
    with pytest.raises(ValueError, match=r"^must be a number from 0 to 10\^15$"):
        amount(value)


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.text(max_size=20))
def test_an_amount_is_never_below_nothing(value: Decimal | str) -> None:
    """Whatever is given, what comes back lies in the range."""
    try:
        money = amount(value)
    except ValueError:
        return
    assert 0 <= money <= MOST
