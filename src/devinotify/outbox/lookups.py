"""Rows and messages that have to be there, asked for within a transaction. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.outbox.bounds import possible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinotify.outbox.records import Row, StoredMessage
    from devinotify.outbox.store import Transaction


def need_rows(transaction: Transaction, numbers: Iterable[int]) -> list[Row]:
    """Return the rows of these ids, in their order; raise InvalidInput where one is not there.

    All at once: a store locks them in one order then, and two that ask for the same ones do not lock each other out.
    """
    wanted = list(numbers)
    found = {row.id: row for row in transaction.rows(possible(wanted))}
    for number in wanted:
        if number not in found:
            raise InvalidInput(f"there is no row {number}")
    return [found[number] for number in wanted]


def need_row(transaction: Transaction, number: int) -> Row:
    """Return a row; raise InvalidInput where it is not there."""
    (row,) = need_rows(transaction, [number])
    return row


def message(transaction: Transaction, number: int) -> StoredMessage | None:
    """Return a message, or ``None`` where there is none of this id."""
    return transaction.message(number) if possible([number]) else None


def need_message(transaction: Transaction, number: int) -> StoredMessage:
    """Return a message; raise InvalidInput where there is none of this id."""
    stored = message(transaction, number)
    if stored is None:
        raise InvalidInput(f"there is no message {number}")
    return stored


def rows_of_key(transaction: Transaction, key: str) -> list[Row]:
    """Return the rows of the message that was enqueued under a key; an empty list where the key is unknown."""
    known = transaction.message_of_key(key)
    return [] if known is None else transaction.rows_of(known)


def story(transaction: Transaction, number: int) -> list[Row]:
    """Return the row of this id and what follows it: the later steps of its fallback, or those that it has ordered.

    In order; an empty list where the row is gone.
    """
    return [
        step
        for row in transaction.rows(possible([number]))
        for step in (*transaction.rows_of(row.message_id, row.recipient), *transaction.steps_of(number))
        if step.id >= number
    ]
