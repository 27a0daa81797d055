"""What happens to what the outbox holds: batches are sent, deliveries looked at, the later steps of a fallback taken.

``Notifier.wait`` and the worker both go through here, so that a step is decided and taken in one way.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify.channels.protocol import read_state
from devinotify.delivery.fallback import ends_at, fallback_of
from devinotify.delivery.policy import NextStep
from devinotify.delivery.sending import Sender
from devinotify.delivery.story import ended, is_over, outcome_of
from devinotify.exceptions import DevinotifyError, Verdict, told
from devinotify.outbox.records import Role
from devinotify.outbox.states import RowState
from devinotify.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from devinotify.channels.protocol import Channel
    from devinotify.delivery.fallback import Fallback
    from devinotify.gateway.client import Client
    from devinotify.models import Message, Outcome, Receipt, SmsState
    from devinotify.outbox import Batch, Outbox, Row, StoredMessage

    Missed = Callable[[Row, Exception], None]

log: logging.Logger = logging.getLogger(__name__)


class Tracker:
    """Attends to the rows of one outbox with the channels and hooks of one Notifier.

    ``fallbacks`` are those among the channels; rows of another ``account`` are left alone. ``send`` sends a prepared
    message on a channel, ``process`` prepares one first; both record and return an Outcome per recipient, as
    ``Sender`` says. ``observe``
    is told of each delivery state that is news, ``record`` of the outcome of each row that ended without a send: it
    expired, or was given up. The time is the outbox's, whichever machine this is.
    ``puts_back``, which a worker sets, has steps queued again that the account or the gateway is refused for.
    """

    def __init__(
        self,
        outbox: Outbox,
        client: Client,
        channels: Mapping[str, Channel],
        *,
        fallbacks: Mapping[str, Fallback],
        account: str,
        send: Callable[[Message, Channel], Sequence[Outcome]],
        process: Callable[[Message], Iterable[Sequence[Outcome]]],
        observe: Callable[[Receipt, SmsState], None],
        record: Callable[[Message, Sequence[Outcome]], object],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.outbox = outbox
        self._client = client
        self._channels = channels
        self._fallbacks = fallbacks
        self.account = account
        self._observe = observe
        self._record = record
        self.sender: Sender = Sender(outbox, fallbacks=fallbacks, send=send, process=process, sleep=sleep)
        self.puts_back = False
        outbox.on_end = self._ended
        outbox.request_seconds = client.url.timeout

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Send a claimed batch, settle it, and return the outcomes of its rows, in their order.

        Whatever is raised on the way, each row gets an outcome: see ``Sender``, which does it. Raises DevinotifyError
        where the outcomes cannot be recorded.
        """
        return self.sender.deliver(batch, puts_back=self.puts_back).outcomes

    # --- watching

    def attend(
        self,
        rows: Iterable[Row],
        *,
        stop: Callable[[], bool] = lambda: False,
        missed: Missed = lambda row, error: None,  # noqa: ARG005 - who does not ask is not told
        steps: bool = True,
    ) -> None:
        """Look at the delivery of accepted rows, and take the next step of a fallback where it is due.

        ``stop`` is asked before each; what is left then comes up again by itself, and so does a row where something
        goes wrong. ``missed`` is told of each row whose delivery could not be looked at, and why. Without ``steps``
        none is taken, and nothing is sent: what is due stays so. Nothing is raised.
        """
        going_on: dict[int, list[Row]] = {}
        attended: list[Row] = []
        messages: dict[int, StoredMessage | None] = {}
        for row in rows:
            if stop():
                return
            try:
                if row.message_id not in messages:
                    messages[row.message_id] = self.outbox.message(row.message_id)
                stored = messages[row.message_id]
                if stored is None or stored.account not in (None, self.account):
                    continue
                attended.append(row)
                if (seen := self._attend(row, stored, missed)) is not None:
                    going_on.setdefault(row.message_id, []).append(seen)
            except Exception as error:  # noqa: BLE001 - one row must not keep the others waiting
                log.error("row %d could not be attended to: %s", row.id, told(error))
                missed(row, error)
        for message_id, some in going_on.items() if steps else ():
            stored = messages[message_id]
            if stop() or stored is None:
                return
            try:
                self._go_on(some, stored)
            except Exception as error:  # noqa: BLE001 - as above
                log.error("message %d could not go on to the next channel: %s", message_id, told(error))
        for row in attended:
            try:
                self._tell_order(row)
            except Exception as error:  # noqa: BLE001 - as above
                log.error("the order of row %d could not be told what came of it: %s", row.id, told(error))

    def _attend(self, row: Row, stored: StoredMessage, missed: Missed) -> Row | None:
        """Return the row where it has to go on to the next channel; close its watch where nothing more is to come."""
        if row.state in (RowState.QUEUED, RowState.CLAIMED):
            return None
        if row.channel in self._fallbacks:
            self.outbox.close_watch([row])  # its steps are rows of their own, and tell the rest
            return None
        fallback = fallback_of(stored, self._fallbacks)
        channel = self._channels.get(row.channel) if fallback is None else fallback.step(row)
        seen = self._look(row, channel, missed) if row.state is RowState.ACCEPTED else row
        now = self.outbox.now()
        if seen.sent_at is not None:
            now -= self.outbox.gained(seen.sent_at)  # a clock that was set makes nobody wait for less long
        step = NextStep.NOTHING if fallback is None else fallback.decide(seen, stored, now)
        if step is NextStep.GO_ON:
            return seen
        if seen.next_poll_at is not None and (
            seen.state is not RowState.ACCEPTED or (seen.watch_until is not None and seen.watch_until <= now)
        ):
            self.outbox.close_watch([seen])
        return None

    def _look(self, row: Row, channel: Channel | None, missed: Missed) -> Row:
        receipt = row.receipt
        if receipt is None or channel is None:
            return row
        try:
            state = read_state(channel, receipt, self._client)
        except Exception as error:  # noqa: BLE001 - a look that failed says nothing about the message
            log.info("the state of row %d could not be read: %s", row.id, told(error))
            missed(row, error)
            return row
        now = self.outbox.record_state(row, state)
        if now.status is not row.status:
            self._observe(receipt, state)
        return now

    def _tell_order(self, row: Row) -> None:
        """Give the row that ordered the steps of a fallback the state that their story has come to."""
        order = self.outbox.get(row.story) if row.story is not None and row.role is Role.STEP else None
        if order is None or order.state not in (RowState.ACCEPTED, RowState.UNKNOWN):
            return
        steps = self.outbox.steps(row.parent or row.id)
        outcome = outcome_of(steps, order.channel)
        # Unknown so far: its worker died before it could record it, or a step was still to come. The truth wins; that
        # the first step ended undelivered is not all of it while the second may follow.
        is_lost = outcome.status is not None and outcome.status.is_final
        if is_over(steps) or (order.state is RowState.UNKNOWN and outcome.verdict is Verdict.ACCEPTED and not is_lost):
            self.outbox.conclude(order, outcome)

    def _go_on(self, rows: Sequence[Row], stored: StoredMessage) -> None:
        fallback = fallback_of(stored, self._fallbacks)
        assert fallback is not None  # noqa: S101 - it has decided that they go on
        due = fallback.postpone(self.outbox, rows, stored)
        batch = self.outbox.go_on(due, fallback.second.name, deadline=ends_at(stored)) if due else None
        if batch is not None:
            log.info("%s on to %s", counted(len(batch), "message goes", "messages go"), fallback.second.name)
            self.deliver(batch)

    def _ended(self, rows: Iterable[Row]) -> None:
        """Tell the observers of rows that the outbox has ended by itself: they have an outcome like all others."""
        for row in rows:
            try:
                stored = self.outbox.message(row.message_id)
                if stored is not None and stored.account in (None, self.account):
                    message = replace(stored.message, recipients=(row.recipient,), channel=row.channel)
                    self._record(message, [ended(row)])
            except Exception as error:  # noqa: BLE001 - whoever is told, the queue goes on
                log.error("nobody was told that row %d has ended: %s", row.id, told(error))

    # --- waiting

    def look(self, outcome: Outcome) -> tuple[Outcome, bool]:
        """Return a fallback's outcome as it stands after this look, and whether there is nothing more to wait for.

        What is due of its steps is taken. Raises DevinotifyError where the outbox cannot be used for good.
        """
        try:
            return self._after_look(outcome)
        except DevinotifyError as error:
            if not error.retryable:
                raise
            log.info("a look at a fallback failed: %s", error)
            return outcome, False

    def _after_look(self, outcome: Outcome) -> tuple[Outcome, bool]:
        rows = [] if outcome.row is None else self.outbox.steps(outcome.row)
        if not rows:
            return outcome, True
        self.attend(rows)
        queued = [row for row in rows if row.state is RowState.QUEUED]
        if queued and (batch := self.outbox.claim(rows=queued, account=self.account)) is not None:
            self.deliver(batch)
        rows = self.outbox.steps(rows[0].id)
        return (outcome_of(rows, outcome.channel), is_over(rows)) if rows else (outcome, True)
