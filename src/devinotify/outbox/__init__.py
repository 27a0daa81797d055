"""The durable outbox: ``Outbox`` keeps messages in one SQLite file until they are sent, and what became of them."""

from __future__ import annotations

from devinotify.outbox.records import Batch, Claim, Counts, Row, StoredMessage
from devinotify.outbox.sqlite.store import Outbox
from devinotify.outbox.states import RowState

__all__ = ["Batch", "Claim", "Counts", "Outbox", "Row", "RowState", "StoredMessage"]
