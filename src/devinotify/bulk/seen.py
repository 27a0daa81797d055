"""Which numbers have been seen: a set for a million, and beyond it a table of 5 bytes for each. Pure.

Three million numbers of any country are 20 MB, and 70 MB is the most that it takes on the way there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

FEW = 1_000_000
"""Numbers up to which a set is used: it is twice as fast, and ten times as large."""
_BUCKETS = 65_521  # a prime, so that numbers at a regular distance spread as well
_WIDTH = 5  # bytes for what is left of 16 digits, divided by the buckets


class Seen:
    """Remembers numbers of up to 16 digits: ``add`` one, ``add_all`` of many; ``in`` asks."""

    def __init__(self, few: int = FEW) -> None:
        self._few = few
        self._set: set[int] | None = set()
        self._buckets: list[bytearray | None] = []

    def __contains__(self, number: int) -> bool:
        """Return whether the number was seen."""
        if self._set is not None:
            return number in self._set
        bucket, key = self._place(number)
        return bucket is not None and _stands_in(bucket, key)

    def add(self, number: int) -> bool:
        """Return whether the number is new, and remember it."""
        known = self._set
        if known is None:
            return self._put(number)
        if number in known:
            return False
        known.add(number)
        if len(known) > self._few:
            self._to_table(known)
        return True

    def add_all(self, numbers: Collection[int]) -> set[int]:
        """Remember distinct numbers, and return those that are not new: far quicker than one by one."""
        known = self._set
        if known is None:
            return {number for number in numbers if not self._put(number)}
        found = known.intersection(numbers)
        known.update(numbers)
        if len(known) > self._few:
            self._to_table(known)
        return found

    def _to_table(self, known: set[int]) -> None:
        self._set = None
        self._buckets = [None] * _BUCKETS
        while known:
            self._put(known.pop())

    def _put(self, number: int) -> bool:
        bucket, key = self._place(number)
        if bucket is None:
            self._buckets[number % _BUCKETS] = bytearray(key)
            return True
        if _stands_in(bucket, key):
            return False
        bucket += key
        return True

    def _place(self, number: int) -> tuple[bytearray | None, bytes]:
        quotient, place = divmod(number, _BUCKETS)
        # The last byte differs most from one number to the next, and is what find() looks at first.
        return self._buckets[place], quotient.to_bytes(_WIDTH, "big")


def _stands_in(bucket: bytearray, key: bytes) -> bool:
    at = bucket.find(key)
    while at > 0 and at % _WIDTH:  # found across two others
        at = bucket.find(key, at + 1)
    return at >= 0
