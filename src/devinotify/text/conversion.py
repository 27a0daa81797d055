"""A text brought into GSM-7 where that pays, with a record of what was changed. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify.text.alphabet import GSM7, is_gsm7
from devinotify.text.limits import STANDARD, SegmentLimits
from devinotify.text.segments import count_segments
from devinotify.text.steps import COMPOSE, STEPS, Blocker, blocker, character_name, compose, offer, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.text.steps import LastResort, Step


@dataclass(frozen=True, slots=True)
class Conversion:
    """A text brought into GSM-7, beside the original and a record of every change.

    ``applied`` is false where replacing would not have paid: the text would have stayed UCS-2 and taken as
    many segments or more. ``text`` is the original then, and nothing changed.
    """

    original: str
    text: str
    changes: tuple[Blocker, ...]
    applied: bool

    @property
    def lost(self) -> tuple[Blocker, ...]:
        """The changes of the last resort: each character whose meaning is gone."""
        return tuple(change for change in self.changes if change.lost)


def to_gsm7(
    text: str,
    *,
    steps: tuple[Step, ...] = STEPS,
    last_resort: str | LastResort | None = "?",
    limits: SegmentLimits = STANDARD,
) -> str:
    """Return ``text`` as GSM-7: typographic substitution, then transliteration, then ``?`` for what is left.

    ``last_resort`` is what stands for each character that no step knows, or a function that is asked for it
    (a result that GSM-7 lacks, or none, becomes ``?``); with ``None`` such characters stay, and the text is
    replaced only where that makes it GSM-7 or saves segments: a text that stays UCS-2 never grows. A text
    that is GSM-7 comes back unchanged. ``convert`` tells what was changed, too.
    """
    if is_gsm7(text):
        return text
    converted = replace(text, steps, last_resort)
    if is_gsm7(converted) or count_segments(converted, limits) < count_segments(text, limits):
        return converted
    return text


def convert(
    text: str,
    *,
    steps: tuple[Step, ...] = STEPS,
    last_resort: str | LastResort | None = "?",
    limits: SegmentLimits = STANDARD,
) -> Conversion:
    """Return what ``to_gsm7`` returns, with a record of each change: nothing is replaced in silence.

    Each change stands at the position of the original where the replaced character, or the cluster of a
    letter and its accents, begins.
    """
    converted = to_gsm7(text, steps=steps, last_resort=last_resort, limits=limits)
    applied = converted != text or is_gsm7(text)
    changes = tuple(_changes(text, steps, last_resort)) if converted != text else ()
    return Conversion(text, converted, changes, applied)


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Yield each character with the combining marks that follow it, and its position."""
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or not (
            unicodedata.category(text[index])[0] == "M" or "\u1160" <= text[index] <= "\u11ff"  # Hangul vowels, finals
        ):
            yield start, text[start:index]
            start = index


def _changes(text: str, steps: tuple[Step, ...], last_resort: str | LastResort | None) -> Iterator[Blocker]:
    composed = ""
    places: list[int] = []  # of each composed character in the original
    composing: dict[int, Blocker] = {}
    for position, cluster in _clusters(text):
        joined = compose(cluster)
        if joined != cluster and is_gsm7(joined):
            composing[position] = Blocker(cluster, position, character_name(joined[0]), joined, COMPOSE)
        composed += joined
        places += [position] * len(joined)
    for index, (character, position) in enumerate(zip(composed, places, strict=True)):
        if position in composing:
            yield composing.pop(position)
        elif character not in GSM7 and (last_resort is not None or offer(character, steps) is not None):
            yield blocker(composed, index, position, steps, "?" if last_resort is None else last_resort)
