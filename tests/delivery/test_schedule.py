"""When a wall clock has come: by the zones that the number may be in, and never by those of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devinotify.delivery import schedule
from devinotify.delivery.schedule import due_at
from tests.tables import table

if TYPE_CHECKING:
    import pytest

SUMMER = datetime(2040, 7, 1, 8)  # noqa: DTZ001 - a wall clock


def test_an_instant_is_itself() -> None:
    """An aware time is that instant, whoever it is for, told in UTC."""
    at = datetime(2040, 7, 1, 8, tzinfo=timezone(timedelta(hours=5)))
    assert (at, UTC) == (due_at(at, "+79161234567"), due_at(at, "+79161234567").tzinfo)


@table(
    "number, zone",
    [("+998901234567", "Asia/Tashkent"), ("+12125551234", "America/New_York"), ("+79161234567", "Europe/Kaliningrad")],
)
def test_a_wall_clock_is_the_latest_of_the_numbers_own(number: str, zone: str) -> None:
    """Of the zones that the plan knows for the number, the one whose clock shows it last."""
    assert SUMMER.replace(tzinfo=ZoneInfo(zone)) == due_at(SUMMER, number)


@table("number", ["+8816123456789", "nobody"])
def test_a_number_of_no_known_zone_goes_by_utc(number: str) -> None:
    """A satellite's, and what is not a number at all."""
    assert SUMMER.replace(tzinfo=UTC) == due_at(SUMMER, number)


def test_a_machine_without_a_zone_database_goes_by_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zone that the machine does not know is left out, and is no error after a send."""

    def missing(name: str) -> ZoneInfo:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr(schedule, "ZoneInfo", missing)
    assert SUMMER.replace(tzinfo=UTC) == due_at(SUMMER, "+12125551234")
