"""SMS first, Viber where it fails: every step is written to the outbox before it is taken.

``send`` takes the first step, and the second where the SMS is refused at once. What is decided later (an SMS
that is not delivered, or not in time) is decided by whoever attends to the outbox: ``Notifier.wait`` or the worker.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.channels import direct
from devinotify.channels.batch import BATCH, failed
from devinotify.channels.policy import POLICY, Fate, Step, fate_of_send, fate_of_status
from devinotify.exceptions import DevinotifyError, InvalidInput, NotSent, Verdict
from devinotify.models import Attempt, DeliveryStatus, Outcome, SmsState
from devinotify.outbox.location import open_outbox
from devinotify.outbox.states import RETRY_FOR, RowState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinotify.gateway.client import Client
    from devinotify.models import Message, Receipt
    from devinotify.outbox import Batch, Outbox, Row, StoredMessage
    from devinotify.url import DevinoURL

log = logging.getLogger(__name__)

NAME = "sms-viber"
FIRST, SECOND = direct.SMS, direct.VIBER
RULE = "on_unknown"
"""The key in a stored message's ``meta`` that marks it as a step of this channel; its value is the rule."""

LEASE = 60.0
"""Seconds that whoever has sent the SMS has for the next step, before the outbox offers it to a worker."""

_LAST_ZONE = timezone(timedelta(hours=-12))  # where any wall-clock time comes last


class SmsViberChannel:
    """SMS, and Viber where the SMS is refused, lost, late or of unknown outcome; one instance serves one Notifier."""

    name = NAME
    max_length = min(FIRST.max_length, SECOND.max_length)
    segmented = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings: DevinoURL | None = None
        self._outbox: Outbox | None = None
        self._own: Outbox | None = None

    def open(self, settings: DevinoURL, outbox: Outbox | None = None) -> Outbox:
        """Return the outbox to write to: from now on the one given, else the one that the settings name.

        Raises InvalidInput where that cannot be used.
        """
        with self._lock:
            self._settings = settings
            if outbox is not None:
                self._outbox = outbox
            elif self._outbox is None:
                self._outbox = self._own = open_outbox(settings.outbox, poll=settings.poll)
            return self._outbox

    def close(self) -> None:
        """Close the outbox, where this channel opened it; the next use opens it again."""
        with self._lock:
            own, self._own, self._outbox = self._own, None, None
        if own is not None:
            own.close()

    def check_sender(self, sender: str) -> None:
        """Raise InvalidSender where SMS or Viber does not take the sender: both steps send from it."""
        FIRST.check_sender(sender)
        SECOND.check_sender(sender)

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Send the SMS, and Viber at once where the SMS is refused; answer one Outcome each, in order.

        An outcome is ``unknown`` where a step is written down that is still to be taken: to send again is not safe.
        """
        settings = self._settings or client.url
        outbox = self.open(settings)
        outcomes: list[Outcome] = []
        recipients = message.recipients
        # As many at a time as go in one request: no more than these are of unknown outcome after a crash.
        for start in range(0, len(recipients), BATCH):
            last = outcomes[-1].error if outcomes else None
            if isinstance(last, NotSent):
                return [*outcomes, *(failed(NAME, recipient, last) for recipient in recipients[start:])]
            some = replace(message, recipients=recipients[start : start + BATCH])
            outcomes += self._send_some(some, outbox, settings, client)
        return outcomes

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Return the state of the step that the receipt is of."""
        return _STEPS[receipt.channel].state(receipt, client)

    def _send_some(self, message: Message, outbox: Outbox, settings: DevinoURL, client: Client) -> list[Outcome]:
        full = InvalidInput(f"the outbox {outbox.path} is full: nothing was sent")
        try:
            batch = outbox.begin(
                replace(message, validity=capped(message.validity or settings.validity, settings.patience)),
                channel=FIRST.name,
                # The caller is told what was not sent and may send it again, so the outbox must not.
                deadline=datetime.now(UTC),
                patience=settings.patience,
                fallback=True,
                meta={RULE: settings.on_unknown, "validity": message.validity or settings.validity},
            )
        except DevinotifyError as error:
            return [failed(NAME, recipient, error) for recipient in message.recipients]
        if batch is None:
            return [failed(NAME, recipient, full) for recipient in message.recipients]
        sent = FIRST.send(batch.message, client)
        rows = {row.recipient: row for row in batch.rows}
        found = {outcome.recipient: replace(outcome, channel=NAME, row=rows[outcome.recipient].id) for outcome in sent}
        try:
            outbox.settle(batch, sent, lease=LEASE)
        except DevinotifyError as error:
            # The outbox will take these rows for unknown, and perhaps go on from there.
            log.warning("what became of %d messages could not be recorded: %s", len(batch), error)
            if POLICY[Fate.UNKNOWN, settings.on_unknown] is Step.GO_ON:
                found = {recipient: pending(outcome) for recipient, outcome in found.items()}
        else:
            going_on = [row for row in batch.rows if _next(found[row.recipient], settings.on_unknown) is Step.GO_ON]
            self._go_on(batch.stored, going_on, found, outbox, client)
        return [found.get(recipient) or failed(NAME, recipient, full) for recipient in message.recipients]

    def _go_on(
        self, stored: StoredMessage, rows: Sequence[Row], found: dict[str, Outcome], outbox: Outbox, client: Client
    ) -> None:
        later = not_before(stored)
        unknown = [row for row in rows if found[row.recipient].verdict is Verdict.UNKNOWN]
        refused = [row for row in rows if found[row.recipient].verdict is not Verdict.UNKNOWN]
        # What was certainly not sent is the caller's to send again; after an unknown SMS only the outbox can go on.
        for some, deadline in ((refused, datetime.now(UTC)), (unknown, None)):
            then: list[Outcome] = []
            try:
                if some and later is not None:
                    postpone(outbox, some, later)
                elif some and (batch := outbox.go_on(some, SECOND.name, deadline=deadline)) is not None:
                    then = SECOND.send(step_message(batch), client)
                    outbox.settle(batch, then)
            except DevinotifyError as error:
                log.warning("%d messages could not go on to %s by now: %s", len(some), SECOND.name, error)
            taken = {outcome.recipient: outcome for outcome in then}
            for row in some:
                first = found[row.recipient]
                found[row.recipient] = joined(first, taken[row.recipient]) if row.recipient in taken else pending(first)


