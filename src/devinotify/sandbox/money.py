"""Amounts of money, as a balance and as a price. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MOST = 10**15
"""The most that an account holds; a JSON number carries it without losing a hundredth."""
RANGE = "a number from 0 to 10^15"


def amount(value: Decimal | float | str) -> Decimal:
    """Return an amount that an account can have; raises ValueError for any other, without naming the field."""
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        # By its text: a float's own digits are what somebody wrote.
        money = Decimal(str(value))
    except InvalidOperation:
        money = Decimal("NaN")
    if not (money.is_finite() and 0 <= money <= MOST):
        raise ValueError(f"must be {RANGE}")
    return money
