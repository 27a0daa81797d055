"""What an outbox is given by its callers, checked where it enters and before anything is stored. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from devinotify.exceptions import InvalidInput
from devinotify.outbox.bounds import place
from devinotify.outbox.records import NewMessage, Row, encode_time, new_tuple
from devinotify.outbox.store import Selection

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from devinotify.models import Message
    from devinotify.outbox.states import RowState


def new_message(
    message: Message,
    *,
    key: str | None = None,
    original_time: datetime | None = None,
    patience: float | None,
    watch: bool,
    fallback: bool,
    meta: Mapping[str, Any] | None = None,
    account: str | None,
) -> NewMessage:
    """Return what is to be stored; raise InvalidInput for what a store could not keep or a worker not act on."""
    # Asked one by one what most messages do not have: enqueueing one alone is to cost little more than an insert.
    if account is not None:
        check_account(account)
    if patience is not None:
        seconds("patience", patience)
    happened = None if original_time is None else encode_time(original_time)
    found: NewMessage = new_tuple(NewMessage, (message, key, happened, patience, watch, fallback, meta, account))
    return found


def seconds(name: str, value: float) -> float:
    """Return a span of seconds; raise InvalidInput, which names it, for one that is negative or has no end."""
    # The comparison is false for nan, too.
    if not 0 <= value < math.inf:
        raise InvalidInput(f"{name} is a number of seconds from 0 up")
    return value


def whole(name: str, value: int) -> int:
    """Return a count; raise InvalidInput, which names it, for one that is negative."""
    if value < 0:
        raise InvalidInput(f"{name} is a whole number from 0 up")
    return value


def check_account(account: str | None) -> None:
    """Raise InvalidInput where an account is not written as one."""
    if account is not None and "@" not in account:
        raise InvalidInput("an account is written LOGIN@host[:port]/path")


def row_id(row: Row | int) -> int:
    """Return the id of a row that may be given by its id."""
    return row.id if isinstance(row, Row) else row


def selection(
    states: Collection[RowState] | None = None,
    message_id: int | None = None,
    channel: str | None = None,
    recipient: str | None = None,
    account: str | None = None,
    *,
    steps: bool = True,
) -> Selection:
    """Return which rows are meant; raise InvalidInput where an account is not written as one."""
    check_account(account)
    chosen = None if states is None else tuple(states)
    return Selection(chosen, None if message_id is None else place(message_id), channel, recipient, account, steps)
