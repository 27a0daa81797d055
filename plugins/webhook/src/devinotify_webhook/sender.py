"""The worker of this process: sends what is stored, in a thread of its own, and begins again where it broke off."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from devinotify import DevinotifyError

if TYPE_CHECKING:
    from devinotify import Worker

log: logging.Logger = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds after which a worker that broke off begins again."""
HANGS = 300.0
"""Seconds that a step of the worker's (a request with its retries, a hook) takes at most, unless it hangs."""
GRACE = 40.0
"""Seconds that what is being sent has to end: a request takes 30 at most, unless the URL says otherwise."""


class Sender:
    """Runs a worker until it is closed; one that broke off begins again after so many seconds."""

    def __init__(self, worker: Worker, *, again: float = AGAIN) -> None:
        self._worker = worker
        self._again = again
        self._ending = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="devinotify-webhook-worker", daemon=True)
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Whether it is at work."""
        return self._thread.is_alive() and not self._failed

    @property
    def hangs(self) -> bool:
        """Whether it has been at one step for so long that it will not come round any more."""
        return self._worker.longest > HANGS

    def close(self) -> None:
        """End after what is being sent."""
        self._ending.set()
        self._worker.stop()
        self._thread.join(GRACE)
        if self._thread.is_alive():
            log.warning("the worker does not end: what it was sending is unknown")

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._failed = False
                self._worker.run()
                return  # it was asked to stop
            except Exception as error:  # noqa: BLE001 - whatever it was, alerts are stored meanwhile and wait for it
                self._failed = True
                told = error if isinstance(error, DevinotifyError) else type(error).__name__
                log.error("the worker broke off: %s; it begins again in %g seconds", told, self._again)
                self._ending.wait(self._again)
