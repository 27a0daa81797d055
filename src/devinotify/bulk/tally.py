"""Where every row of the input stands: the categories, which add up to the rows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.outbox import RowState

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from devinotify.outbox import Row


class Category(StrEnum):
    """What became of a row of the input, in one of five words."""

    ACCEPTED = "accepted"
    """The gateway took it; its delivery is another matter."""
    REJECTED = "rejected"
    """The gateway refused it."""
    INVALID = "invalid"
    """It is not a number that a message can be sent to."""
    NOT_SENT = "not_sent"
    """It waits to be sent, was not sent, or has a text that cannot be sent."""
    UNKNOWN = "unknown"
    """It may or may not have been sent."""


CATEGORIES: Mapping[RowState, Category] = MappingProxyType(
    {
        RowState.QUEUED: Category.NOT_SENT,
        # Of what is being sent nobody knows more until its worker tells.
        RowState.CLAIMED: Category.UNKNOWN,
        RowState.ACCEPTED: Category.ACCEPTED,
        RowState.REJECTED: Category.REJECTED,
        RowState.NOT_SENT: Category.NOT_SENT,
        RowState.UNKNOWN: Category.UNKNOWN,
        RowState.DELIVERED: Category.ACCEPTED,
        RowState.FAILED: Category.ACCEPTED,
    }
)
"""The category of each state of the journal; of ``not_sent``, the invalid numbers are a category of their own."""

_INVALID = "InvalidPhoneNumber"


def category(row: Row) -> Category:
    """Return the category of a row of the journal."""
    if row.state is RowState.NOT_SENT and row.error == _INVALID:
        return Category.INVALID
    return CATEGORIES[row.state]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows of the input are in each category; a repeated number counts where its first row does.

    The five add up to ``rows``. Of them, ``duplicates`` are repeated numbers, which were not sent again; ``waiting``
    recipients are queued, and ``in_flight`` ones are being sent by a process that lives. ``delivered`` and ``failed``
    recipients are accepted ones whose delivery is decided.
    """

    accepted: int = 0
    rejected: int = 0
    invalid: int = 0
    not_sent: int = 0
    unknown: int = 0
    duplicates: int = 0
    waiting: int = 0
    in_flight: int = 0
    delivered: int = 0
    failed: int = 0

    @property
    def rows(self) -> int:
        """Rows of the input."""
        return sum(self.of(each) for each in Category)

    def of(self, one: Category) -> int:
        """Return the number of rows in a category."""
        count: int = getattr(self, one.value)
        return count


def tally(states: Counter[RowState], categories: Counter[Category], duplicates: int) -> Tally:
    """Return the Tally from recipients by state, and rows by category."""
    return Tally(
        **{each.value: categories[each] for each in Category},
        duplicates=duplicates,
        waiting=states[RowState.QUEUED],
        in_flight=states[RowState.CLAIMED],
        delivered=states[RowState.DELIVERED],
        failed=states[RowState.FAILED],
    )
