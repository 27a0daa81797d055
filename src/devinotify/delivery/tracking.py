"""What happens to what the outbox holds: batches are sent, deliveries looked at, the later steps of a fallback taken.

``Notifier.wait`` and the worker both go through here, so that a step is decided and taken in one way.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify.channels.batch import failed
from devinotify.channels.protocol import read_state
from devinotify.delivery.fallback import fallback_of
from devinotify.delivery.policy import Step
from devinotify.delivery.schedule import due_at
from devinotify.delivery.story import is_over, outcome_of
from devinotify.exceptions import DevinotifyError, InvalidPhoneNumber, Verdict
from devinotify.outbox.states import RowState
from devinotify.redact import mask_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from devinotify.channels.protocol import Channel
    from devinotify.delivery.fallback import Fallback
    from devinotify.gateway.client import Client
    from devinotify.models import Message, Outcome, Receipt, SmsState
    from devinotify.outbox import Batch, Outbox, Row, StoredMessage

    Missed = Callable[[Row, Exception], None]

log = logging.getLogger(__name__)

PAUSES = (0.1, 0.5, 2.0, 5.0, 10.0, 20.0)
"""Seconds between the tries to record what became of a batch, while the file is locked or the disk full."""

_number = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


class Tracker:
    """Attends to the rows of one outbox with the channels and hooks of one Notifier.

    ``fallbacks`` are those among the channels; rows of another ``account`` are left alone. ``send`` sends a prepared
    message on a channel, ``process`` prepares one first; both record and return an Outcome per recipient. ``observe``
    is told of each delivery state that is news. ``clock`` returns seconds since the epoch.
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
        process: Callable[[Message], Iterable[Outcome]],
        observe: Callable[[Receipt, SmsState], None],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.outbox = outbox
        self._client = client
        self._channels = channels
        self._fallbacks = fallbacks
        self.account = account
        self._send = send
        self._process = process
        self._observe = observe
        self._clock = clock
        self._sleep = sleep

    # --- sending

    def deliver(self, batch: Batch) -> list[Outcome]:
        """Send a claimed batch, settle it, and return the outcomes of its rows, in their order.

        Whatever is raised on the way, each row gets an outcome: ``unknown`` where none was told. A recipient that is
        no number in E.164 is refused. Raises DevinotifyError where the outcomes cannot be recorded.
        """
        outcomes = self._outcomes(batch)
        states = self._settle(batch, outcomes)
        if batch.rows[0].channel in self._fallbacks:
            self._forget_steps(batch, outcomes, states)
        return outcomes

    def _outcomes(self, batch: Batch) -> list[Outcome]:
        fallback = fallback_of(batch.stored, self._fallbacks)
        message = batch.message if fallback is None else fallback.step_message(batch)
        found: list[Outcome] = []
        if not all(map(_number, message.recipients)):
            strangers = [recipient for recipient in message.recipients if not _number(recipient)]
            found = [failed(message.channel, recipient, _stranger(recipient)) for recipient in strangers]
            message = replace(message, recipients=tuple(filter(_number, message.recipients)))
        missing = "no outcome was told for the recipient"
        try:
            if message.recipients:
                # One by one: what was told before a failure counts.
                for outcome in self._answers(batch, message):
                    found.append(outcome)
        except Exception as error:  # noqa: BLE001 - neither a hook nor a channel may end the worker or lose a row
            missing = f"{type(error).__name__} was raised while it was being sent"
            log.error("batch %d: %s", batch.claim, missing)
        if [outcome.recipient for outcome in found] == [row.recipient for row in batch.rows]:
            return found
        # A plugin may have added recipients of its own: the rows are the ones that were asked for.
        told = {outcome.recipient: outcome for outcome in found}
        lost = DevinotifyError(missing, verdict=Verdict.UNKNOWN)
        return [told.get(row.recipient) or failed(row.channel, row.recipient, lost) for row in batch.rows]

    def _answers(self, batch: Batch, message: Message) -> Iterable[Outcome]:
        # The steps of a fallback are prepared already: they were part of a message that was.
        fallback = fallback_of(batch.stored, self._fallbacks)
        return self._process(message) if fallback is None else self._send(message, fallback.step(batch.rows[0]))

    def _settle(self, batch: Batch, outcomes: Sequence[Outcome]) -> dict[int, RowState]:
        for pause in PAUSES:
            try:
                return self.outbox.settle(batch, outcomes)
            except DevinotifyError as error:
                if not error.retryable:
                    raise
                log.warning("what became of %d messages is not recorded yet, and is tried again: %s", len(batch), error)
                self._sleep(pause)
        return self.outbox.settle(batch, outcomes)

    def _forget_steps(self, batch: Batch, outcomes: Sequence[Outcome], states: Mapping[int, RowState]) -> None:
        """Forget the steps of orders that are queued again: each try would leave its own."""
        for row, outcome in zip(batch.rows, outcomes, strict=True):
            if states.get(row.id) is RowState.QUEUED and outcome.row is not None:
                self.outbox.forget(self.outbox.steps(outcome.row))

    # --- watching

    def attend(
        self,
        rows: Iterable[Row],
        *,
        stop: Callable[[], bool] = lambda: False,
        missed: Missed = lambda row, error: None,  # noqa: ARG005 - who does not ask is not told
    ) -> None:
        """Look at the delivery of accepted rows, and take the next step of a fallback where it is due.

        ``stop`` is asked before each; what is left then comes up again by itself, and so does a row where something
        goes wrong. ``missed`` is told of each row whose delivery could not be looked at, and why. Nothing is raised.
        """
        going_on: dict[int, list[Row]] = {}
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
                if (seen := self._attend(row, stored, missed)) is not None:
                    going_on.setdefault(row.message_id, []).append(seen)
            except Exception as error:  # noqa: BLE001 - one row must not keep the others waiting
                log.error("row %d could not be attended to: %s", row.id, _told(error))
                missed(row, error)
        for message_id, some in going_on.items():
            stored = messages[message_id]
            if stop() or stored is None:
                return
            try:
                self._go_on(some, stored)
            except Exception as error:  # noqa: BLE001 - as above
                log.error("message %d could not go on to the next channel: %s", message_id, _told(error))

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
        now = self._clock()
        step = Step.NOTHING if fallback is None else fallback.decide(seen, stored, now)
        if step is Step.GO_ON:
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
            log.info("the state of row %d could not be read: %s", row.id, _told(error))
            missed(row, error)
            return row
        now = self.outbox.record_state(row, state)
        if now.status is not row.status:
            self._observe(receipt, state)
        return now

    def _go_on(self, rows: Sequence[Row], stored: StoredMessage) -> None:
        fallback = fallback_of(stored, self._fallbacks)
        assert fallback is not None  # noqa: S101 - it has decided that they go on
        send_at, now = stored.message.send_at, self._clock()
        later = [row for row in rows if send_at is not None and due_at(send_at, row.recipient).timestamp() > now]
        fallback.postpone(self.outbox, later, stored)
        due = [row for row in rows if row not in later]
        batch = self.outbox.go_on(due, fallback.second.name) if due else None
        if batch is not None:
            log.info("%d messages go on to %s", len(batch), fallback.second.name)
            self.deliver(batch)

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


def _stranger(recipient: str) -> InvalidPhoneNumber:
    return InvalidPhoneNumber(
        "the outbox sends to numbers in E.164 (+79161234567): aliases and other notations are read before enqueueing",
        masked=mask_number(recipient),
    )


def _told(error: Exception) -> str:
    # The words of any other exception may hold a text or a number.
    return str(error) if isinstance(error, DevinotifyError) else type(error).__name__
