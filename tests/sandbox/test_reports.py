"""Incoming messages and statistics."""

from __future__ import annotations

from typing import Any

from devinotify.gateway.codes import SMS_STATES
from devinotify.sandbox.handlers import _COUNTERS, STATISTICS_TOO_LONG
from tests.sandbox.conftest import Api, date, error
from tests.tables import table


def incoming(api: Api, start: str = "", end: str = "2026-01-29T00:00:00") -> tuple[int, Any]:
    """Return the incoming messages of a period."""
    return api.call("GET", "Sms/In", minDateUTC=start, maxDateUTC=end)


def test_incoming_messages_have_the_documented_keys(api: Api) -> None:
    """An incoming message is told with its five documented fields."""
    message = api.emulator.add_incoming("стоп", "79260000000", "79160000000")
    assert (
        200,
        [
            {
                "Data": "стоп",
                "SourceAddress": "79260000000",
                "DestinationAddress": "79160000000",
                "ID": message.id,
                "CreateDateUtc": date(0),
            }
        ],
    ) == incoming(api)


@table(
    "start, end, found",
    [
        ("2026-01-28T12:00:00", "2026-01-28T12:00:01", 1),
        ("2026-01-28T11:00:00", "2026-01-28T12:00:00", 1),
        ("2026-01-28T11:00:00", "2026-01-28T11:59:59", 0),
        ("2026-01-28T12:00:01", "2026-01-28T13:00:00", 0),
    ],
)
def test_incoming_messages_of_a_period(start: str, end: str, found: int) -> None:
    """Only messages of the period are told, its last second included."""
    api = Api()
    api.emulator.add_incoming("x", "1", "2")
    assert found == len(incoming(api, start, end)[1])


@table(
    "start, end",
    [
        ("2026-01-28T12:00:00", "2026-01-28T12:00:00"),
        ("2026-01-28T12:00:00", "2026-01-28T11:00:00"),
        ("2025-01-01T00:00:00", "2026-01-28T12:00:00"),
        ("x", "2026-01-28T12:00:00"),
        ("", "x"),
    ],
)
def test_invalid_periods(start: str, end: str) -> None:
    """A period that ends before it begins, begins over a year ago, or is not a period, is an invalid argument."""
    api = Api()
    status, document = incoming(api, start, end)
    assert (400, 2) == (status, document["Code"])


def statistics(api: Api, start: str = "2026-01-28 00:00:00", end: str = "2026-01-28T23:59:00") -> tuple[int, Any]:
    """Return the statistics of a period."""
    return api.call("GET", "Sms/Statistics", startDateTime=start, endDateTime=end)


def test_every_state_is_counted_once() -> None:
    """The counters share out all SMS states."""
    assert dict.fromkeys(SMS_STATES, 1) == {
        state: sum(state in states for states in _COUNTERS.values()) for state in SMS_STATES
    }


def test_statistics_count_segments(api: Api) -> None:
    """Segments are counted by what became of them; the sums and the ratio follow."""
    for ending in ("46", "42", "11", "02", "03"):
        api.send(DestinationAddress=f"790000000{ending}")
    api.send(Data="я" * 71)
    api.send("Viber/Send")
    api.advance(10)
    assert (
        200,
        {
            "Sent": 1,
            "Delivered": 2,
            "Errors": 1,
            "InProcess": 1,
            "Expired": 1,
            "Rejected": 1,
            "Total": 6,
            "TotalWithErrors": 7,
            "DeliveryRatio": 33.33,
        },
    ) == statistics(api)


def test_statistics_of_nothing(api: Api) -> None:
    """A period without messages counts nothing and divides by nothing."""
    api.send()
    status, document = statistics(api, "2026-01-01", "2026-01-02")
    assert (200, {0}) == (status, set(document.values()))


def test_statistics_of_90_days(api: Api) -> None:
    """90 days are taken, a second more is refused in the documented words."""
    assert 200 == statistics(api, "2025-11-01", "2026-01-30")[0]
    assert error(2, STATISTICS_TOO_LONG) == statistics(api, "2025-11-01", "2026-01-30T00:00:01")


@table("start, end", [("2026-01-02", "2026-01-01"), ("x", "2026-01-01")])
def test_invalid_statistics_periods(start: str, end: str) -> None:
    """A period that ends before it begins, or is none, is an invalid argument."""
    api = Api()
    assert 2 == statistics(api, start, end)[1]["Code"]
