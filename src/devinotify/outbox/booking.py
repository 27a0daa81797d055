"""Turns at a pace, each in one transaction: booked, looked up, changed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.outbox.pace import EVERYBODY, StoredPace

if TYPE_CHECKING:
    from devinotify.outbox.store import Transaction


def _of(transaction: Transaction, account: str | None) -> tuple[str, StoredPace] | None:
    """Return the pace that an account has to keep, and whose it is."""
    for whose in dict.fromkeys((account or EVERYBODY, EVERYBODY)):
        found = transaction.pace(whose)
        if found is not None:
            return whose, found
    return None


def rate_of(transaction: Transaction, account: str | None) -> float | None:
    """Return how many messages a second an account may send; ``None`` where nobody has set a pace."""
    found = _of(transaction, account)
    return None if found is None else found[1].rate


def book(transaction: Transaction, number: int, account: str | None) -> float:
    """Book so many messages; return how many seconds their sender has to wait."""
    found = _of(transaction, account)
    if found is None:
        return 0.0
    whose, before = found
    after, wait = before.booked(number, transaction.now)
    transaction.set_pace(whose, after)
    return wait


def change(transaction: Transaction, rate: float | None, account: str | None) -> None:
    """Set a pace, or take it away; what is booked already is kept."""
    whose = account or EVERYBODY
    if rate is None:
        transaction.set_pace(whose, None)
        return
    before = transaction.pace(whose) or StoredPace(rate, transaction.now)
    transaction.set_pace(whose, before._replace(rate=rate))
