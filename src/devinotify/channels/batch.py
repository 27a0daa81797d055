"""Sending one text to many, so that a bad number never stops the good ones. Pure.

A bulk is all or nothing: where the gateway refuses it because of a recipient, nothing was sent, so its halves
may be tried, and their halves, until the culprit stands alone. That takes at most 2·log2(n) further requests
for each culprit, and nothing is sent twice.

A refusal that names nobody (no right, no such operation) may mean one number all the same, or the account. It is
divided in the same way, until somebody passes; where some are refused alone and nobody has passed, it is the account,
and the rest is not tried.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from devinotify.accepted import Accepted
from devinotify.exceptions import (
    DevinotifyError,
    Forbidden,
    InvalidArgument,
    InvalidInput,
    InvalidOperation,
    InvalidPhoneNumber,
    Unauthorized,
    Verdict,
    ViberRejected,
)
from devinotify.gateway.codes import VIBER_WORDS
from devinotify.models import Attempt, BulkReceipt, Outcome
from devinotify.redact import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from devinotify.models import Receipt

BATCH = 1000
"""Recipients in one bulk request."""

REFUSED_ALONE = 3
"""Recipients that may be refused alone for nobody's sake, while nobody passes, before it is taken for the account's."""

_ADDRESS_WORDS = frozenset({"error-address-format", "error-address-unknown", "error-address-not-specified"})
_ACCOUNT_WORDS = frozenset(word for word, row in VIBER_WORDS.items() if row.of_account)
_NOTHING_SENT = frozenset({Verdict.REJECTED, Verdict.NOT_SENT})


def blames_a_recipient(error: DevinotifyError) -> bool:
    """Whether a bulk was refused, with nothing sent, for some of its recipients, so that the others may pass."""
    if error.verdict not in _NOTHING_SENT:
        return False
    if isinstance(error, ViberRejected):
        return error.reason in _ADDRESS_WORDS
    return isinstance(error, InvalidArgument | InvalidPhoneNumber)


def names_nobody(error: DevinotifyError) -> bool:
    """Whether a bulk was refused for a reason that may be one of its recipients, or the account, and does not say."""
    return error.verdict is Verdict.REJECTED and isinstance(error, Forbidden | InvalidOperation)


def is_of_account(error: DevinotifyError) -> bool:
    """Whether Viber refused the account, with a word that names it: no message of it would pass."""
    return isinstance(error, ViberRejected) and error.reason in _ACCOUNT_WORDS and error.verdict is Verdict.REJECTED


def ends_it(error: DevinotifyError) -> bool:
    """Whether the next request would end as this one did: the gateway is out of reach, or refuses login or account."""
    if isinstance(error, Unauthorized) or is_of_account(error):
        return True
    return error.verdict is Verdict.NOT_SENT and not isinstance(error, InvalidInput)


def deliver(
    channel: str,
    recipients: Sequence[str],
    post: Callable[[Secrets[str]], Iterable[Receipt]],
    *,
    batch: int = BATCH,
) -> Sequence[Outcome]:
    """Return one Outcome per recipient, in their order; ``post`` sends to a batch and gives its Receipts in order.

    ``recipients`` are distinct. Once a batch provably never reached the gateway, or the login was refused, the rest
    is not tried: it ends with the same error.
    """
    bisection = _Bisection(channel, post)
    for start in range(0, len(recipients), batch):
        bisection.send(recipients[start : start + batch])
    told = bisection.told
    return told[0] if len(told) == 1 else [*chain.from_iterable(told)]


class _Bisection:
    """A send to many that halves what is refused, and what became of it so far."""

    def __init__(self, channel: str, post: Callable[[Secrets[str]], Iterable[Receipt]]) -> None:
        self.told: list[Sequence[Outcome]] = []  # in the order of the recipients
        self._channel = channel
        self._post = post
        self._ended: DevinotifyError | None = None
        self._passed = False
        self._alone = 0  # refused alone, for nobody's sake

    def send(self, some: Sequence[str], *, guilty: bool = False) -> bool:
        """Send to some, and return whether all were accepted; ``guilty``: a culprit is known to be among them."""
        if not guilty or len(some) == 1:
            error = self._try(some)
            if error is None:
                return True
            if len(some) == 1 or not self._divides(error):
                self._refused(error, len(some))
                self.told.append([failed(self._channel, recipient, error) for recipient in some])
                return False
        middle = len(some) // 2
        # Where the first half is innocent the other is not, and need not be asked as a whole.
        innocent = self.send(some[:middle])
        self.send(some[middle:], guilty=innocent)
        return False

    def _divides(self, error: DevinotifyError) -> bool:
        return blames_a_recipient(error) or (names_nobody(error) and self._ended is None)

    def _refused(self, error: DevinotifyError, count: int) -> None:
        if count == 1 and names_nobody(error):
            self._alone += 1
            if self._alone >= REFUSED_ALONE and not self._passed:
                self._ended = error

    def _try(self, some: Sequence[str]) -> DevinotifyError | None:
        if self._ended is not None:
            return self._ended
        try:
            receipts = self._post(Secrets(some))
        except DevinotifyError as error:
            del some  # this frame is seen wherever the error is
            if ends_it(error):
                self._ended = error
            return error
        self._passed = True
        self.told.append(_all_accepted(self._channel, some, receipts))
        return None


def accepted(channel: str, recipient: str, receipt: Receipt) -> Outcome:
    """Return the Outcome of a message that the gateway took."""
    attempt = Attempt(channel, Verdict.ACCEPTED, receipt)
    return Outcome(recipient, Verdict.ACCEPTED, channel, receipt, None, (attempt,))


def _all_accepted(channel: str, recipients: Sequence[str], receipts: Iterable[Receipt]) -> Sequence[Outcome]:
    """Return what ``accepted`` does of each."""
    if isinstance(receipts, BulkReceipt):
        return Accepted(channel, tuple(recipients), receipts)
    return [accepted(channel, recipient, receipt) for recipient, receipt in zip(recipients, receipts, strict=True)]


def failed(channel: str, recipient: str, error: DevinotifyError) -> Outcome:
    """Return the Outcome of a message that ended in ``error``; the verdict is the error's."""
    return Outcome(
        recipient=recipient,
        verdict=error.verdict,
        channel=channel,
        error=error,
        attempts=(Attempt(channel, error.verdict, error=error),),
    )
