"""In which encoding a text was written that is not UTF-8: found out where that is certain, and otherwise not. Pure.

charset-normalizer, which comes with requests, tells what a text cannot be in. It takes an ``ИВАН`` in KOI8-R for a
``йчбо`` in CP1251 as well: what it leaves is told apart by how often letters stand in Russian. What is found so has to
stand against all other code pages, by the languages that those are for: Greek in CP1253 is letters in CP1251, too,
and nobody is called ``Гйюсгпт``. In doubt nothing is guessed.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING

from devinotify.bulk.alphabets import RUSSIAN, spoken, weight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from charset_normalizer import CharsetMatch

WESTERN = "cp1252"
LEGACY = ("cp1251", "cp866", "koi8-r", WESTERN)
"""What lists are found in that are not UTF-8: by Excel, by DOS and 1C, by Unix, and in Western Europe."""
ENOUGH = 1 << 16
"""Bytes that are looked at, of the lines that are not ASCII."""

_SIGNS = "«»—–№…“”„’ \xa0іїєґўәғқңөұүһ"  # common in Cyrillic texts, if not in Russian ones
_RARE, _ODD = 2.0, 0.01  # per mille: such a sign, and any other character
_WESTERN, _PENALTY = 2.5, 6.0  # nats for a letter such as the ü of Müller, and against what no word is written like
_CERTAIN = 5.0  # nats by which the best has to be ahead
_PLAUSIBLE = 1.5  # nats a character, at least: what is not text at all has less
_NOT_ASCII = 128
_WORD = re.compile(r"[^\W\d_]+")

FREQUENT = (
    *("cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "kz1048", "mac-cyrillic"),
    *("cp1125", "iso8859-5", "cp855", "cp852", "cp737"),
)
"""What such lists are found in elsewhere: by Windows in other countries, by DOS, and on old Macs."""
OTHERS = (
    *FREQUENT,
    *("koi8-u", "koi8-t", "ptcp154", "iso8859-2", "iso8859-1", "iso8859-7", "iso8859-9", "iso8859-13", "iso8859-15"),
    *("iso8859-16", "iso8859-8", "iso8859-6", "iso8859-3", "iso8859-4", "iso8859-10", "iso8859-11", "iso8859-14"),
    *("cp437", "cp850", "mac-roman", "cp775", "cp857", "cp858", "cp860", "cp861", "cp862", "cp863", "cp864", "cp865"),
    *("cp869", "cp720", "cp856", "cp1006", "mac-latin2", "mac-greek", "mac-turkish", "mac-iceland", "mac-croatian"),
    *("mac-romanian", "mac-arabic", "mac-farsi", "hp-roman8", "palmos", "tis-620"),
)
"""All others that Python has in which each byte is a character and the first 128 are ASCII's."""

_NEARLY, _AHEAD = -2.0, 1.0  # nats by which a frequent one and a rare one have to be ahead, to be in question
_NAMED = 3  # of them, at the most, are named
_FAR_BEHIND = 60.0  # nats; what is so far behind is out of the question
_ALIKE = 200  # words that read the same in both, and tell only whether their language is at home in each
_SHORT = 4  # characters, of what may be an abbreviation in a Cyrillic text
_TOKEN = re.compile(rb"[^\x00-@\[-`{-\x7f]+")


def fitting(sample: bytes, candidates: Sequence[str]) -> list[str]:
    """Return the encodings of ``candidates`` that a sample may be in: one where that is certain, none where none is.

    ``sample`` is of lines that are not ASCII, as ``sampled`` returns it, and every candidate, of LEGACY, can decode it.
    Where the sample reads as well in one of OTHERS, those are returned too.
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
    return found_out + (_rivals(sample, found_out[0]) if len(found_out) == 1 else [])


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
    """Return whether bytes can be in an encoding of LEGACY or OTHERS, in which each byte is a character."""
    try:
        block.decode(encoding)  # a block ends within no character
    except UnicodeDecodeError:
        return False
    return True


def readings(sample: bytes, encodings: Sequence[str]) -> tuple[bytes, list[str]]:
    """Return a word of a sample, and how it reads in each encoding: the first that tells as many apart as any does."""
    words = [word for word in re.findall(rb"[^\s;,|\"]+", sample) if not word.isascii()]
    every = [(word, [word.decode(name, "replace") for name in encodings]) for word in words]
    return max(every, key=lambda read: _apart(read[1]), default=(b"", [""] * len(encodings)))


def _apart(read: Sequence[str]) -> tuple[int, int]:
    """Return how many readings of a word there are, and in how many letters the first two differ."""
    return len(set(read)), sum(a != b for a, b in zip(*read[:2], strict=False))


def _rivals(sample: bytes, encoding: str) -> list[str]:
    """Return which of OTHERS a sample may be in as well, the likeliest first, each with a reading of its own."""
    tokens = sorted({token for token in _TOKEN.findall(sample) if not token.isascii()})
    some = encoding == WESTERN or all(len(token) <= _SHORT for token in tokens)
    worth = dict.fromkeys((name for name in OTHERS if decodes(sample, name)), 0.0)
    unlike: set[str] = set()
    for place, token in enumerate(tokens):
        mine = token.decode(encoding)
        own = weight(mine, spoken(encoding))
        counts = some or len(token) > _SHORT
        for name in list(worth):
            text = token.decode(name)
            if text != mine or place < _ALIKE:
                ahead = weight(text, spoken(name)) - own
                worth[name] += ahead if counts else min(ahead, 0.0)
            if text != mine and counts:
                unlike.add(name)
            if worth[name] < -_FAR_BEHIND:
                del worth[name]
    known = {sample.decode(name) for name in LEGACY if decodes(sample, name)}
    found: list[str] = []
    for name in sorted(unlike & worth.keys(), key=lambda name: (-worth[name], OTHERS.index(name))):
        reading = sample.decode(name)
        if worth[name] > (_NEARLY if name in FREQUENT else _AHEAD) and reading not in known:
            known.add(reading)
            found.append(name)
    return found[:_NAMED]


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
            known = RUSSIAN.get(character.lower())
            western = "À" <= character <= "ÿ"
            weight += math.log(known or (_RARE if western or character.lower() in _SIGNS else _ODD))
    return weight
