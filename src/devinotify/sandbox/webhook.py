"""What arrives, posted to an address of one's own: by a thread beside the gateway, which never waits for it."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError
from devinotify.posting import Poster
from devinotify.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox.views import Arrived

_log = logging.getLogger(__name__)

WAITING = 1000
"""Messages that wait to be posted; those that come after are counted, and not posted."""
RETRIES = Backoff(1.0, most=30.0, tries=4)
_END = 5.0
"""Seconds that what is being posted has to end when the sandbox is stopped."""


@dataclass(frozen=True, slots=True)
class Posted:
    """How many messages were posted, were given up, and wait, the one that is being tried among them."""

    posted: int
    lost: int
    waiting: int


class Webhook:
    """Posts each message that arrives to ``url``, signed with ``secret`` as ``devinotify incoming --post`` does.

    An answer other than 2xx is tried again with ``retries``; then the message is given up and counted. ``counted`` is
    called whenever one was posted or given up, from whichever thread. Raises ValueError for an address that is neither
    https nor on this machine.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        retries: Backoff = RETRIES,
        waiting: int = WAITING,
        counted: Callable[[], object] = lambda: None,
    ) -> None:
        self._poster = Poster(url, secret, clear_only_here=True)
        self._retries = retries
        self._counted = counted
        self._queue: queue.Queue[Arrived | None] = queue.Queue(waiting)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._counting = threading.Lock()
        self._taken = self._posted = self._lost = 0

    def start(self) -> None:
        """Begin to post."""
        self._over.clear()
        self._thread = threading.Thread(target=self._run, name="devinotify-sandbox-webhook", daemon=True)
        self._thread.start()

    def arrived(self, message: Arrived) -> None:
        """Have a message posted, soon and by another thread."""
        with self._counting:
            self._taken += 1
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            self._lose()

    @property
    def counts(self) -> Posted:
        """What became of the messages so far."""
        with self._counting:
            return Posted(self._posted, self._lost, self._taken - self._posted - self._lost)

    def stop(self) -> None:
        """Stop posting: what is being posted has 5 seconds to end, what waits is given up."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._over.set()
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                break
            self._lose()
        with contextlib.suppress(queue.Full):  # Then it has something to wake for.
            self._queue.put_nowait(None)
        thread.join(_END)
        if not thread.is_alive():
            self._poster.close()

    def _lose(self) -> None:
        with self._counting:
            self._lost += 1
            lost = self._lost
        self._counted()
        # Powers of two: a receiver that is away for a day does not fill the log.
        if lost & (lost - 1) == 0:
            _log.warning("Messages that could not be posted to %s: %d", self._poster.host, lost)

    def _run(self) -> None:
        while not (self._over.is_set() and self._queue.empty()):
            message = self._queue.get()
            if message is None:
                continue  # It only wakes this thread, which sees whether it is over.
            body = json.dumps({"event": "arrived", "message": message.as_dict()}, ensure_ascii=False)
            if self._deliver(body.encode("utf-8", "replace")):
                with self._counting:
                    self._posted += 1
                self._counted()
            else:
                self._lose()

    def _deliver(self, body: bytes) -> bool:
        attempts = 0
        while not self._over.is_set():
            try:
                self._poster.post(body)
            except DevinotifyError:
                attempts += 1
                if not self._retries.allows(attempts) or self._over.wait(self._retries.pause(attempts)):
                    return False
            else:
                return True
        return False
