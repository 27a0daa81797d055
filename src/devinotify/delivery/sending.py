"""The way of one batch: sent through channels and hooks, its outcomes read, and each of its rows settled or put back.

Whoever sends from an outbox goes through here: the worker, a campaign, and the later steps of a fallback.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from devinotify.accepted import recipients_of
from devinotify.channels.batch import failed
from devinotify.delivery.fallback import fallback_of
from devinotify.delivery.holding import OLDEST, Holding
from devinotify.delivery.orders import ordered
from devinotify.delivery.reading import Reading, read
from devinotify.exceptions import DevinotifyError, InvalidPhoneNumber, LimitExceeded, NotSent, Verdict
from devinotify.gateway.departure import departing
from devinotify.outbox.rules import EXPIRED, expired
from devinotify.outbox.states import RowState
from devinotify.phones.number import are_e164, is_e164
from devinotify.redact import mask_number
from devinotify.retry import Backoff
from devinotify.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from devinotify.channels.protocol import Channel
    from devinotify.delivery.fallback import Fallback
    from devinotify.models import Message, Outcome
    from devinotify.outbox import Batch, Outbox, Row

log: logging.Logger = logging.getLogger(__name__)

RECORD_AGAIN = Backoff(0.1, factor=3.0, most=20.0, tries=6)
"""How outcomes are recorded again while the file is locked or the disk full: what was sent must not be forgotten."""
PUT_BACK = 1.0
"""Seconds for which what was refused for no recipient's sake stands behind the others in the queue."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a batch: an outcome for each row, in their order, what they mean, and what the rows became.

    Who waits for a daily window has no outcome yet.
    """

    outcomes: Sequence[Outcome]
    reading: Reading
    states: Mapping[int, RowState]


class Sender:
    """Sends claimed batches of one outbox with the channels and hooks of one Notifier, and records what came of them.

    ``fallbacks`` are those among the channels. ``send`` sends a prepared message on a channel, ``process`` prepares one
    first; both record and return an Outcome per recipient, ``process`` those of each request as they are known.
    ``again`` is how the outcomes are recorded where that fails, ``put_back`` for how many seconds a batch stands behind
    the others that was refused for no recipient's sake, ``oldest`` how many seconds after its claim one may still
    leave. As long as ``is_patient`` says so it goes on beyond the tries of ``again``.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        fallbacks: Mapping[str, Fallback],
        send: Callable[[Message, Channel], Sequence[Outcome]],
        process: Callable[[Message], Iterable[Sequence[Outcome]]],
        sleep: Callable[[float], None] = time.sleep,
        again: Backoff = RECORD_AGAIN,
        put_back: float = PUT_BACK,
        oldest: float = OLDEST,
    ) -> None:
        self._outbox = outbox
        self._fallbacks = fallbacks
        self._send = send
        self._process = process
        self._sleep = sleep
        self._again = again
        self._put_back = put_back
        self._oldest = oldest
        self.is_patient: Callable[[], bool] = lambda: False

    def deliver(
        self,
        batch: Batch,
        *,
        puts_back: bool = True,
        alike: bool = False,
        to_blame: Callable[[Sequence[Outcome]], bool] = lambda held: True,  # noqa: ARG005 - whoever they are
    ) -> Sent:
        """Send a claimed batch, record what came of each row, and return it.

        Whatever is raised on the way, each row gets an outcome: ``unknown`` where none was told. The steps of a
        fallback whose daily window is shut are queued again until it opens, and have none. A recipient that is no
        number in E.164 is refused. With ``puts_back`` what the account or the gateway is refused for is queued
        again as if nothing had been tried. ``alike`` says that all that is queued is of one campaign; ``to_blame`` is
        asked whether the recipients of a batch that was refused as a whole are to blame, and not the account. Raises
        DevinotifyError where the outcomes cannot be recorded.
        """
        try:
            opening = self._opening(batch)
        except DevinotifyError as error:  # of a plugin's: where nobody knows whether it is open, nothing is sent
            waiting: dict[int, RowState] = {}
            outcomes: Sequence[Outcome] = [failed(row.channel, row.recipient, error) for row in batch.rows]
        else:
            batch, waiting = self._put_off(batch, opening)
            outcomes = self._outcomes(batch) if batch.rows else []
        reading = read(outcomes, alike=alike) if puts_back else Reading(settle=outcomes)
        if reading.held and (fallback_of(batch.stored, self._fallbacks) is not None or to_blame(reading.held)):
            # What follows a refused step of a fallback is decided by its policy.
            reading.settle = [*reading.settle, *reading.held]
            reading.held, reading.refused = [], None
        states = {**waiting, **self._record(batch, reading)}
        if batch.rows and batch.rows[0].channel in self._fallbacks:
            self._forget_steps(batch, outcomes, states)
        return Sent(outcomes, reading, states)

    def _opening(self, batch: Batch) -> Mapping[str, datetime]:
        """Return when to ask again for the steps of a fallback whose daily window is shut, by recipient.

        Any other message goes to the gateway with its time of sending: preparing it sees to that.
        """
        fallback = fallback_of(batch.stored, self._fallbacks)
        if fallback is None:
            return {}
        now = datetime.fromtimestamp(self._outbox.now(), UTC)
        return fallback.openings(batch.stored, [row.recipient for row in batch.rows], fallback.step(batch.rows[0]), now)

    def _put_off(self, batch: Batch, opening: Mapping[str, datetime]) -> tuple[Batch, dict[int, RowState]]:
        """Queue those again who have to wait, and return the batch of the others, and what those have become."""
        states: dict[int, RowState] = {}
        if not opening:
            return batch, states
        for moment in sorted(set(opening.values())):
            some = [row for row in batch.rows if opening.get(row.recipient) == moment]
            states |= self._written(batch, partial(self._outbox.release, batch, some, not_before=moment))
        return replace(batch, rows=tuple(row for row in batch.rows if row.recipient not in opening)), states

    # --- sending

    def _outcomes(self, batch: Batch) -> Sequence[Outcome]:
        found: list[Outcome] = []
        told: list[Sequence[Outcome]] = [found]
        missing, verdict = "no outcome was told for the recipient", Verdict.UNKNOWN
        begun = False
        try:
            message = self._message(batch, found)
            if message.recipients:
                with departing(Holding(self._outbox, batch, oldest=self._oldest)), ordered(batch):
                    begun = True
                    # One by one: what was told before a failure counts.
                    for some in self._answers(batch, message):
                        told.append(some)  # noqa: PERF402 - as the comment says
        except Exception as error:  # noqa: BLE001 - neither a hook nor a channel may end the worker or lose a row
            missing = f"{type(error).__name__} was raised while it was being sent"
            verdict = Verdict.UNKNOWN if begun else Verdict.NOT_SENT
            log.error("batch %d: %s", batch.claim, missing)
        parts = [some for some in told if some]
        outcomes = parts[0] if len(parts) == 1 else [*chain.from_iterable(parts)]
        if recipients_of(outcomes) == batch.recipients:
            return outcomes
        # A plugin may have added recipients of its own: the rows are the ones that were asked for.
        known = {outcome.recipient: outcome for outcome in outcomes}
        lost = DevinotifyError(missing, verdict=verdict)
        return [known.get(row.recipient) or failed(row.channel, row.recipient, lost) for row in batch.rows]

    def _message(self, batch: Batch, found: list[Outcome]) -> Message:
        """Return the message for those recipients that are numbers; the others are refused, and ``found`` so."""
        fallback = fallback_of(batch.stored, self._fallbacks)
        message = batch.message if fallback is None else fallback.step_message(batch, self._outbox.now())
        message = self._in_time(batch, message, found)
        if are_e164(message.recipients):
            return message
        strangers = [recipient for recipient in message.recipients if not is_e164(recipient)]
        found += [failed(message.channel, recipient, _stranger(recipient)) for recipient in strangers]
        return replace(message, recipients=tuple(filter(is_e164, message.recipients)))

    def _in_time(self, batch: Batch, message: Message, found: list[Outcome]) -> Message:
        """Return the message with a validity that ends by its deadline: the gateway begins to count when it has it.

        It counts whole minutes: whoever has less than one left is not sent to any more, and ``found`` so.
        """
        # A time of sending is what the gateway counts from: there the deadline is for handing it over.
        if not message.validity or message.send_at is not None or all(row.deadline is None for row in batch.rows):
            return message
        left = self._outbox.minutes_left(batch)
        late = [row for row in batch.rows if left.get(row.recipient, 1) < 1]
        if late:
            now, error = self._outbox.now(), NotSent(EXPIRED, retryable=False)
            self._outbox.on_end([expired(row, batch.stored, now) for row in late])
            found += [failed(message.channel, row.recipient, error) for row in late]
        return replace(
            message,
            recipients=tuple(each for each in message.recipients if left.get(each, 1) >= 1),
            validity=min([message.validity, *(minutes for minutes in left.values() if minutes >= 1)]),
        )

    def _answers(self, batch: Batch, message: Message) -> Iterable[Sequence[Outcome]]:
        # The steps of a fallback are prepared already: they were part of a message that was.
        fallback = fallback_of(batch.stored, self._fallbacks)
        return self._process(message) if fallback is None else [self._send(message, fallback.step(batch.rows[0]))]

    # --- recording

    def _record(self, batch: Batch, reading: Reading) -> dict[int, RowState]:
        states: dict[int, RowState] = {}
        if reading.settle:
            states.update(self._settle(batch, reading.settle))
        if reading.release:
            rows = _rows(batch, reading.release)
            states.update(self._written(batch, lambda: self._outbox.release(batch, rows)))
        for until, some in _by_room(reading.over).items():
            states.update(self._written(batch, partial(self._outbox.wait_for_room, batch, some, until)))
        if reading.held:
            later = datetime.fromtimestamp(self._outbox.now() + self._put_back, UTC)
            back = _rows(batch, {outcome.recipient for outcome in reading.held})
            states.update(self._written(batch, lambda: self._outbox.release(batch, back, not_before=later)))
        return states

    def _settle(self, batch: Batch, outcomes: Sequence[Outcome]) -> dict[int, RowState]:
        try:
            return self._written(batch, lambda: self._outbox.settle(batch, outcomes))
        except DevinotifyError:
            raise
        except Exception as error:  # noqa: BLE001 - a channel's answer that cannot be stored must not end the worker
            what = f"{type(error).__name__} was raised while its outcome was recorded"
            log.error("batch %d: %s", batch.claim, what)
            lost = DevinotifyError(what, verdict=Verdict.UNKNOWN)
            unknown = [failed(outcome.channel, outcome.recipient, lost) for outcome in outcomes]
            return self._written(batch, lambda: self._outbox.settle(batch, unknown))

    def _written(self, batch: Batch, write: Callable[[], dict[int, RowState]]) -> dict[int, RowState]:
        tries = 0
        while True:
            try:
                return write()
            except DevinotifyError as error:
                tries += 1
                if not error.retryable or not (self._again.allows(tries) or self.is_patient()):
                    raise
                log.warning(
                    "what became of %s is not recorded yet, and is tried again: %s",
                    counted(len(batch), "message"),
                    error,
                )
                self._sleep(self._again.pause(tries))

    def _forget_steps(self, batch: Batch, outcomes: Sequence[Outcome], states: Mapping[int, RowState]) -> None:
        """Forget the steps of orders that are queued again: each try would leave its own."""
        for row, outcome in zip(batch.rows, outcomes, strict=True):
            if states.get(row.id) is RowState.QUEUED and outcome.row is not None:
                self._outbox.forget(self._outbox.steps(outcome.row))


def _rows(batch: Batch, recipients: Collection[str]) -> list[Row]:
    """Return the rows of a batch that are for these recipients."""
    return [row for row in batch.rows if row.recipient in recipients]


def _by_room(over: Sequence[Outcome]) -> dict[datetime, list[Outcome]]:
    """Return outcomes of limits by the moment at which there is room again."""
    found: dict[datetime, list[Outcome]] = {}
    for outcome in over:
        error = outcome.error
        if isinstance(error, LimitExceeded) and error.resets_at is not None:  # as they were read
            found.setdefault(error.resets_at, []).append(outcome)
    return found


def _stranger(recipient: str) -> InvalidPhoneNumber:
    return InvalidPhoneNumber(
        "the outbox sends to numbers in E.164 (+79161234567): aliases and other notations are read before enqueueing",
        masked=mask_number(recipient),
    )
