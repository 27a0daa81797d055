"""What enters an outbox as far as there is room, each in one transaction: messages, recipients, refusals. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput, InvalidPhoneNumber
from devinotify.outbox.lookups import need_message
from devinotify.outbox.records import make_row
from devinotify.outbox.states import RowState
from devinotify.outbox.store import SharedDatabase

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from devinotify.outbox.records import ErrorParts, NewMessage, Row
    from devinotify.outbox.room import Room
    from devinotify.outbox.store import Store, Transaction


def enqueue(
    transaction: Transaction,
    room: Room,
    new: NewMessage,
    recipients: Sequence[str],
    channel: str,
    not_before: float | None,
    deadline: float | None,
) -> list[Row]:
    """Return a message's queued rows, or those that exist where its key is known."""
    if new.key is not None and (known := transaction.message_of_key(new.key)) is not None:
        return transaction.rows_of(known)
    chosen = room.fit(transaction, tuple(recipients))
    if not chosen:
        return []
    due = transaction.now if not_before is None else max(transaction.now, not_before)
    ids = transaction.add(new, chosen, channel, due, deadline)
    first, queued = ids[0], RowState.QUEUED
    return [
        make_row(number, first, recipient, channel, queued, 0, due, deadline)
        for number, recipient in zip(ids, chosen, strict=True)
    ]


def enqueue_within(
    store: Store,
    room: Room,
    connection: object,
    new: NewMessage,
    recipients: Collection[str],
    channel: str,
    not_before: float | None,
    deadline: float | None,
) -> tuple[list[Row], bool]:
    """Return a message's rows, stored in the transaction of the caller's connection, and whether its key was known.

    Raises InvalidInput where the store is not in a database, has a bound, or cannot keep what is given.
    """
    if not isinstance(store, SharedDatabase):
        raise InvalidInput("a connection is for an outbox in PostgreSQL: this one keeps its own")
    if room.bounded:
        raise InvalidInput("a connection is for an outbox without max_rows: what is not committed cannot be counted")
    if not recipients:
        return [], False
    from devinotify.phones.number import are_e164  # here, so that an outbox without such a connection need not load it

    if not are_e164(recipients):
        raise InvalidPhoneNumber("what is enqueued by a connection goes to numbers in E.164, such as +79161234567")
    return store.add_within(connection, new, tuple(recipients), channel, not_before, deadline)


def register(transaction: Transaction, new: NewMessage) -> int:
    """Return the id of a message that is stored without rows, or of the one that exists where its key is known."""
    known = None if new.key is None else transaction.message_of_key(new.key)
    return transaction.register(new) if known is None else known


def extend(
    transaction: Transaction,
    room: Room,
    message_id: int,
    recipients: tuple[str, ...],
    channel: str | None,
    deadline: float | None,
) -> int:
    """Queue a stored message for more recipients; return how many were new to it."""
    stored = need_message(transaction, message_id)
    step = channel or stored.message.channel
    return transaction.extend(message_id, room.fit(transaction, recipients), step, transaction.now, deadline)


def refuse(transaction: Transaction, room: Room, message_id: int, refused: tuple[tuple[str, ErrorParts], ...]) -> int:
    """Record recipients that were refused before anything was sent; return how many were new to the message."""
    channel = need_message(transaction, message_id).message.channel
    return transaction.refuse(message_id, channel, RowState.NOT_SENT, room.fit(transaction, refused))
