"""What one of all who share a store does alone, for as long as it lives. No SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devinotify.outbox.store import Transaction

TURN = "duty"
"""The name of the text that is written first, so that in a database, too, one looks after the other."""


NOBODY = ""
"""The holder of a duty that was laid down."""


def _note_of(duty: str) -> str:
    """Return the name of the text that tells whose a duty is."""
    return f"duty.{duty}"


def holder(transaction: Transaction, duty: str) -> str | None:
    """Return the worker who has a duty, alive or not, or ``None`` where nobody has had it."""
    return transaction.recall(_note_of(duty))


def lay_down(transaction: Transaction, duty: str, worker: str) -> None:
    """Make a duty nobody's where it is ``worker``'s."""
    transaction.remember(TURN, duty)
    if holder(transaction, duty) == worker:
        transaction.remember(_note_of(duty), NOBODY)


def take(transaction: Transaction, duty: str, worker: str, gone: str | None) -> bool:
    """Make a duty ``worker``'s, and return whether it is: not where somebody was quicker than this, after ``gone``."""
    transaction.remember(TURN, duty)
    if holder(transaction, duty) not in (gone, worker):
        return False
    transaction.remember(_note_of(duty), worker)
    return True
