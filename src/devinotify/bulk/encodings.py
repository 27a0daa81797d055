"""In which encoding a text was written that is not UTF-8: found out where that is certain, and otherwise not. Pure.

charset-normalizer, which comes with requests, tells what a text cannot be in. It takes an ``ИВАН`` in KOI8-R for a
``йчбо`` in CP1251 as well: what it leaves is told apart by how often letters stand in Russian.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from charset_normalizer import CharsetMatch

LEGACY = ("cp1251", "cp866", "koi8-r", "cp1252")
"""What lists are found in that are not UTF-8: by Excel, by DOS and 1C, by Unix, and in Western Europe."""
ENOUGH = 1 << 16
"""Bytes that are looked at, of the lines that are not ASCII."""

# How many of a thousand letters of Russian texts are this one: https://ru.wikipedia.org/wiki/Частотность
_LETTERS = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_FIGURES = "110 85 80 74 67 63 55 47 45 44 35 32 30 28 26 20 19 17 17 16 16 14 12 10 9 7 6 5 4 3 3 0.4 0.4"
_PER_MILLE: Mapping[str, float] = MappingProxyType(
    dict(zip(_LETTERS, map(float, _FIGURES.split()), strict=True)),
)
_SIGNS = "«»—–№…“”„’ \xa0іїєґўәғқңөұүһ"  # common in Cyrillic texts, if not in Russian ones
_RARE, _ODD = 2.0, 0.01  # per mille: such a sign, and any other character
_WESTERN, _PENALTY = 2.5, 6.0  # nats for a letter such as the ü of Müller, and against what no word is written like
_CERTAIN = 5.0  # nats by which the best has to be ahead
_PLAUSIBLE = 1.5  # nats a character, at least: what is not text at all has less
_NOT_ASCII = 128
_WORD = re.compile(r"[^\W\d_]+")

_COUSINS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "cp1251": ("ЂЃѓЉЊЌЋЏђљњќћџЈјЅѕ", ("kz1048", "mac-cyrillic")),
        "cp866": ("Ўў", ("cp1125",)),
        "koi8-r": ("", ("koi8-u",)),
        "cp1252": ("ÐðÝýÞþªº", ("cp1254", "cp1250", "cp1257")),
    }
)
"""What an encoding of LEGACY is easily taken for, and the letters that it then has in the middle of names: the Kazakh
``Қайрат`` as ``Ќайрат``, the Turkish ``Çağrı`` as ``Çaðrý``."""
_SYMBOLS = frozenset({"So", "Sm", "Sc", "Sk"})  # categories of Unicode: no word begins with €, as ``€мя`` does
_USUAL = "№°×©®™"  # these stand beside letters
_ODD_WORDS = 2  # one may be a slip of the pen
_ODD_SHARE = 200  # one word of so many


def fitting(sample: bytes, candidates: Sequence[str]) -> list[str]:
    """Return the encodings of ``candidates`` that a sample may be in: one where that is certain, none where none is.

    ``sample`` is of lines that are not ASCII, as ``sampled`` returns it, and every candidate, of LEGACY, can decode it.
    Where names read oddly, those are returned too that are easily taken for it.
    """
    from charset_normalizer import from_bytes

    found: Sequence[CharsetMatch] = list(from_bytes(sample, cp_isolation=list(candidates))) if candidates else []
    best = min(((match.chaos, -match.coherence) for match in found), default=None)
    told = {match.encoding.replace("_", "-") for match in found if (match.chaos, -match.coherence) == best}
    weights = {name: _weight(sample.decode(name)) for name in candidates}
    ahead = max(weights.values(), default=0.0)
    if ahead < _PLAUSIBLE * sum(byte >= _NOT_ASCII for byte in sample):
        return []
    likely = {name for name in candidates if weights[name] > ahead - _CERTAIN}
    both = likely & told if told else likely
    found_out = [name for name in candidates if name in (both or likely | told)]
    return found_out + (_cousins(sample, found_out[0]) if len(found_out) == 1 else [])


def sampled(lines: Iterable[bytes]) -> bytes:
    """Return the lines that are not ASCII, as many as are enough."""
    some = bytearray()
    for line in lines:
        if not line.isascii():
            some += line
        if len(some) >= ENOUGH:
            break
    return bytes(some[:ENOUGH])


def decodes(block: bytes, encoding: str) -> bool:
    """Return whether bytes can be in an encoding of LEGACY or of its cousins, in which each byte is a character."""
    try:
        block.decode(encoding)  # a block ends within no character
    except UnicodeDecodeError:
        return False
    return True


def readings(sample: bytes, encodings: Sequence[str]) -> list[str]:
    """Return a word of a sample as it would read in each encoding: the first that tells as many apart as any does."""
    words = [word for word in re.findall(rb"[^\s;,|\"]+", sample) if not word.isascii()]
    every = [[word.decode(name, "replace") for name in encodings] for word in words]
    return max(every, key=lambda read: len(set(read)), default=[""] * len(encodings))


def _cousins(sample: bytes, encoding: str) -> list[str]:
    """Return what a sample may be in as well that reads oddly in an encoding, none where it reads well."""
    odd, cousins = _COUSINS[encoding]
    words = [word for word in re.findall(r"[^\s;,|\"]+", sample.decode(encoding)) if not word.isascii()]
    if sum(_is_odd(word, odd) for word in words) < max(_ODD_WORDS, len(words) / _ODD_SHARE):
        return []
    return [name for name in cousins if decodes(sample, name)]


def _is_odd(word: str, odd: str) -> bool:
    """Whether odd letters stand among others in a word, or a symbol before a small letter."""
    letters = [letter in odd for letter in word if letter.isalpha()]
    return (any(letters) and not all(letters)) or any(
        not sign.isascii() and sign not in _USUAL and unicodedata.category(sign) in _SYMBOLS and letter.islower()
        for sign, letter in itertools.pairwise(word)
    )


def _weight(text: str) -> float:
    """Return how much a text reads like one of people, in nats, by its characters that are not ASCII."""
    weight = 0.0
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        cyrillic = sum("Ѐ" <= character <= "ӿ" for character in word)
        latin = sum(map(str.isascii, word))
        odd = sum(a.islower() and b.isupper() for a, b in itertools.pairwise(word))  # бООБ
        if cyrillic:
            odd += 2 * (cyrillic < len(word))  # Mьller
        else:
            odd += len(word) - latin > max(latin, 1)  # Ìàðèÿ
            weight += _WESTERN * sum("À" <= character <= "ÿ" for character in word if latin)
        weight -= _PENALTY * odd
    for character in text:
        if not character.isascii():
            known = _PER_MILLE.get(character.lower())
            western = "À" <= character <= "ÿ"
            weight += math.log(known or (_RARE if western or character.lower() in _SIGNS else _ODD))
    return weight
