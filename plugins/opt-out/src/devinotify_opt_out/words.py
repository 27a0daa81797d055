"""What a subscriber wants who answers with one of a few words: a table, and what is forgiven. Pure.

A message counts when all of it is such a word, or such words: "STOP", " stop!! ", "S T O P", "стоп, стоп", and "CTOП"
with Latin letters among the Cyrillic ones. What says anything else ("stop by tomorrow", "не стоп") is left to people.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType

STOP = ("STOP", "СТОП", "ОТПИСАТЬСЯ", "CANCEL")
"""The words of those who want no more messages."""
START = ("START", "СТАРТ")
"""The words of those who want them again."""

LOOK_ALIKES: Mapping[str, str] = MappingProxyType(
    dict(zip("авекмнорстухёіјѕһԁԛԝ", "abekmhopctyxeijshdqw", strict=True))
    | dict(zip("αβεηικμνορτυχ", "abehikmnoptyx", strict=True))
    | {"0": "o"}
)
"""Letter -> the Latin one that looks the same, as a capital or as a small letter; the accents are off by then."""


class Wish(StrEnum):
    """What a subscriber wants."""

    STOP = "stop"
    START = "start"


def skeleton(text: str) -> str:
    """Return the letters and digits of a text, without what is forgiven: two that look alike have the same."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(LOOK_ALIKES.get(sign, sign) for sign in plain if sign.isalnum())


def skeletons(words: Collection[str]) -> frozenset[str]:
    """Return the skeletons of words; raise ValueError, with the word, where nothing is left of one."""
    for word in words:
        if not skeleton(word):
            raise ValueError(word)
    return frozenset(map(skeleton, words))


def wish_of(text: str, stop: Collection[str] = STOP, start: Collection[str] = START) -> Wish | None:
    """Return what the sender of a text wants, by these words; ``None`` where it says something else.

    A word may be several, such as "no more". Where one stands for both, it is ``Wish.STOP``.
    """
    for wish, words in ((Wish.STOP, stop), (Wish.START, start)):
        known = skeletons(words)
        parts = [part for part in map(skeleton, text.split()) if part]
        if skeleton(text) in known or (parts and known.issuperset(parts)):
            return wish
    return None
