"""Finding messages: the filters of the list, and a page of what fits them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from devinotify.models import DeliveryStatus
from devinotify.sandbox import views
from devinotify.sandbox.arguments import Argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from devinotify.sandbox.emulator import Emulator
    from devinotify.sandbox.messages import PlatformMessage

FILTERS = (
    Argument("search", means="a part of the number, or of the text in any case"),
    Argument("channel", means="sms or viber"),
    Argument("to", means="a part of the recipient's number"),
    Argument("sender", means="the sender"),
    Argument("text", means="a part of the text, in any case"),
    Argument("status", means=f"a delivery status: {', '.join(DeliveryStatus)}"),
    Argument("operation", means="an operation such as Sms/Send"),
)
"""What the list can be narrowed down by; an empty value does not count."""

_NUMBER_SIGNS = frozenset("+-() .0123456789")


def _digits(number: str) -> str:
    return "".join(filter(str.isdecimal, number))


def _tests(filters: Mapping[str, str], now: float) -> list[Callable[[PlatformMessage], bool]]:
    """Return what a message has to pass, the cheap ones first."""
    tests: list[Callable[[PlatformMessage], bool]] = []
    if channel := filters.get("channel"):
        tests.append(lambda message: message.channel == channel)
    if sender := filters.get("sender"):
        tests.append(lambda message: message.sender == sender)
    if operation := filters.get("operation"):
        tests.append(lambda message: message.operation == operation)
    if to := _digits(filters.get("to", "")):
        tests.append(lambda message: to in message.recipient)
    if text := filters.get("text", "").casefold():
        tests.append(lambda message: text in message.text.casefold())
    if words := filters.get("search", "").strip().casefold():
        number = _digits(words) if _NUMBER_SIGNS.issuperset(words) else ""
        tests.append(lambda message: bool(number and number in message.recipient) or words in message.text.casefold())
    if status := filters.get("status"):
        tests.append(lambda message: views.STATES[message.channel][message.at(now).state].status == status)
    return tests


def matching(
    emulator: Emulator, now: float, filters: Mapping[str, str], *, newest_first: bool
) -> Iterator[PlatformMessage]:
    """Return the stored messages that fit every filter (see ``FILTERS``)."""
    found = reversed(emulator.store) if newest_first else iter(emulator.store)
    for test in _tests(filters, now):
        found = filter(test, found)
    return found


def page(
    emulator: Emulator, now: float, filters: Mapping[str, str], offset: int, limit: int
) -> tuple[int, list[PlatformMessage]]:
    """Return how many messages fit the filters, and some of them, newest first."""
    found = matching(emulator, now, filters, newest_first=True)
    skipped = sum(1 for _ in islice(found, offset))
    shown = list(islice(found, limit))
    if not _tests(filters, now):
        return len(emulator.store), shown
    return skipped + len(shown) + sum(1 for _ in found), shown
