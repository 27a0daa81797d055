"""The sender: takes frozen records from the handler, and decides, renders, pays and posts in its own thread.

More than 400 lines: all that happens in that thread, at a fork and at the end is about the same few attributes. What it
decides is elsewhere: windows in ``storm``, limits in ``limiter``, texts in ``rendering``, ways out in ``delivery``.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from devinotify import InvalidInput, Notifier, Outbox, hookimpl

from devinotify_logging import lifecycle, rendering
from devinotify_logging.counters import Counters, State
from devinotify_logging.dedupe import Elsewhere
from devinotify_logging.delivery import Carrier, Direct, Durable, OutgoingAlert
from devinotify_logging.limiter import (
    Candidate,
    FileLimiter,
    Grant,
    MemoryLimiter,
    memory_limiter,
    next_day,
    shared_path,
)
from devinotify_logging.loop import Loop
from devinotify_logging.quota import Go, Pause, QuotaLimits, Wait
from devinotify_logging.records import Event, Frozen
from devinotify_logging.source import style_of
from devinotify_logging.stderr import say
from devinotify_logging.storm import Alert, Storm
from devinotify_logging.targets import Target, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from devinotify import DevinoURL, Message, Outcome

    from devinotify_logging.settings import Settings

MOST_REPORTED = 50
"""Kinds of errors that are reported at most, so that a fault that is worded anew each time fills no disk."""
LONGEST_WAIT = 60.0
"""Seconds after which the limits are asked again at the latest: a new day may have begun."""
AFTER_FAULT = 1.0
"""Seconds after which a turn that failed is tried again."""


class _Refusal(NamedTuple):
    """Until when (monotonic seconds) the limits let nothing out, and whether that is for the day."""

    until: float
    paused: bool


class Sender:
    """Everything of a handler but the handler: its queue, its thread, its limits; outlives a handler that is replaced.

    ``complain(event, error)`` takes what goes wrong, with the record that it went wrong with, if there is one. A
    ``trial`` has limits of its own: it neither uses nor waits for the account's; and its caller tells what is lost.
    Raises InvalidInput, which InvalidURL is, where the settings cannot work.
    """

    def __init__(
        self,
        url: str,
        settings: Settings,
        complain: Callable[[Event | None, BaseException], None],
        *,
        trial: bool = False,
    ) -> None:
        self._url: str | DevinoURL = url
        self._settings = settings
        self._report = complain
        self._limits = QuotaLimits(settings.rate, settings.burst, settings.daily_limit)
        self._observers: list[Callable[[Message, Outcome], None]] = []
        self._carrier: Carrier | None = None
        self._leaving: list[Carrier] = []  # ended ones, which may still be at work
        self._inherited: list[Carrier] = []
        self._finished = self._overdue = self._hurried = False
        self._until = 0.0
        self._sending_since: float | None = None
        self._refused = _Refusal(0.0, paused=False)
        self.process: int = os.getpid()
        """The process that this began in, or began anew in."""
        self._state = State(Storm(settings.dedupe))
        self._loop: Loop[Frozen] = Loop("devinotify-logging", self._turn, self._ended)
        notifier = self._make_notifier()
        try:
            numbers = self._check(notifier)
            self._style = style_of(notifier, settings)
            outbox = self._open_outbox(notifier)
        except BaseException:
            notifier.close()
            raise
        self.target: Target = join(notifier.url.account, numbers, settings.channel or notifier.url.channel)
        self._account = notifier.url.account
        self._trial = trial
        self._memory_limiter = self._make_memory_limiter()
        path = None if trial else shared_path(notifier.url.outbox, os.environ)
        self._limiter: MemoryLimiter | FileLimiter = (
            self._memory_limiter if path is None else FileLimiter(path, self._account, time.time)
        )
        self._owner = uuid.uuid4().hex
        self._carrier = self._carrier_by(notifier, outbox)
        lifecycle.watch(self)
        if isinstance(self._carrier, Durable) and outbox is not None and outbox.next_due(self._account) is not None:
            self._carrier.wake()  # a predecessor left something

    # What the handler calls.

    @property
    def flush_timeout(self) -> float:
        """Seconds that ``flush`` and the end may take."""
        return self._settings.flush_timeout

    @property
    def dedupes(self) -> bool:
        """Whether equal records are one message."""
        return self._settings.dedupe > 0

    def put(self, frozen: Frozen) -> None:
        """Take a record, or drop and count it where the queue is full; never blocks."""
        self._notice_fork()
        state = self._state
        if not state.put:
            lifecycle.first_use()
        if not state.admit(self._settings.queue_size):
            return
        self._loop.put(frozen)
        if self._finished:
            # Logged by an exit hook after ours: nobody else will wait for it any more.
            self.flush(self.flush_timeout)

    def ignore(self) -> None:
        """Count a record that must not become an alert."""
        self._notice_fork()
        self._state.ignore()

    def observe(self, observer: Callable[[Message, Outcome], None]) -> None:
        """Tell ``observer`` of each try from now on, one call for each recipient, in the thread that made it."""
        self._observers.append(observer)

    def counters(self) -> Counters:
        """Return the counters as they stand."""
        return self._state.counters()

    def flush(self, timeout: float) -> bool:
        """Wait until everything that was put is sent, written down or held; return whether it was in time."""
        self._notice_fork()
        if self._overdue:  # the end of the process has waited as long as it may: logging.shutdown does not wait again
            return False
        self._until = time.monotonic() + timeout
        done = self._loop.flush(timeout)
        return done and all(each.flush(self._left()) for each in self._carriers())

    def wake(self) -> None:
        """Let the thread look at its queue; returns at once."""
        self._notice_fork()
        self._loop.put(None)

    def hand_over(self) -> None:
        """Send what there is without anybody waiting, and end after that."""
        self._notice_fork()
        self._loop.end()

    # What the lifecycle calls.

    def last_call(self) -> None:
        """Let the thread end with what the limits allow now; returns at once, and ``finish`` waits for it."""
        self._notice_fork()
        self._finished = True
        self._loop.end(final=True)

    def finish(self, timeout: float) -> None:
        """Send what the limits allow within ``timeout`` seconds; the rest is lost, unless it is in an outbox."""
        self._until = time.monotonic() + timeout
        done = [self._loop.finish(timeout)]
        done += [each.finish(self._left()) for each in self._carriers()]
        self._overdue = not all(done)
        if self._overdue:
            self._say_overdue()
        else:
            self._say_unsent(self._take_unsent(), 0)

    def _take_unsent(self) -> int:
        """Return how many records are lost with alerts that nobody has: once, since it is told then."""
        carrier = self._carrier
        lost, self._state.unsent = self._state.unsent, 0
        return lost + (0 if carrier is None else carrier.unsent)

    def _say_unsent(self, lost: int, under_way: int) -> None:
        """Say on stderr how many records are lost since the gateway was away; of those under way nobody knows."""
        if lost and not self._trial:
            say(
                f"{_records(lost)} lost: the program ends, and the gateway took no message of them"
                + (f"; {under_way} more under way may have arrived or not" if under_way else "")
            )

    def _say_overdue(self) -> None:
        """Say on stderr that a gateway hangs; a storm that goes on while the program ends is none of its affair."""
        since, carrier = self._sending_since, self._carrier
        counted = self._state.counters()
        unsent = self._take_unsent()
        lost = counted.queued + counted.held + unsent
        if self._settings.outbox is None:
            if unsent:
                self._say_unsent(lost, 0 if carrier is None else carrier.under_way)
                return
            if since is None or time.monotonic() - since < self.flush_timeout / 4:
                return
        say(
            f"the gateway has not answered within {self.flush_timeout:g} s, and the program ends: what is under way may"
            " have arrived or not"
            + ("" if self._settings.outbox is None else ", what is in the outbox stays there")
            + (f"; {_records(lost)} lost" if lost else "")
        )

    def after_fork(self) -> None:
        """Begin anew in a child: what is queued is the parent's to send."""
        self._state = State(Storm(self._settings.dedupe))
        self._loop = Loop("devinotify-logging", self._turn, self._ended)
        self._finished = self._overdue = self._hurried = False
        self._sending_since = None
        self._refused = _Refusal(0.0, paused=False)
        self._inherited += self._carriers()  # to close their connections is the parent's affair
        self._carrier, self._leaving = None, []
        self._memory_limiter = self._make_memory_limiter()
        if not isinstance(self._limiter, FileLimiter):
            self._limiter = self._memory_limiter
        self._owner = uuid.uuid4().hex
        self.process = os.getpid()

    def _make_memory_limiter(self) -> MemoryLimiter:
        return MemoryLimiter(time.time) if self._trial else memory_limiter(self._account)

    def _notice_fork(self) -> None:
        """Begin anew where nobody told of a fork: uwsgi forks without Python's hooks, unless it is told otherwise."""
        if self.process != os.getpid():
            lifecycle.after_fork()

    def _left(self) -> float:
        """Return the seconds that whoever flushes or finishes still waits."""
        return max(0.0, self._until - time.monotonic())

    # In the thread.

    def _turn(self, items: Sequence[Frozen], ending: bool, final: bool) -> float | None:
        storm = self._state.storm
        now = time.monotonic()
        for frozen in items:
            try:
                storm.offer(Event.of(frozen), now)
            except Exception as error:  # noqa: BLE001 - an odd record must not keep the others from going out
                storm.suppressed += 1
                self._complain(None, error)
            self._state.taken += 1
        try:
            pauses = [self._send_due(ending=ending, final=final)]
            if self._carrier is not None and not self._out_of_time():
                with self._sending():
                    pauses.append(self._carrier.turn(final=final))
        except Exception as error:  # noqa: BLE001 - whatever a plugin or a full disk does, the thread goes on
            self._complain(None, error)
            return None if final else AFTER_FAULT
        if not ending and (due := storm.next_due()) is not None:
            pauses.append(max(0.0, due - time.monotonic()))
        return min((pause for pause in pauses if pause is not None), default=None)

    def _send_due(self, *, ending: bool, final: bool) -> float | None:
        """Send the alerts that are due as far as the limits allow; return in how many seconds they allow more."""
        storm, state = self._state.storm, self._state
        while True:
            storm.tick(time.monotonic(), ending=ending)
            alert = storm.next_alert(time.monotonic(), state.dropped)
            if alert is None:
                break
            if time.monotonic() < self._refused.until and not self._refused.paused:
                # Nobody is asked again, and nothing rendered, for every record of a storm.
                if not final:
                    return self._refused.until - time.monotonic()
                break
            if self._out_of_time() or time.monotonic() < self._refused.until:
                storm.give_up()
                continue
            self._send(alert, ending=ending, final=final)
        if final and not self._refused.paused:
            self._close_up()
        return None

    def _send(self, alert: Alert, *, ending: bool, final: bool) -> None:
        """Send an alert if the limits allow it and nobody else has told of it."""
        storm = self._state.storm
        numbers = self._numbers()
        try:
            late = self._is_late(alert)
            self._write(alert, late=late)
        except Exception as error:  # noqa: BLE001 - one that cannot be shown must not stand in the others' way
            storm.taken(alert, time.monotonic())
            self._complain(alert.event, error)
            return
        segments = 0

        def cost(more: int, others: int) -> int:
            nonlocal segments
            segments = rendering.segments_of(self._write(_with(alert, more, others), late=late))
            return segments

        # What only this process counts nobody tells of when it has ended.
        insist = final and isinstance(self._limiter, MemoryLimiter)
        kind = alert.event.kind if self._settings.dedupe else None
        grant = self._ask(
            Candidate(
                self._limits,
                cost,
                max(1, len(numbers)),
                self.target.name,
                kind,
                alert.times,
                self._settings.dedupe,
                self._owner,
                insist,
            )
        )
        if isinstance(grant, Go):
            storm.taken(alert, time.monotonic())
            if numbers:
                told = _with(alert, *grant)
                self._post(told, numbers, segments, told.times + told.suppressed + told.dropped)
        elif isinstance(grant, Wait):
            self._refused = _Refusal(time.monotonic() + min(grant.seconds, LONGEST_WAIT), paused=False)
        elif isinstance(grant, Pause):
            self._refused = _Refusal(time.monotonic() + LONGEST_WAIT, paused=True)
            if grant.notify and numbers:
                notice = rendering.paused(self._style, self._settings.daily_limit, next_day(time.time()))
                self._post(notice, numbers, 1, 0)
        else:
            seconds = grant.seconds if isinstance(grant, Elsewhere) else 0.0
            storm.told_elsewhere(alert, time.monotonic(), seconds, ending=ending)

    def _close_up(self) -> None:
        """Tell in one last message how much the limits hold back at the end of the process, the worst by name."""
        rest = self._state.storm.close_up(self._state.dropped)
        if not (rest.untold or rest.dropped):
            return
        number = rest.untold + rest.dropped
        lost = _records(number)
        if self._out_of_time():
            say(f"{lost} lost: the program ends, and the gateway has not answered in time")
            return
        numbers = self._numbers()
        told = rendering.closing(rest, self._style)
        segments = rendering.segments_of(told)
        last = Candidate(self._limits, lambda *_: segments, max(1, len(numbers)), closing=True)
        if numbers and isinstance(self._ask(last), Go):
            self._post(told, numbers, segments, number)
        else:
            say(f"{lost} lost: the limits allow no message more")

    def _post(self, alert: Alert | str, numbers: Sequence[str], segments: int, records: int) -> None:
        """Hand out an alert, or a text that names its time itself; ``records`` are lost if it is."""
        if isinstance(alert, str):
            event = None
            outgoing = OutgoingAlert(lambda late: alert, time.time(), tuple(numbers), records)  # noqa: ARG005 - see above
        else:
            event = alert.event
            outgoing = OutgoingAlert(
                lambda late: self._write(alert, late=late or self._is_late(alert)),
                event.created,
                tuple(numbers),
                records,
            )
        self._state.messages += 1
        self._state.segments += segments * len(numbers)
        try:
            with self._sending():
                self._open_carrier().post(outgoing)
        except Exception as error:  # noqa: BLE001 - this alert is lost, and that is told; the next may fare better
            self._complain(event, error)

    @contextlib.contextmanager
    def _sending(self) -> Iterator[None]:
        """Note since when the gateway has been asked for something."""
        self._sending_since = time.monotonic()
        try:
            yield
        finally:
            self._sending_since = None

    def _write(self, alert: Alert, *, late: bool) -> str:
        happened = datetime.fromtimestamp(alert.event.created).astimezone() if late else None
        return rendering.render(alert, self._style, happened)

    def _is_late(self, alert: Alert) -> bool:
        durable = self._settings.outbox is not None
        return durable or time.time() - alert.event.created > rendering.LATE

    def _ask(self, candidate: Candidate) -> Grant:
        try:
            return self._limiter.ask(candidate)
        except (OSError, sqlite3.Error) as error:
            self._complain(None, error)
            return self._memory_limiter.ask(candidate)

    def _numbers(self) -> list[str]:
        found = self._notifier.resolve(self._to(self._notifier))
        for error in found.values():
            if error is not None:
                self._complain(None, error)
        return [number for number, error in found.items() if error is None]

    # Made when they are needed: after a fork nothing of the parent's is used.

    @property
    def _notifier(self) -> Notifier:
        self._open_carrier()
        return self._current

    def _open_carrier(self) -> Carrier:
        if self._loop.here and not self._hurried:
            self._ended()  # its requests may take longer than whoever works in the thread's place has time
        if self._carrier is None:
            self._hurried = self._loop.here
            notifier = self._make_notifier()
            self._carrier = self._carrier_by(notifier, self._open_outbox(notifier))
        return self._carrier

    def _carrier_by(self, notifier: Notifier, outbox: Outbox | None) -> Carrier:
        self._current = notifier

        def complain(error: BaseException) -> None:
            self._complain(None, error)

        if outbox is None:
            return Direct(notifier, self._settings.channel, complain)
        return Durable(notifier, outbox, self._settings.channel, complain)

    def _make_notifier(self) -> Notifier:
        url = self._url
        if self._hurried and not isinstance(url, str):
            # A login and a send at least have to fit into the time there is.
            url = url.with_options(timeout=min(url.timeout, max(0.1, self._left() / 2)))
        notifier = Notifier(url, outbox=self._settings.outbox)
        if not self._hurried:
            self._url = notifier.url
        notifier.plugins.register(_Observer(self._note))
        return notifier

    def _open_outbox(self, notifier: Notifier) -> Outbox | None:
        path = self._settings.outbox
        return None if path is None else Outbox(path, poll=notifier.url.poll)

    def _ended(self) -> None:
        carrier = self._carrier
        if carrier is None:
            return
        # First there, then no longer here: whoever waits meanwhile misses none.
        self._leaving = [*(each for each in self._leaving if each.working), carrier]
        self._carrier = None
        self._state.unsent += carrier.unsent
        self._hurried = False
        try:
            carrier.end()
        except Exception as error:  # noqa: BLE001 - a file or a plugin that cannot be closed; the thread ends all the same
            self._complain(None, error)

    def _carriers(self) -> list[Carrier]:
        carrier = self._carrier
        return self._leaving if carrier is None else [*self._leaving, carrier]

    def _out_of_time(self) -> bool:
        """Whether whoever works in the thread's place may not be kept waiting any longer."""
        return self._loop.here and not self._left()

    # Checks at the beginning.

    def _to(self, notifier: Notifier) -> tuple[str, ...]:
        return self._settings.to or notifier.url.targets

    def _check(self, notifier: Notifier) -> list[str]:
        """Return the numbers to alert; raise InvalidInput where nobody can be reached with the settings."""
        if not self._to(notifier):
            raise InvalidInput("there is nobody to alert: give `to`, or targets on the URL")
        if self._settings.channel is not None:
            notifier.channel(self._settings.channel).check_sender(notifier.url.sender)
        found = notifier.resolve(self._to(notifier))
        errors = [error for error in found.values() if error is not None]
        if errors and len(errors) == len(found):
            raise InvalidInput(f"bad value for to: {errors[0]}") from errors[0]
        return [number for number, error in found.items() if error is None]

    # What comes back.

    def _note(self, message: Message, outcome: Outcome) -> None:
        self._state.note(outcome.verdict)
        if outcome.error is None:
            self._state.failures.clear()
        else:
            self._complain(None, outcome.error, self._state.failures)
        for observer in self._observers:
            observer(message, outcome)

    def _complain(self, event: Event | None, error: BaseException, known: set[str] | None = None) -> None:
        """Report an error, each kind of it once; failures of a send again when one has gone well meanwhile."""
        known = self._state.faults if known is None else known
        kind = f"{type(error).__name__} {error}"
        if kind not in known and len(known) < MOST_REPORTED:
            known.add(kind)
            with contextlib.suppress(Exception):  # whoever replaced handleError; the thread goes on
                self._report(event, error)


class _Observer:
    """A plugin of the notifier's that hears of outcomes, those of the outbox's rows included."""

    def __init__(self, note: Callable[[Message, Outcome], None]) -> None:
        self._note = note

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:
        """Count what became of an alert."""
        self._note(message, outcome)


def _with(alert: Alert, more: int, others: int) -> Alert:
    """Return an alert that tells of more equal records, and of others, than this process has counted."""
    return alert._replace(times=alert.times + more, suppressed=alert.suppressed + others)


def _records(number: int) -> str:
    return "1 record is" if number == 1 else f"{number} records are"
