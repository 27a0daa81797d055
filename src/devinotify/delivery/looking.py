"""Looks at deliveries beside the sending, on connections of their own and at a pace that gateways allow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from devinotify.delivery.pulse import Pulse
from devinotify.delivery.rate_limit import Pace, Speed
from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from devinotify.delivery.tracking import Tracker
    from devinotify.outbox import Row

RATE = 10.0
"""Requests a second for deliveries, at most: what the vendor names for its own interface."""
CONNECTIONS = 2
"""Deliveries that are asked for at a time."""
SOME = 20
"""Deliveries that one connection takes on before it takes more; the outbox keeps them for a minute."""
MOST_FAILURES = 3
"""Looks that fail one after the other before what is left is put off: each takes as long as all its retries."""


class Looks:
    """Looks at what is due with each ``turn``, which any number of threads may take; ``stop`` ends them.

    ``rate`` is in requests a second, over all connections. While the gateway is in trouble they wait as sending does;
    unless ``patient`` they end instead, and ``gave_up`` is set. Without ``steps`` no step that follows is taken.
    ``looked`` hears of each row that was looked at, and of the error where there was no answer; ``put_off`` of rows
    that were due and are left for later. ``clock`` is a monotonic one, in seconds.
    """

    def __init__(
        self,
        following: Tracker,
        *,
        account: str | None = None,
        connections: int = CONNECTIONS,
        rate: float | None = RATE,
        some: int = SOME,
        most_failures: int = MOST_FAILURES,
        patient: bool = True,
        steps: bool = True,
        looked: Callable[[Row, Exception | None], None] = lambda row, error: None,  # noqa: ARG005 - nobody asks
        put_off: Callable[[Sequence[Row]], None] = lambda rows: None,  # noqa: ARG005 - as above
        clock: Callable[[], float] = time.monotonic,
        pulse: Pulse | None = None,
    ) -> None:
        self._following = following
        self.connections = connections
        self._account = account
        self._some = some
        self._most_failures = most_failures
        self._patient = patient
        self._steps = steps
        self._looked = looked
        self._put_off = put_off
        self._in_a_row = 0
        self.gave_up: bool = False
        self._pulse = pulse or Pulse()
        self._pace = Pace(Speed(connections=connections, rate=rate), clock, pulse=self._pulse)

    def stop(self) -> None:
        """Begin no other look, and keep no thread waiting for its turn."""
        self._pace.stop()

    def turn(self) -> bool:
        """Look at what is due, some at a time, and take the steps that follow; return whether anything was due."""
        if self._pace.stopped:
            return False
        rows = self._following.outbox.watch_due(self._some, account=self._account)
        missed: list[Exception] = []
        self._following.attend(
            self._paced(rows, missed),
            stop=lambda: self._pace.stopped,
            missed=lambda _, error: missed.append(error),
            steps=self._steps,
        )
        return bool(rows)

    def _paced(self, rows: Sequence[Row], missed: list[Exception]) -> Iterator[Row]:
        for number, row in enumerate(rows):
            self._pulse.step()
            if row.state is not RowState.ACCEPTED:
                yield row  # a step is to be decided, and nobody is asked for anything
                continue
            if not self._pace.enter(len(row.message_ids) or 1):
                self._put_off(rows[number:])
                return
            before = len(missed)
            try:
                yield row
            except GeneratorExit:  # stopped before the look
                self._put_off(rows[number:])
                raise
            finally:
                self._pace.leave()
            if len(missed) == before:
                self._in_a_row = 0
                self._pace.well()
                self._looked(row, None)
                continue
            self._in_a_row += 1
            self._pace.trouble(getattr(missed[-1], "retry_after", None))
            self._looked(row, missed[-1])
            if self._in_a_row >= self._most_failures:
                if not self._patient:
                    self.gave_up = True
                    self._pace.stop()
                self._put_off(rows[number + 1 :])
                return
