"""How much a receiver may cause to be sent: so many SMS an hour, then a pause that is announced once.

The counts and the pauses are the outbox's, so they hold over restarts and for all who share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devinotify import Outbox

    from devinotify_webhook.config import Receiver

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing more is sent until then (seconds since the epoch); ``begins`` with this message, which was the first."""

    until: float
    begins: bool

    @property
    def at(self) -> str:
        """When it ends, in UTC."""
        return datetime.fromtimestamp(self.until, UTC).isoformat(timespec="seconds")

    def announcement(self, more: int, noun: str) -> str:
        """Return the last text before it; the time is that of this machine's zone."""
        at = datetime.fromtimestamp(self.until, UTC).astimezone()
        return f"{more} more {noun}{'' if more == 1 else 's'}, paused until {at:%H:%M %Z}"


def pause(outbox: Outbox, receiver: Receiver, recipients: int) -> Pause | None:
    """Count a message to so many recipients; return the pause that keeps it from being sent, or ``None``."""
    if receiver.limit is None:
        return None
    now = outbox.now()
    known = outbox.recall(_name(receiver))
    if known is not None and now < float(known):
        return Pause(float(known), begins=False)
    if all(outbox.allow(f"webhook.{receiver.name}", receiver.limit, HOUR) for _ in range(recipients)):
        return None
    return Pause(now + HOUR, begins=True)


def begin(outbox: Outbox, receiver: Receiver, started: Pause) -> None:
    """Begin a pause: after its announcement was stored, so that none is silent."""
    outbox.remember(_name(receiver), repr(started.until))


def _name(receiver: Receiver) -> str:
    return f"webhook.pause.{receiver.name}"
