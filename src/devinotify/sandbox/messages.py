"""A message as the platform has it, and one that a subscriber sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify.gateway.codes import STATE_LIFETIME
from devinotify.sandbox.fates import LIFECYCLES

if TYPE_CHECKING:
    from decimal import Decimal

    from devinotify.sandbox.fates import Transition
    from devinotify.sandbox.requestlog import RequestRecord

REFUSED_KEY = "r"
"""What the key of a refused send begins with; that of a message is its number alone."""
SENDING = "sending"
"""In place of a verdict: it is being sent on to a real account."""
DEFAULT_RECIPIENT = "79160000000"
"""The account's own number where an incoming message names none."""

MAX_INCOMING_TEXT = 2000
MAX_ADDRESS = 32


def check_incoming(name: str, value: str, limit: int) -> None:
    """Pass a part of an incoming message; raises ValueError for one that is empty, too long or not to be encoded."""
    if not value or len(value) > limit:
        raise ValueError(f"{name} must have 1 to {limit} characters")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{name} holds half a surrogate pair, which UTF-8 cannot carry")


@dataclass(slots=True, eq=False)
class PlatformMessage:
    """One message to one recipient. Instants are seconds since the epoch.

    ``recipient`` holds digits, ``price`` is for each of ``part_ids``: one for each SMS segment, one for
    Viber. ``resent_from`` and ``resent`` join a failed Viber message and the SMS sent in its place.
    ``request`` is what brought it. ``read`` and ``tags`` are whoever looks at the inbox's; ``released`` is the
    verdict with which it was sent on to a real account, if it was; ``answered`` says that its phone has answered it by
    itself.
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
    resent_from: PlatformMessage | None = None
    resent: PlatformMessage | None = None
    request: RequestRecord | None = None
    read: bool = False
    tags: tuple[str, ...] = ()
    released: str = ""
    answered: bool = False

    @property
    def key(self) -> str:
        """Its name in the inbox."""
        return str(self.serial)

    @property
    def order(self) -> tuple[float, int, int]:
        """Its place in the inbox."""
        return (self.created, self.serial, 0)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The digits of its recipient."""
        return (self.recipient,)

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


@dataclass(slots=True, eq=False)
class RefusedSend:
    """A send that the gateway refused: nothing of it was accepted, and it cost nothing.

    ``recipients`` are as they were written, the first of them; ``count`` is how many there were. ``code`` and
    ``reason`` are what it was answered with; ``code`` is ``None`` where that was not an error of the gateway's.
    ``behind`` is the number of the message that came before it.
    """

    serial: int
    channel: str
    operation: str
    sender: str
    recipients: tuple[str, ...]
    count: int
    text: str
    status: int
    code: int | None
    reason: str
    created: float
    behind: int
    request: RequestRecord | None = None
    read: bool = False
    tags: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its name in the inbox."""
        return f"{REFUSED_KEY}{self.serial}"

    @property
    def order(self) -> tuple[float, int, int]:
        """Its place in the inbox."""
        return (self.created, self.behind, self.serial)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The digits of its recipients."""
        return tuple("".join(filter(str.isdecimal, recipient)) for recipient in self.recipients)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that a subscriber sent to the account; ``at`` is seconds since the epoch."""

    id: str
    sender: str
    recipient: str
    text: str
    at: float
