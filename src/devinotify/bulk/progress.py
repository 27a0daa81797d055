"""What a run tells its caller: how far it is, and how it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from devinotify.bulk.sending import End, Sent
    from devinotify.bulk.tally import Tally
    from devinotify.exceptions import DevinotifyError
    from devinotify.outbox.states import RowState


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, in recipients: ``phase`` is ``reading`` (rows of the input) or ``sending``.

    ``done`` of ``total`` are dealt with, those of earlier runs included; the verdicts and ``segments`` are this run's.
    ``rate`` is in recipients a second, ``remaining`` in seconds or ``None`` while nothing can be said. ``cost`` is that
    of the accepted segments, ``None`` without a price. ``connections`` is how many are used at the moment. Where
    nothing goes out, ``error`` tells why, and ``next_try`` in how many seconds it is tried again.
    """

    phase: str
    done: int
    total: int
    accepted: int = 0
    rejected: int = 0
    not_sent: int = 0
    unknown: int = 0
    segments: int = 0
    rate: float = 0.0
    remaining: float | None = None
    cost: Decimal | None = None
    connections: int = 0
    error: DevinotifyError | None = None
    next_try: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended: why, where every row of the input stands now, what this run did, in how many seconds.

    ``error`` is the last error that stopped or slowed it, ``recovered`` how many recipients a killed run left unknown,
    ``to_come`` for how many the second step of a fallback may still come, ``reasons`` the commonest reason by state of
    what was not sent or was rejected. ``held`` counts who was put off until their daily window opens, in all runs.
    ``suppressed`` counts those who are not to be sent to, by the words of why: they
    have opted out, or another list leaves them out.
    """

    end: End
    tally: Tally
    sent: Sent
    seconds: float
    cost: Decimal | None = None
    error: DevinotifyError | None = None
    recovered: int = 0
    to_come: int = 0
    reasons: Mapping[RowState, str] = field(default_factory=dict)
    held: int = 0
    suppressed: Mapping[str, int] = field(default_factory=dict)


class Teller:
    """Tells ``observe`` how far the sending is, from now on: ``already`` of ``total`` recipients are dealt with.

    ``total`` is asked each time, since it is not known before the whole list has been sorted out.
    """

    def __init__(self, observe: Callable[[Progress], None], already: int, total: Callable[[], int]) -> None:
        self._observe = observe
        self._already = already
        self._total = total
        self._began = time.monotonic()

    def tell(
        self,
        sent: Sent,
        cost: Decimal | None,
        connections: int,
        trouble: tuple[DevinotifyError | None, float | None],
    ) -> None:
        """Tell of what this run has sent so far, for ``cost``, how many connections it uses, and its ``trouble``."""
        done, total = self._already + sent.done, self._total()
        seconds = time.monotonic() - self._began
        rate = sent.done / seconds if seconds > 0 else 0.0
        self._observe(
            Progress(
                "sending",
                done,
                total,
                sent.accepted,
                sent.rejected,
                sent.not_sent,
                sent.unknown,
                sent.segments,
                rate,
                (total - done) / rate if rate else None,
                cost,
                connections,
                *trouble,
            )
        )
