"""The worker: sends what the outbox holds, watches what was accepted, takes the later steps of fallbacks."""

from __future__ import annotations

import gc
import logging
import queue
import signal
import time
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from devinotify.channels.batch import BATCH
from devinotify.exceptions import DevinotifyError, NotSent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from devinotify.delivery.tracking import Tracker
    from devinotify.models import Outcome
    from devinotify.notifier import Notifier
    from devinotify.outbox.sqlite.store import Outbox

log = logging.getLogger(__name__)

NAP = 1.0
"""Seconds that an idle worker sleeps at most: another process may have enqueued something meanwhile."""
LONGEST_BREATHER = 30.0
"""Seconds, at most, to the next batch while the gateway is out of reach; they begin at NAP and double."""
COLLECT_EVERY = 50_000
"""Values, net, between two collections in a process that only sends: several times what a batch makes."""
RECOVER_EVERY = 30.0
"""Seconds between two searches for what dead workers left behind."""


class Worker:
    """Works through one outbox with the channels and hooks of ``notifier``; several may share a file.

    Without ``outbox`` it is the notifier's own. ``batch`` is how many recipients one claim takes, and so one request:
    no more are of unknown outcome when the process is killed. ``stop`` may be called from any thread or signal
    handler: no new batch is claimed then, what is being sent is finished and recorded. Whatever a hook or a channel
    raises, the worker goes on.
    """

    def __init__(self, notifier: Notifier, outbox: Outbox | None = None, *, batch: int = BATCH) -> None:
        self._following: Tracker = notifier.following(outbox)
        self.outbox = self._following.outbox
        self._batch = batch
        self._stopping = False
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()  # its put() is safe in a signal handler
        self._unreachable = 0
        self._recover_at = 0.0

    def stop(self) -> None:
        """Make ``run`` return after the batch that it is sending."""
        self._stopping = True
        self._wake.put(None)

    def run(self, *, once: bool = False) -> None:
        """Work until ``stop``; with ``once`` until nothing is due at the moment, or the gateway is out of reach.

        Raises DevinotifyError where the outbox cannot be used any more; one that is locked or on a full disk is tried
        again, unless ``once``.
        """
        while not self._stopping:
            try:
                worked = self.turn()
            except DevinotifyError as error:
                if once or not error.retryable:
                    raise
                log.warning("%s; it is tried again", error)
                worked = False
            if once and (self._unreachable or not worked):
                return
            if not worked:
                self._rest(self._idle())
            elif self._unreachable:
                self._rest(min(NAP * 2.0 ** (self._unreachable - 1), LONGEST_BREATHER))

    def turn(self) -> bool:
        """Send one batch that is due, and look at deliveries that are; return whether there was anything to do."""
        self._recover()
        batch = self.outbox.claim(self._batch)
        if batch is not None:
            outcomes = self._following.deliver(batch)
            unreachable = all(isinstance(outcome.error, NotSent) for outcome in outcomes)
            self._unreachable = self._unreachable + 1 if unreachable else 0
            if log.isEnabledFor(logging.INFO):
                log.info("batch %d: %s", batch.claim, _summary(outcomes))
        rows = [] if self._stopping else self.outbox.watch_due()
        self._following.attend(rows, stop=lambda: self._stopping)
        return batch is not None or bool(rows)

    def _recover(self) -> None:
        now = time.monotonic()
        if now < self._recover_at:
            return
        lost = self.outbox.recover()
        self._recover_at = now + RECOVER_EVERY
        if lost:
            log.warning("%d messages were being sent when their worker died: their outcome is unknown", lost)

    def _idle(self) -> float:
        due = self.outbox.next_due()
        return NAP if due is None else min(NAP, max(due - time.time(), 0.01))

    def _rest(self, seconds: float) -> None:
        with suppress(queue.Empty):
            self._wake.get(timeout=seconds)


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


@contextmanager
def stopped_by_signals(worker: Worker) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop ``worker`` gently inside the block; a second one does what it did before.

    For the main thread alone.
    """
    former: dict[int, Any] = {}  # signal number -> whatever handled it

    def restore() -> None:
        while former:
            signal.signal(*former.popitem())

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        # Nothing is logged here: the main thread may be in the middle of a line.
        worker.stop()
        restore()

    for number in (signal.SIGTERM, signal.SIGINT):
        former[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
