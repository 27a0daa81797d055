"""How much a word reads like one of a language that its encoding was made for: by alphabets alone. Pure.

A text in a wrong encoding is letters all the same, but seldom those of one language: ``Kovář`` read as CP1252 is
``Kováø``, and nobody has both of these. Where a language has both, what stands beside them tells more: ``Eglë`` has a
diaeresis that parts it from nothing. Figures are rough, and meant for comparing readings of the same bytes.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# How many of a thousand letters of Russian texts are this one: https://ru.wikipedia.org/wiki/Частотность
_LETTERS = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_FIGURES = "110 85 80 74 67 63 55 47 45 44 35 32 30 28 26 20 19 17 17 16 16 14 12 10 9 7 6 5 4 3 3 0.4 0.4"
RUSSIAN: Mapping[str, float] = MappingProxyType(dict(zip(_LETTERS, map(float, _FIGURES.split()), strict=True)))
"""Letter -> per mille."""

_ADDED, _RARER = 10.0, 4.0  # per mille: letters that others have beside the Russian ones, and those of rarer lists
_CYRILLIC = {
    # a language -> the letters that it has beside the Russian ones, and those that it has not
    "Ukrainian": ("іїєґ", "ёъыэ"),
    "Belarusian": ("іў", "ищъ"),
    "Serbian": ("ђјљњћџ", "ёйщъыьэюя"),
    "Macedonian": ("ѓѕјљњќџ", "ёйщъыьэюя"),
    "Kazakh": ("әғқңөұүһі", ""),
    "Tatar": ("әөүҗңһ", ""),
    "Tajik": ("ғӣқӯҳҷ", ""),
    "Kyrgyz": ("өүң", ""),
}
_OTHERS = {
    # a language -> its letters, the frequent ones first
    "Greek": "αοιετσνηυρπκμλςωάίδέγόήχθφύβώξζψϊϋΐΰ",
    "Hebrew": "יהולארתבמשנעםדכחקפסטןגזצךףץ",
    "Arabic": "المينورتبةعدسهفكأقحجشىصخطذإزضثءئغظآؤ",
    "Persian": "اینردوهمتبسشلکزفگعخقجحپچصطغضظژثذآئ",
    "Thai": "านรอกเงมยลวดทสตัี้่ปิคบแหะจพขชใไโ์ืุูึธณศผษถซภญฐฉฎฏฒฝฬฮฤฆฌฑฟำๆ็",
}
_LATIN = {
    # a language -> what it has beside the letters of ASCII
    "French": "éèêàçëïîôâùûœ",
    "German": "üöäß",
    "Dutch": "ëïéö",
    "Spanish": "ñóáíéúü",
    "Portuguese": "ãçáéíóúâêôõà",
    "Italian": "àèìòùé",
    "Swedish": "åäöé",
    "Danish": "øåæé",
    "Icelandic": "áðéíóúýþæö",
    "Polish": "łśąęóńżćź",
    "Czech": "áčďéěíňóřšťúůýž",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
    "Hungarian": "áéíóöőúüű",
    "Romanian": "ăâîşţ",
    "Romanian, with commas": "ăâîșț",
    "Croatian": "ćčšžđ",
    "Turkish": "çğıöşüâ",
    "Lithuanian": "ėšūžąčęįų",
    "Latvian": "āīēšņūļčžģķ",
    "Estonian": "õäöüšž",
    "Vietnamese": "ăâđêôơưàáèéíóùú\u0300\u0301\u0303\u0309\u0323",
}
_DISPENSABLE = frozenset("ґϊϋΐΰœ")  # so rare that encodings of their languages do without
_ACCENTS = 200.0  # per mille of the letters of words with any, all of them together
# Each letter is twice as frequent as the one so many places behind it, and none is unheard of.
_HALF, _LEAST = 6.0, 0.01

_VOWELS = frozenset("aeiouyæøœıаеёиоуыэюяіїєўәөұүαεηιουω")
_AT_HOME: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {letter: re.compile(f"(?<=[aeiouyé]){letter}") for letter in "ëï"}  # it parts two vowels
    | {"ė": re.compile("(?<![aeiouyė])ė"), "ñ": re.compile("ñ(?=[aeiouáéíóú])")}
    | {letter: re.compile(f"{letter}(?![aeiouyąęó])") for letter in "ńśćź"}  # before a vowel an i is written
    | {"ã": re.compile(r"ã(?=[eo]|\b)"), "ő": re.compile("ő(?![aeiouyä])")}
    | {"ă": re.compile("ă(?![eo])")}
)
"""What stands beside these letters wherever they are at home."""
_ABROAD = 3.0  # nats against one that is not

_FOREIGN = 6.0  # nats against a word that is in no language of its encoding, or not written like any
_ODD = 0.01  # per mille: any other character
_SIGN, _SIGNS = 2.0, frozenset("«»—–№…“”„’ \xa0°™©®€§")
_WORD = re.compile(r"(?:[^\W\d_]|[\u0300-\u0323\u0e31-\u0e4e])+")
_DOUBLED = 2.0
"""What the chances below are multiplied with, so that a word of any language gains and loses as much by them."""
_VOWEL_NEXT: Mapping[str, float] = MappingProxyType({"C": 0.6, "CC": 0.75, "V": 0.15, "VV": 0.07})
"""Chances of a vowel behind one or two consonants or vowels, of a name in Europe."""


class Language(NamedTuple):
    """Letters, small ones, and how much each is worth in nats; ``latin`` ones go with those of ASCII."""

    letters: Mapping[str, float]
    latin: bool = False


def _weighed(figures: Mapping[str, float]) -> Mapping[str, float]:
    return MappingProxyType({letter: math.log(per_mille) for letter, per_mille in figures.items()})


def _languages() -> tuple[Language, ...]:
    found = [Language(_weighed(RUSSIAN))]
    for added, missing in _CYRILLIC.values():
        figures = {letter: figure for letter, figure in RUSSIAN.items() if letter not in missing}
        found.append(Language(_weighed(figures | dict.fromkeys(added, _ADDED if missing else _RARER))))
    for letters in _OTHERS.values():
        shares = {letter: 0.5 ** (place / _HALF) + _LEAST for place, letter in enumerate(letters)}
        whole = sum(shares.values())
        found.append(Language(_weighed({letter: 1000 * share / whole for letter, share in shares.items()})))
    accents = (dict.fromkeys(letters, _ACCENTS / len(letters)) for letters in _LATIN.values())
    found += [Language(_weighed(figures), latin=True) for figures in accents]
    return tuple(found)


LANGUAGES: tuple[Language, ...] = _languages()
"""Those whose names are told from others."""


@lru_cache(maxsize=128)
def spoken(encoding: str) -> tuple[Language, ...]:
    """Return the languages that an encoding has all the letters of: those that it was made for."""
    return tuple(language for language in LANGUAGES if _has(encoding, language.letters.keys() - _DISPENSABLE))


def _has(encoding: str, letters: Iterable[str]) -> bool:
    try:
        "".join(letters).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def weight(text: str, languages: tuple[Language, ...]) -> float:
    """Return how much a text reads like words of some of the languages, in nats; a text in ASCII is worth nothing."""
    found = 0.0
    for word in _WORD.findall(text):
        if not word.isascii():
            found += _of_word(word, languages)
    for character in _WORD.sub("", text):
        if not character.isascii():
            found += math.log(_SIGN if character in _SIGNS else _ODD)
    return found


def _of_word(word: str, languages: tuple[Language, ...]) -> float:
    small = word.replace("İ", "i").lower()
    letters = [letter for letter in small if not letter.isascii()]
    mixed = len(letters) < len(word)
    best = math.log(_ODD) * len(letters) - _FOREIGN
    distinct = set(letters)
    for language in languages:
        if mixed and not language.latin:
            continue
        if language.letters.keys() >= distinct:
            best = max(best, sum(language.letters[letter] for letter in letters))
    if len(letters) > 2 * (len(word) - len(letters)) + 1 and letters[0] <= "\u024f":
        best -= _FOREIGN  # Ìàðèÿ
    if word[1:] != word[1:].lower() and word != word.upper():  # бООБ, ДРааге
        best -= _FOREIGN * max(sum(a.islower() and b.isupper() for a, b in itertools.pairwise(word)), 1)
    best -= _ABROAD * sum(
        len(home.findall(small)) < small.count(letter) for letter, home in _AT_HOME.items() if letter in small
    )
    return best + _by_sound(small)


def _by_sound(word: str) -> float:
    """Return how much a word sounds like one, by its vowels and consonants; nothing where neither is written."""
    kinds = ["V" if unicodedata.normalize("NFD", letter)[0] in _VOWELS else "C" for letter in word]
    if "V" not in kinds and not word[0] <= "\u052f":
        return 0.0
    found = 0.0
    for place in range(1, len(kinds)):
        before = "".join(kinds[max(place - 2, 0) : place])
        chance = _VOWEL_NEXT[before if before in _VOWEL_NEXT else before[-1]]
        found += math.log(_DOUBLED * (chance if kinds[place] == "V" else 1 - chance))
    return found
