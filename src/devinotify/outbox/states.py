"""The life of a row as tables: its states, what may follow what, and when to try or look again. Pure.

::

    queued ──> claimed ──> accepted ──> delivered
       ^          │  │         └──────> failed
       │          │  ├───> rejected
       └──────────┘  ├───> not_sent
      (not_sent and  └───> unknown
       worth retrying)
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput, Verdict
from devinotify.gateway.codes import STATE_LIFETIME
from devinotify.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Mapping


class RowState(StrEnum):
    """Where one recipient's step on one channel stands."""

    QUEUED = "queued"
    """Waiting to be sent, now or after a backoff."""
    CLAIMED = "claimed"
    """A worker has committed to sending it; until that worker tells, its fate is open."""
    ACCEPTED = "accepted"
    """The gateway took it; its delivery may be watched."""
    REJECTED = "rejected"
    """The gateway refused it; nothing was sent."""
    NOT_SENT = "not_sent"
    """It provably never reached the gateway, or our own checks refused it, and it is tried no more."""
    UNKNOWN = "unknown"
    """It may or may not have been sent; it is never resent by itself."""
    DELIVERED = "delivered"
    """It reached the handset."""
    FAILED = "failed"
    """The gateway had accepted it, and it ended undelivered."""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the send that it stands for; ``None`` where that is still open: queued or claimed."""
        return VERDICT_OF.get(self)


VERDICT_OF: Mapping[RowState, Verdict] = MappingProxyType(
    {
        RowState.REJECTED: Verdict.REJECTED,
        RowState.NOT_SENT: Verdict.NOT_SENT,
        RowState.UNKNOWN: Verdict.UNKNOWN,
        RowState.ACCEPTED: Verdict.ACCEPTED,
        RowState.DELIVERED: Verdict.ACCEPTED,
        RowState.FAILED: Verdict.ACCEPTED,
    }
)
"""The verdict that a state stands for; the others stand for none yet."""


CODES: Mapping[RowState, int] = MappingProxyType({state: code for code, state in enumerate(RowState)})
"""The number that stands for a state in the file; the order of RowState is therefore part of the format."""

STATES: tuple[RowState, ...] = tuple(RowState)
"""The state of each number in the file."""

TRANSITIONS: Mapping[RowState, frozenset[RowState]] = MappingProxyType(
    {
        RowState.QUEUED: frozenset({RowState.CLAIMED}),
        RowState.CLAIMED: frozenset(
            {RowState.ACCEPTED, RowState.REJECTED, RowState.NOT_SENT, RowState.UNKNOWN, RowState.QUEUED}
        ),
        RowState.ACCEPTED: frozenset({RowState.DELIVERED, RowState.FAILED}),
        RowState.REJECTED: frozenset(),
        RowState.NOT_SENT: frozenset(),
        RowState.UNKNOWN: frozenset(),
        RowState.DELIVERED: frozenset(),
        RowState.FAILED: frozenset(),
    }
)
"""What happens by itself."""

LATE: Mapping[RowState, frozenset[RowState]] = MappingProxyType(
    {RowState.UNKNOWN: TRANSITIONS[RowState.CLAIMED], RowState.QUEUED: frozenset({RowState.ACCEPTED})}
)
"""What a claim's own outcome still makes of a row that was given up meanwhile: the truth came late, and wins.

Where a person has queued it again since, that it went out is all that counts: anything else would take the wish away.
"""

RETRIES: Mapping[RowState, bool] = MappingProxyType(
    {RowState.REJECTED: False, RowState.NOT_SENT: False, RowState.UNKNOWN: True}
)
"""What a person may queue again, and whether that takes force because it may send a message twice."""

STEPS: frozenset[RowState] = frozenset(
    {RowState.ACCEPTED, RowState.REJECTED, RowState.NOT_SENT, RowState.UNKNOWN, RowState.FAILED}
)
"""What a fallback may go on from to the next channel."""

FINISHED: frozenset[RowState] = frozenset(
    {RowState.REJECTED, RowState.NOT_SENT, RowState.DELIVERED, RowState.FAILED, RowState.ACCEPTED}
)
"""What may make room in a full store once nobody watches it: all but what is queued, in flight or unknown."""

VERDICTS: Mapping[Verdict, RowState] = MappingProxyType(
    {
        Verdict.ACCEPTED: RowState.ACCEPTED,
        Verdict.REJECTED: RowState.REJECTED,
        Verdict.NOT_SENT: RowState.NOT_SENT,
        Verdict.UNKNOWN: RowState.UNKNOWN,
    }
)
"""The state that a verdict leads to."""

RETRY_FOR = 24 * 3600.0
"""Seconds for which a row is tried where its message names no deadline."""

BACKOFF = Backoff(first=5.0, factor=2.0, most=900.0, jitter=0.5)
"""Seconds before each further attempt; by the jitter, workers that failed together do not come back together."""

POLL_FIRST = 15.0
"""Seconds from the sending to the first look at its delivery."""

POLL_MOST = 1800.0
"""Seconds, at most, between two looks at a delivery."""

WATCH_FOR = float(STATE_LIFETIME)
"""Seconds from the sending after which a watch closes: the gateway forgets the state then."""


def require(before: RowState, after: RowState) -> None:
    """Return where ``after`` may follow ``before``, and raise InvalidInput where it may not."""
    if after not in TRANSITIONS[before]:
        raise InvalidInput(f"a row that is {before} cannot become {after}")


def poll_delay(age: float, first: float = POLL_FIRST) -> float:
    """Return the seconds until the next look at a delivery ``age`` seconds old: a quarter of its age, bounded."""
    return min(max(first, age / 4), max(first, POLL_MOST))
