"""The pace that is set in an outbox, kept by all who send from it: what each of them asks before a batch."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.outbox import Outbox

log: logging.Logger = logging.getLogger(__name__)

ASK_EVERY = 10.0
"""Seconds after which the outbox is asked again whether a pace is set: it may be changed while messages go out."""


class SharedPace:
    """The pace of an account in an outbox, for one process; threads may share it. ``clock`` is a monotonic one."""

    def __init__(self, outbox: Outbox, account: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._outbox = outbox
        self._account = account
        self._clock = clock
        self._ask_at = clock()
        self._rate: float | None = None

    def most(self, size: int) -> int:
        """Return how many of ``size`` messages may go in one batch: a second's worth, so that it flows.

        Raises DevinotifyError where the outbox cannot be asked, as ``book`` does.
        """
        if self._clock() >= self._ask_at:
            self._rate = self._outbox.pace(self._account)
            self._ask_at = self._clock() + ASK_EVERY
        return size if self._rate is None else max(1, min(size, int(self._rate)))

    def book(self, size: int) -> float | None:
        """Return how many seconds to wait before so many messages; ``None`` where there are none to be sent."""
        if self._rate is None:
            return 0.0
        if self.is_idle():  # nobody else is to wait for what is not sent
            return None
        return self._outbox.reserve(size, self._account)

    def is_idle(self) -> bool:
        """Return whether there is nothing to be sent now."""
        return self._outbox.is_idle(self._account)

    def give_back(self, unused: int) -> None:
        """Let others have what was booked and not used; where that fails, they wait a little longer."""
        if self._rate is None or not unused:
            return
        try:
            self._outbox.reserve(-unused, self._account)
        except DevinotifyError as error:
            log.info("%s", error)
