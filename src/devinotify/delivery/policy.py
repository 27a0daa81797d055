"""What follows the first step of a fallback: the rules as tables. Pure.

What became of the SMS is one of eight fates; the policy says for each of them, and for either rule about an
unknown outcome, what is done next.
"""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify import exceptions as errors
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.models import DeliveryStatus
from devinotify.url import ON_UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping


class Fate(Enum):
    """What became of the first step."""

    DELIVERED = "it was delivered"
    WAITING = "it was accepted and is under way"
    OVERDUE = "it is under way, and patience is over"
    LOST = "it ended undelivered"
    REFUSED_HERE = "it was refused for a reason that the next channel may not share"
    REFUSED_EVERYWHERE = "it was refused for a reason that the next channel shares"
    UNREACHABLE = "it provably did not reach the gateway, and may be tried again"
    UNKNOWN = "it may or may not have been sent"


class NextStep(Enum):
    """What is done next."""

    NOTHING = "the story is over"
    WATCH = "look at its state again later"
    RETRY = "send the same again later"
    GO_ON = "send on the next channel"


_CONTINUE, _STOP = ON_UNKNOWN

POLICY: Mapping[tuple[Fate, str], NextStep] = MappingProxyType(
    {
        **{
            (fate, rule): step
            for rule in ON_UNKNOWN
            for fate, step in {
                Fate.DELIVERED: NextStep.NOTHING,
                Fate.WAITING: NextStep.WATCH,
                Fate.OVERDUE: NextStep.GO_ON,
                Fate.LOST: NextStep.GO_ON,
                Fate.REFUSED_HERE: NextStep.GO_ON,
                Fate.REFUSED_EVERYWHERE: NextStep.NOTHING,
                Fate.UNREACHABLE: NextStep.RETRY,
            }.items()
        },
        # Another channel is not a second send on the same one.
        (Fate.UNKNOWN, _CONTINUE): NextStep.GO_ON,
        (Fate.UNKNOWN, _STOP): NextStep.NOTHING,
    }
)
"""What follows each fate, under each rule of ``on_unknown``."""

REFUSALS: Mapping[type[DevinotifyError], Fate] = MappingProxyType(
    {
        # The request, the account or its balance is at fault, whatever the channel.
        errors.ArgumentMissing: Fate.REFUSED_EVERYWHERE,
        errors.InvalidArgument: Fate.REFUSED_EVERYWHERE,
        errors.InvalidSession: Fate.REFUSED_EVERYWHERE,
        errors.Unauthorized: Fate.REFUSED_EVERYWHERE,
        errors.NotEnoughCredits: Fate.REFUSED_EVERYWHERE,
        # A sender or a right that each channel has of its own.
        errors.InvalidOperation: Fate.REFUSED_HERE,
        errors.Forbidden: Fate.REFUSED_HERE,
        errors.ViberRejected: Fate.REFUSED_HERE,
        # Refused without a reason that we know: nothing was sent, so the next channel may try.
        errors.GatewayError: Fate.REFUSED_HERE,
        DevinotifyError: Fate.REFUSED_HERE,
    }
)
"""What a rejection by an error of this class, or of one derived from it, means for the next channel."""

STATES: Mapping[DeliveryStatus, Fate] = MappingProxyType(
    {
        DeliveryStatus.DELIVERED: Fate.DELIVERED,
        DeliveryStatus.READ: Fate.DELIVERED,
        DeliveryStatus.QUEUED: Fate.WAITING,
        DeliveryStatus.SENT: Fate.WAITING,
        DeliveryStatus.UNKNOWN: Fate.WAITING,
        DeliveryStatus.UNDELIVERED: Fate.LOST,
        DeliveryStatus.EXPIRED: Fate.LOST,
        DeliveryStatus.REJECTED: Fate.LOST,
        DeliveryStatus.DELETED: Fate.LOST,
        DeliveryStatus.STOPPED: Fate.LOST,
        DeliveryStatus.FAILED: Fate.LOST,
    }
)
"""What a delivery status means while patience lasts."""


def fate_of_send(verdict: Verdict, error: DevinotifyError | None) -> Fate:
    """Return what became of a first step that ended with ``verdict`` and ``error``."""
    if verdict is Verdict.ACCEPTED:
        return Fate.WAITING
    if verdict is Verdict.UNKNOWN:
        return Fate.UNKNOWN
    if verdict is Verdict.NOT_SENT:
        return Fate.UNREACHABLE if error is not None and error.retryable else Fate.REFUSED_EVERYWHERE
    kind = DevinotifyError if error is None else type(error)
    return next(REFUSALS[base] for base in kind.__mro__ if base in REFUSALS)


def fate_of_status(status: DeliveryStatus, *, overdue: bool) -> Fate:
    """Return what became of an accepted first step that is in ``status``; ``overdue`` when patience is over."""
    fate = STATES[status]
    return Fate.OVERDUE if overdue and fate is Fate.WAITING else fate
