"""What is to be known before a campaign is sent: the balance, and what plugins would do to it now."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from devinotify.delivery.recipients import in_parts, screen
from devinotify.exceptions import DevinotifyError, InvalidSchedule
from devinotify.outbox import Outbox
from devinotify.outbox.location import exists, is_database, paced_at

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from decimal import Decimal

    from devinotify.channels.protocol import Channel
    from devinotify.delivery.limiting import LimitReached
    from devinotify.gateway.client import Client
    from devinotify.models import Message
    from devinotify.plugins import PluginManager

ROUND_TRIP = 0.2
"""Seconds that a request is taken to last where the gateway could not be asked for the balance."""


class Account(NamedTuple):
    """What the gateway tells before: the balance, or why it is not known, and the seconds of a round trip."""

    balance: Decimal | None = None
    round_trip: float = ROUND_TRIP
    trouble: DevinotifyError | None = None


class Outlook(NamedTuple):
    """What plugins would do to the first recipients now: hold them back until an instant, or refuse them.

    ``outside`` is how many of all are out of their daily window, ``None`` where there is none. Of those who are still
    to be sent to, ``suppressed`` are refused by plugins, and ``reached`` limits leave no room for some.
    """

    held: datetime | None = None
    refused: DevinotifyError | None = None
    outside: int | None = None
    suppressed: int = 0
    reached: Sequence[LimitReached] = ()


def ask(client: Client) -> Account:
    """Return what the gateway tells of the account, and how long it takes to."""
    try:
        balance = client.user.balance()
        began = time.monotonic()
        client.user.balance()
    except DevinotifyError as error:
        return Account(trouble=error)
    return Account(balance, time.monotonic() - began)


def pace_of(journal: str | os.PathLike[str] | None, account: str) -> float | None:
    """Return how many messages a second all may send who send beside a journal; ``None`` where no pace is set."""
    place = None if journal is None else paced_at(journal)
    if place is None or not exists(place):
        return None
    with Outbox(place if is_database(place) else Path(place).expanduser()) as outbox:
        return outbox.pace(account)


def foresee(
    plugins: PluginManager,
    message: Message,
    channel: Channel,
    fit: Callable[[Message], list[Message]] | None = None,
) -> Outlook:
    """Return what plugins that prepare messages would do to this one, if it were sent now, ``fit`` into a window."""
    if not message.recipients or not (fit or plugins.listens("devinotify_prepare_message", outside=True)):
        return Outlook()
    try:
        prepared = plugins.hook.devinotify_prepare_message(message=message)
    except DevinotifyError as error:
        return Outlook(refused=error)
    if fit is not None:
        prepared = [part for one in prepared for part in fit(one)]
    later = [one.send_at for one in prepared if one.send_at is not None and one.send_at != message.send_at]
    if later and not channel.schedulable:
        return Outlook(refused=InvalidSchedule(f"it would be held back now, and {channel.name} cannot send later"))
    return Outlook(max(later, key=lambda held: held.astimezone(UTC), default=None))


class Screening:
    """Whom plugins refuse of the recipients of a message: asked as each send asks; ``refused`` is how many."""

    def __init__(self, plugins: PluginManager, message: Message) -> None:
        self._plugins = plugins
        self._message = message
        self.refused: int = 0

    def left(self, pages: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
        """Yield those who are not refused, by pages; raise PluginError where a plugin fails."""
        for some in in_parts(pages):
            refused = screen(self._plugins, replace(self._message, recipients=tuple(some)))
            self.refused += len(refused)
            yield [each for each in some if each not in refused] if refused else some


def first_of(pages: Iterable[Sequence[str]], most: int | None) -> Iterator[Sequence[str]]:
    """Yield the first recipients, ``most`` at most, by pages; all pages are gone through."""
    left = most
    for page in pages:
        yield page if left is None else page[:left]
        left = None if left is None else max(left - len(page), 0)
