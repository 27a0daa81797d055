"""A slow and obvious segmenter, to hold the fast one against: one character at a time, straight from the standard.

Its tables are typed from 3GPP TS 23.038 once more, by code point, so that a slip in the others shows.
"""

from __future__ import annotations

from functools import cache

BASIC_CODE_POINTS = [
    *(0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5, 0xE5),
    *(0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E, None, 0xC6, 0xE6, 0xDF, 0xC9),
    *(0x20, 0x21, 0x22, 0x23, 0xA4, *range(0x25, 0x40)),
    *(0xA1, *range(0x41, 0x5B), 0xC4, 0xD6, 0xD1, 0xDC, 0xA7),
    *(0xBF, *range(0x61, 0x7B), 0xE4, 0xF6, 0xF1, 0xFC, 0xE0),
]
"""The Unicode code point of each septet; none at the escape."""

EXTENSION_CODE_POINTS = {
    0x0A: 0x0C,
    0x14: 0x5E,
    0x28: 0x7B,
    0x29: 0x7D,
    0x2F: 0x5C,
    0x3C: 0x5B,
    0x3D: 0x7E,
    0x3E: 0x5D,
    0x40: 0x7C,
    0x65: 0x20AC,
}

SINGLE = {chr(point) for point in BASIC_CODE_POINTS if point is not None}
DOUBLE = {chr(point) for point in EXTENSION_CODE_POINTS.values()}


def is_gsm7(text: str) -> bool:
    """Whether every character is in one of the tables."""
    return all(character in SINGLE or character in DOUBLE for character in text)


def units_of(text: str) -> list[int]:
    """The units of each character: septets, or UTF-16 units."""
    if is_gsm7(text):
        return [2 if character in DOUBLE else 1 for character in text]
    return [2 if ord(character) > 0xFFFF else 1 for character in text]


def fewest_parts(text: str, gsm7: tuple[int, int] = (160, 153), ucs2: tuple[int, int] = (70, 67)) -> int:
    """The fewest parts by trying every cut, greedy or not."""
    sizes = units_of(text)
    single, part = gsm7 if is_gsm7(text) else ucs2
    if sum(sizes) <= single:
        return 1

    @cache
    def fewest_from(begin: int) -> int:
        if begin == len(sizes):
            return 0
        best = len(sizes)
        units = 0
        for end in range(begin, len(sizes)):
            units += sizes[end]
            if units > part:
                break
            best = min(best, 1 + fewest_from(end + 1))
        return best

    for begin in range(len(sizes), 0, -1):
        fewest_from(begin)  # from the end, so that no call nests deeply
    return fewest_from(0)
