"""A text brought into GSM-7, step by named step, with a record of what was changed. Pure.

The steps, in order: ``compose`` (Unicode NFC), ``typography``, ``compatibility``, ``cyrillic``, ``greek``,
``accents``, and a last resort for each character that none of them knows. Each is usable by itself, leaves
alone what GSM-7 has, and yields only GSM-7 for what it changes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from devinotify.text import icao, letters, signs
from devinotify.text.alphabet import GSM7, is_gsm7
from devinotify.text.limits import STANDARD, SegmentLimits
from devinotify.text.segments import count_segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LastResort = Callable[[str], str]
"""From one character that no step knows to what is sent in its place, as ``anyascii.anyascii`` does it."""

LAST_RESORT = "last_resort"
COMPOSE = "compose"


class Blocker(NamedTuple):
    """A character that forces UCS-2, and what GSM-7 has to offer for it.

    ``position`` counts characters (code points) of the original from 0. ``name`` is the Unicode name, or what
    kind of code point it is. ``replacement`` may be empty, for what is not seen. ``step`` names the step that
    offers it; ``last_resort`` means that the character is lost.
    """

    character: str
    position: int
    name: str
    replacement: str
    step: str

    @property
    def lost(self) -> bool:
        """Whether no step knows the character, so that replacing it loses what it said."""
        return self.step == LAST_RESORT


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way to GSM-7: call it with a text, and get the text with what this step knows replaced.

    ``rule`` gives the replacement of one character, or ``None`` where the step has none; ``prepare`` replaces
    first what a single character does not decide.
    """

    name: str
    rule: Callable[[str], str | None]
    prepare: Callable[[str], str] = str

    def __call__(self, text: str) -> str:
        """Return ``text`` with each character that GSM-7 lacks and this step knows replaced."""
        prepared = self.prepare(text)
        offers = ((character, self.rule(character)) for character in set(prepared) - GSM7)
        return prepared.translate({ord(character): offer for character, offer in offers if offer is not None})


def compose(text: str) -> str:
    """Return ``text`` with letters and their combining accents joined where Unicode has one character (NFC)."""
    return unicodedata.normalize("NFC", text)


typography = Step("typography", signs.plain)
compatibility = Step("compatibility", signs.compatible)
cyrillic = Step("cyrillic", icao.latin, prepare=icao.spell_capitals)
greek = Step("greek", letters.greek)
accents = Step("accents", letters.unaccented)

STEPS: tuple[Step, ...] = (typography, compatibility, cyrillic, greek, accents)
"""The steps between ``compose`` and the last resort, in order."""


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
    converted = compose(text)
    for step in steps:  # while every letter still has the neighbours that it was written with
        converted = step.prepare(converted)
    for step in steps:
        converted = step(converted)
    if last_resort is not None:
        leftover = set(converted) - GSM7
        converted = converted.translate({ord(each): _resort(each, last_resort) for each in leftover})
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


def find_blockers(text: str) -> tuple[Blocker, ...]:
    """Return each character of ``text`` that GSM-7 lacks, in order, with the replacement on offer."""
    return tuple(
        _blocker(text, index, index, STEPS, "?") for index, character in enumerate(text) if character not in GSM7
    )


_KINDS: Mapping[str, str] = MappingProxyType(
    {"Cc": "CONTROL CHARACTER", "Cs": "LONE SURROGATE", "Co": "PRIVATE USE CHARACTER", "Cn": "UNASSIGNED CODE POINT"}
)


def character_name(character: str) -> str:
    """Return the Unicode name of a character, or its kind and number: ``CONTROL CHARACTER U+0009``."""
    name = unicodedata.name(character, "")
    # Python has no names for some ideographs, of Tangut for one.
    return name or f"{_KINDS.get(unicodedata.category(character), 'CHARACTER')} U+{ord(character):04X}"


def _resort(character: str, last_resort: str | LastResort) -> str:
    if callable(last_resort):
        answer = last_resort(character)
        return answer if answer and is_gsm7(answer) else "?"
    if not is_gsm7(last_resort):
        raise ValueError("the last resort must itself be GSM-7")
    return last_resort


@lru_cache(maxsize=4096)
def _offer(character: str, steps: tuple[Step, ...]) -> tuple[str, str] | None:
    """Return the replacement of the first step that knows the character, and the step's name."""
    for step in steps:
        if (replacement := step.rule(character)) is not None:
            return replacement, step.name
    return None


def _blocker(text: str, index: int, position: int, steps: tuple[Step, ...], last_resort: str | LastResort) -> Blocker:
    """Return the blocker at ``index`` of ``text``, whose place in the original is ``position``."""
    character = text[index]
    replacement, step = _offer(character, steps) or (_resort(character, last_resort), LAST_RESORT)
    if step == cyrillic.name and character in icao.CYRILLIC:
        replacement = icao.spell(text, index)
    return Blocker(character, position, character_name(character), replacement, step)


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
        elif character not in GSM7 and (last_resort is not None or _offer(character, steps) is not None):
            yield _blocker(composed, index, position, steps, last_resort or "")
