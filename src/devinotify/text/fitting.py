"""A text shortened to a budget of segments. Pure."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from devinotify.text.alphabet import GSM7, is_gsm7
from devinotify.text.graphemes import is_boundary
from devinotify.text.limits import STANDARD, Encoding, SegmentLimits
from devinotify.text.segments import count_segments

if TYPE_CHECKING:
    from collections.abc import Callable

ELLIPSES = {Encoding.GSM7: "...", Encoding.UCS2: "…"}
"""What says that a text goes on: GSM-7 has no ellipsis, so three points."""


def fit(text: str, max_segments: int, limits: SegmentLimits = STANDARD, *, ellipsis: str | None = None) -> str:
    """Return ``text`` shortened so that it takes at most ``max_segments`` segments, and ends in an ellipsis.

    A text that fits comes back unchanged. The cut is at the end of a word, or, where that would leave out
    more than half of what fits, at least never inside what a reader sees as one character. The ellipsis is
    one that the encoding has (``...`` in GSM-7, ``…`` in UCS-2) unless one is given; white space before it
    goes. Where not even the ellipsis fits, the result is empty. Raises ValueError where ``max_segments`` is
    below 1.
    """
    if max_segments < 1:
        raise ValueError(f"a text takes at least one segment: {max_segments}")
    if count_segments(text, limits) <= max_segments:
        return text
    text = text.rstrip()
    if count_segments(text, limits) <= max_segments:
        return text

    def ended(cut: int) -> str:
        kept = text[:cut].rstrip()
        return kept + (ELLIPSES[_encoding(kept)] if ellipsis is None else ellipsis)

    def too_long(cut: int) -> bool:
        return count_segments(ended(cut), limits) > max_segments

    # A longer prefix never takes fewer segments, but for one place: with its first blocker it turns into
    # UCS-2, where less fits. So there are two longest prefixes, and the one beyond that place is preferred.
    blocked = next((index for index, character in enumerate(text) if character not in GSM7), len(text))
    last = len(text) - 1
    cut = _longest(too_long, blocked + 1, last) or _longest(too_long, 0, min(blocked, last))
    if not too_long(word := _end_of_word(text, cut)):
        cut = word
    while cut and (too_long(cut) or not is_boundary(text, cut)):
        cut -= 1
    return "" if too_long(cut) else ended(cut)


def _encoding(text: str) -> Encoding:
    return Encoding.GSM7 if is_gsm7(text) else Encoding.UCS2


def _longest(too_long: Callable[[int], bool], first: int, last: int) -> int:
    """Return the last place from ``first`` to ``last`` to cut that is not too long, or 0 where there is none."""
    places = range(first, last + 1)
    number = bisect_left(places, 1, key=too_long)
    return places[number - 1] if number else 0


def _end_of_word(text: str, longest: int) -> int:
    """Return the last end of a word up to ``longest``, or ``longest`` where more than half would go."""
    for cut in range(longest, longest // 2, -1):
        if text[cut].isspace():
            return cut
    return longest
