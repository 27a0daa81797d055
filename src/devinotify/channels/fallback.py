"""SMS first, Viber where it fails: every step is written to the outbox before it is taken.

``send`` takes the first step, and the second where the SMS is refused at once. What is decided later (an SMS
that is not delivered, or not in time) is decided by whoever attends to the outbox: ``Notifier.wait`` or the worker.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.channels import direct
from devinotify.channels.batch import failed
from devinotify.channels.policy import POLICY, Step, fate_of_send, fate_of_status
from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.models import Attempt, DeliveryStatus, Outcome, SmsState
from devinotify.outbox.location import open_outbox
from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinotify.gateway.client import Client
    from devinotify.models import Message, Receipt
    from devinotify.outbox import Batch, Outbox, Row, StoredMessage
    from devinotify.url import DevinoURL

NAME = "sms-viber"
FIRST, SECOND = direct.SMS, direct.VIBER
RULE = "on_unknown"
"""The key in a stored message's ``meta`` that marks it as a step of this channel; its value is the rule."""

_LAST_ZONE = timezone(timedelta(hours=-12))  # where any wall-clock time comes last


class SmsViberChannel:
    """SMS, and Viber where the SMS is refused, lost, late or of unknown outcome; one instance serves one Notifier."""

    name = NAME
    max_length = FIRST.max_length
    segmented = True

    def __init__(self) -> None:
        self._settings: DevinoURL | None = None
        self._outbox: Outbox | None = None
        self._own: Outbox | None = None

    def open(self, settings: DevinoURL, outbox: Outbox | None = None) -> Outbox:
        """Return the outbox to write to: from now on the one given, else the one that the settings name.

        Raises InvalidInput where that cannot be used.
        """
        self._settings = settings
        if outbox is not None:
            self._outbox = outbox
        elif self._outbox is None:
            self._outbox = self._own = open_outbox(settings.outbox)
        return self._outbox

    def close(self) -> None:
        """Close the outbox, where this channel opened it; the next use opens it again."""
        if self._own is not None:
            self._own.close()
        self._outbox = self._own = None

    def check_sender(self, sender: str) -> None:
        """Raise InvalidSender where SMS or Viber does not take the sender: both steps send from it."""
        FIRST.check_sender(sender)
        SECOND.check_sender(sender)

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Send the SMS, and Viber at once where the SMS is refused; answer one Outcome each, in order."""
        outbox = self.open(client.url)
        settings = self._settings or client.url
        batch = outbox.begin(
            replace(message, validity=capped(message.validity, settings.patience)),
            channel=FIRST.name,
            # The caller is told what was not sent and may send it again, so the outbox must not.
            deadline=datetime.now(UTC),
            patience=settings.patience,
            fallback=True,
            meta={RULE: settings.on_unknown, "validity": message.validity},
        )
        if batch is None:
            error = InvalidInput(f"the outbox {outbox.path} is full: nothing was sent")
            return [failed(self.name, recipient, error) for recipient in message.recipients]
        found = {outcome.recipient: outcome for outcome in FIRST.send(batch.message, client)}
        outbox.settle(batch, list(found.values()))
        for row in batch.rows:
            outcome = found[row.recipient]
            found[row.recipient] = replace(outcome, channel=self.name)
        if message.send_at is None:
            going_on = [row for row in batch.rows if _next(found[row.recipient], settings.on_unknown) is Step.GO_ON]
            self._go_on(outbox, going_on, found, client)
        full = InvalidInput(f"the outbox {outbox.path} is full: nothing was sent")
        return [found.get(recipient) or failed(self.name, recipient, full) for recipient in message.recipients]

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Return the state of the step that the receipt is of."""
        return _STEPS[receipt.channel].state(receipt, client)

    def _go_on(self, outbox: Outbox, rows: Sequence[Row], found: dict[str, Outcome], client: Client) -> None:
        unknown = [row for row in rows if found[row.recipient].verdict is Verdict.UNKNOWN]
        refused = [row for row in rows if found[row.recipient].verdict is not Verdict.UNKNOWN]
        # What was certainly not sent is the caller's to send again; after an unknown SMS only the outbox can go on.
        for some, deadline in ((refused, datetime.now(UTC)), (unknown, None)):
            batch = outbox.go_on(some, SECOND.name, deadline=deadline)
            if batch is None:
                continue  # there is none, or a worker was quicker; the outcomes so far stand
            outcomes = SECOND.send(second_message(batch), client)
            outbox.settle(batch, outcomes)
            for outcome in outcomes:
                found[outcome.recipient] = joined(found[outcome.recipient], outcome)


