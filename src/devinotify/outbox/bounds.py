"""What a store can be asked for: ids and limits as near as can be to those that are given, however high. Pure.

A database counts in 64 bits, and a caller's number may have any size: it may come from a command line or a URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HIGHEST = 2**63 - 1
"""An id that no row has; for a higher one a store cannot even be asked."""
_MOST = 2**28
"""More rows than any memory holds at once; what a store looks ahead for them is still a number of 32 bits."""


def possible(numbers: Iterable[int]) -> list[int]:
    """Return those numbers that may be ids, in their order; nothing has any other."""
    return [number for number in numbers if 0 < number < HIGHEST]


def place(number: int) -> int:
    """Return a number's place among all ids, as near as a store can be asked for it."""
    return max(0, min(number, HIGHEST))


def capped(limit: int) -> int:
    """Return how many rows are asked for at most, as a store can be asked: more are in none."""
    return min(limit, _MOST)
