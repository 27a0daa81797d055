"""Which numbers have been seen: a set for a million, and a map of the numbering plan beyond. Pure.

A bit for each number of the ranges that occur: all Russian mobiles there can be are 125 MB, however many rows are read.
"""

from __future__ import annotations

FEW = 1_000_000
"""Numbers up to which a set is smaller than the map."""
_SHIFT = 16  # numbers that share a page of 8 KB: 65,536
_MASK = (1 << _SHIFT) - 1


class Seen:
    """Remembers numbers; ``add`` tells whether one is new."""

    def __init__(self, few: int = FEW) -> None:
        self._few = few
        self._set: set[int] | None = set()
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> bool:
        """Return whether the number is new, and remember it."""
        known = self._set
        if known is None:
            return self._mark(number)
        if number in known:
            return False
        known.add(number)
        if len(known) > self._few:
            self._set = None
            while known:
                self._mark(known.pop())
        return True

    def _mark(self, number: int) -> bool:
        page = self._pages.get(number >> _SHIFT)
        if page is None:
            page = self._pages[number >> _SHIFT] = bytearray(1 << (_SHIFT - 3))
        place, bit = (number & _MASK) >> 3, 1 << (number & 7)
        if page[place] & bit:
            return False
        page[place] |= bit
        return True