_STEPS: Mapping[str, direct.SmsChannel | direct.ViberChannel] = MappingProxyType(
    {FIRST.name: FIRST, SECOND.name: SECOND}
)


def capped(validity: int | None, patience: float) -> int:
    """Return the validity of the SMS in minutes: no longer than ``patience`` (seconds), at least one minute.

    An SMS that is still under way when Viber is sent would arrive as a second one.
    """
    most = max(1, math.ceil(patience / 60))
    return min(validity, most) if validity else most


def second_message(batch: Batch) -> Message:
    """Return the message of the second step: unscheduled, with the validity asked for where Viber takes it."""
    validity = batch.stored.meta.get("validity")
    fits = isinstance(validity, int) and SECOND.limits.least_validity <= validity <= SECOND.limits.most_validity
    return replace(batch.message, send_at=None, validity=validity if fits else None)


def joined(first: Outcome, then: Outcome) -> Outcome:
    """Return the outcome of both steps: accepted where any was, else unknown where any was, else the last one's."""
    attempts = (*first.attempts, *then.attempts)
    decided = next(
        (
            attempt
            for verdict in (Verdict.ACCEPTED, Verdict.UNKNOWN)
            for attempt in reversed(attempts)
            if attempt.verdict is verdict
        ),
        attempts[-1],
    )
    return Outcome(
        recipient=first.recipient,
        verdict=decided.verdict,
        channel=first.channel,
        receipt=decided.receipt,
        error=decided.error,
        attempts=attempts,
        state=then.state if decided in then.attempts else first.state,
    )


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
    """Return what follows the first step that ``row`` is, at ``now`` (seconds since the epoch)."""
    if row.channel != FIRST.name or row.stepped:
        return Step.WATCH if row.state is RowState.ACCEPTED else Step.NOTHING
    verdict = _VERDICTS[row.state]
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
            continue  # queued or claimed: that step has not ended
        attempt = Attempt(row.channel, verdict, row.receipt, None if row.receipt else row.exception())
        step = Outcome(row.recipient, verdict, NAME, attempt.receipt, attempt.error, (attempt,), row_state(row))
        outcome = step if outcome is None else joined(outcome, step)
    if outcome is None:
        error = DevinotifyError("the send is under way in another process", verdict=Verdict.UNKNOWN)
        return failed(NAME, rows[0].recipient, error)
    return outcome


_UNDECIDED = frozenset({RowState.QUEUED, RowState.CLAIMED, RowState.ACCEPTED})


def steps_of(outbox: Outbox, outcome: Outcome) -> list[Row]:
    """Return the rows of the message that ``outcome`` is of, its steps in order; none where it is not in the outbox."""
    ids = {attempt.receipt.message_ids for attempt in outcome.attempts if attempt.receipt is not None}
    for row in outbox.rows(recipient=outcome.recipient):
        if row.message_ids and row.message_ids in ids:
            return list(outbox.rows(recipient=outcome.recipient, message_id=row.message_id))
    return []


def is_over(rows: Sequence[Row]) -> bool:
    """Whether the story that the rows tell is over: delivered, or nothing more to come."""
    if any(row.state is RowState.DELIVERED for row in rows):
        return True
    last = rows[-1]
    return last.state not in _UNDECIDED and (last.channel != FIRST.name or last.next_poll_at is None)


def row_state(row: Row) -> SmsState | None:
    """Return the delivery state that the outbox has recorded, or ``None``."""
    if row.status is None:
        return None
    return SmsState(row.status, row.status_code or 0, price=row.price)
