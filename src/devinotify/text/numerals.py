"""Digits kept apart: ``1½`` becomes ``1 1/2`` and ``10⁶`` becomes ``10^6``, never ``11/2`` and ``106``. Pure.

Most characters have one plain spelling. Those that bear digits, or stand unseen between digits, do not: beside another
digit the plain spelling alone would make one number of two.
"""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.text.letters import is_accent
from devinotify.text.signs import TYPOGRAPHY, compatible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RAISED = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = frozenset("₀₁₂₃₄₅₆₇₈₉")
_LETTERS_OF_POWERS = frozenset("ⁿⁱ")
_RAISED_SIGNS, _LOWERED_SIGNS = frozenset("⁺⁻⁼⁽⁾"), frozenset("₊₋₌₍₎")
_FRACTION = re.compile("[⁰¹²³⁴-⁹]+[⁄∕/][₀-₉]")
_POINTS = frozenset(".,")

BEARING = (
    "\xb2\xb3\xb9\xbc-\xbe\u2070\u2074-\u2079\u2080-\u2089\u2150-\u215f\u2189\u2460-\u2473\u2488-\u249b\u24ea-\u24f4"
    "\u24f5-\u24ff\u2776-\u2793\u3248-\u324f\u3251-\u325f\u32b1-\u32bf\u3378\u3379\u339f-\u33a6\u33a8\u33af"
    "\U0001f100-\U0001f10c"
)
"""Ranges of the characters, other than digits, whose plain spelling begins or ends with one (``½ ² ① ⒈ ㎡``)."""

BETWEEN: Mapping[str, str] = MappingProxyType(
    {"·": "*", "⋅": "*", "。": ". ", "、": ", "}
    | dict.fromkeys("\u200b\u2061\u2062\u2063\u2064", " ")
    | {each: " " for each, plain in TYPOGRAPHY.items() if not plain and unicodedata.category(each) in {"Cc", "Sk"}}
)
"""What stands between two digits for a sign that would become a decimal point there, or nothing."""

_ENCLOSING = "\u20dd-\u20e0\u20e2-\u20e4\u0488\u0489\u1abe\ua670-\ua672"
"""Circles and keycaps around the digit before them."""
_BORNE = re.compile(f"[{BEARING}]")
_SPLITTING = frozenset(each for each, plain in BETWEEN.items() if plain == " ")


def _splits(character: str) -> bool:
    """Whether the character is not seen, or stands around the one before it, and parts the digits beside it."""
    return character in _SPLITTING or unicodedata.category(character) == "Me"


def _is_unseen(character: str) -> bool:
    """Whether a reader sees the characters beside this one as neighbours."""
    return not _splits(character) and (TYPOGRAPHY.get(character) == "" or is_accent(character))


def _digits(character: str) -> str:
    """Return the plain spelling of a character that bears digits, and nothing for any other."""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return (compatible(character) or "") if _BORNE.match(character) else ""


def _before(text: str, position: int) -> str:
    """Return the character before ``position`` whose spelling ends with digits, or nothing where there is none."""
    place = position - 1
    while place >= 0 and _is_unseen(text[place]):
        place -= 1
    if place > 0 and text[place] in _POINTS:
        place -= 1
    found = _digits(text[place]) if place >= 0 else ""
    return text[place] if found[-1:].isdecimal() or (found[-1:] in _POINTS and found[:-1].isdecimal()) else ""


def _after(text: str, position: int, passed: Callable[[str], bool]) -> str:
    """Return what follows ``position`` and what is ``passed``, two characters at the most."""
    place = position + 1
    while place < len(text) and passed(text[place]):
        place += 1
    return text[place : place + 2]


def spell(text: str, position: int) -> str | None:
    """Return the plain spelling of the character at ``position`` with what keeps its digits from those beside it.

    ``None`` where the character's own spelling does, as that of most characters.
    """
    character = text[position]
    if character in BETWEEN or unicodedata.category(character) == "Me":
        return _between(text, position)
    if character in _RAISED_SIGNS | _LOWERED_SIGNS | _LETTERS_OF_POWERS:
        return _signed(text, position)
    plain = _digits(character)
    if not plain or character.isdecimal():
        return None
    following = _after(text, position, _is_unseen)
    touches = following[:1].isdecimal() or (following[:1] in _POINTS and following[1:].isdecimal())
    ends = plain[-1].isdecimal() or plain[-1] in _POINTS
    before = _before(text, position) if plain[0].isdecimal() else ""
    return (_joint(character, before, text, position) if before else "") + plain + (" " if touches and ends else "")


def _joint(character: str, before: str, text: str, position: int) -> str:
    """Return what stands between the digits before ``position`` and those of the character there."""
    for level, sign in ((RAISED, "^"), (LOWERED, "_")):
        if character in level:
            return "" if before in level else " " if level is RAISED and _is_fraction(text, position) else sign
    return " "


def _is_fraction(text: str, position: int) -> bool:
    """Whether raised digits, a slash and lowered digits follow: ``³⁄₄`` after ``5`` is not a power of 5."""
    return _FRACTION.match(text, position) is not None


def _signed(text: str, position: int) -> str | None:
    """Return the spelling of a raised or lowered sign or letter that begins a power or an index of digits."""
    character = text[position]
    level, mark = (LOWERED, "_") if character in _LOWERED_SIGNS else (RAISED, "^")
    before = _before(text, position)
    if not before or before in level:
        return None
    if character not in _LETTERS_OF_POWERS and text[position + 1 : position + 2] not in level:
        return None
    return mark + (compatible(character) or "")


def _between(text: str, position: int) -> str | None:
    """Return what stands between two digits for a sign that has no other place there, or ``None`` elsewhere."""
    character = text[position]
    unseen = _splits(character)
    if unseen and position and _splits(text[position - 1]):
        return None  # the first of several speaks for all
    following = _after(text, position, lambda each: _is_unseen(each) or (unseen and _splits(each)))
    if not _before(text, position) or not _digits(following[:1])[:1].isdecimal():
        return None
    return BETWEEN.get(character, " ")


def is_parting(text: str, position: int, vanishes: Callable[[str], bool]) -> bool:
    """Return whether the character at ``position`` is the first between two digits of those that ``vanishes`` names.

    Something has to be left of it, or the two numbers would be one.
    """
    place = position - 1
    while place >= 0 and (_is_unseen(text[place]) or _splits(text[place])) and not vanishes(text[place]):
        place -= 1
    following = _after(text, position, lambda each: vanishes(each) or _is_unseen(each) or _splits(each))
    return bool(_before(text, place + 1)) and _digits(following[:1])[:1].isdecimal()


def keeper(characters: str) -> Callable[[str], str]:
    """Return what spells those ``characters`` (ranges of a pattern) in a text that stand where digits would merge."""
    pattern = re.compile(f"[{characters}]")

    def keep_apart(text: str) -> str:
        return pattern.sub(lambda match: _replaced(match), text)

    def _replaced(match: re.Match[str]) -> str:
        spelled = spell(match.string, match.start())
        return match[0] if spelled is None else spelled

    return keep_apart


between: Callable[[str], str] = keeper("".join(map(re.escape, BETWEEN)))
bearing: Callable[[str], str] = keeper(
    BEARING + "".join(map(re.escape, _RAISED_SIGNS | _LOWERED_SIGNS | _LETTERS_OF_POWERS))
)
enclosed: Callable[[str], str] = keeper(_ENCLOSING)
