"""What to write for quotes, dashes, spaces and signs that GSM-7 lacks, and for compatibility forms. Pure."""

from __future__ import annotations

import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.text.alphabet import is_gsm7

if TYPE_CHECKING:
    from collections.abc import Mapping

_GROUPS = (
    # quotes, apostrophes, primes, and accents that stand alone and are typed in their place
    ("'", "‘’‚‛‹›′‵ʹʻʼʽˈˊˋ`´＇՚׳"),
    ('"', "“”„‟«»″‶ʺ˝〝〞〟＂״"),
    # hyphens, dashes, the minus sign
    ("-", "\u2010\u2011\u2012–—―⁃−˗‧⸺⸻﹘﹣－־"),
    # spaces of every width; the tab and the vertical space too, which GSM-7 lacks
    (" ", "\t\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"),
    ("\n", "\v\x85\u2028\u2029"),
    # what is not seen: soft hyphen, joiners, marks of direction, variation selectors, skin tones
    ("", "\xad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"),
    (
        "",
        "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff",
    ),
    ("", "".join(map(chr, range(0xFE00, 0xFE10)))),
    # points
    ("*", "•‣●▪◦∙⁎∗★☆"),
    (".", "․·⋅。"),
    ("..", "‥"),
    ("...", "…⋯"),
    # signs of mathematics
    ("x", "×✕✖"),
    ("/", "÷⁄∕"),
    ("+/-", "±"),
    ("<=", "≤"),
    (">=", "≥"),
    ("!=", "≠"),
    ("~", "≈∼〜～"),
    ("->", "→⇒➔➜"),
    ("<-", "←⇐"),
    ("|", "¦∣"),
    ("o/oo", "‰"),
    ("deg", "°"),
    ("u", "\xb5"),
    # signs of trade
    ("No", "№"),
    ("(c)", "©"),
    ("(R)", "®"),
    ("TM", "™"),
    ("c", "¢"),
    ("RUB", "₽"),
    ("UAH", "₴"),
    ("KZT", "₸"),
    ("GEL", "₾"),
    ("AMD", "֏"),
    ("AZN", "₼"),
    ("TRY", "₺"),
    ("INR", "₹"),
    ("ILS", "₪"),
    ("KRW", "₩"),
)

TYPOGRAPHY: Mapping[str, str] = MappingProxyType(
    {character: plain for plain, characters in _GROUPS for character in characters}
)
"""The plain spelling of each typographic character; an empty one for what is not seen."""


def plain(character: str) -> str | None:
    """Return the plain spelling of a typographic character, or ``None`` where the table has none."""
    return TYPOGRAPHY.get(character)


def compatible(character: str) -> str | None:
    """Return what a ligature, a fullwidth, raised or enclosed form stands for (Unicode NFKC), or ``None``.

    ``None`` too where what it stands for is not in GSM-7.
    """
    spelled = "".join(TYPOGRAPHY.get(part, part) for part in unicodedata.normalize("NFKC", character))
    return spelled if spelled != character and is_gsm7(spelled) else None
