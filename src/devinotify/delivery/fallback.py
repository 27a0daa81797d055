"""A channel of two others: the second where the first fails, every step written to the outbox before it is taken.

``send`` takes the first step, and the second where the first is refused at once. What is decided later (a message
that is not delivered, or not in time) is decided by whoever attends to the outbox: ``Notifier.wait`` or the worker.
"""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from devinotify.channels.batch import BATCH, failed
from devinotify.channels.protocol import check_channel, check_message, read_state, send_on
from devinotify.delivery import daily_window
from devinotify.delivery.holding import Holding
from devinotify.delivery.orders import orders, window_under_way
from devinotify.delivery.policy import POLICY, Fate, NextStep, fate_of_send, fate_of_status
from devinotify.delivery.schedule import due_at, timed
from devinotify.delivery.storage import Storage
from devinotify.delivery.story import joined, outcome_of, pending
from devinotify.exceptions import DevinotifyError, InvalidInput, NotSent, Verdict
from devinotify.gateway.departure import departing
from devinotify.models import ONE_TIME, DeliveryStatus
from devinotify.outbox.rules import EXPIRED
from devinotify.outbox.states import RETRY_FOR, VERDICT_OF, RowState
from devinotify.url import ON_UNKNOWN
from devinotify.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from devinotify.channels.protocol import Channel
    from devinotify.gateway.client import Client
    from devinotify.models import Message, Outcome, Receipt, SmsState
    from devinotify.outbox import Batch, Outbox, Row, StoredMessage
    from devinotify.plugins import PluginManager
    from devinotify.url import DevinoURL

log: logging.Logger = logging.getLogger(__name__)

RULE = "on_unknown"
"""The key in a stored message's ``meta`` that marks it as a step of a fallback; its value is the rule."""

UNTIL = "until"
"""The key in the ``meta`` of a one-time code: by when (seconds since the epoch) its steps are to be delivered."""

LEASE = 60.0
"""Seconds that whoever has taken the first step has for the next, before the outbox offers it to a worker."""


