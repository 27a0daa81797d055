"""How much waits in an outbox, and for how long: asked when somebody reads the gauges, and never otherwise."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify import DevinotifyError, Outbox, RowState
from opentelemetry.metrics import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.metrics import CallbackOptions

VARIABLE = "DEVINOTIFY_OUTBOX"
"""devinotify's own variable that names the outbox: the one that is looked at unless another one is given."""


MOMENT = 1.0
"""Seconds for which what was read for one gauge serves the other: both are of one reading, and of one moment."""
DEPTH, AGE = "depth", "age"


class Queue:
    """The outbox that is looked at: one that is given, else the one that ``DEVINOTIFY_OUTBOX`` names.

    It is opened when it is first asked for; a file that is not there is not made. Both gauges are read at once, so that
    whoever reads them waits only once for a database that is away. ``clock`` returns seconds since the epoch,
    ``monotonic`` seconds that only go forward.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._monotonic = monotonic
        self._read: dict[str, tuple[float, tuple[Observation, ...]]] = {}  # by gauge, until when, and what it tells
        self._given: Outbox | None = None
        self._opened: dict[str, Outbox] = {}

    def watch(self, outbox: Outbox | None) -> None:
        """Look at this outbox from now on; with ``None`` at the environment's again."""
        self._given = outbox
        self._read.clear()

    def close(self) -> None:
        """Close what was opened here; the next look opens it again."""
        while self._opened:
            self._opened.popitem()[1].close()

    def depth(self, options: CallbackOptions) -> Iterable[Observation]:  # noqa: ARG002 - a callback's signature
        """Tell how many rows wait; nothing where there is no outbox, or it cannot be read."""
        return self._observed(DEPTH)

    def age(self, options: CallbackOptions) -> Iterable[Observation]:  # noqa: ARG002 - a callback's signature
        """Tell for how many seconds the oldest of them has waited."""
        return self._observed(AGE)

    def _observed(self, gauge: str) -> Iterable[Observation]:
        """Tell what was just read for this gauge and not told, or read both."""
        until, observed = self._read.pop(gauge, (0.0, ()))
        if self._monotonic() < until:
            return observed
        found: dict[str, tuple[Observation, ...]] = {}
        try:
            outbox = self._outbox()
            if outbox is not None:
                found = {DEPTH: (Observation(self._depth(outbox)),), AGE: (Observation(self._age(outbox)),)}
        except DevinotifyError:  # a gauge that is missing says so
            pass
        until = self._monotonic() + MOMENT
        self._read.update({other: (until, found.get(other, ())) for other in (DEPTH, AGE) if other != gauge})
        return found.get(gauge, ())

    @staticmethod
    def _depth(outbox: Outbox) -> float:
        counts = outbox.counts()
        return counts.queued + counts.queued_steps  # the order of a step that waits does not wait itself

    def _age(self, outbox: Outbox) -> float:
        for row in outbox.rows(states=[RowState.QUEUED], limit=1):
            stored = outbox.message(row.message_id)
            if stored is not None:
                return max(0.0, self._clock() - stored.created_at.timestamp())
        return 0.0

    def _outbox(self) -> Outbox | None:
        if self._given is not None:
            return self._given
        named = self._environ.get(VARIABLE)
        if not named or not (_is_database(named) or Path(named).expanduser().is_file()):
            return None
        opened = self._opened.get(named)
        if opened is None:
            mine = Outbox(named if _is_database(named) else Path(named).expanduser())
            opened = self._opened.setdefault(named, mine)  # without a lock, which a fork could leave held
            if opened is not mine:
                mine.close()
        return opened


def _is_database(named: str) -> bool:
    return "://" in named
