"""What a text costs. Pure."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from devinotify.text.limits import STANDARD, SegmentLimits
from devinotify.text.segments import count_segments


def estimate_cost(
    text: str,
    recipients: int | str | Collection[object],
    price: Decimal | int | str,
    limits: SegmentLimits = STANDARD,
) -> Decimal:
    """Return the price of sending ``text`` to all ``recipients``: segments x recipients x price of a segment.

    ``recipients`` is how many there are, one of them as a text, or a list of them, of whom each distinct one counts
    once, as the client sends it once. ``price`` is that of one segment, in any currency; a float is refused with a
    TypeError, since it cannot hold a price exactly. Raises ValueError where a number is negative or is none.
    """
    if isinstance(price, float):
        raise TypeError("a price is a Decimal, an int or a string: a float is not exact")
    try:
        each = Decimal(price)
    except ArithmeticError:
        raise ValueError(f"not a price: {price!r}") from None
    if isinstance(recipients, str | bytes):
        number = 1  # one number, not the characters of which it is made
    else:
        number = recipients if isinstance(recipients, int) else len(set(recipients))
    if not each.is_finite() or each < 0 or number < 0:
        raise ValueError("a price and a number of recipients are zero or more")
    return count_segments(text, limits) * number * each
