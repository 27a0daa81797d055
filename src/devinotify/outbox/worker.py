"""The worker: sends what the outbox holds, watches what was accepted, takes the later steps of fallbacks."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from devinotify.following import Following
    from devinotify.notifier import Notifier
    from devinotify.outbox.store import Outbox

log = logging.getLogger(__name__)

BATCH = 500
"""Recipients that one claim takes, and so one bulk request sends."""
NAP = 1.0
"""Seconds that an idle worker sleeps at most: another process may have enqueued something meanwhile."""
RECOVER_EVERY = 30.0
"""Seconds between two searches for what dead workers left behind."""


class Worker:
    """Works through one outbox with the channels and hooks of ``notifier``; several may share a file, or a machine.

    Without ``outbox`` it is the notifier's own. ``stop`` may be called from any thread or signal handler: no new batch
    is claimed, what is being sent is finished and recorded.
    """

    def __init__(self, notifier: Notifier, outbox: Outbox | None = None, *, batch: int = BATCH) -> None:
        self._following: Following = notifier.following(outbox)
        self.outbox = self._following.outbox
        self._batch = batch
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Make ``run`` return after the batch that it is sending."""
        self._stopping.set()

    def run(self, *, once: bool = False) -> None:
        """Work until ``stop``; with ``once`` until nothing is due at the moment."""
        recover_at = 0.0
        while not self._stopping.is_set():
            if time.monotonic() >= recover_at:
                lost = self.outbox.recover()
                if lost:
                    log.warning("%d messages were being sent when their worker died: their outcome is unknown", lost)
                recover_at = time.monotonic() + RECOVER_EVERY
            if self.turn():
                continue
            if once:
                return
            self._stopping.wait(self._pause())

    def turn(self) -> bool:
        """Send one batch that is due, and look at deliveries that are; return whether there was anything to do."""
        batch = self.outbox.claim(self._batch)
        if batch is not None:
            self._following.deliver(batch)
        rows = self.outbox.watch_due()
        if rows:
            self._following.attend(rows)
        return batch is not None or bool(rows)

    def _pause(self) -> float:
        due = self.outbox.next_due()
        return NAP if due is None else min(NAP, max(due - time.time(), 0.01))


def stop_on_signals(worker: Worker) -> Callable[[], None]:
    """Let SIGTERM and SIGINT stop ``worker`` gently; return a function that puts the former handlers back."""

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        log.info("stopping on %s: the batch under way is finished first", signal.Signals(number).name)
        worker.stop()

    former = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)

    return restore
