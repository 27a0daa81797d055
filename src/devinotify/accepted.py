"""The outcomes of a bulk that was accepted as a whole, kept as what they share until somebody asks for one. Pure.

A campaign has a million outcomes, and mostly nobody looks at any: what is stored and counted of them stands in the one
receipt of the bulk.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, overload

from devinotify.exceptions import Verdict
from devinotify.models import Attempt, Outcome, by_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.models import BulkReceipt


class Accepted(Sequence[Outcome]):
    """One Outcome for each of ``recipients`` on ``channel``, in order, whom ``receipt`` is the acceptance of.

    They are made when the first is asked for. Raises ValueError where the receipt is for another number of recipients.
    """

    __slots__ = ("_made", "channel", "receipt", "recipients")

    def __init__(self, channel: str, recipients: tuple[str, ...], receipt: BulkReceipt) -> None:
        if len(receipt) != len(recipients):
            raise ValueError(f"a receipt for {len(receipt)} recipients in place of {len(recipients)}")
        self.channel: str = channel
        self.recipients: tuple[str, ...] = recipients
        self.receipt: BulkReceipt = receipt
        self._made: list[Outcome] | None = None

    def __len__(self) -> int:
        return len(self.recipients)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...

    @overload
    def __getitem__(self, index: slice) -> list[Outcome]: ...

    def __getitem__(self, index: int | slice) -> Outcome | list[Outcome]:
        return self._outcomes()[index]

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self._outcomes())

    def __repr__(self) -> str:
        return f"<Accepted {self.channel} to {len(self)} recipients>"

    @property
    def segments(self) -> int:
        """Segments that all of them have together, as far as the gateway told whose they are."""
        return (self.receipt.segments_per_recipient or 0) * len(self)

    def _outcomes(self) -> list[Outcome]:
        if self._made is None:
            count, receipts = len(self), list(self.receipt)
            channel, verdict, none = repeat(self.channel), repeat(Verdict.ACCEPTED), repeat(None)
            attempts = zip(by_columns(Attempt, count, channel, verdict, receipts, none), strict=True)
            self._made = by_columns(
                Outcome, count, self.recipients, verdict, channel, receipts, none, attempts, none, none
            )
        return self._made


def recipients_of(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return whom outcomes are of, in their order."""
    if isinstance(outcomes, Accepted):
        return outcomes.recipients
    return tuple([outcome.recipient for outcome in outcomes])


def has_accepted(outcomes: Sequence[Outcome]) -> bool:
    """Return whether some of the outcomes have no error."""
    return isinstance(outcomes, Accepted) or any(outcome.error is None for outcome in outcomes)


def segments_of(outcomes: Sequence[Outcome]) -> int:
    """Return how many segments the outcomes' receipts come to."""
    if isinstance(outcomes, Accepted):
        return outcomes.segments
    return sum(outcome.receipt.segments or 0 for outcome in outcomes if outcome.receipt is not None)
