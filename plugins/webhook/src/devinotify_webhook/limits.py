"""How much a receiver may cause to be sent: so many SMS an hour, then a pause that each team is told of once.

The counts and the pauses are the outbox's, so they hold over restarts and for all who share it. A message is counted
before it is stored, so that several processes store no more than the limit between them, and what was not stored after
all is given back: it must not be what keeps an alert from being sent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from devinotify import DevinotifyError

from devinotify_webhook.errors import NotStored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify import Outbox

    from devinotify_webhook.config import Receiver
    from devinotify_webhook.keys import Key

log: logging.Logger = logging.getLogger(__name__)

HOUR = 3600.0
BEGINNING = 5.0
"""Seconds that a process has to write down the pause that it begins, before another one may."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing more is sent until then (seconds since the epoch); ``told`` are the teams that know of it."""

    until: float
    told: tuple[str, ...] = ()

    @property
    def at(self) -> str:
        """When it ends, in UTC."""
        return datetime.fromtimestamp(self.until, UTC).isoformat(timespec="seconds")

    def announcement(self, more: int, noun: str) -> str:
        """Return the last text before it; the time is that of this machine's zone."""
        at = datetime.fromtimestamp(self.until, UTC).astimezone()
        return f"{more} more {noun}{'' if more == 1 else 's'}, paused until {at:%H:%M %Z}"


def team(to: Sequence[str]) -> str:
    """Return what stands for those who get the same messages; it tells no number."""
    return sha256("\n".join(to).encode()).hexdigest()[:16]


def pause(outbox: Outbox, receiver: Receiver) -> Pause | None:
    """Return the pause that a receiver is in, or ``None``."""
    known = outbox.recall(_pause(receiver))
    if known is None:
        return None
    until, *told = known.split()
    return Pause(float(until), tuple(told)) if outbox.now() < float(until) else None


def begin(outbox: Outbox, receiver: Receiver) -> Pause:
    """Return the pause that begins now, or that another process has begun meanwhile.

    Raises NotStored where another process is about to.
    """
    if not outbox.allow(_pause(receiver), 1, BEGINNING):
        found = pause(outbox, receiver)
        if found is None:
            raise NotStored("another process may be beginning a pause: posted again, it is told")
        return found
    begun = Pause(outbox.now() + HOUR)
    _write(outbox, receiver, begun)
    return begun


def told(outbox: Outbox, receiver: Receiver, begun: Pause, who: str) -> None:
    """Write down that a team was told of a pause: after its announcement was stored, so that none is silent."""
    known = pause(outbox, receiver) or begun
    if who not in known.told:
        _write(outbox, receiver, Pause(known.until, (*known.told, who)))


def _write(outbox: Outbox, receiver: Receiver, written: Pause) -> None:
    outbox.remember(_pause(receiver), " ".join([repr(written.until), *written.told]))


def _pause(receiver: Receiver) -> str:
    return f"webhook.pause.{receiver.name}"


class Use:
    """What one message takes of a receiver's limit, as long as it is being stored; used by one thread.

    Under its key it is taken once, by whichever process: one that ended before it stored the message, or before it gave
    the use back, has taken it for the one that is posted the message again.
    """

    def __init__(self, outbox: Outbox, receiver: Receiver, key: Key | None) -> None:
        self._outbox = outbox
        self._receiver = receiver.name
        self._count = f"webhook.{receiver.name}"
        self._mark = None if key is None else f"webhook.use.{key.base}"
        self._is_first = self._mark is None or outbox.allow(self._mark, 1, HOUR)
        self._taken = 0

    def take(self, limit: int, recipients: int) -> bool:
        """Count one for each recipient, if they are within the limit; tell whether."""
        if not self._is_first:
            return True
        if not self._outbox.allow(self._count, limit, HOUR, uses=recipients):
            return False
        self._taken = recipients
        return True

    def end(self, stored: int) -> None:
        """Give back what was taken for more than was stored. Raises nothing: what is stored is stored."""
        try:
            if self._taken > stored:
                self._outbox.give_back(self._count, uses=self._taken - stored)
            if self._mark is not None and (self._is_first or stored):
                self._outbox.give_back(self._mark)
        except DevinotifyError as error:  # the mark is still there: posted again, it is not counted again
            log.warning("receiver %s: its limit could not be written down: %s", self._receiver, error)
