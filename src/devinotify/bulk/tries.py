"""What a campaign sent again at a person's wish, and what had come of it before: kept as a text of its journal. Pure.

A row tells of its last try alone. What the ones before it came to, in money above all, is added up here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify.outbox import Row


@dataclass(frozen=True, slots=True)
class Try:
    """How many recipients were sent to again ``at`` an instant (seconds since the epoch), and what they had come to.

    Of these ``recipients``, ``sent`` had been taken by the gateway, in so many ``segments``; ``priced`` of them were
    told a price, in all ``cost``. On a fallback the steps themselves are kept, and tell of money and segments.
    """

    at: float
    recipients: int = 0
    sent: int = 0
    segments: int = 0
    priced: int = 0
    cost: Decimal = Decimal(0)


def read_tries(kept: str | None) -> list[Try]:
    """Return what a journal keeps, the first that was sent again first."""
    return [Try(**{**each, "cost": Decimal(each["cost"])}) for each in json.loads(kept or "[]")]


def noted(kept: str | None, rows: Sequence[Row], *, at: float, paid: bool) -> str:
    """Return what a journal keeps, with rows that are sent to again ``at`` an instant; ``paid``: they were paid for."""
    tries = read_tries(kept)
    if not tries or tries[-1].at != at:
        tries.append(Try(at))
    sent = [row for row in rows if row.sent_at is not None] if paid else []
    prices = [row.price for row in sent if row.price is not None]
    last = tries[-1]
    tries[-1] = replace(
        last,
        recipients=last.recipients + len(rows),
        sent=last.sent + len(sent),
        segments=last.segments + sum(row.segments or 0 for row in sent),
        priced=last.priced + len(prices),
        cost=last.cost + sum(prices, Decimal(0)),
    )
    return json.dumps([{**asdict(each), "cost": str(each.cost)} for each in tries])
