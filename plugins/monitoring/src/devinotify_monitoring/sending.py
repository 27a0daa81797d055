"""Stores a notification once, sends it unless a worker does, and tells what became of it.

Each is stored before it is sent: a host that kills the command while it waits for the gateway, and runs it again, finds
a row that is not sent a second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devinotify import DevinotifyError, Notifier, RowState, Worker, mask_number
from devinotify.translation import N_, _, told

from devinotify_monitoring.exits import STATUSES, AlertStatus, worst
from devinotify_monitoring.keys import key_of
from devinotify_monitoring.rendering import SEGMENTS, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify import DevinoURL, Enqueued, Outbox

    from devinotify_monitoring.keys import Key
    from devinotify_monitoring.notice import Notice

URGENT = "urgent"
"""The tag of what plugins must not hold back at night."""

_SAID = {
    AlertStatus.ACCEPTED: N_("the alert to {recipient} accepted"),
    AlertStatus.UNKNOWN: N_("the alert to {recipient} may or may not have been sent, and is not sent again"),
    AlertStatus.NOT_SENT: N_("the alert to {recipient} was not sent"),
    AlertStatus.REJECTED: N_("the alert to {recipient} was refused"),
    AlertStatus.WAITING: N_("the alert to {recipient} was not sent yet, and stays in the outbox"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """A notice with whom it is for, and how it is to be told.

    ``to`` is empty where the URL's own targets get it. ``key`` stands for the notice where it is given; ``enqueue``
    leaves the sending to a worker. ``deadline`` is after how many seconds it is not sent any more.
    """

    profile: str
    notice: Notice
    to: tuple[str, ...]
    enqueue: bool
    deadline: int
    key: str | None = None
    channel: str | None = None
    max_segments: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an order, and a line for each thing that is to be said of it, with masked numbers."""

    status: AlertStatus
    lines: tuple[str, ...]


def carry_out(url: DevinoURL, order: Order) -> Told:
    """Store an order, and send it unless a worker does; a known one is not stored again.

    Raises DevinotifyError where account or outbox cannot be used.
    """
    with Notifier(url) as notifier:
        worker = Worker(notifier, connections=1, looks=False)
        key = key_of(
            order.profile,
            order.notice,
            order.to or url.targets,
            account=url.account,
            channel=order.channel,
            given=order.key,
        )
        stored = notifier.enqueue(
            line(order.notice, order.max_segments or url.max_segments or SEGMENTS, transliterate=url.transliterate),
            order.to or None,
            key=_current(worker.outbox, key),
            channel=order.channel,
            tags=URGENT,
            deadline=datetime.fromtimestamp(worker.outbox.now() + order.deadline, UTC),
        )
        ends = [
            (AlertStatus.NOT_SENT, _said(recipient, AlertStatus.NOT_SENT, str(error)))
            for recipient, error in stored.refused.items()
        ]
        if order.enqueue:
            ends += [(AlertStatus.STORED, _kept(recipient, stored)) for recipient in stored.rows]
        else:
            ends += _sent(worker, list(stored.rows.values()))
    return Told(worst(status for status, _line in ends), tuple(text for _status, text in ends))


def _sent(worker: Worker, rows: Sequence[int]) -> list[tuple[AlertStatus, str]]:
    """Send what is due, and return what became of these rows.

    A signal ends it after what is being sent: what the gateway has answered is written down.
    """
    worker.run(once=True, signals=True)
    found = []
    for row in worker.outbox.get_all(rows):
        status = STATUSES[row.state]
        reason = row.error_text or (worker.error if row.state is RowState.QUEUED else None)
        found.append((status, _said(row.recipient, status, "" if reason is None else str(reason))))
    return found


def _current(outbox: Outbox, key: Key) -> str:
    """Return the key to store under now: that of the window before where its message is younger than a window."""
    now, before = outbox.now(), None
    if (earlier := key.before(now)) is not None and (rows := outbox.find(earlier)):
        before = outbox.message(rows[0].message_id)
    if before is not None and key.window is not None and now - before.created_at.timestamp() < key.window:
        return str(before.key)
    return key.at(now)


def _said(recipient: str, status: AlertStatus, reason: str) -> str:
    return _(_SAID[status], recipient=mask_number(recipient)) + (f": {told(reason)}" if reason else "")


def _kept(recipient: str, stored: Enqueued) -> str:
    number = mask_number(recipient)
    if stored.known:
        return _("the alert to {recipient} was stored before", recipient=number)
    return _("the alert to {recipient} is stored for a worker", recipient=number)


def status_of(error: DevinotifyError) -> AlertStatus:
    """Return what is told of an error that ended it all: what is worth trying again, or what is set up wrongly."""
    return AlertStatus.NOT_STORED if error.retryable else AlertStatus.MISTAKE
