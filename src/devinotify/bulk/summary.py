"""What the rows of a campaign come to, added up row by row in bounded memory: all that a report shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from devinotify.bulk.parts import Part, part_of
from devinotify.bulk.ranges import Ranges
from devinotify.bulk.reasons import reason
from devinotify.bulk.tally import Tally
from devinotify.bulk.timeline import Timeline
from devinotify.outbox import RowState
from devinotify.phones import is_e164

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from devinotify.outbox import Row

SENT, DELIVERED = "sent", "delivered"
"""The two lines of the curve."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What is told of a campaign beside its rows, each ``None`` where it is not known.

    ``steps`` are the channels of a fallback. ``price`` is that of a segment, as its last run was told; ``scheduled`` is
    an instant, or naive: each recipient's own wall clock.
    """

    name: str
    channel: str | None = None
    steps: Sequence[str] = ()
    sender: str | None = None
    list_name: str | None = None
    begun: datetime | None = None
    scheduled: datetime | None = None
    price: Decimal | None = None


@dataclass(slots=True)
class Summary:
    """What the rows come to: where they stand, statuses, reasons, money, and deliveries over time.

    ``tally`` counts rows of the list; all else counts each number once: ``parts`` add up to all of them, and
    ``reasons`` to those parts that got nothing. ``complete`` is false where the journal does not hold all of the input,
    as after a kill while it was read. ``priced`` of the messages were told a price, in all ``cost``. ``unlisted`` says
    why the list's own columns are not in the CSV.
    """

    tally: Tally = field(default_factory=Tally)
    complete: bool = True
    parts: Counter[Part] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[Part, str]] = field(default_factory=Counter)
    segments: int = 0
    priced: int = 0
    cost: Decimal = Decimal(0)
    last_sent: float | None = None
    timeline: Timeline = field(default_factory=lambda: Timeline((SENT, DELIVERED)))
    ranges: Ranges = field(default_factory=Ranges)
    unlisted: str | None = None

    @property
    def numbers(self) -> int:
        """All numbers of the list, each once, those included that no message can be sent to."""
        return self.parts.total()

    @property
    def sent(self) -> int:
        """Those that were handed to the gateway."""
        return self.statuses.total()

    @property
    def recipients(self) -> int:
        """Those that a message can be sent to."""
        return self.numbers - self.parts[Part.INVALID]

    def add(self, row: Row, now: float) -> None:
        """Count a row of the journal, as it stands at an instant in seconds since the epoch."""
        part = part_of(row, now)
        self.parts[part] += 1
        why = reason(row, part)
        if why is not None:
            self.reasons[part, why] += 1
        if row.sent_at is not None:
            self.statuses[str(row.status or "no report yet")] += 1
            self.segments += row.segments or 0
            self.timeline.add(SENT, row.sent_at)
            self.last_sent = row.sent_at if self.last_sent is None else max(self.last_sent, row.sent_at)
        if row.state is RowState.DELIVERED and row.status_at is not None:
            self.timeline.add(DELIVERED, row.status_at)
        if is_e164(row.recipient):  # and not what was refused before it was queued
            self.ranges.add(row.recipient, delivered=part is Part.DELIVERED)

    def pay(self, row: Row) -> None:
        """Add up the price of a message: of a row, or of each step of a fallback."""
        if row.price is not None:
            self.priced += 1
            self.cost += row.price
