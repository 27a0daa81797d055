"""A time of day at which nothing ends: neither the day of a limit, nor its month, while a test runs."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote


def noon() -> str:
    """Return a zone, as a URL has it, in which it is the hour after noon: no period of a limit ends within the test.

    Ask once for all that count together: after the next hour it is another zone, and at midnight, UTC, another day.
    """
    return quote(f"Etc/GMT{datetime.now(UTC).hour - 12:+d}", safe="")
