"""Where each recipient of a campaign stands, in one word: the parts of the whole that a report shows. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from devinotify.bulk.tally import Category, category
from devinotify.gateway.codes import STATE_LIFETIME
from devinotify.outbox import RowState

if TYPE_CHECKING:
    from devinotify.outbox import Row


class Part(StrEnum):
    """What became of one number of the list, each of them counted once, in the order in which they are shown."""

    DELIVERED = "delivered"
    """It reached the phone."""
    UNDER_WAY = "under_way"
    """The gateway took it, and its delivery is still to be told."""
    FAILED = "failed"
    """The gateway took it, and it was not delivered."""
    REJECTED = "rejected"
    """The gateway refused it."""
    UNKNOWN = "unknown"
    """It may have been sent, or was sent and nobody tells what became of it."""
    NOT_SENT = "not_sent"
    """It waits to be sent, or was not sent."""
    INVALID = "invalid"
    """What stands in the list is not a number that a message can be sent to."""


_DECIDED = {RowState.DELIVERED: Part.DELIVERED, RowState.FAILED: Part.FAILED}


def part_of(row: Row, now: float) -> Part:
    """Return where a row of the journal stands at an instant, in seconds since the epoch.

    What was accepted is under way for as long as its delivery is watched, or the gateway tells it: two days.
    """
    if row.state in _DECIDED:
        return _DECIDED[row.state]
    one = category(row)
    if one is not Category.ACCEPTED:
        return Part(one.value)
    told = row.next_poll_at is not None or row.sent_at is None or now < row.sent_at + STATE_LIFETIME
    return Part.UNDER_WAY if told else Part.UNKNOWN
