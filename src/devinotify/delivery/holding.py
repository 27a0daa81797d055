"""Whether what was claimed is still this process's to send: asked right before each request leaves.

Between a claim and a request lie hooks, a login and a connection, and a process may stand still there, stopped or
swapped out, for longer than others wait for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from devinotify.exceptions import NotSent

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.outbox import Batch, Outbox

OLDEST = 600.0
"""Seconds after its claim in which a request has to leave: what others wait for is far less, what a batch takes too."""


class Holding:
    """Raises NotSent when it is called and the batch is not to be sent any more; ``lost`` tells that it was given up.

    A claim that was given up is others' to go on with, so that is final. One that is older than ``oldest`` seconds, by
    the monotonic clock that ``clock`` returns, may be given up this moment: what has not left by then is queued again.
    """

    def __init__(
        self, outbox: Outbox, batch: Batch, *, oldest: float = OLDEST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._outbox = outbox
        self._batch = batch
        self._oldest = oldest
        self._clock = clock
        self.lost: bool = False

    def __call__(self) -> None:
        """Return where the batch may leave now."""
        if not self._outbox.holds(self._batch):
            self.lost = True
            raise NotSent("it was given up while this process stood still, and is not sent any more", retryable=False)
        age = self._clock() - self._batch.since
        if age > self._oldest:
            raise NotSent(f"this process stood still: {age:.0f} s passed since it took the message", retryable=True)
