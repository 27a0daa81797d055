"""What the rows of a campaign come to, added up row by row in bounded memory: all that a report shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING

from devinotify.bulk.parts import Part, part_of
from devinotify.bulk.ranges import Ranges
from devinotify.bulk.reasons import reason
from devinotify.bulk.tally import Category, Tally, category
from devinotify.bulk.timeline import Timeline
from devinotify.outbox import RowState
from devinotify.phones import is_e164

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from devinotify.bulk.tries import Try
    from devinotify.outbox import Row

_ALIKE = attrgetter("state", "error", "error_reason", "channel", "via", "status", "status_code")
"""What decides where a row stands and why; for how long an accepted one is under way is a matter of time besides."""
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

    ``windowed``: the campaign has a daily window. ``tally`` counts rows of the list; all else counts each number once:
    ``parts`` add up to all of them, and ``reasons`` to those parts that got nothing, and those under way whom the
    gateway is to send to later. ``complete`` is false where the journal does not hold all of the input,
    as after a kill while it was read. ``priced`` of the messages were told a price, in all ``cost``. ``unlisted`` says
    why the list's own columns are not in the CSV. ``listed`` is what the prices in the CSV come to: those of the last
    try of each number, so that it is less than ``cost`` where some were sent to again. ``tries`` are those that were:
    their segments and money of before are counted too, while a number stands where its last try has left it.
    """

    tally: Tally = field(default_factory=Tally)
    complete: bool = True
    windowed: bool = False
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
    listed: Decimal = Decimal(0)
    tries: Sequence[Try] = ()

    @property
    def numbers(self) -> int:
        """All numbers of the list, each once, those included that no message can be sent to."""
        return self.parts.total()

    @property
    def sent(self) -> int:
        """Those that were handed to the gateway."""
        return self.statuses.total()

    @property
    def messages(self) -> int:
        """Messages that were handed to the gateway, those of earlier tries included."""
        return self.sent + sum(each.sent for each in self.tries)

    @property
    def recipients(self) -> int:
        """Those that a message can be sent to."""
        return self.numbers - self.parts[Part.INVALID]

    def add(self, rows: Collection[Row], now: float) -> Counter[Category]:
        """Count rows of the journal, as they stand at an instant in seconds since the epoch; return their categories.

        Of those that are alike one is looked at: of a million rows most are.
        """
        found: Counter[Category] = Counter()
        samples = {_ALIKE(row): row for row in rows}
        for alike, count in Counter(map(_ALIKE, rows)).items():
            row = samples[alike]
            found[category(row)] += count
            if row.state is not RowState.ACCEPTED:
                self._stand(row, now, count)
        for row in rows:
            if row.state is RowState.ACCEPTED:
                self._stand(row, now, 1)
        self._sent([row for row in rows if row.sent_at is not None], now)
        reached = [row.status_at for row in rows if row.state is RowState.DELIVERED and row.status_at is not None]
        self.timeline.add(DELIVERED, reached)
        # And not what was refused before it was queued.
        people = [row for row in rows if is_e164(row.recipient)]
        self.ranges.add(
            [row.recipient for row in people], [row.recipient for row in people if row.state is RowState.DELIVERED]
        )
        return found

    def _stand(self, row: Row, now: float, count: int) -> None:
        part = part_of(row, now)
        self.parts[part] += count
        why = reason(row, part, now, windowed=self.windowed)
        if why is not None:
            self.reasons[part, why] += count

    def _sent(self, rows: Collection[Row], now: float) -> None:
        for status, count in Counter(row.status for row in rows).items():
            self.statuses[str(status or "no report yet")] += count
        self.segments += sum(row.segments or 0 for row in rows)
        # Whom the gateway sends to later is no part of what has gone out.
        moments = [row.sent_at for row in rows if row.sent_at is not None and row.sent_at <= now]
        self.timeline.add(SENT, moments)
        self.last_sent = max((each for each in (self.last_sent, *moments) if each is not None), default=None)

    def again(self, tries: Sequence[Try]) -> None:
        """Add what those who were sent to again had come to before."""
        self.tries = tries
        for each in tries:
            self.segments += each.segments
            self.priced += each.priced
            self.cost += each.cost

    def pay(self, rows: Iterable[Row]) -> None:
        """Add up the prices of messages: of rows, or of the steps of a fallback."""
        for row in rows:
            if row.price is not None:
                self.priced += 1
                self.cost += row.price
