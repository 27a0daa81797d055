"""What happens to a message after ``notify``: looks at its delivery, and the later steps of a fallback.

``Notifier.wait`` and the worker both go through here, so that a step is decided and taken in one way.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devinotify.channels import fallback
from devinotify.channels.policy import Step
from devinotify.exceptions import DevinotifyError
from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from devinotify.gateway.client import Client
    from devinotify.models import Channel, Message, Outcome, Receipt, SmsState
    from devinotify.outbox import Batch, Outbox, Row, StoredMessage

log = logging.getLogger(__name__)


class Following:
    """Attends to the rows of one outbox with the channels and hooks of one Notifier.

    ``send`` sends a prepared message, ``process`` prepares one first; both record and return an Outcome per
    recipient. ``observe`` is told of each delivery state that is news.
    """

    def __init__(
        self,
        outbox: Outbox,
        client: Client,
        channels: Mapping[str, Channel],
        *,
        send: Callable[[Message], Sequence[Outcome]],
        process: Callable[[Message], Iterable[Outcome]],
        observe: Callable[[Receipt, SmsState], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.outbox = outbox
        self._client = client
        self._channels = channels
        self._send = send
        self._process = process
        self._observe = observe
        self._clock = clock

    def deliver(self, batch: Batch) -> list[Outcome]:
        """Send a claimed batch, settle it, and return the outcomes of its rows."""
        if not fallback.is_step(batch.stored):
            outcomes = list(self._process(batch.message))
        elif batch.rows[0].channel == fallback.SECOND.name:
            outcomes = list(self._send(fallback.second_message(batch)))
        else:
            outcomes = list(self._send(batch.message))
        asked = {row.recipient for row in batch.rows}
        # A plugin may have added recipients of its own; the rows are the ones that were asked for.
        ours = [outcome for outcome in outcomes if outcome.recipient in asked]
        self.outbox.settle(batch, ours)
        return ours

    def attend(self, rows: Sequence[Row]) -> None:
        """Look at the delivery of accepted rows, and take the next step of a fallback where it is due."""
        going_on: dict[int, list[Row]] = {}
        messages: dict[int, StoredMessage | None] = {}
        for row in rows:
            if row.message_id not in messages:
                messages[row.message_id] = self.outbox.message(row.message_id)
            stored = messages[row.message_id]
            if stored is None:
                continue  # forgotten meanwhile
            seen = self._look(row) if row.state is RowState.ACCEPTED else row
            step = fallback.decide(seen, stored, self._clock()) if fallback.is_step(stored) else Step.NOTHING
            if step is Step.GO_ON:
                going_on.setdefault(row.message_id, []).append(seen)
            elif seen.state is not RowState.ACCEPTED and seen.next_poll_at is not None:
                self.outbox.close_watch([seen])
        for message_id, some in going_on.items():
            stored = messages[message_id]
            if stored is not None:
                self._go_on(some, stored)

    def _look(self, row: Row) -> Row:
        receipt = row.receipt
        channel = self._channels.get(row.channel)
        if receipt is None or channel is None:
            return row
        try:
            state = channel.state(receipt, self._client)
        except DevinotifyError as error:
            # The row comes back by itself; a look that failed says nothing about the message.
            log.info("the state of row %d could not be read: %s", row.id, error)
            return row
        now = self.outbox.record_state(row, state)
        if now.status is not row.status:
            self._observe(receipt, state)
        return now

    def _go_on(self, rows: Sequence[Row], stored: StoredMessage) -> None:
        later = fallback.not_before(stored)
        if later is not None and later > datetime.now(UTC):
            for row in rows:
                self.outbox.step(row, fallback.SECOND.name, not_before=later)
            return
        batch = self.outbox.go_on(rows, fallback.SECOND.name)
        if batch is not None:
            self.deliver(batch)
