"""Latin letters without the accents that GSM-7 lacks, and Greek in the capitals that it has. Pure."""

from __future__ import annotations

import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.text.alphabet import GSM7

if TYPE_CHECKING:
    from collections.abc import Mapping

LATIN: Mapping[str, str] = MappingProxyType(
    {
        # letters that no decomposition takes apart; most as in ICAO Doc 9303, part 3, section 6 A
        "ð": "d", "Ð": "D", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ı": "i", "ĸ": "k", "ł": "l", "Ł": "L",
        "ŋ": "n", "Ŋ": "N", "œ": "oe", "Œ": "OE", "ŧ": "t", "Ŧ": "T", "þ": "th", "Þ": "TH", "ə": "e", "Ə": "E",
        "ẞ": "SS", "ƒ": "f", "ɓ": "b", "Ɓ": "B", "ɗ": "d", "Ɗ": "D", "ƙ": "k", "Ƙ": "K", "ƴ": "y", "Ƴ": "Y",
        "ƀ": "b", "Ƀ": "B", "ɨ": "i", "Ɨ": "I", "ɔ": "o", "Ɔ": "O", "ɛ": "e", "Ɛ": "E", "ȷ": "j", "ꞑ": "n", "Ꞑ": "N",
        # capitals of the height of small letters, with which some make their texts stand out
        **dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "ABCDEFGHIJKLMNOPQRSTUVWYZ", strict=True)),
    }
)  # fmt: skip
"""The plain spelling of the Latin letters that are not a letter with an accent."""

_GREEK_CAPITALS = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)) | {
    capital: capital for capital in "ΓΔΘΛΞΠΣΦΨΩ"
}
GREEK: Mapping[str, str] = MappingProxyType(
    _GREEK_CAPITALS
    | {letter.lower(): plain for letter, plain in _GREEK_CAPITALS.items()}
    | {"ς": "Σ", "ϐ": "B", "ϑ": "Θ", "ϕ": "Φ", "ϖ": "Π", "ϰ": "K", "ϱ": "P", "ϵ": "E"}
)
"""Greek as handsets have always sent it: capitals without accents, Latin ones where they look the same."""

_ACCENT_BLOCKS = (
    *((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)),
    *((0x0483, 0x0489), (0xA66F, 0xA672), (0xA67C, 0xA67D)),  # of Church Slavonic
)
"""The Unicode blocks of combining marks that are accents; elsewhere a mark may be a vowel."""


def is_accent(character: str) -> bool:
    """Return whether the character is a combining mark that is an accent, in any script."""
    return any(first <= ord(character) <= last for first, last in _ACCENT_BLOCKS)


def _base(character: str) -> str:
    """Return the letter under the accents of ``character``: itself where it has none."""
    return "".join(part for part in unicodedata.normalize("NFD", character) if not is_accent(part))


def unaccented(character: str) -> str | None:
    """Return the letter without its accents, nothing for an accent alone, or ``None`` where neither is the case."""
    if is_accent(character):
        return ""
    base = LATIN.get(base := _base(character), base)
    return base if base != character and GSM7.issuperset(base) else None


def greek(character: str) -> str | None:
    """Return the capital that GSM-7 has for a Greek letter, or ``None`` for any other character."""
    return GREEK.get(_base(character))
