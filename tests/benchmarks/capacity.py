"""The table of docs/explanation/capacity.md, from the figures; ``python -m tests.benchmarks.capacity`` prints it."""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY = 86_400
BUSIEST = 0.1
"""The share of a day's messages that its busiest hour has."""
KEPT = 30
"""Days for which rows are kept."""
HALF = 0.5
"""How much of what one worker could do it is given to do."""
BATCH = 1000
"""Recipients of one text in a request."""
GATEWAY = 10.0
"""Requests a second that the vendor names for its interface."""
CONNECTIONS = 2
"""Of a worker to the database: for the queue, and for its sign of life."""

VOLUMES = (1_000_000, 10_000_000, 100_000_000)


@dataclass(frozen=True)
class Figures:
    """What tests/benchmarks/test_postgres.py has come to."""

    drained: float
    """Messages of one text a second that a whole worker sends to nobody."""
    wal: float
    """Bytes of WAL a message: to queue it, to claim it and to settle it."""
    row: float
    """Bytes on the disk a row, indexes included."""


SEEN = Figures(drained=1200, wal=589 + 793, row=611)


def gibibytes(size: float) -> str:
    """Return a size in words."""
    return f"{size / 2**30:,.0f} GiB" if size >= 10 * 2**30 else f"{size / 2**30:.1f} GiB"


def column(messages: int, seen: Figures) -> dict[str, str]:
    """Return what so many messages a day need, by what it is."""
    average, peak = messages / DAY, messages * BUSIEST / 3600
    requests = peak / BATCH
    workers = max(2, math.ceil(peak / (seen.drained * HALF)))
    return {
        "messages a second, on average": f"{average:,.0f}",
        "messages a second in the busiest hour": f"{peak:,.0f}",
        "workers (two at the least, so that one may fail)": f"{workers}",
        "connections to the database": f"{workers * CONNECTIONS}",
        f"disk for {KEPT} days": gibibytes(messages * KEPT * seen.row),
        "WAL a day": gibibytes(messages * seen.wal),
        "WAL a second in the busiest hour": f"{peak * seen.wal / 2**20:.1f} MiB",
        f"requests a second in the busiest hour, one text to {BATCH:,} each": f"{requests:,.2g}",
        "the same, a text for each recipient": f"{peak:,.0f}{_beyond(peak)}",
        "look-ups a second, one for each message, spread over the day": f"{average:,.0f}{_beyond(average)}",
    }


def _beyond(requests: float) -> str:
    return " (**beyond the gateway's pace**)" if requests > GATEWAY else ""


def table(seen: Figures = SEEN) -> str:
    """Return the table in Markdown."""
    columns = [column(messages, seen) for messages in VOLUMES]
    lines = [
        "| messages a day | " + " | ".join(f"{messages:,}" for messages in VOLUMES) + " |",
        "|---|" + "---|" * len(VOLUMES),
        *(f"| {what} | " + " | ".join(found[what] for found in columns) + " |" for what in columns[0]),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
