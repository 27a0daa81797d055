"""Where a text may be cut without taking apart what a reader sees as one character. Pure.

The rules of Unicode's UAX #29 on the safe side: every boundary here is one there, but a few there are none
here. That suffices to shorten a text, and needs no table but Python's own.
"""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
_REGIONAL = ("\U0001f1e6", "\U0001f1ff")
_ATTACHED = (
    # ranges that continue a character though they are not combining marks in Unicode's categories
    ("\u200c", _JOINER),
    ("\U0001f3fb", "\U0001f3ff"),  # skin tones
    ("\U000e0020", "\U000e007f"),  # tags, of which some flags are made
    ("\uff9e", "\uff9f"),  # halfwidth katakana sound marks
    ("\u0e33", "\u0e33"),  # Thai and Lao AM
    ("\u0eb3", "\u0eb3"),
    ("\u1160", "\u11ff"),  # Hangul vowels and finals
    ("\ud7b0", "\ud7fb"),
)
_HANGUL_INITIALS = (("\u1100", "\u115f"), ("\ua960", "\ua97c"))
_HANGUL = (*_HANGUL_INITIALS, ("\uac00", "\ud7a3"))
_PREPENDED = frozenset(
    "\u0d4e\U000111c2\U000111c3\U000113d1\U0001193f\U00011941\U00011a3a\U00011d46\U00011f02"
) | frozenset(map(chr, range(0x11A84, 0x11A8A)))
"""Letters that belong to the one after them; the others of their kind are format characters (Cf)."""
_VIRAMA = 9
"""The combining class of the sign that joins two consonants of an Indic script."""


def is_boundary(text: str, position: int) -> bool:
    """Return whether ``text`` may be cut before ``position`` (0 to its length) without splitting a character."""
    if not 0 < position < len(text):
        return True
    before, after = text[position - 1], text[position]
    if before.isascii() and after.isascii():
        return (before, after) != ("\r", "\n")
    return not (
        _continues(after)
        or unicodedata.category(before) == "Cf"  # joiners, too
        or before in _PREPENDED
        or _virama_before(text, position)
        or (_within(before, *_HANGUL_INITIALS) and _within(after, *_HANGUL))
        or (_within(after, _REGIONAL) and _regional_before(text, position) % 2)
    )


def cut(text: str, size: int) -> list[str]:
    """Return the parts of ``text`` of at most ``size`` UTF-16 units (2 or more), cut between what a reader sees.

    As few parts as that allows. A character that takes more than ``size`` units, as one under a pile of accents does,
    is cut all the same. CR LF counts as two characters, as it does on the air.
    """
    parts: list[str] = []
    begin = 0
    while begin < len(text):
        most = _longest(text, begin, size)
        end = next((end for end in range(most, begin, -1) if _may_cut(text, end)), most)
        parts.append(text[begin:end])
        begin = end
    return parts


def _longest(text: str, begin: int, size: int) -> int:
    """Return where the longest part from ``begin`` ends that parts no two halves of a surrogate pair."""
    end, units = begin, 0
    while end < len(text) and (units := units + 1 + (text[end] > "\uffff")) <= size:
        end += 1
    return end - 1 if _halves(text, end) else end


def _halves(text: str, position: int) -> bool:
    """Whether what stands before and after ``position`` becomes one character once it is encoded."""
    before, after = text[position - 1 : position], text[position : position + 1]
    return "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff"


def _may_cut(text: str, position: int) -> bool:
    is_line_end = text[position - 1 : position + 1] == "\r\n"
    return is_line_end or (is_boundary(text, position) and not _halves(text, position))


def _within(character: str, *ranges: tuple[str, str]) -> bool:
    return any(first <= character <= last for first, last in ranges)


def _continues(character: str) -> bool:
    """Return whether ``character`` belongs to the one before it, whatever that is."""
    return unicodedata.category(character).startswith("M") or _within(character, *_ATTACHED)


def _virama_before(text: str, position: int) -> bool:
    """Return whether a virama is among what continues the character that ends at ``position``."""
    start = position - 1
    while start and _continues(text[start]) and unicodedata.combining(text[start]) != _VIRAMA:
        start -= 1
    return unicodedata.combining(text[start]) == _VIRAMA


def _regional_before(text: str, position: int) -> int:
    """Return how many regional indicators, of which two make a flag, end at ``position``."""
    start = position
    while start and _within(text[start - 1], _REGIONAL):
        start -= 1
    return position - start
