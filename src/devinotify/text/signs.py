"""What to write for quotes, dashes, spaces and signs that GSM-7 lacks, and for compatibility forms. Pure."""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.text.alphabet import is_gsm7
from devinotify.text.cleaning import CONTROLS

if TYPE_CHECKING:
    from collections.abc import Mapping


def _range(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))


_GROUPS = (
    # quotes, apostrophes, primes, and accents that stand alone and are typed in their place
    ("'", "‘’‚‛‹›′‵ʹʻʼʽˈˊˋ`´＇՚׳❛❜❟❮❯"),
    ('"', "“”„‟«»″‶ʺˮ˝〝〞〟＂״❝❞❠🙶🙷🙸"),
    # hyphens, dashes, the minus sign, lines
    ("-", "\u2010\u2011\u2012–—―⁃−˗‧⸺⸻﹘﹣－־➖⎼⎽─━┄┅┈┉╌╍"),
    ("=", "═꞊"),
    ("_", "‗"),
    ("|", "¦∣⎸⎹⎜⎟⏐│┃┆┇┊┋╎╏║"),
    ("+", "˖➕" + _range(0x250C, 0x254B) + _range(0x2552, 0x256C)),
    # spaces of every width
    (" ", "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u2800\u3000"),
    # what is not seen: soft hyphen, joiners, fillers, marks of direction, variation selectors, tags, skin tones
    ("", "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u3164\uffa0" + _range(0x180B, 0x180F) + _range(0x200B, 0x200F)),
    ("", _range(0x202A, 0x202E) + _range(0x2060, 0x2064) + _range(0x2066, 0x206F) + _range(0xFE00, 0xFE0F)),
    ("", _range(0x1F3FB, 0x1F3FF) + _range(0xE0020, 0xE007F) + _range(0xE0100, 0xE01EF)),
    # points and stars
    ("*", "•‣●▪◦∙⁎∗★☆✢✣✤✥✱✲✳✺✻✼✽❃❉❊❋⊛⧆꙳"),
    (".", "․·⋅。٫"),
    ("..", "‥"),
    ("...", "…⋯"),
    (",", "、،"),
    (":", "ː˸∶⦂꞉"),
    (";", "⁏؛"),
    ("!", "ǃ"),
    ("?", "؟"),
    ("^", "ˆ"),
    ("'", "٬꙾ꙿ"),
    # brackets
    ("(", "❨❪⟮⦅"),
    (")", "❩❫⟯⦆"),
    ("{", "❴"),
    ("}", "❵"),
    ("<", "⟨"),
    (">", "⟩"),
    ("\\", "⧵⧹"),
    # signs of mathematics
    ("x", "×✕✖✗✘"),
    ("/", "÷⁄∕⧸"),
    ("+/-", "±"),
    ("<=", "≤"),
    (">=", "≥"),
    ("!=", "≠"),
    ("~", "≈∼〜～˜˷"),
    ("->", "→⇒➔➜"),
    ("<-", "←⇐"),
    ("%", "٪"),
    ("o/oo", "‰"),
    ("deg", "°"),
    ("u", "\xb5"),
    ("#", "҂"),  # the Church Slavonic sign of thousands, as keyboards without it have it
    # signs of trade
    ("No", "№"),
    ("(c)", "©"),
    ("(R)", "®"),
    ("TM", "™"),
    ("c", "¢"),
    ("RUB", "₽"),
    ("UAH", "₴"),
    ("KZT", "₸"),
    ("KGS", "⃀"),
    ("MNT", "₮"),
    ("GEL", "₾"),
    ("AMD", "֏"),
    ("AZN", "₼"),
    ("TRY", "₺"),
    ("INR", "₹"),
    ("ILS", "₪"),
    ("KRW", "₩"),
    ("BTC", "₿"),
)

TYPOGRAPHY: Mapping[str, str] = MappingProxyType(
    {chr(code): plain for code, plain in CONTROLS.items() if not is_gsm7(chr(code))}
    | {character: plain for plain, characters in _GROUPS for character in characters}
)
"""The plain spelling of each typographic and control character; an empty one for what is not seen."""

_CIRCLED = re.compile("[\u24eb-\u24ff\u2776-\u2793\u3248-\u324f\U0001f10b\U0001f10c]")
"""Numbers in circles that Unicode does not call forms of others: white on black, in two circles, without serifs."""


def plain(character: str) -> str | None:
    """Return the plain spelling of a typographic character, or ``None`` where the table has none."""
    return TYPOGRAPHY.get(character)


def compatible(character: str) -> str | None:
    """Return what a ligature, a fullwidth, raised or enclosed form stands for (Unicode NFKC), or ``None``.

    A digit of any script stands for its value. ``None`` too where what it stands for is not in GSM-7.
    """
    if character.isdecimal() or _CIRCLED.match(character):
        return f"{unicodedata.numeric(character):.0f}" if not character.isascii() else None
    spelled = "".join(TYPOGRAPHY.get(part, part) for part in unicodedata.normalize("NFKC", character))
    return spelled if spelled != character and is_gsm7(spelled) else None
