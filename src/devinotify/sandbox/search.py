"""Finding messages: the filters of the list, and a page of what fits them; with what was refused, in the inbox."""

from __future__ import annotations

import heapq
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from devinotify.models import DeliveryStatus
from devinotify.sandbox import query, views
from devinotify.sandbox.arguments import Argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from devinotify.sandbox.emulator import Emulator
    from devinotify.sandbox.messages import PlatformMessage, RefusedSend

    Listed = PlatformMessage | RefusedSend

_T = TypeVar("_T", bound="Listed")
_SHOWN_KEYS = ", ".join(f"{key}:" for key in query.KEYS)

FILTERS = (
    Argument(
        "search", means=f'words of the text or a number, in any order; {", ".join(_SHOWN_KEYS)}, -word, "a phrase"'
    ),
    Argument("channel", means="sms or viber"),
    Argument("to", means="a part of the recipient's number"),
    Argument("sender", means="the sender"),
    Argument("text", means="a part of the text, in any case"),
    Argument("status", means=f"a delivery status: {', '.join(DeliveryStatus)}; or {query.REFUSED}, of the inbox"),
    Argument("operation", means="an operation such as Sms/Send"),
)
"""What the list can be narrowed down by; an empty value does not count."""


def searched(listed: Listed, now: float) -> query.Searched:
    """Return what the language of the search field looks at."""
    marks = {"read" if listed.read else "unread"}
    if listed.created < getattr(listed, "due", listed.created) > now:
        marks.add("scheduled")
    return query.Searched(
        numbers=listed.numbers,
        text=query.fold(listed.text),
        sender=query.fold(listed.sender),
        ids=(listed.key, *map(query.fold, getattr(listed, "part_ids", ()))),
        status=views.status(listed, now),
        channel=listed.channel,
        tags=[query.fold(tag) for tag in listed.tags],
        marks=frozenset(marks),
    )


def _tests(filters: Mapping[str, str], now: float) -> list[Callable[[Listed], bool]]:
    """Return what a message has to pass, the cheap ones first."""
    tests: list[Callable[[Listed], bool]] = []
    if channel := filters.get("channel"):
        tests.append(lambda message: message.channel == channel)
    if sender := filters.get("sender"):
        tests.append(lambda message: message.sender == sender)
    if operation := filters.get("operation"):
        tests.append(lambda message: message.operation == operation)
    if to := query.digits_of(filters.get("to", "")):
        tests.append(lambda message: any(to in number for number in message.numbers))
    if text := filters.get("text", "").casefold():
        tests.append(lambda message: text in message.text.casefold())
    if status := filters.get("status"):
        tests.append(lambda message: views.status(message, now) == status)
    if terms := query.compiled(filters.get("search", "")):

        def fits(message: Listed) -> bool:
            found = searched(message, now)
            return all(term(found) for term in terms)

        tests.append(fits)
    return tests


def matching(
    emulator: Emulator, now: float, filters: Mapping[str, str], *, newest_first: bool
) -> Iterator[PlatformMessage]:
    """Return the stored messages that fit every filter (see ``FILTERS``)."""
    found = reversed(emulator.store) if newest_first else iter(emulator.store)
    for test in _tests(filters, now):
        found = filter(test, found)
    return found


def listed(emulator: Emulator, now: float, filters: Mapping[str, str]) -> Iterator[Listed]:
    """Return what arrived and what was refused, as far as it fits every filter, newest first."""
    both: list[Iterator[Listed]] = [reversed(emulator.store), reversed(emulator.store.refused)]
    found: Iterator[Listed] = heapq.merge(*both, key=attrgetter("order"), reverse=True)
    for test in _tests(filters, now):
        found = filter(test, found)
    return found


def page(found: Iterator[_T], offset: int, limit: int) -> tuple[int, list[_T]]:
    """Return how many there are of what was found, and some of them."""
    skipped = sum(1 for _ in islice(found, offset))
    shown = list(islice(found, limit))
    return skipped + len(shown) + sum(1 for _ in found), shown
