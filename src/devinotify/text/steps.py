"""The steps from a text to GSM-7, each by its name, and what they make of each character. Pure.

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

from devinotify.text import icao, letters, numerals, signs
from devinotify.text.alphabet import GSM7, is_gsm7

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    ``rule`` gives the replacement of one character, or ``None`` where the step has none. Where the characters beside it
    count as well, ``spell`` gives the replacement for a place in a text, or ``None`` where the rule's is right, and
    ``prepare`` replaces in a text what ``spell`` does.
    """

    name: str
    rule: Callable[[str], str | None]
    prepare: Callable[[str], str] = str
    spell: Callable[[str, int], str | None] = lambda _text, _position: None

    def __call__(self, text: str) -> str:
        """Return ``text`` with each character that GSM-7 lacks and this step knows replaced."""
        return self.translate(self.prepare(text))

    def translate(self, text: str) -> str:
        """Return ``text``, which is prepared, with each character replaced by the rule."""
        offers = ((character, self.rule(character)) for character in set(text) - GSM7)
        return text.translate({ord(character): offer for character, offer in offers if offer is not None})


def compose(text: str) -> str:
    """Return ``text`` with letters and their combining accents joined where Unicode has one character (NFC)."""
    return unicodedata.normalize("NFC", text)


typography: Step = Step("typography", signs.plain, numerals.between, numerals.spell)
compatibility: Step = Step("compatibility", signs.compatible, numerals.bearing, numerals.spell)
cyrillic: Step = Step("cyrillic", icao.latin, icao.spell_by_neighbours, icao.spell)
greek: Step = Step("greek", letters.greek)
accents: Step = Step("accents", letters.unaccented, numerals.enclosed, numerals.spell)

STEPS: tuple[Step, ...] = (typography, compatibility, cyrillic, greek, accents)
"""The steps between ``compose`` and the last resort, in order."""


def replace(text: str, steps: tuple[Step, ...] = STEPS, last_resort: str | LastResort | None = "?") -> str:
    """Return ``text`` with each character replaced that GSM-7 lacks, whether or not that pays.

    ``last_resort`` replaces what no step knows; with ``None`` that stays.
    """
    converted = compose(text)
    if last_resort == "":
        gone = frozenset(each for each in set(converted) if _is_gone(each, steps))
        converted = "".join(
            " " if each in gone and numerals.is_parting(converted, place, gone.__contains__) else each
            for place, each in enumerate(converted)
        )
    for step in steps:  # while every character still has the neighbours that it was written with
        converted = step.prepare(converted)
    for step in steps:
        converted = step.translate(converted)
    if last_resort is not None:
        leftover = set(converted) - GSM7
        converted = converted.translate({ord(each): resort(each, last_resort) for each in leftover})
    return converted


def find_blockers(text: str) -> tuple[Blocker, ...]:
    """Return each character of ``text`` that GSM-7 lacks, in order, with the replacement on offer."""
    return tuple(
        blocker(text, index, index, STEPS, "?") for index, character in enumerate(text) if character not in GSM7
    )


_KINDS: Mapping[str, str] = MappingProxyType(
    {"Cc": "CONTROL CHARACTER", "Cs": "LONE SURROGATE", "Co": "PRIVATE USE CHARACTER", "Cn": "UNASSIGNED CODE POINT"}
)


def character_name(character: str) -> str:
    """Return the Unicode name of a character, or its kind and number: ``CONTROL CHARACTER U+0009``."""
    name = unicodedata.name(character, "")
    # Python has no names for some ideographs, of Tangut for one.
    return name or f"{_KINDS.get(unicodedata.category(character), 'CHARACTER')} U+{ord(character):04X}"


def resort(character: str, last_resort: str | LastResort) -> str:
    """Return what the last resort makes of a character; raise ValueError where that is one that GSM-7 lacks."""
    if callable(last_resort):
        answer = last_resort(character)
        return answer if answer and is_gsm7(answer) else "?"
    if not is_gsm7(last_resort):
        raise ValueError("the last resort must itself be GSM-7")
    return last_resort


@lru_cache(maxsize=4096)
def offer(character: str, steps: tuple[Step, ...]) -> tuple[str, str] | None:
    """Return the replacement of the first step that knows the character, and the step's name."""
    for step in steps:
        if (replacement := step.rule(character)) is not None:
            return replacement, step.name
    return None


def _is_gone(character: str, steps: tuple[Step, ...]) -> bool:
    """Whether nothing is left of a character that is seen, where what no step knows is dropped."""
    if character in GSM7:
        return False
    return (found := offer(character, steps)) is None or (found == ("", cyrillic.name) and icao.is_silent(character))


def blocker(text: str, index: int, position: int, steps: tuple[Step, ...], last_resort: str | LastResort) -> Blocker:
    """Return the blocker at ``index`` of ``text``, whose place in the original is ``position``."""
    character = text[index]
    found = offer(character, steps)
    if found is None:
        replacement, name = resort(character, last_resort), LAST_RESORT
    else:
        replacement, name = found
        spelled = next(step for step in steps if step.name == name).spell(text, index)
        replacement = replacement if spelled is None else spelled
    if last_resort == "" and _is_gone(character, steps):
        replacement = " " if numerals.is_parting(text, index, lambda each: _is_gone(each, steps)) else ""
    return Blocker(character, position, character_name(character), replacement, name)
