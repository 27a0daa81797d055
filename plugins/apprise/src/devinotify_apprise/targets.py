"""Recipients as they stand in a URL, a configuration or an argument: numbers, aliases, and what is neither."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify import InvalidPhoneNumber, phones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from devinotify import Notifier

_BETWEEN = re.compile(r"[,;|\r\n\t，；、؛،]+|\s+(?=\+)")
"""What may stand between numbers. A space may stand within one, but never before its plus sign."""


@dataclass(frozen=True, slots=True)
class Targets:
    """``recipients`` can be sent to: numbers in E.164, and aliases; ``refused`` maps the others to what is wrong."""

    recipients: tuple[str, ...]
    refused: dict[str, str]


def listed(given: object) -> list[str]:
    """Return the single targets of what may be one text with several of them, a number, or a list of such."""
    if given is None:
        return []
    if isinstance(given, list | tuple | set | frozenset):
        return [target for one in given for target in listed(one)]
    return [target for one in _BETWEEN.split(str(given)) if (target := one.strip())]


def read(given: Iterable[str], notifier: Notifier) -> Targets:
    """Return the distinct recipients in order of first appearance, and the refused."""
    recipients: dict[str, None] = {}
    refused: dict[str, str] = {}
    for raw in given:
        for target in _apart(raw, notifier):
            found, wrong = _read(target, notifier)
            if wrong is None:
                recipients[found] = None
            else:
                refused[found] = wrong
    return Targets(tuple(recipients), refused)


def _apart(raw: str, notifier: Notifier) -> Iterator[str]:
    """Yield the words of a target one by one where each of them is a number: people put spaces between numbers, too."""
    words = raw.split()
    if len(words) > 1 and all(len(word) > 6 and _read(word, notifier)[1] is None for word in words):
        yield from words
    else:
        yield raw


def _read(raw: str, notifier: Notifier) -> tuple[str, str | None]:
    try:
        return phones.normalize(raw, region=notifier.url.region).e164, None
    except InvalidPhoneNumber as error:
        # An alias stays one: its members are those of the hour of the send. So does what a plugin cannot tell just now.
        known = not isinstance(notifier.resolve(raw).get(raw), InvalidPhoneNumber)
        return raw, None if known else str(error)