_STEPS: Mapping[str, direct.SmsChannel | direct.ViberChannel] = MappingProxyType(
    {FIRST.name: FIRST, SECOND.name: SECOND}
)


def capped(validity: int | None, patience: float) -> int:
    """Return the validity of the SMS in minutes: no longer than ``patience`` (seconds), at least one minute.

    An SMS that is still under way when Viber is sent would arrive as a second one.
    """
    most = max(1, int(patience // 60))
    return min(validity, most) if validity else most


def step_message(batch: Batch) -> Message:
    """Return the message of a step; the second one is unscheduled, with the validity asked for as far as Viber goes."""
    if batch.rows[0].channel != SECOND.name:
        return batch.message
    validity = batch.stored.meta.get("validity") or None
    most = SECOND.limits.most_validity
    return replace(batch.message, send_at=None, validity=None if validity is None else min(validity, most))


def postpone(outbox: Outbox, rows: Sequence[Row], later: datetime) -> None:
    """Queue the second step of these rows for ``later``."""
    outbox.step_later(rows, SECOND.name, not_before=later, deadline=later + timedelta(seconds=RETRY_FOR))


def joined(first: Outcome, then: Outcome) -> Outcome:
    """Return the outcome of two parts of a story: delivered comes before accepted, that before unknown, else the later.

    The attempts of both are kept, in order.
    """
    decided = then if _rank(then) >= _rank(first) else first
    return replace(decided, channel=first.channel, attempts=(*first.attempts, *then.attempts), row=first.row)


def _rank(outcome: Outcome) -> int:
    status = outcome.status
    return 3 if status is not None and status.is_delivered else _RANKS[outcome.verdict]


_RANKS: Mapping[Verdict, int] = MappingProxyType(
    {Verdict.ACCEPTED: 2, Verdict.UNKNOWN: 1, Verdict.REJECTED: 0, Verdict.NOT_SENT: 0}
)


def pending(outcome: Outcome) -> Outcome:
    """Return the outcome of a story whose next step is still to be taken: nobody else may send it again meanwhile."""
    if outcome.verdict in (Verdict.ACCEPTED, Verdict.UNKNOWN):
        return outcome
    error = DevinotifyError(
        f"the {FIRST.name} step was {outcome.verdict}, and {SECOND.name} is still to come:"
        " Notifier.wait or a worker on this outbox takes that step",
        verdict=Verdict.UNKNOWN,
    )
    error.__cause__ = outcome.error
    return replace(outcome, verdict=Verdict.UNKNOWN, error=error)


def _next(outcome: Outcome, rule: str) -> Step:
    return POLICY[fate_of_send(outcome.verdict, outcome.error), rule]


_VERDICTS: Mapping[RowState, Verdict] = MappingProxyType(
    {
        RowState.REJECTED: Verdict.REJECTED,
        RowState.NOT_SENT: Verdict.NOT_SENT,
        RowState.UNKNOWN: Verdict.UNKNOWN,
        RowState.ACCEPTED: Verdict.ACCEPTED,
        RowState.DELIVERED: Verdict.ACCEPTED,
        RowState.FAILED: Verdict.ACCEPTED,
    }
)


def is_step(stored: StoredMessage) -> bool:
    """Whether a stored message is one of this channel's, whose rows are its steps."""
    return RULE in stored.meta


def decide(row: Row, stored: StoredMessage, now: float) -> Step:
    """Return what follows the step that ``row`` is, which has ended, at ``now`` (seconds since the epoch)."""
    verdict = _VERDICTS[row.state]
    if row.channel != FIRST.name or row.stepped:
        return Step.WATCH if row.state is RowState.ACCEPTED else Step.NOTHING
    if verdict is Verdict.ACCEPTED:
        overdue = row.patience_until is not None and row.patience_until <= now
        fate = fate_of_status(row.status or DeliveryStatus.UNKNOWN, overdue=overdue)
    else:
        fate = fate_of_send(verdict, row.exception())
    step = POLICY[fate, stored.meta[RULE]]
    # A row that is tried again is queued; one that has ended for good has nothing left to retry.
    return Step.NOTHING if step is Step.RETRY else step


def not_before(stored: StoredMessage) -> datetime | None:
    """Return when the second step of a scheduled message may go out: not before the SMS would have."""
    send_at = stored.message.send_at
    if send_at is None:
        return None
    return send_at if send_at.tzinfo is not None else send_at.replace(tzinfo=_LAST_ZONE)


def outcome_of(rows: Sequence[Row]) -> Outcome:
    """Return the outcome that the rows of one recipient, its steps in order, stand for."""
    outcome: Outcome | None = None
    for row in rows:
        verdict = _VERDICTS.get(row.state)
        if verdict is None:
            continue
        attempt = Attempt(row.channel, verdict, row.receipt, None if row.receipt else row.exception())
        step = Outcome(
            row.recipient, verdict, NAME, attempt.receipt, attempt.error, (attempt,), row_state(row), rows[0].id
        )
        outcome = step if outcome is None else joined(outcome, step)
    if outcome is None:
        error = DevinotifyError("the send is under way in another process", verdict=Verdict.UNKNOWN)
        return replace(failed(NAME, rows[0].recipient, error), row=rows[0].id)
    return outcome if is_over(rows) else pending(outcome)


def is_over(rows: Sequence[Row]) -> bool:
    """Whether the story that the rows tell is over: delivered, or nothing more to come and nothing to look at."""
    return any(row.state is RowState.DELIVERED for row in rows) or not any(
        row.state in (RowState.QUEUED, RowState.CLAIMED) or row.next_poll_at is not None for row in rows
    )


def row_state(row: Row) -> SmsState | None:
    """Return the delivery state that the outbox has recorded, or ``None``."""
    if row.status is None:
        return None
    return SmsState(row.status, row.status_code or 0, price=row.price)
