"""Cyrillic in Latin letters: ICAO Doc 9303, part 3, section 6 B, as in Russian passports. Pure.

Where the document gives a letter several values, the Russian one stands, since no text says its language.
The letters that Russian lacks have the document's Ukrainian and Belarusian values, the Kazakh ones, which it lacks, the
Latin letter of the passports of Kazakhstan, and those of the other languages of Russia and its neighbours the nearest
one or two Latin letters. Old and Balkan letters follow the document where it has them.
"""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.text import numerals

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
    # Kazakh, and with it Tatar, Bashkir, Kyrgyz, Mongolian
    "ә": "a", "ғ": "g", "қ": "k", "ң": "n", "ө": "o", "ұ": "u", "ү": "u", "һ": "h",
    # Tajik, Uzbek, Azeri, Tatar, Bashkir, Yakut, Chechen, Ossetic, Chukchi and others
    "ҋ": "i", "ҍ": "", "ҏ": "r", "ҕ": "g", "җ": "j", "ҙ": "z", "ҝ": "g", "ҟ": "k", "ҡ": "k", "ҥ": "ng", "ҧ": "p",
    "ҫ": "s", "ҭ": "t", "ҳ": "h", "ҷ": "j", "ҹ": "j", "ӄ": "k", "ӆ": "l", "ӈ": "ng", "ӊ": "n", "ӌ": "j", "ӎ": "m",
    "ӏ": "'", "ӕ": "ae", "ӷ": "g", "ӻ": "g", "ӽ": "h", "ӿ": "h",
    # Abkhaz
    "ҩ": "o", "ҵ": "ts", "ҽ": "ch", "ҿ": "ch", "ӡ": "dz", "ԥ": "p",
    # Komi, Mordvin, Khanty and others, of the last century
    "ԁ": "d", "ԃ": "dj", "ԅ": "zj", "ԇ": "dz", "ԉ": "lj", "ԋ": "nj", "ԍ": "sj", "ԏ": "tj", "ԑ": "e", "ԓ": "l",
    "ԕ": "lh", "ԗ": "rh", "ԙ": "ia", "ԛ": "q", "ԝ": "w", "ԟ": "k", "ԡ": "l", "ԣ": "n", "ԧ": "h", "ԩ": "n",
    "ԫ": "dzh", "ԭ": "ch", "ԯ": "l", "\u1c8a": "tj",
    # Balkan
    "ђ": "d", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz", "ѓ": "g", "ќ": "k", "ѕ": "dz",
    # old
    "ѣ": "ie", "ѫ": "u", "ѳ": "f", "ѵ": "y", "ѡ": "o", "ѥ": "ie", "ѧ": "ia", "ѩ": "ia", "ѭ": "iu", "ѯ": "ks", "ѱ": "ps",
    "ѹ": "u", "ѻ": "o", "ѽ": "o", "ѿ": "ot", "ҁ": "k", "ꙁ": "z", "ꙃ": "dz", "ꙅ": "dz", "ꙇ": "i", "ꙉ": "d", "ꙋ": "u",
    "ꙍ": "o", "ꙏ": "", "ꙑ": "y", "ꙓ": "ie", "ꙕ": "iu", "ꙗ": "ia", "ꙙ": "ia", "ꙛ": "ia", "ꙝ": "ia", "ꙟ": "in",
    "ꙡ": "ts", "ꙣ": "d", "ꙥ": "l", "ꙧ": "m", "ꙩ": "o", "ꙫ": "o", "ꙭ": "o", "ꙮ": "o",
    "ꚁ": "dv", "ꚃ": "dzv", "ꚅ": "zhv", "ꚇ": "ch", "ꚉ": "dz", "ꚋ": "t", "ꚍ": "tv", "ꚏ": "tsv", "ꚑ": "ts", "ꚓ": "ch",
    "ꚕ": "hv", "ꚗ": "shv", "ꚙ": "o", "ꚛ": "o",
}  # fmt: skip

_SHAPES = {
    # letters in another hand
    "ᲀ": "в", "ᲁ": "д", "ᲂ": "о", "ᲃ": "с", "ᲄ": "т", "ᲅ": "т", "ᲆ": "ъ", "ᲇ": "ѣ", "ᲈ": "ꙋ", "ᴫ": "л",
    # letters above another
    **dict(zip("ⷠⷡⷢⷣⷤⷥⷦⷧⷨⷩⷪⷫⷬⷭⷮⷯⷰⷱⷲⷳⷴ", "бвгджзклмнопрстхцчшщѳ", strict=True)),
    **dict(zip("ⷶⷷⷸⷹⷺⷻⷼⷽⷾⷿ", "аеꙉꙋѣюꙗѧѫѭ", strict=True)),
    **dict(zip("ꙴꙵꙶꙷꙸꙹꙺꙻꚞꚟ", "єіїуъыьѡфѥ", strict=True)),
}  # fmt: skip
"""Old shapes of letters -> the letter."""

CYRILLIC: Mapping[str, str] = MappingProxyType(
    _LOWER
    | {letter.upper(): latin.capitalize() for letter, latin in _LOWER.items() if letter.upper() != letter}
    | {shape: _LOWER[letter] for shape, letter in _SHAPES.items()}
    | {"ⷵ": "st", "\u1c89": "Tj", "Ӏ": "'"}
)
"""The Latin spelling of each letter; of a capital in a word that goes on in small letters."""

_BY_NEIGHBOURS = re.compile(
    "[" + "".join(letter for letter, latin in CYRILLIC.items() if letter.isupper() and len(latin) > 1) + "]"
    # a silent letter, unless it stands behind one that is heard: most do
    "|(?<![а-щыэ-яА-ЩЫЭ-Я])[" + "".join(letter for letter, latin in CYRILLIC.items() if not latin) + "]"
)
"""The letters whose spelling their neighbours have a say in."""


def latin(character: str) -> str | None:
    """Return the Latin spelling of one Cyrillic letter, whatever accent it bears, or ``None`` for no such letter."""
    spelled = CYRILLIC.get(character)
    if spelled is None and character > "\u03ff":
        return CYRILLIC.get(unicodedata.normalize("NFKD", character)[0])
    return spelled


def is_silent(character: str) -> bool:
    """Return whether nothing is left of a Cyrillic letter, as of the soft sign."""
    return latin(character) == ""


def spell_by_neighbours(text: str) -> str:
    """Return ``text`` with each letter spelled out whose neighbours have a say in it, and the others as they are.

    A capital that takes several Latin letters, ``ЩИ`` in capitals and ``Щи`` not: the next letter decides, or the one
    before where a word ends. A silent letter between two digits, of which a space is left.
    """
    return _BY_NEIGHBOURS.sub(_spell_letter, text)


def _spell_letter(match: re.Match[str]) -> str:
    return spell(match.string, match.start()) or ""


def spell(text: str, position: int) -> str | None:
    """Return the Latin spelling of the Cyrillic letter at ``position``, in the case that its word is written in.

    A silent one is a space between two digits: of ``7Ь8`` no 78 is made. ``None`` for what is not a letter of the
    table.
    """
    letter = text[position]
    if is_silent(letter):
        return " " if numerals.is_parting(text, position, is_silent) else ""
    if letter not in CYRILLIC:
        return None
    following = text[position + 1 : position + 2]
    neighbour = following if following.isalpha() else text[max(position - 1, 0) : position]
    return CYRILLIC[letter].upper() if letter.isupper() and neighbour.isupper() else CYRILLIC[letter]
