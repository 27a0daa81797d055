"""The worker: sends what the outbox holds, watches what was accepted, takes the later steps of fallbacks."""

from __future__ import annotations

import gc
import logging
import math
import random as _random
import threading
import time
from collections import Counter
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from devinotify.channels.batch import BATCH
from devinotify.delivery.crew import Crew
from devinotify.delivery.dispatching import Dispatcher
from devinotify.delivery.looking import RATE, Looks
from devinotify.delivery.pulse import Pulse
from devinotify.delivery.rate_limit import Speed
from devinotify.delivery.reading import CAUSES
from devinotify.delivery.sending import PUT_BACK
from devinotify.delivery.stopping import Stopping, stopped_by_signals
from devinotify.exceptions import DevinotifyError, InvalidInput
from devinotify.gateway.departure import departing
from devinotify.outbox.arguments import seconds
from devinotify.outbox.clock import WallClock
from devinotify.outbox.store import HeldError
from devinotify.systemd import Supervisor
from devinotify.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from devinotify.delivery.reading import Cause
    from devinotify.delivery.sending import Sent
    from devinotify.models import Outcome
    from devinotify.notifier import Notifier
    from devinotify.outbox import Batch, Outbox

log: logging.Logger = logging.getLogger(__name__)

NAP = 1.0
"""Seconds that an idle worker sleeps at most: another process may have enqueued something meanwhile."""
JITTER = 0.25
"""The part of a nap that chance may take away: workers that were started together do not all ask at once for long."""
PAUSE = 0.1
"""Seconds for which what found nothing to do is not asked again: each batch that is sent wakes whoever is idle."""
CONNECTIONS = 4
"""Requests at a time: rows of different texts cannot go in one."""
COLLECT_EVERY = 50_000
"""Values, net, between two collections in a process that only sends: several times what a batch makes."""
CAMPAIGN = "campaign"
"""The name under which the journal of a campaign remembers that it is one: no worker sends what is left in it."""
SENDING = "sending what is due"
"""What it tells its supervisor, in the words of `systemctl status`, while nothing is wrong."""
RECOVER_EVERY = 30.0
"""Seconds between two searches for what dead workers left behind."""


