"""The durable outbox: ``Outbox`` keeps messages in one SQLite file until they are sent, and what became of them."""

from __future__ import annotations

from devinotify.outbox.records import Batch, Claim, Counts, Row, StoredMessage
from devinotify.outbox.states import RowState
from devinotify.outbox.store import Outbox

__all__ = ["Batch", "Claim", "Counts", "Outbox", "Row", "RowState", "StoredMessage"]
