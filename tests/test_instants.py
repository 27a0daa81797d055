"""How an instant is written for machines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from devinotify.instants import iso


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.timezones()))  # noqa: DTZ001 - the bounds have the zones added
def test_an_instant_is_read_back_the_same(moment: datetime) -> None:
    """Whatever its zone was, it is in UTC, ends with Z, and no microsecond is lost."""
    written = iso(moment)
    assert (True, moment.astimezone(UTC)) == (written.endswith("Z"), datetime.fromisoformat(written))


def test_seconds_are_as_exact_as_asked_for() -> None:
    """A report has whole seconds."""
    moment = datetime(2026, 1, 31, 12, 0, 0, 5, timezone(timedelta(hours=3)))
    assert ("2026-01-31T09:00:00.000005Z", "2026-01-31T09:00:00Z") == (iso(moment), iso(moment, "seconds"))