class Worker:
    """Works through one outbox with the channels and hooks of ``notifier``; several may share a file.

    It sends and looks at what is of the notifier's own account, and what is nobody's yet; how much of other accounts
    waits it says once.

    Without ``outbox`` it is the notifier's own. ``batch`` is how many recipients one claim takes, and so one request,
    ``connections`` how many requests are made at a time: no more than both allow are of unknown outcome when the
    process is killed. Deliveries are looked at beside that, ``look_rate`` requests a second at most. Without ``sends``
    it only looks, and takes the steps of fallbacks that follow; without ``looks`` it only sends. With ``incoming`` it
    reads every so many seconds what subscribers sent (``Notifier.incoming``), whatever else it does. ``nap`` is how
    many seconds an idle worker sleeps at most before it looks again, ``random`` a number from 0 to 1.

    What the account or the gateway is refused for (no credits, a wrong password, a 429) is queued again as if nothing
    had been tried; it waits, longer each time, and goes on when it is over. ``stop`` may be called from any thread or
    signal handler: no new batch is claimed then, what is being sent is finished and recorded. Whatever a hook or a
    channel raises, the worker goes on.
    """

    def __init__(
        self,
        notifier: Notifier,
        outbox: Outbox | None = None,
        *,
        batch: int = BATCH,
        connections: int = CONNECTIONS,
        look_rate: float | None = RATE,
        sends: bool = True,
        looks: bool = True,
        incoming: float | None = None,
        nap: float = NAP,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self._following = notifier.following(outbox)
        self._following.puts_back = True
        self.outbox: Outbox = self._following.outbox
        # By its name it was meant: several machines may work on one that a process of its own feeds.
        if self.outbox.campaign is None and self.outbox.recall(CAMPAIGN) is not None:
            raise InvalidInput(
                f"{self.outbox.name} is the journal of a campaign, which is its own to send:"
                " the same `devinotify bulk` command goes on with it"
            )
        self.account: str = notifier.url.account
        self.outbox.introduce(self.account)
        self._speed = Speed(connections=connections, batch=batch)
        self._look_rate = look_rate
        self._receiving = None if incoming is None else seconds("incoming", incoming)
        self._receive_at = 0.0
        self._receive: Callable[..., object] = notifier.incoming
        if not (sends or looks or incoming is not None):
            raise InvalidInput("a worker sends, or looks at deliveries, or both, or reads what comes in")
        self._sending, self._looking = sends, looks
        self._nap = seconds("nap", nap)
        self._random = random
        self._stopping = Stopping()
        self._clock = WallClock()
        self._recover_at = 0.0
        self._look_at = self._ask_at = 0.0  # when deliveries are looked for again, and when what is due is asked again
        self._telling = threading.Lock()
        self._held: str | None = None  # why nothing could be claimed the last time
        self._pulse = Pulse()
        self._supervisor = Supervisor(None)
        self._dispatcher = self._new_dispatcher(once=False)
        self._looks = self._new_looks(once=False)

    @property
    def cause(self) -> Cause | None:
        """Why ``run(once=True)`` ended before all that was due was sent, or ``None``."""
        return self._dispatcher.cause

    @property
    def error(self) -> DevinotifyError | None:
        """The last error that was not a recipient's affair, or ``None``."""
        return self._dispatcher.error

    @property
    def longest(self) -> float:
        """Seconds that the longest of the steps under way has lasted: a request with its retries, a hook, a query.

        What is waited for (a pace, a pause after trouble) is not a step, so one that lasts for minutes hangs.
        """
        return self._pulse.longest

    def stop(self) -> None:
        """Make ``run`` return after the batches that it is sending."""
        self._stopping.ask()

    def run(self, *, once: bool = False, signals: bool = False, supervisor: Supervisor | None = None) -> None:
        """Work until ``stop``; with ``once`` until nothing is due at the moment, or nothing can go out (``cause``).

        With ``signals`` the first SIGINT or SIGTERM does what ``stop`` does, and a second one what it did before; in
        any other thread than the main one, which alone gets signals, that changes nothing. Raises DevinotifyError where
        the outbox cannot be used any more; one that is locked or on a full disk is tried again, unless ``once``.
        ``supervisor`` is told when it works, what keeps it from sending, and that it ends; and it gets signs of life
        for as long as no step lasts longer than its watchdog waits.
        """
        self._supervisor = supervisor or Supervisor(None)
        with stopped_by_signals(self.stop) if signals else nullcontext():
            self._run(once=once)

    def _run(self, *, once: bool) -> None:
        self._dispatcher = self._new_dispatcher(once=once)
        self._looks = self._new_looks(once=once)
        self._receive_at = 0.0
        # What was sent is kept, and written down when the outbox is back, however long that takes.
        self._following.sender.is_patient = lambda: not (once or self._is_to_stop())
        self._guarded(self._recover, once=once)
        if self._sending:
            self._guarded(self._begin, once=once)
        self._guarded(self._tell_of_others, once=once)
        self._supervisor.ready(SENDING)
        worked = True
        while worked and not self._stopping.asked and self.cause is None:
            worked = self._work(once=once) or (once and self._try_suspects())
        if once:
            self._dispatcher.conclude()
        self._report()
        if self.cause is not None:
            log.warning("%s: what is queued waits for the next run (%s)", CAUSES[self.cause], self.error)

    def turn(self) -> bool:
        """Send one batch that is due, and look at deliveries that are; return whether there was anything to do."""
        if self._stopping.asked:
            return False
        self._recover()
        self._read()
        sent = self._sending and self._dispatcher.turn()
        return (self._looking and self._looks.turn()) or sent

    def _work(self, *, once: bool) -> bool:
        """Take turns until it is stopped, or with ``once`` nothing is due; return whether anything was."""
        worked = False

        def turn(of: Callable[[], bool]) -> Callable[[], bool]:
            def guarded() -> bool:
                nonlocal worked
                with self._pulse.working(), departing(self._pulse.step):
                    done = self._guarded(of, once=once)
                worked |= done
                return done

            return guarded

        self._look_at = 0.0
        sends, looks = turn(self._dispatcher.turn), turn(self._look)
        turns = [sends] * self._speed.connections if self._sending else []
        turns += [looks] * self._looks.connections if self._looking else []
        turns += [] if self._receiving is None else [self._read]
        crew = Crew(turns, self._stopping, forever=not once, nap=self._idle, name="worker")
        crew.run(lambda: self._look_after(once=once), min(self._nap, 1.0), halt=self._halt)
        return worked

    def _try_suspects(self) -> bool:
        """Try again what was put back a moment ago, which tells whom a refusal is about; return whether it was."""
        while self._dispatcher.has_suspects and not self._stopping.asked:
            due = self.outbox.next_due(self.account, queued=True)
            left = math.inf if due is None else due - self.outbox.now()
            if left > PUT_BACK:
                return False
            if left <= 0:
                return self._work(once=True)
            self._stopping.wait(left)  # which the threads that have ended may have rung for
        return False

    def _look(self) -> bool:
        """Look at deliveries that are due, unless there were none a moment ago."""
        if time.monotonic() < self._look_at:
            return False
        found = self._looks.turn()
        self._look_at = 0.0 if found else time.monotonic() + PAUSE
        return found

    def _read(self) -> bool:
        """Tell of what came in, when it is time to; a failure keeps nobody from sending: it is logged."""
        if self._receiving is None or time.monotonic() < self._receive_at:
            return False
        try:
            self._receive(stopped=self._is_to_stop)
        except DevinotifyError as error:
            log.warning("what came in could not be read: %s; it is tried again", error)
        self._receive_at = time.monotonic() + self._receiving
        return False

    def _new_dispatcher(self, *, once: bool) -> Dispatcher:
        return Dispatcher(
            self._following.sender,
            self.outbox,
            self._speed,
            account=self.account,
            gently=True,
            ends=once,
            ends_unreached=once,
            told=self._told,
            claim=self._claim,
            pulse=self._pulse,
        )

    def _new_looks(self, *, once: bool) -> Looks:
        return Looks(self._following, account=self.account, rate=self._look_rate, patient=not once, pulse=self._pulse)

    def _halt(self) -> None:
        self._dispatcher.stop()
        self._looks.stop()

    def _guarded(self, work: Callable[[], bool], *, once: bool) -> bool:
        try:
            return work()
        except DevinotifyError as error:
            if once or not error.retryable:
                raise
            self._tell(error)
            self._stopping.wait(self._nap)
            return False

    def _tell(self, error: DevinotifyError) -> None:
        if isinstance(error, HeldError):
            # Once, and not with every try of every thread: it may take hours until somebody has looked.
            with self._telling:
                if self._held == str(error):
                    return
                self._held = str(error)
        log.warning("%s; it is tried again", error)

    def _look_after(self, *, once: bool) -> None:
        """Do what is due now and then: find what dead workers left, and notice a clock that was set."""
        step = self._clock.stepped()
        if step:
            log.warning(
                "the clock was set %s by %.0f seconds: what was queued before is due by the clock as it was",
                "forward" if step > 0 else "back",
                abs(step),
            )
        self._guarded(self._recover, once=once)
        self._report()

    def _report(self) -> None:
        """Tell whoever supervises this process how it is: here, where the work is looked after."""
        if self._stopping.asked:
            self._supervisor.stopping()
        trouble = self._dispatcher.trouble
        self._supervisor.status(SENDING if trouble is None else f"in trouble since the last batch: {trouble}")
        if self._supervisor.watchdog is None or self.longest < self._supervisor.watchdog:
            self._supervisor.lives()

    def _is_to_stop(self) -> bool:
        """Return whether to stop: asked between two of many steps, so that one ends and the next begins with it."""
        self._pulse.step()
        return self._stopping.asked

    def _recover(self) -> bool:
        now = time.monotonic()
        if now < self._recover_at:
            return False
        lost = self.outbox.recover()
        self._recover_at = now + RECOVER_EVERY
        if lost:
            were = counted(lost, "message was", "messages were")
            log.warning("%s being sent when a worker died: the outcome is unknown", were)
        return bool(lost)

    def _begin(self) -> bool:
        self.outbox.enlist()  # one that has nothing to send is alive too, and whoever asks is told so
        return bool(self.outbox.hurry())

    def _tell_of_others(self) -> bool:
        elsewhere = self.outbox.waiting_elsewhere(self.account)
        if elsewhere:
            told = ", ".join(f"{count} of {account}" for account, count in elsewhere.items())
            log.warning("messages of other accounts wait, and are theirs to send: %s", told)
        return False

    def _idle(self) -> float:
        nap = self._nap * (1 - JITTER * self._random())
        if not self._sending:  # what is queued is due and stays so
            return nap
        if time.monotonic() < self._ask_at:
            return min(nap, PAUSE)
        try:
            due = self.outbox.next_due(self.account, queued=not self._looking)
        except DevinotifyError:  # the next turn meets it too, and tells
            return nap
        self._ask_at = time.monotonic() + PAUSE
        return nap if due is None else min(nap, max(due - self.outbox.now(), 0.01))

    def _claim(self, limit: int) -> Batch | None:
        batch = self.outbox.claim(limit, account=self.account)
        if batch is not None:  # not when a batch is told of, which may have been claimed before
            self._held = None
        return batch

    def _told(self, batch: Batch, sent: Sent) -> None:
        if log.isEnabledFor(logging.INFO):
            log.info("batch %d: %s", batch.claim, _summary(sent.outcomes))


def _summary(outcomes: Sequence[Outcome]) -> str:
    """Return how many ended how, and the commonest reason of those that failed."""
    verdicts = Counter(str(outcome.verdict) for outcome in outcomes)
    reasons = Counter(str(outcome.error) for outcome in outcomes if outcome.error is not None)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    return f"{counts} ({reasons.most_common(1)[0][0]})" if reasons else counts


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for cyclic garbage less often inside the block: for a process that sends and does nothing else.

    A batch makes thousands of values and no cycles, and each of them would be looked at several times.
    """
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
