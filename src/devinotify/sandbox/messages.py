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


@dataclass(slots=True, eq=False)
class PlatformMessage:
    """One message to one recipient. Instants are seconds since the epoch.

    ``recipient`` holds digits, ``price`` is for each of ``part_ids``: one for each SMS segment, one for
    Viber. ``resent_from`` and ``resent`` join a failed Viber message and the SMS sent in its place.
    ``request`` is what brought it.
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
