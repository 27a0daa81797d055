"""Cyrillic in Latin letters: ICAO Doc 9303, part 3, section 6 B, as in Russian passports. Pure.

Where the document gives a letter several values, the Russian one stands, since no text says its language.
The letters that Russian lacks have the document's Ukrainian and Belarusian values; the Kazakh ones, which it
lacks, the Latin letter of the passports of Kazakhstan. Old and Balkan letters follow the document.
"""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOWER = {
    # Russian
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "i",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "ie", "ы": "y", "ь": "", "э": "e", "ю": "iu",
    "я": "ia",
    # Ukrainian and Belarusian
    "і": "i", "ї": "i", "є": "ie", "ґ": "g", "ў": "u",
    # Kazakh
    "ә": "a", "ғ": "g", "қ": "k", "ң": "n", "ө": "o", "ұ": "u", "ү": "u", "һ": "h",
    # Balkan
    "ђ": "d", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz", "ѓ": "g", "ќ": "k", "ѕ": "dz",
    # old
    "ѣ": "ie", "ѫ": "u", "ѳ": "f", "ѵ": "y",
}  # fmt: skip

CYRILLIC: Mapping[str, str] = MappingProxyType(
    _LOWER | {letter.upper(): latin.capitalize() for letter, latin in _LOWER.items()}
)
"""The Latin spelling of each letter; of a capital in a word that goes on in small letters."""

_CAPITALS_OF_SEVERAL = re.compile(
    "[" + "".join(letter for letter, latin in CYRILLIC.items() if letter.isupper() and len(latin) > 1) + "]"
)


def latin(character: str) -> str | None:
    """Return the Latin spelling of one Cyrillic letter, whatever accent it bears, or ``None`` for no such letter."""
    spelled = CYRILLIC.get(character)
    if spelled is None and "\u0400" <= character <= "\u052f":
        return CYRILLIC.get(unicodedata.normalize("NFD", character)[0])
    return spelled


def spell_capitals(text: str) -> str:
    """Return ``text`` with each capital that takes several Latin letters spelled out: ``ЩИ`` in capitals, ``Щи`` not.

    The next letter decides, or the one before where a word ends. Other letters are left as they are.
    """
    return _CAPITALS_OF_SEVERAL.sub(_spell_capital, text)


def _spell_capital(match: re.Match[str]) -> str:
    return spell(match.string, match.start())


def spell(text: str, position: int) -> str:
    """Return the Latin spelling of the Cyrillic letter at ``position``, in the case that its word is written in."""
    letter = text[position]
    following = text[position + 1 : position + 2]
    neighbour = following if following.isalpha() else text[max(position - 1, 0) : position]
    return CYRILLIC[letter].upper() if letter.isupper() and neighbour.isupper() else CYRILLIC[letter]