class Fallback:
    """A channel by ``name`` that sends on ``first``, and on ``second`` where that is refused, lost, late or unknown.

    Both are channels of any kind but fallbacks themselves, a plugin's among them. ``policy`` says what follows each
    fate of the first step under each rule of ``on_unknown`` (``devinotify.delivery.policy``). It is brought in by the
    hook ``register_channels``; each Notifier uses a copy of its own. Raises InvalidInput for channels that cannot be
    put together, and for a policy that leaves a fate out.
    """

    name: str

    def __init__(
        self, name: str, first: Channel, second: Channel, policy: Mapping[tuple[Fate, str], NextStep] = POLICY
    ) -> None:
        for step in (first, second):
            _check_step(name, step)
            if isinstance(step, Fallback):
                raise InvalidInput(f"the fallback {name}: {step.name} is a fallback itself, and cannot be its step")
        if len({name, first.name, second.name}) < 3:
            raise InvalidInput(f"the fallback {name}: it and its two channels must have different names")
        missing = [(fate, rule) for fate in Fate for rule in ON_UNKNOWN if (fate, rule) not in policy]
        if missing:
            raise InvalidInput(f"the fallback {name}: its policy does not say what follows {missing[0][0].name}")
        self.name = name
        self.first = first
        self.second = second
        self.policy = policy
        self.max_length: int = min(first.max_length, second.max_length)
        self.segmented: bool = first.segmented or second.segmented
        self.schedulable: bool = first.schedulable
        self._storage: Storage | None = None
        self._plugins: PluginManager | None = None

    def __repr__(self) -> str:
        return f"<Fallback {self.name}: {self.first.name}, then {self.second.name}>"

    def bound(
        self,
        storage: Storage,
        step: Callable[[Channel], Channel] = lambda channel: channel,
        plugins: PluginManager | None = None,
    ) -> Fallback:
        """Return the same channel, writing to this storage: one that is shared would mix the accounts of two.

        Its steps are taken on what ``step`` makes of their channels, in the daily window that ``plugins`` know.
        """
        same = copy(self)
        same._storage, same._plugins = storage, plugins
        same.first, same.second = step(self.first), step(self.second)
        return same

    def close(self) -> None:
        """Close the outbox of a channel that was used by hand."""
        if self._storage is not None:
            self._storage.close()

    def step(self, row: Row) -> Channel:
        """Return the channel of the step that a row is."""
        return self.second if row.channel == self.second.name else self.first

    def check_sender(self, sender: str) -> None:
        """Raise InvalidSender where either channel does not take the sender: both steps send from it."""
        self.first.check_sender(sender)
        self.second.check_sender(sender)

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Take the first step, and the second at once where the first is refused; answer one Outcome each, in order.

        An outcome is ``unknown`` where a step is written down that is still to be taken: to send again is not safe.
        """
        try:
            check_message(self, message)  # before the first step, which would take what the second cannot
        except DevinotifyError as error:
            return [failed(self.name, recipient, error) for recipient in message.recipients]
        if self._storage is None:
            self._storage = Storage(lambda: client.url)
        storage = self._storage
        storage.check_patience()
        outbox = storage.open()
        outcomes: list[Outcome] = []
        recipients = message.recipients
        # As many at a time as go in one request: no more than these are of unknown outcome after a crash.
        for start in range(0, len(recipients), BATCH):
            last = outcomes[-1].error if outcomes else None
            if isinstance(last, NotSent):
                return [*outcomes, *(failed(self.name, recipient, last) for recipient in recipients[start:])]
            some = replace(message, recipients=recipients[start : start + BATCH])
            outcomes += self._send_some(some, outbox, storage.settings, client)
        return outcomes

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Return the state of the step that the receipt is of."""
        return read_state(self.second if receipt.channel == self.second.name else self.first, receipt, client)

    def _send_some(self, message: Message, outbox: Outbox, settings: DevinoURL, client: Client) -> list[Outcome]:
        full = InvalidInput(f"the outbox {outbox.name} is full: nothing was sent")
        rule, validity = settings.on_unknown, message.validity or settings.validity
        meta: dict[str, Any] = {RULE: rule, "validity": validity}
        try:
            if (window := window_under_way()) is not None:
                meta[daily_window.WINDOW] = str(window)
            if validity and ONE_TIME in message.tags and message.send_at is None:
                meta[UNTIL] = outbox.now() + validity * 60
            batch = outbox.begin(
                replace(message, validity=capped(validity, settings.patience)),
                channel=self.first.name,
                # The caller is told what was not sent and may send it again, so the outbox must not.
                deadline=_moment(outbox),
                patience=settings.patience,
                fallback=True,
                meta=meta,
                account=settings.account,
                orders=orders(),
            )
        except DevinotifyError as error:
            return [failed(self.name, recipient, error) for recipient in message.recipients]
        if batch is None:
            return [failed(self.name, recipient, full) for recipient in message.recipients]
        holding = Holding(outbox, batch)
        with departing(holding):
            sent = [timed(outcome, message) for outcome in send_on(self.first, batch.message, client)]
        rows = {row.recipient: row for row in batch.rows}
        found = {each.recipient: replace(each, channel=self.name, row=rows[each.recipient].id) for each in sent}
        try:
            outbox.settle(batch, sent, lease=LEASE)
        except DevinotifyError as error:
            # The outbox will take these rows for unknown, and perhaps go on from there.
            log.warning("what became of %s could not be recorded: %s", counted(len(batch), "message"), error)
            if self.policy[Fate.UNKNOWN, rule] is NextStep.GO_ON:
                found = {recipient: pending(outcome) for recipient, outcome in found.items()}
        else:
            if holding.lost:  # others may have gone on from there: what they know counts
                found = {row.recipient: outcome_of(outbox.steps(row.id), self.name) for row in batch.rows}
            if not is_too_late(batch.stored, outbox.now()):
                going_on = [row for row in batch.rows if self._next(found[row.recipient], rule) is NextStep.GO_ON]
                self._go_on(batch.stored, going_on, found, outbox, client)
        return [found.get(recipient) or failed(self.name, recipient, full) for recipient in message.recipients]

    def _go_on(
        self, stored: StoredMessage, rows: Sequence[Row], found: dict[str, Outcome], outbox: Outbox, client: Client
    ) -> None:
        unknown = [row for row in rows if found[row.recipient].verdict is Verdict.UNKNOWN]
        refused = [row for row in rows if found[row.recipient].verdict is not Verdict.UNKNOWN]
        # What was certainly not sent is the caller's to send again; after an unknown step only the outbox can go on.
        for some, is_told in ((refused, True), (unknown, False)):
            then: list[Outcome] = []
            try:
                deadline = _moment(outbox) if is_told else ends_at(stored)
                due = self.postpone(outbox, some, stored) if some else []
                if due and (batch := outbox.go_on(due, self.second.name, deadline=deadline)) is not None:
                    with departing(Holding(outbox, batch)):
                        then = self._send_second(batch, outbox.now(), client)
                    outbox.settle(batch, then)
            except DevinotifyError as error:
                waiting = counted(len(some), "message")
                log.warning("%s could not go on to %s by now: %s", waiting, self.second.name, error)
            taken = {outcome.recipient: outcome for outcome in then}
            for row in some:
                first = found[row.recipient]
                found[row.recipient] = joined(first, taken[row.recipient]) if row.recipient in taken else pending(first)

    def _next(self, outcome: Outcome, rule: str) -> NextStep:
        return self.policy[fate_of_send(outcome.verdict, outcome.error), rule]

    def _send_second(self, batch: Batch, now: float, client: Client) -> list[Outcome]:
        if is_too_late(batch.stored, now):  # since it was decided: the outbox took its time
            error = NotSent(EXPIRED, retryable=False)
            return [failed(self.second.name, row.recipient, error) for row in batch.rows]
        return [*send_on(self.second, self.step_message(batch, now), client)]

    def step_message(self, batch: Batch, now: float) -> Message:
        """Return the message of a step; the second one is unscheduled, with the validity asked for, a day at most.

        A one-time code has what is left of its own at ``now`` (seconds since the epoch), a minute at least: one that
        has less is not to be sent.
        """
        if batch.rows[0].channel != self.second.name:
            return batch.message
        validity = batch.stored.meta.get("validity") or None
        most = min(int(RETRY_FOR // 60), max(1, _minutes_left(batch.stored, now)))
        return replace(batch.message, send_at=None, validity=None if validity is None else min(validity, most))

    def decide(self, row: Row, stored: StoredMessage, now: float) -> NextStep:
        """Return what follows the step that ``row`` is, which has ended, at ``now`` (seconds since the epoch)."""
        verdict = VERDICT_OF[row.state]
        if row.channel == self.second.name or row.stepped:
            return NextStep.WATCH if row.state is RowState.ACCEPTED else NextStep.NOTHING
        if verdict is Verdict.ACCEPTED:
            overdue = row.patience_until is not None and row.patience_until <= now
            fate = fate_of_status(row.status or DeliveryStatus.UNKNOWN, overdue=overdue)
        else:
            fate = fate_of_send(verdict, row.exception())
        step = self.policy[fate, stored.meta[RULE]]
        if step is NextStep.GO_ON and is_too_late(stored, now):
            return NextStep.WATCH if verdict is Verdict.ACCEPTED else NextStep.NOTHING
        # A row that is tried again is queued; one that has ended for good has nothing left to retry.
        return NextStep.NOTHING if step is NextStep.RETRY else step

    def postpone(self, outbox: Outbox, rows: Sequence[Row], stored: StoredMessage) -> list[Row]:
        """Queue the second step of those of these rows who have to wait for it, and return the others.

        It goes out neither before the first would have, nor outside the daily window, and is tried as any message is.
        """
        send_at, now = stored.message.send_at, _moment(outbox)
        opening = self.openings(stored, [row.recipient for row in rows], self.second, now)
        due: list[Row] = []
        later: dict[datetime, list[Row]] = {}
        for row in rows:
            at = now if send_at is None else due_at(send_at, row.recipient)
            at = max(at, opening.get(row.recipient, at))
            (later.setdefault(at, []) if at > now else due).append(row)
        for moment, some in later.items():
            outbox.step_later(some, self.second.name, not_before=moment, deadline=_wanted_until(stored, moment))
        return due

    def openings(
        self, stored: StoredMessage, recipients: Sequence[str], step: Channel, now: datetime
    ) -> Mapping[str, datetime]:
        """Return what ``daily_window.openings`` does, for a step on one of the channels; none without a window."""
        window = daily_window.window_of(stored)
        if window is None:
            return {}
        message = replace(stored.message, recipients=tuple(recipients), channel=step.name)
        return daily_window.openings(self._plugins, message, window, now)


def _moment(outbox: Outbox) -> datetime:
    """Return the time by the outbox's clock, which judges its deadlines: this machine's may be hours off."""
    return datetime.fromtimestamp(outbox.now(), UTC)


def ends_at(stored: StoredMessage) -> datetime | None:
    """Return by when each step of a one-time code is to be delivered; ``None`` for any other message."""
    until = stored.meta.get(UNTIL)
    return None if until is None else datetime.fromtimestamp(until, UTC)


def _wanted_until(stored: StoredMessage, due: datetime) -> datetime | None:
    """Return by when a step that waits until it is due is wanted: a one-time code alone is of no use any more."""
    if ONE_TIME not in stored.message.tags:
        return None
    return ends_at(stored) or due + timedelta(seconds=RETRY_FOR)


def is_too_late(stored: StoredMessage, now: float) -> bool:
    """Whether a one-time code has less than a minute left, the shortest validity: no step of it is sent any more."""
    return _minutes_left(stored, now) < 1


def _minutes_left(stored: StoredMessage, now: float) -> int:
    until = stored.meta.get(UNTIL)
    return int(RETRY_FOR // 60) if until is None else int((until - now) // 60)


def _check_step(name: str, step: Channel) -> None:
    try:
        check_channel(step)
    except ValueError as error:
        raise InvalidInput(f"the fallback {name}: {error}") from None


def capped(validity: int | None, patience: float) -> int:
    """Return the validity of the first step in minutes: no longer than ``patience`` (seconds), at least one minute.

    One that is still under way when the second step is taken would arrive as a second message.
    """
    most = max(1, int(patience // 60))
    return min(validity, most) if validity else most


def fallback_of(stored: StoredMessage, fallbacks: Mapping[str, Fallback]) -> Fallback | None:
    """Return the fallback whose step a stored message is; ``None`` where it is none, or of a channel that is gone."""
    return fallbacks.get(stored.message.channel) if RULE in stored.meta else None


def bind(
    channels: dict[str, Channel],
    storage: Storage,
    step: Callable[[Channel], Channel] | None = None,
    plugins: PluginManager | None = None,
) -> dict[str, Fallback]:
    """Put copies of the fallbacks that write to ``storage`` in their places among ``channels``, and return them.

    With ``step`` what it makes of them is put in the place of all other channels, and of the steps; ``plugins`` know
    the recipients' clocks.
    """
    made = step or (lambda channel: channel)
    bound = {
        name: channel.bound(storage, made, plugins)
        for name, channel in channels.items()
        if isinstance(channel, Fallback)
    }
    channels.update({name: bound.get(name) or made(channel) for name, channel in channels.items()})
    return bound
