"""How many rows an outbox holds: where it is full, what has ended makes room, and the rest is dropped and counted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from devinotify.outbox.states import FINISHED, RowState
from devinotify.outbox.store import DROPPED, FORGOTTEN

if TYPE_CHECKING:
    from devinotify.outbox.store import Transaction

T = TypeVar("T")

MAX_ROWS = 1_000_000
"""Rows that an outbox in a file or in memory holds unless it is told otherwise."""


class Room:
    """The most rows that an outbox may hold (``None``: without a bound), and from which id on they are counted.

    Ids are never used twice, so there are at most as many rows as the highest id says, and counting can wait for long.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.sure_up_to = math.inf if most is None else most
        """The id up to which there is room for a row without a look."""

    @property
    def bounded(self) -> bool:
        """Whether there is a bound."""
        return self._most is not None

    def fit(self, transaction: Transaction, offered: tuple[T, ...]) -> tuple[T, ...]:
        """Return as many of what is offered as there is room for, and count the rest as dropped."""
        if self._most is None:
            return offered
        last = transaction.last_id()
        if last + len(offered) <= self.sure_up_to:
            return offered
        room = max(self._left(transaction, last, len(offered)), 0)
        transaction.add_to(DROPPED, len(offered[room:]))
        return offered[:room]

    def keep(self, transaction: Transaction, number: int) -> bool:
        """Return whether the row that was just added fits; where it does not, it is taken out again and counted."""
        if self._left(transaction, number, 0) >= 0:
            return True
        # Unless a worker was quicker: what is claimed is no longer ours to drop.
        queued = [row.id for row in transaction.rows([number]) if row.state is RowState.QUEUED]
        transaction.add_to(DROPPED, transaction.remove(queued))
        return not queued

    def _left(self, transaction: Transaction, last: int, needed: int) -> int:
        """Return for how many more rows there is room, made if need be; negative where there are too many already."""
        assert self._most is not None  # noqa: S101 - the callers have asked
        room = self._most - transaction.total()
        # Nothing is remembered of a count that this transaction, which may yet fail, has changed.
        self.sure_up_to = last + max(room, 0) if room >= needed else 0
        if room < needed:
            # Some more than is needed goes, so that a full outbox is not counted for every row.
            removed = transaction.remove(transaction.finished(FINISHED, needed - room + self._most // 100))
            transaction.add_to(FORGOTTEN, removed)
            room += removed
        return room
