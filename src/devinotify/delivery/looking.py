"""Looks at deliveries beside the sending, on connections of their own and at a pace that gateways allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.delivery.rate_limit import Pace, Speed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    unless ``patient`` they end instead.
    """

    def __init__(
        self,
        following: Tracker,
        *,
        account: str | None = None,
        connections: int = CONNECTIONS,
        rate: float | None = RATE,
        some: int = SOME,
        patient: bool = True,
    ) -> None:
        self._following = following
        self.connections = connections
        self._account = account
        self._some = some
        self._patient = patient
        self._in_a_row = 0
        self._pace = Pace(Speed(connections=connections, rate=rate))

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
            self._paced(rows, missed), stop=lambda: self._pace.stopped, missed=lambda _, error: missed.append(error)
        )
        return bool(rows)

    def _paced(self, rows: Iterable[Row], missed: list[Exception]) -> Iterator[Row]:
        for row in rows:
            if not self._pace.enter(len(row.message_ids) or 1):
                return
            before = len(missed)
            try:
                yield row
            finally:
                self._pace.leave()
            if len(missed) == before:
                self._in_a_row = 0
                self._pace.well()
                continue
            self._in_a_row += 1
            self._pace.trouble(getattr(missed[-1], "retry_after", None))
            if self._in_a_row >= MOST_FAILURES:
                if not self._patient:
                    self._pace.stop()
                return
