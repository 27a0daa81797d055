"""When a message that is scheduled by the recipient's own clock is due: by the zones that the number may be in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devinotify import phones
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """Return the outcome of a message by the recipient's clock with the instant of it, from which patience runs.

    Where it has come already, though not everywhere on earth, the gateway has just sent it.
    """
    send_at, receipt = message.send_at, outcome.receipt
    if receipt is None or send_at is None or send_at.utcoffset() is not None:
        return outcome
    told = replace(receipt, sent_at=max(due_at(send_at, outcome.recipient), datetime.now(UTC)))
    attempts = [replace(each, receipt=told) if each.receipt == receipt else each for each in outcome.attempts]
    return replace(outcome, receipt=told, attempts=tuple(attempts))


def all_timed(outcomes: Sequence[Outcome], message: Message) -> Sequence[Outcome]:
    """Return the outcomes of a message as ``timed`` does: the very same where its time is not a wall clock's."""
    if message.send_at is None or message.send_at.utcoffset() is not None:
        return outcomes
    return [timed(outcome, message) for outcome in outcomes]


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
