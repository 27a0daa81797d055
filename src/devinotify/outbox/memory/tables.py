"""What the stores in memory hold: tables that are one for all who were made of one another."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devinotify.outbox import forking
from devinotify.outbox.records import StoredMessage, decode_time
from devinotify.outbox.store import DROPPED, FORGOTTEN

if TYPE_CHECKING:
    from devinotify.models import Message
    from devinotify.outbox.pace import StoredPace
    from devinotify.outbox.records import NewMessage, Row


@dataclass(eq=False)
class Tables:
    """What stores share that were made of one another; all of it under ``lock``."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    messages: dict[int, StoredMessage] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)  # in the order of their ids
    keys: dict[str, int] = field(default_factory=dict)
    claims: dict[int, tuple[str, frozenset[int]]] = field(default_factory=dict)  # id -> worker, its open rows
    once: dict[tuple[int, str, str], int] = field(default_factory=dict)  # message, recipient, channel -> row
    counts: dict[str, int] = field(default_factory=lambda: {"id": 0, "claim": 0, DROPPED: 0, FORGOTTEN: 0})
    texts: dict[str, str] = field(default_factory=dict)
    entries: dict[tuple[str, str], str] = field(default_factory=dict)  # bucket, key -> value
    paces: dict[str, StoredPace | None] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    writing: bool = False

    def __post_init__(self) -> None:
        forking.watch(self)


def stored_message(new: NewMessage, number: int, now: float) -> StoredMessage:
    """Return a new message as it is kept: without its recipients, and its instant in UTC."""
    return StoredMessage(
        id=number,
        message=_kept(new),
        created_at=datetime.fromtimestamp(now, UTC),
        key=new.key,
        original_time=decode_time(new.original_time),
        patience=new.patience,
        watch=new.watch,
        fallback=new.fallback,
        meta=dict(new.meta or {}),
        account=new.account,
    )


def _kept(new: NewMessage) -> Message:
    send_at = new.message.send_at
    aware = send_at is not None and send_at.tzinfo is not None
    return replace(new.message, recipients=(), send_at=send_at.astimezone(UTC) if aware and send_at else send_at)
