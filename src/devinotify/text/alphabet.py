"""The GSM 7-bit default alphabet and its extension table: 3GPP TS 23.038, sections 6.2.1 and 6.2.1.1. Pure.

The escape code 0x1B is not a character: a text that holds U+001B cannot be sent in this alphabet.
National language shift tables are not used: the gateway offers no way to ask for them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidText

if TYPE_CHECKING:
    from collections.abc import Mapping

ESCAPE = 0x1B
"""The septet that says: the next one is of the extension table."""

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The character of each septet 0x00 to 0x7F; at 0x1B stands the escape, which is none."""

EXTENSION: Mapping[int, str] = MappingProxyType(
    {
        0x0A: "\f",
        0x14: "^",
        0x28: "{",
        0x29: "}",
        0x2F: "\\",
        0x3C: "[",
        0x3D: "~",
        0x3E: "]",
        0x40: "|",
        0x65: "€",
    }
)
"""The character of each septet that may follow an escape; such a character takes two septets."""

EXTENDED = frozenset(EXTENSION.values())
"""The characters that take two septets."""

GSM7 = (frozenset(BASIC) | EXTENDED) - {chr(ESCAPE)}
"""Every character that a GSM-7 message can hold: 127 of one septet, 10 of two."""

_SEPTETS = {ord(character): chr(code) for code, character in enumerate(BASIC) if code != ESCAPE} | {
    ord(character): chr(ESCAPE) + chr(code) for code, character in EXTENSION.items()
}


def is_gsm7(text: str) -> bool:
    """Return whether every character of ``text`` is in the alphabet, so that it goes out as GSM-7."""
    return GSM7.issuperset(text)


def encode(text: str) -> bytes:
    """Return the septets of ``text``, one in each byte, not packed.

    Raises InvalidText, which names the position but never shows the text, where a character is not in
    the alphabet.
    """
    if not is_gsm7(text):
        position = next(index for index, character in enumerate(text) if character not in GSM7)
        raise InvalidText(f"the character at position {position} is not in the GSM 7-bit alphabet")
    return text.translate(_SEPTETS).encode("latin-1")


def decode(septets: bytes) -> str:
    """Return the text of ``septets``, one in each byte, as a handset shows it (TS 23.038, section 6.2.1.1).

    An escaped code that the extension table lacks shows the basic character, an escape that escapes an
    escape or nothing shows a space. Raises InvalidText where a byte is not a septet (above 0x7F).
    """
    if not septets.isascii():
        raise InvalidText("a septet is at most 0x7F: these bytes are packed, or are not GSM-7 text")
    characters: list[str] = []
    codes = iter(septets)
    for code in codes:
        if code != ESCAPE:
            characters.append(BASIC[code])
        elif (escaped := next(codes, ESCAPE)) == ESCAPE:
            characters.append(" ")
        else:
            characters.append(EXTENSION.get(escaped, BASIC[escaped]))
    return "".join(characters)
