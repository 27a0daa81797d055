"""When a message that is scheduled by the recipient's own clock is due: by the zones that the number may be in."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devinotify import phones
from devinotify.exceptions import InvalidInput


def due_at(send_at: datetime, recipient: str) -> datetime:
    """Return the instant by which ``send_at`` has come for ``recipient``: aware, in UTC.

    An aware one is that instant. A naive one is the recipient's wall clock: it has come when the latest clock of the
    number's own zones shows it. Where the plan knows no zone of the number, the clock of UTC counts.
    """
    if send_at.utcoffset() is not None:
        return send_at.astimezone(UTC)
    instants = [send_at.replace(tzinfo=zone).astimezone(UTC) for zone in _zones(recipient)]
    return max(instants, default=send_at.replace(tzinfo=UTC))


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
