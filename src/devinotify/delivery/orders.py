"""What is put into an outbox to be sent by a worker, and what the caller is told of it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from devinotify import text as texts
from devinotify.delivery.daily_window import window_of
from devinotify.exceptions import InvalidInput
from devinotify.redact import mask_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devinotify.exceptions import DevinotifyError
    from devinotify.models import Message
    from devinotify.outbox import Batch, Outbox
    from devinotify.window import Window

_CALL = "call"
"""The key in a stored message's ``meta`` that tells which call has stored it, where it has a key of its own."""


@dataclass(frozen=True, slots=True, repr=False)
class Enqueued:
    """What a call of ``Notifier.enqueue`` has stored.

    ``rows`` is the id of the row in the outbox by recipient, ``refused`` the error of each recipient that nothing was
    stored for. ``known``: the key was there already, nothing new was stored, and ``rows`` are those of then.
    """

    rows: Mapping[str, int]
    refused: Mapping[str, DevinotifyError]
    known: bool = False

    def __repr__(self) -> str:
        rows = ", ".join(f"{mask_number(recipient)}: {row}" for recipient, row in list(self.rows.items())[:3])
        more = ", …" if len(self.rows) > 3 else ""
        return f"<Enqueued rows=[{rows}{more}] refused={len(self.refused)} known={self.known}>"


_under_way: ContextVar[Batch | None] = ContextVar("orders under way", default=None)


@contextmanager
def ordered(batch: Batch) -> Iterator[None]:
    """Let the steps that a fallback stores inside the block be those of the rows of ``batch``, which tell of them."""
    token = _under_way.set(batch)
    try:
        yield
    finally:
        _under_way.reset(token)


def orders() -> Mapping[str, int]:
    """Return the rows that are being sent, by recipient: none where a fallback is used without an outbox's order."""
    batch = _under_way.get()
    return {} if batch is None else {row.recipient: row.id for row in batch.rows}


def window_under_way() -> Window | None:
    """Return the daily window of the stored message that is being sent; ``None`` where there is none."""
    batch = _under_way.get()
    return None if batch is None else window_of(batch.stored)


def check_order(key: object, deadline: object) -> None:
    """Raise InvalidInput for a key or a deadline of the wrong type, before anything is made of it."""
    if key is not None and not isinstance(key, str):
        raise InvalidInput("the key must be a str")
    if key is not None and not _is_whole(key):
        raise InvalidInput("the key holds half a character, which no outbox can keep")
    if deadline is not None and not isinstance(deadline, datetime):
        raise InvalidInput("the deadline must be a datetime")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable(message: Message) -> Message:
    """Return a message as it can be stored: half a character, which no outbox can keep, is replaced here already."""
    return replace(
        message,
        text=texts.sendable(message.text),
        title=None if message.title is None else texts.sendable(message.title),
    )


def store(
    outbox: Outbox,
    message: Message,
    *,
    key: str | None,
    deadline: datetime | None,
    account: str,
    connection: object | None = None,
) -> Enqueued:
    """Store a message for its recipients, durably; in a full outbox those that found no room are refused.

    With a ``connection`` it is stored in its transaction, and as durable as that. Raises InvalidInput for a deadline
    without a time zone or a connection that cannot serve, and DevinotifyError where nothing can be written.
    """
    if connection is not None:
        rows, known = outbox.enqueue_within(connection, message, key=key, deadline=deadline, account=account)
        return Enqueued({row.recipient: row.id for row in rows}, {}, known)
    call = None if key is None else uuid4().hex
    rows = outbox.enqueue(
        message, key=key, deadline=deadline, account=account, meta=None if call is None else {_CALL: call}
    )
    # Asked afterwards, so that of two calls at once with one key only one says that it has stored something.
    stored = outbox.message(rows[0].message_id) if rows and call is not None else None
    known = stored is not None and stored.meta.get(_CALL) != call
    found = {row.recipient: row.id for row in rows}
    full = InvalidInput(f"the outbox {outbox.name} is full: nothing was stored")
    missing = {} if known else {to: full for to in message.recipients if to not in found}
    return Enqueued(found, missing, known)
