"""The language of the search field: words in any order, numbers in any notation, ``to:``, ``-word``. Pure.

``invoice "see you" to:8916 from:SHOP status:expired -draft``: everything has to fit. A word is found in the text or in
the number; what stands in quotes is found as it stands, line breaks counting as spaces. Case and the width of letters
do not matter. Digits that stand side by side are one number: ``8 (916) 123-45-67`` finds +79161234567.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from devinotify import phones
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Test = Callable[["Searched"], bool]

MOST_TERMS = 50
"""Words that are looked at."""
REFUSED = "refused"
"""The status of what the gateway refused."""

_TERM = re.compile(r"""(?P<minus>-?)(?:(?P<key>[a-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>\S+))""", re.IGNORECASE)
_NUMBER_SIGNS = frozenset("+-().")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_LONGEST_RUN = 8
"""Groups of digits that are tried as one number."""
_TELLING = 3
"""Digits after a trunk prefix that make it one, as an area code has, and signs of an id that are a part of it."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What of a message is looked at: numbers in digits, the rest folded by ``fold``."""

    numbers: Sequence[str]
    text: str
    sender: str
    ids: Sequence[str]
    status: str
    channel: str
    tags: Sequence[str]
    marks: frozenset[str]


def fold(text: str) -> str:
    """Return a text in which case, the width of letters and the kind of its spaces do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def digits_of(text: str) -> str:
    """Return the digits of a number as people write it, whatever script they stand in."""
    return "".join(str(unicodedata.decimal(sign)) for sign in text if sign.isdecimal())


def parts_of_number(text: str) -> Callable[[str], bool]:
    """Return what tells whether a number, in digits, has this for a part of it, or is it in another notation.

    ``8916`` is the beginning of +7916… as well, and ``00`` that of an international number.
    """
    part = digits_of(text)
    if not part:
        return lambda _: False
    whole = ""
    with contextlib.suppress(InvalidInput):  # A part of a number is not one.
        whole = phones.normalize(text, "RU").digits
    begins = tuple(
        other + part.removeprefix(trunk)
        for trunk, other in (("8", "7"), ("00", ""), ("810", ""))
        if part.startswith(trunk) and len(part) >= len(trunk) + _TELLING
    )
    return lambda number: part in number or number == whole or (bool(begins) and number.startswith(begins))


def _word(text: str) -> Test:
    folded = fold(text)
    return lambda found: folded in found.text


def _run(groups: Sequence[str]) -> Test:
    """Return the test of groups of digits side by side: some of them are one number, the others stand in the text."""
    words = [fold(group) for group in groups]
    splits = [
        (parts_of_number(" ".join(groups[begin:end])), words[:begin] + words[end:])
        for begin, end in combinations(range(len(groups) + 1), 2)
    ]

    def test(found: Searched) -> bool:
        if all(word in found.text for word in words):
            return True
        return any(
            all(word in found.text for word in others) and any(map(is_part, found.numbers))
            for is_part, others in splits
        )

    return test


def _id(value: str) -> Test:
    wanted = fold(value)
    return lambda found: any(wanted == one or (len(wanted) >= _TELLING and wanted in one) for one in found.ids)


def _to(value: str) -> Test:
    is_part = parts_of_number(value)
    return lambda found: any(map(is_part, found.numbers))


_KEYS: dict[str, Callable[[str], Test]] = {
    "to": _to,
    "from": lambda value: lambda found: fold(value) in found.sender,
    "id": _id,
    "status": lambda value: lambda found: found.status.startswith(fold(value)),
    "via": lambda value: lambda found: found.channel == fold(value),
    "tag": lambda value: lambda found: fold(value) in found.tags,
    "is": lambda value: lambda found: fold(value) in found.marks,
}
"""What may stand before a colon; other words with a colon in them are words."""
KEYS = tuple(_KEYS)
_UNFINISHED = frozenset(f"{key}:" for key in KEYS)
"""What is being typed, and means nothing yet."""


def _addressed(groups: Sequence[str]) -> Test:
    """Return the test of ``to:`` and the groups behind it: the number takes as many of them as it can have."""
    ends = [(_to(" ".join(groups[:end])), groups[end:]) for end in range(1, len(groups) + 1)]
    tests = [(to, _run(others) if others else None) for to, others in ends]
    return lambda found: any(to(found) and (others is None or others(found)) for to, others in tests)


def _has_digits(text: str) -> bool:
    return any(map(str.isdecimal, text))


def _is_number(text: str) -> bool:
    return _has_digits(text) and all(sign in _NUMBER_SIGNS or sign.isdecimal() for sign in text)


def _test_of(key: str, value: str) -> Test:
    if key in _KEYS:
        return _KEYS[key](value)
    words = f"{key}:{value}" if key else value
    return _run([words]) if _is_number(words) else _word(words)


def _negated(test: Test) -> Test:
    return lambda found: not test(found)


def compiled(search: str) -> list[Test]:
    """Return the tests that a message has to pass, one for each part of a search."""
    terms = list(_TERM.finditer(unicodedata.normalize("NFKC", search).translate(_DASHES)))[:MOST_TERMS]
    tests: list[Test] = []
    run: list[str] = []
    make = _run

    def close() -> None:
        if run:
            tests.append(make(run[:_LONGEST_RUN]))
        run.clear()

    for term in terms:
        key, bare = (term["key"] or "").lower(), term["bare"] or ""
        plain = not term["minus"] and _is_number(bare)
        if plain and not key:
            run.append(bare)
            continue
        if _NUMBER_SIGNS.issuperset(term[0]):
            continue  # A sign between the groups of a number.
        close()
        make = _run
        if plain and key == "to":
            run.append(bare)
            make = _addressed
        elif (bare or fold(term["quoted"] or "")) and bare.lower() not in _UNFINISHED:
            test = _test_of(key, bare or term["quoted"])
            tests.append(_negated(test) if term["minus"] else test)
    close()
    if not tests and _NUMBER_SIGNS.issuperset("".join(search.split())):
        tests.append(_word(search))
    return tests
