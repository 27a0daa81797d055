"""How a finished alert goes out: straight from memory, or through an outbox that outlives the process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from devinotify import Backoff, DevinotifyError, InvalidInput, Message, Outbox, Verdict, Worker

from devinotify_logging.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devinotify import Notifier, Outcome

URGENT = frozenset({"urgent"})
"""An alert is not held back at night."""

RETRY = Backoff(2.0, most=60.0)
"""When an alert that was not sent is tried again from memory."""
RETRY_FOR = 900.0
"""Seconds for which it is tried from memory; who needs more has an outbox."""
MOST_RETRIED = 20
"""Alerts that memory keeps for another try at most; more than that, and the oldest are given up."""
LOOK_AGAIN = 30.0
"""Seconds after which an idle outbox thread looks at its outbox, where another process may have left something."""
LONGEST_TURN = 30.0
"""Seconds after which an outbox thread that always finds something due can be reached again, or ends if told to."""
AFTER_FAULT = 5.0
"""Seconds after which an outbox thread whose outbox failed tries again."""


@dataclass(slots=True, eq=False)
class OutgoingAlert:
    """A text on its way: ``write(late)`` returns it, with the time of what it tells where it is ``late``."""

    write: Callable[[bool], str]
    created: float
    recipients: tuple[str, ...]
    records: int = 0
    """Records that it tells of, which are lost with it."""
    reached: bool = False
    """Whether somebody has it, or may have."""
    tries: int = 0
    due: float = 0.0
    until: float = 0.0


class Carrier(Protocol):
    """What the sender hands finished alerts to."""

    @property
    def working(self) -> bool:
        """Whether something is still to be waited for."""

    @property
    def unsent(self) -> int:
        """Records of alerts in memory that nobody has yet: they wait for another try, or were given up."""

    @property
    def under_way(self) -> int:
        """Records of the alert in memory that is being sent at this moment."""

    def post(self, outgoing: OutgoingAlert) -> None:
        """Take an alert; what becomes of it is told to the notifier's hooks."""

    def turn(self, *, final: bool) -> float | None:
        """Try again what is due; return in how many seconds there is more to do, ``None`` for nothing."""

    def flush(self, timeout: float) -> bool:
        """Wait until what was posted has been tried, and return whether that was within ``timeout`` seconds."""

    def end(self) -> None:
        """Finish what is under way, and close; returns at once."""

    def finish(self, timeout: float) -> bool:
        """Do what can be done within ``timeout`` seconds; return whether it was all."""


