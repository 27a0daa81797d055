"""What the sandbox keeps: messages, incoming messages and the last requests, all in memory and all capped."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify.gateway.codes import STATE_LIFETIME
from devinotify.sandbox.fates import LIFECYCLES, Transition
from devinotify.sandbox.operations import SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from devinotify.sandbox.operations import Operation
    from devinotify.sandbox.params import Arguments

KEEP_REQUESTS = 1000
"""Requests remembered."""

_SHOWN_VALUES = 20
_SHOWN_CHARACTERS = 2000
MASK = "***"


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as it came in, without its secrets: login, password, session id, and whatever the API does not name.

    ``operation`` is ``None`` where the path is none of the API's; ``code`` is the error's Code or ``None``.
    """

    at: float
    method: str
    path: str
    operation: str | None
    parameters: tuple[tuple[str, tuple[str, ...]], ...]
    status: int
    code: int | None


def shown_parameters(operation: Operation, arguments: Arguments) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the parameters as they may be kept: bounded, with secrets and unknown names' values masked."""
    known = {parameter.name.lower() for parameter in operation.parameters} - SECRETS
    return tuple(
        (
            name[:_SHOWN_CHARACTERS],
            # A misspelt password is a password too, so only what the table names is kept.
            tuple(value[:_SHOWN_CHARACTERS] for value in values[:_SHOWN_VALUES]) if name in known else (MASK,),
        )
        for name, values in arguments.items()
    )


@dataclass(slots=True, eq=False)
class StoredMessage:
    """One message to one recipient. Instants are seconds since the epoch.

    ``recipient`` holds digits, ``price`` is for each of ``part_ids``: one for each SMS segment, one for
    Viber. ``resent_from`` and ``resent`` join a failed Viber message and the SMS sent in its place.
    """

    serial: int
    channel: str
    operation: str
    sender: str
    recipient: str
    text: str
    part_ids: tuple[str, ...]
    created: float
    due: float
    price: Decimal
    fate: str
    schedule: tuple[Transition, ...]
    optional: str = ""
    resends: bool = False
    resent_from: StoredMessage | None = None
    resent: StoredMessage | None = None

    def at(self, now: float) -> Transition:
        """Return the state that the message is in, with the instant it was reached."""
        current = self.schedule[0]
        for transition in self.schedule:
            if transition.at > now:
                break
            current = transition
        return current

    def submitted(self, now: float) -> float | None:
        """Return when the network took the message, or ``None`` where it has not."""
        sent = LIFECYCLES[self.channel].sent
        return next((at for at, state in self.schedule if state == sent and at <= now), None)

    def reported(self, now: float) -> float | None:
        """Return when the report of the present state came in, or ``None`` while there is none."""
        at, state = self.at(now)
        return None if state in LIFECYCLES[self.channel].open else at

    def forgotten(self, now: float) -> bool:
        """Return whether the sending is more than 48 hours ago, so that the gateway tells its state no more."""
        return now - self.due > STATE_LIFETIME


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that a subscriber sent to the account; ``at`` is seconds since the epoch."""

    id: str
    sender: str
    recipient: str
    text: str
    at: float


class Store:
    """The newest ``keep`` messages and incoming messages, in order of arrival, and by id."""

    def __init__(self, keep: int) -> None:
        self._messages: OrderedDict[int, StoredMessage] = OrderedDict()
        self._by_part: dict[str, StoredMessage] = {}
        self._keep = keep
        self.incoming: deque[Incoming] = deque(maxlen=keep)
        self.requests: deque[RequestRecord] = deque(maxlen=KEEP_REQUESTS)
        self._serial = 0

    def next_serial(self) -> int:
        """Return the next message's number, counted from 1 and never used twice."""
        self._serial += 1
        return self._serial

    def add(self, message: StoredMessage) -> None:
        """Keep a message; the oldest goes where there are too many."""
        self._messages[message.serial] = message
        for part in message.part_ids:
            self._by_part[part] = message
        if len(self._messages) > self._keep:
            _, oldest = self._messages.popitem(last=False)
            for part in oldest.part_ids:
                del self._by_part[part]

    def by_part(self, part_id: str) -> StoredMessage | None:
        """Return the message that has this id among its segments'.

        An id may hold ``+``, which a query that does not escape it turns into a space: both are tried.
        """
        return self._by_part.get(part_id) or self._by_part.get(part_id.replace(" ", "+"))

    def knows(self, part_ids: Sequence[str]) -> bool:
        """Return whether one of the ids is taken."""
        return any(part in self._by_part for part in part_ids)

    def get(self, serial: int) -> StoredMessage | None:
        """Return a message by its number."""
        return self._messages.get(serial)

    def __iter__(self) -> Iterator[StoredMessage]:
        return iter(self._messages.values())

    def __reversed__(self) -> Iterator[StoredMessage]:
        return reversed(self._messages.values())

    def __len__(self) -> int:
        return len(self._messages)

    def clear(self) -> None:
        """Forget everything but the count of serials."""
        self._messages.clear()
        self._by_part.clear()
        self.incoming.clear()
        self.requests.clear()
