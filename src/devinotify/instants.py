"""How an instant is written for machines: one form in every JSON document and export. Pure."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime, timespec: str = "auto") -> str:
    """Return an aware instant in ISO 8601, in UTC with ``Z``: ``2026-01-31T09:00:00Z``.

    ``timespec`` is that of ``datetime.isoformat``: how exact the seconds are.
    """
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
