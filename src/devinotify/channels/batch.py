"""Sending one text to many, so that a bad number never stops the good ones.

A bulk is all or nothing: where the gateway refuses it because of a recipient, nothing was sent, so its halves
may be tried, and their halves, until the culprit stands alone. That takes at most 2·log2(n) further requests
for each culprit, and nothing is sent twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import (
    DevinotifyError,
    InvalidArgument,
    InvalidPhoneNumber,
    NotSent,
    Verdict,
    ViberRejected,
)
from devinotify.models import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from devinotify.models import Receipt

BATCH = 1000
"""Recipients in one bulk request."""

_ADDRESS_WORDS = frozenset({"error-address-format", "error-address-unknown", "error-address-not-specified"})


def blames_a_recipient(error: DevinotifyError) -> bool:
    """Whether a refused bulk may have been refused for some of its recipients, so that the others may pass."""
    if isinstance(error, ViberRejected):
        return error.reason in _ADDRESS_WORDS
    return isinstance(error, InvalidArgument | InvalidPhoneNumber) and error.verdict is not Verdict.UNKNOWN


def deliver(
    channel: str,
    recipients: Sequence[str],
    post: Callable[[Sequence[str]], Iterable[Receipt]],
    *,
    batch: int = BATCH,
) -> list[Outcome]:
    """Return one Outcome per recipient, in their order; ``post`` sends to a batch and gives its Receipts in order.

    Once a batch provably never reached the gateway, the rest is not tried: it is ``not_sent`` with the same error.
    """
    found: dict[str, Outcome] = {}
    waiting = [recipients[start : start + batch] for start in range(0, len(recipients), batch)]
    waiting.reverse()
    unreachable: NotSent | None = None
    while waiting:
        some = waiting.pop()
        error: DevinotifyError
        if unreachable is not None:
            error = unreachable
        else:
            try:
                receipts = post(some)
                found.update(
                    (recipient, accepted(channel, recipient, receipt))
                    for recipient, receipt in zip(some, receipts, strict=True)
                )
                continue
            except NotSent as failure:
                error = unreachable = failure
            except DevinotifyError as failure:
                error = failure
        if len(some) > 1 and blames_a_recipient(error):
            middle = len(some) // 2
            waiting += [some[middle:], some[:middle]]
            continue
        found.update((recipient, failed(channel, recipient, error)) for recipient in some)
    return [found[recipient] for recipient in recipients]


def accepted(channel: str, recipient: str, receipt: Receipt) -> Outcome:
    """Return the Outcome of a message that the gateway took."""
    attempt = Attempt(channel, Verdict.ACCEPTED, receipt)
    return Outcome(recipient, Verdict.ACCEPTED, channel, receipt, None, (attempt,))


def failed(channel: str, recipient: str, error: DevinotifyError) -> Outcome:
    """Return the Outcome of a message that ended in ``error``; the verdict is the error's."""
    return Outcome(
        recipient=recipient,
        verdict=error.verdict,
        channel=channel,
        error=error,
        attempts=(Attempt(channel, error.verdict, error=error),),
    )