class Direct:
    """Sends in the caller's thread, from memory; what provably was not sent is tried again for a while.

    ``complain`` is told of an alert that cannot be tried again.
    """

    def __init__(
        self,
        notifier: Notifier,
        channel: str | None,
        complain: Callable[[BaseException], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notifier = notifier
        self._channel = channel
        self._complain = complain
        self._clock = clock
        self._waiting: list[OutgoingAlert] = []
        self._given_up = 0
        self._current: OutgoingAlert | None = None

    @property
    def working(self) -> bool:
        """Nothing is: whoever posts sends."""
        return False

    @property
    def unsent(self) -> int:
        """Records of alerts that wait for another try, or were given up."""
        current = self._current  # another thread may ask
        waiting = (each for each in self._waiting if each is not current and not each.reached)
        return self._given_up + sum(each.records for each in waiting)

    @property
    def under_way(self) -> int:
        """Records of the alert that is being sent."""
        current = self._current
        return 0 if current is None or current.reached else current.records

    def post(self, outgoing: OutgoingAlert) -> None:
        """Send an alert."""
        outgoing.until = self._clock() + RETRY_FOR
        self._send(outgoing)

    def turn(self, *, final: bool) -> float | None:
        """Try again what is due, with ``final`` all of it for the last time."""
        now = self._clock()
        due = [outgoing for outgoing in self._waiting if final or outgoing.due <= now]
        for outgoing in due:
            try:
                self._send(outgoing)
            except Exception as error:  # noqa: BLE001 - whatever a plugin does to one, the others are tried
                self._complain(error)
        if final or not self._waiting:
            return None
        return max(0.0, min(outgoing.due for outgoing in self._waiting) - self._clock())

    def flush(self, timeout: float) -> bool:  # noqa: ARG002 - the protocol's signature
        """Return at once: what was posted was tried in ``post``."""
        return True

    def end(self) -> None:
        """Close the notifier."""
        self._notifier.close()

    def finish(self, timeout: float) -> bool:  # noqa: ARG002 - the protocol's signature
        """Return at once: the last tries were made in ``turn``."""
        return True

    def _send(self, outgoing: OutgoingAlert) -> None:
        self._current = outgoing
        try:
            again = self._try(outgoing)
        finally:
            self._waiting = [each for each in self._waiting if each is not outgoing]
            self._current = None
        if not again:
            return
        if self._clock() >= outgoing.until:
            self._give_up(outgoing)
            return
        outgoing.recipients = again
        outgoing.tries += 1
        outgoing.due = self._clock() + RETRY.pause(outgoing.tries)
        self._waiting.append(outgoing)
        if len(self._waiting) > MOST_RETRIED:
            self._give_up(self._waiting.pop(0))

    def _try(self, outgoing: OutgoingAlert) -> tuple[str, ...]:
        """Send an alert, and return for whom it may be sent again."""
        outcomes = self._notifier.notify(
            outgoing.write(outgoing.tries > 0), outgoing.recipients, channel=self._channel, tags=URGENT
        )
        outgoing.reached |= any(outcome.verdict in {Verdict.ACCEPTED, Verdict.UNKNOWN} for outcome in outcomes)
        return tuple(outcome.recipient for outcome in outcomes if _retryable(outcome))

    def _give_up(self, outgoing: OutgoingAlert) -> None:
        if not outgoing.reached:
            self._given_up += outgoing.records


class Durable:
    """Writes alerts to an outbox, and sends what is in it by a thread of its own, like ``devinotify worker``.

    ``complain`` is told of an outbox that fails; the alert then goes out from memory. ``longest_turn`` is in seconds:
    so long its thread looks for more to send before it can be reached again.
    """

    def __init__(
        self,
        notifier: Notifier,
        outbox: Outbox,
        channel: str | None,
        complain: Callable[[BaseException], None],
        longest_turn: float = LONGEST_TURN,
    ) -> None:
        self._notifier = notifier
        self._outbox = outbox
        self._longest_turn = longest_turn
        self._channel = channel or notifier.url.channel
        self._complain = complain
        self._direct = Direct(notifier, channel, complain)
        self._worker = Worker(notifier, outbox)
        self._closed = False
        self._thread: Loop[object] = Loop("devinotify-logging-outbox", self._carry, self._close)

    @property
    def working(self) -> bool:
        """Whether the outbox thread is."""
        return self._thread.running

    @property
    def unsent(self) -> int:
        """Records of alerts that the outbox did not take, and nobody has yet."""
        return self._direct.unsent

    @property
    def under_way(self) -> int:
        """Records of an alert that goes out from memory at this moment."""
        return self._direct.under_way

    def post(self, outgoing: OutgoingAlert) -> None:
        """Write an alert down, and wake the outbox thread."""
        url = self._notifier.url
        message = Message(
            outgoing.write(True),  # noqa: FBT003 - nobody knows when it will go out
            outgoing.recipients,
            sender=url.sender,
            channel=self._channel,
            validity=url.validity,
            tags=URGENT,
        )
        try:
            # Nobody waits for the delivery report; a fallback's own rows are watched all the same.
            rows = self._outbox.enqueue(
                message,
                original_time=datetime.fromtimestamp(outgoing.created, UTC),
                watch=False,
                account=url.account,
            )
            if not rows:
                raise InvalidInput(f"the outbox {self._outbox.name} is full: the alert is sent from memory")
        except DevinotifyError as error:
            self._complain(error)
            self._direct.post(outgoing)
            return
        self.wake()

    def wake(self) -> None:
        """Let the outbox thread look at the outbox now."""
        self._thread.put(None)

    def turn(self, *, final: bool) -> float | None:
        """Try again what had to go out from memory."""
        return self._direct.turn(final=final)

    def flush(self, timeout: float) -> bool:
        """Wait until the outbox thread has tried everything that is due."""
        return self._thread.flush(timeout)

    def end(self) -> None:
        """Let the outbox thread send what is due, and close."""
        self._thread.end()

    def finish(self, timeout: float) -> bool:
        """Let the outbox thread send what is due; the rest stays in the file."""
        return self._thread.finish(timeout)

    def _carry(self, items: Sequence[object], ending: bool, final: bool) -> float | None:  # noqa: ARG002 - a loop's turn
        if self._closed:
            return None  # it was told of its end, or waited for, at the very moment that it came
        try:
            until = time.monotonic() + self._longest_turn
            while self._worker.turn() and time.monotonic() < until:
                pass
            if ending:
                return None
            due = self._outbox.next_due(self._worker.account)
        except Exception as error:  # noqa: BLE001 - a plugin of the worker's may raise anything, and the outbox thread goes on
            self._complain(error)
            return None if ending else AFTER_FAULT
        return LOOK_AGAIN if due is None else min(LOOK_AGAIN, max(0.01, due - time.time()))

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for one in (self._outbox, self._notifier):
            try:
                one.close()
            except Exception as error:  # noqa: BLE001 - a plugin or a failing disk; the thread ends all the same
                self._complain(error)


def _retryable(outcome: Outcome) -> bool:
    return outcome.error is not None and outcome.verdict == "not_sent" and outcome.error.retryable
