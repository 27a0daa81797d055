"""What became of a notification, and what each host is told of it by the exit code. Pure.

The outbox sees to it that a repetition sends nothing twice, whatever a host does. The codes say what helps: a
repetition where something is still to be done, and a failure that the operator sees where something is wrong.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify import RowState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class AlertStatus(StrEnum):
    """What became of a notification, for one recipient or, the worst of them, for all; the worse later."""

    ACCEPTED = "accepted"
    """The gateway took it."""
    STORED = "stored"
    """It is in the outbox, and a worker sends it."""
    UNKNOWN = "unknown"
    """It may or may not have been sent, and is not sent again."""
    NOT_SENT = "not sent"
    """It was refused before it was sent, and is tried no more."""
    REJECTED = "rejected"
    """The gateway refused it."""
    WAITING = "waiting"
    """It was not sent, and waits in the outbox to be tried again."""
    NOT_STORED = "not stored"
    """The outbox cannot be written at the moment; nothing was sent."""
    MISTAKE = "mistake"
    """Something is set up wrongly; nothing was sent."""


STATUSES: Mapping[RowState, AlertStatus] = MappingProxyType(
    {
        RowState.QUEUED: AlertStatus.WAITING,
        RowState.CLAIMED: AlertStatus.UNKNOWN,  # another process is sending it, or was killed while it did
        RowState.ACCEPTED: AlertStatus.ACCEPTED,
        RowState.DELIVERED: AlertStatus.ACCEPTED,
        RowState.FAILED: AlertStatus.ACCEPTED,
        RowState.REJECTED: AlertStatus.REJECTED,
        RowState.NOT_SENT: AlertStatus.NOT_SENT,
        RowState.UNKNOWN: AlertStatus.UNKNOWN,
    }
)
"""State of a row after this process has sent what was due -> what is told of it."""

_REPEATS = 1
_FAILED = 1
_FAILED_FOR_GOOD = 2
_MISTAKE = 2
"""What devinotify's other commands exit with for wrong usage, and click before a host is known."""

_SENT: Mapping[AlertStatus, int] = MappingProxyType({AlertStatus.ACCEPTED: 0, AlertStatus.STORED: 0})
_NEVER_REPEATS: Mapping[AlertStatus, int] = MappingProxyType(
    {**dict.fromkeys(AlertStatus, _FAILED), **_SENT, AlertStatus.MISTAKE: _MISTAKE}
)

EXITS: Mapping[str, Mapping[AlertStatus, int]] = MappingProxyType(
    {
        # It repeats whatever fails, three times unless it is told otherwise, and then shows "Failed" with what was
        # said. A refusal is worth being shown: what repeats it finds the same row, and asks the gateway nothing.
        "zabbix": MappingProxyType(
            {**dict.fromkeys(AlertStatus, _REPEATS), **_SENT, AlertStatus.UNKNOWN: 0, AlertStatus.MISTAKE: _MISTAKE},
        ),
        # 1 is "again later", 2 and more "failed, and not again".
        "checkmk": MappingProxyType(
            {
                **dict.fromkeys(AlertStatus, _FAILED_FOR_GOOD),
                **_SENT,
                AlertStatus.WAITING: _REPEATS,
                AlertStatus.NOT_STORED: _REPEATS,
            }
        ),
        # They log a failure, and never run a notification again.
        "nagios": _NEVER_REPEATS,
        "icinga": _NEVER_REPEATS,
    }
)
"""Host -> what became of a notification -> the exit code that says so."""


def worst(statuses: Iterable[AlertStatus]) -> AlertStatus:
    """Return the status that stands for several: what is to be tried again comes before what is over."""
    order = list(AlertStatus)
    return max(statuses, key=order.index)
