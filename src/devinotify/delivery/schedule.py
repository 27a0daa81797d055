"""When a message that is scheduled by the recipient's own clock is due: by the zones that the number may be in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devinotify import phones
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from devinotify.models import Message, Outcome


def due_at(send_at: datetime, recipient: str) -> datetime:
    """Return the instant by which ``send_at`` has come for ``recipient``: aware, in UTC.

    An aware one is that instant. A naive one is the recipient's wall clock: it has come when the latest clock of the
    number's own zones shows it. Where the plan knows no zone of the number, the clock of UTC counts.
    """
    return max(instants_of(send_at, recipient))


def instants_of(send_at: datetime, recipient: str) -> list[datetime]:
    """Return the instants at which ``send_at`` may have come for ``recipient``, at least one: aware, in UTC."""
    if send_at.utcoffset() is not None:
        return [send_at.astimezone(UTC)]
    instants = [send_at.replace(tzinfo=zone).astimezone(UTC) for zone in _zones(recipient)]
    return instants or [send_at.replace(tzinfo=UTC)]


def timed(outcome: Outcome, message: Message) -> Outcome:
    """Return the outcome of a message by the recipient's clock with the instant of it, from which patience runs."""
    send_at, receipt = message.send_at, outcome.receipt
    if receipt is None or send_at is None or send_at.utcoffset() is not None:
        return outcome
    return replace(outcome, receipt=replace(receipt, sent_at=due_at(send_at, outcome.recipient)))


def _zones(recipient: str) -> list[ZoneInfo]:
    try:
        names = phones.time_zones(recipient)
    except InvalidInput:  # what is not a number has no zone, and is refused where it is sent
        return []
    zones = []
    for name in names:
        try:
            zones.append(ZoneInfo(name))
        except ZoneInfoNotFoundError:  # the machine has no zone database, or an older one
            continue
    return zones
