"""A campaign as it looks after two days of deliveries, for pictures of its report and for axe-core."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from devinotify.bulk.ranges import Ranges
from devinotify.bulk.summary import Heading, Summary
from devinotify.bulk.tally import Tally
from devinotify.models import DeliveryStatus
from devinotify.outbox import Row, RowState

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGUN = datetime(2026, 1, 26, 10, 4, tzinfo=UTC)
NOW = BEGUN + timedelta(hours=50)
HEADING = Heading(
    "winter-sale.db",
    channel="sms",
    sender="SHOP",
    list_name="customers.csv",
    begun=BEGUN,
)
RANGES = (("7903", 31), ("7999", 27), ("7977", 22), ("7701", 9))
"""First digits of numbers, and how many of a hundred have them."""
OTHERS: tuple[tuple[RowState, dict[str, Any], int], ...] = (
    (RowState.FAILED, {"status": DeliveryStatus.EXPIRED, "status_code": 46}, 46),
    (RowState.FAILED, {"status": DeliveryStatus.REJECTED, "status_code": 42}, 12),
    (RowState.REJECTED, {"error": "Forbidden", "error_code": 7}, 9),
    (RowState.UNKNOWN, {"error": "OutcomeUnknown"}, 4),
    (RowState.NOT_SENT, {"error": "Suppressed", "error_reason": "opted_out"}, 17),
    (RowState.NOT_SENT, {"error": "InvalidPhoneNumber", "error_reason": "too_short"}, 8),
    (RowState.NOT_SENT, {"error": "InvalidPhoneNumber", "error_reason": "fixed_line"}, 5),
    (RowState.ACCEPTED, {"status": DeliveryStatus.SENT, "status_code": -1, "next_poll_at": 1.0}, 61),
)
"""What did not arrive: a state, what else a row of it has, and how many there are."""


def sample(
    delivered: int = 1240, seconds: float = 5400.0, operators: Mapping[str, Mapping[str, str]] | None = None
) -> Summary:
    """Return the summary of such a campaign, whose sending took so many seconds; the same each time.

    ``operators`` are those that the numbers tell, in place of phonenumbers' own.
    """
    chance = random.Random(1)
    digits = [first for first, weight in RANGES for _ in range(weight)]
    summary = Summary(complete=True, ranges=Ranges(operators))
    states: list[tuple[RowState, dict[str, Any]]] = [
        (RowState.DELIVERED, {"status": DeliveryStatus.DELIVERED, "status_code": 0})
    ] * delivered
    for state, told, count in OTHERS:
        states += [(state, told)] * count
    for number, (state, told) in enumerate(states):
        row = Row(number + 1, 1, f"+{chance.choice(digits)}{number:07d}", "sms", state)._replace(**told)
        if state in (RowState.DELIVERED, RowState.FAILED, RowState.ACCEPTED):
            at = BEGUN.timestamp() + seconds * chance.random()
            row = row._replace(
                sent_at=at, status_at=at + seconds / 40 * chance.expovariate(0.2), segments=2, price=Decimal("5.00")
            )
        if row.error == "InvalidPhoneNumber":
            row = row._replace(recipient=f"row {number}: 123")
        summary.add([row], NOW.timestamp())
        summary.pay([row])
    total = summary.numbers
    summary.tally = Tally(accepted=total - 43 + 11, rejected=9, invalid=13, not_sent=17, unknown=4, duplicates=11)
    return summary
