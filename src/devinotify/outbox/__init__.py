"""The durable outbox: ``Outbox`` keeps messages until they are sent, and what became of them."""

from __future__ import annotations

from devinotify.outbox.outbox import Outbox
from devinotify.outbox.records import Batch, Counts, Role, Row, StoredMessage
from devinotify.outbox.states import RowState

__all__ = ["Batch", "Counts", "Outbox", "Role", "Row", "RowState", "StoredMessage"]
