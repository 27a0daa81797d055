"""The checks of a request, value by value."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devinotify.sandbox import checks
from devinotify.sandbox.replies import Refused
from tests.tables import table


def refusal(check: object, *arguments: object) -> tuple[int, str]:
    """Return Code and Desc with which a check refuses."""
    assert callable(check)
    with pytest.raises(Refused) as refused:
        check(*arguments)
    return refused.value.code, refused.value.description


@table("raw", ["79031234567", "+79031234567", "89031234567", " 79031234567", " 89031234567 "])
def test_documented_sms_addresses(raw: str) -> None:
    """The three documented forms name one number; a raw + that became a space does no harm."""
    assert "79031234567" == checks.sms_address(raw)


@table("raw", ["+380501234567", "380501234567"])
def test_foreign_addresses(raw: str) -> None:
    """Another country's number needs no plus."""
    assert "380501234567" == checks.sms_address(raw)


def test_vietnam_is_not_russia() -> None:
    """An 8 begins a Russian number only where a 9 follows it."""
    assert "84912345678" == checks.sms_address("84912345678")


@table(
    "raw",
    ["", "abc", "7903", "8(903)1234567", "+7 903 123-45-67", "74951234567", "٧٩٠٣١٢٣٤٥٦٧", "9031234567", "7" * 40],
)
def test_invalid_addresses(raw: str) -> None:
    """What is not a mobile number in a documented form is an invalid argument on SMS, a word on Viber."""
    assert (2, "Invalid destination address") == refusal(checks.sms_address, raw)
    assert (1, "error-address-format") == refusal(checks.viber_address, raw)


@table("raw", ["79031234567", "+79031234567"])
def test_viber_addresses(raw: str) -> None:
    """Viber takes the number with and without plus."""
    assert "79031234567" == checks.viber_address(raw)


def test_viber_takes_no_leading_8() -> None:
    """The Viber table lists no leading 8."""
    assert (1, "error-address-format") == refusal(checks.viber_address, "89031234567")


@table("raw", ["DEVINO", "Shop & Co.", "a" * 11, "7", "1" * 15])
def test_sms_senders(raw: str) -> None:
    """A sender has at most 11 Latin characters or at most 15 digits."""
    assert raw == checks.sms_sender(raw)


@table("raw", ["a" * 12, "1" * 16, "Привет", "   ", "a\nb", "DEVINO\n"])
def test_invalid_sms_senders(raw: str) -> None:
    """Anything else is the documented invalid source address."""
    assert (6, "Invalid source address") == refusal(checks.sms_sender, raw)


@table("raw", ["Devino1", "a" * 11])
def test_viber_senders(raw: str) -> None:
    """A Viber sender has at most 11 Latin letters or digits."""
    assert raw == checks.viber_sender(raw)


@table("raw", ["a" * 12, "1" * 15, "a b", "Привет", "a-b"])
def test_invalid_viber_senders(raw: str) -> None:
    """Anything else is the documented word."""
    assert (1, "error-subject-format") == refusal(checks.viber_sender, raw)


def test_length_counts_characters() -> None:
    """A text may have as many characters as the limit, and not one more."""
    checks.length("я" * 2000, 2000)
    assert (2, "Data can not be longer than 2000 characters") == refusal(checks.length, "я" * 2001, 2000)


@table(
    "raw, read",
    [
        ("2011-01-28T16:00:00", datetime(2011, 1, 28, 16)),  # noqa: DTZ001 - the API's dates are naive
        ("2011-01-28 16:00:00", datetime(2011, 1, 28, 16)),  # noqa: DTZ001 - as above
        ("2011-01-28T16:05", datetime(2011, 1, 28, 16, 5)),  # noqa: DTZ001 - as above
        (" 2011-01-28 ", datetime(2011, 1, 28)),  # noqa: DTZ001 - as above
        ("2011-01-28T16:00:00.250", datetime(2011, 1, 28, 16, 0, 0, 250000)),  # noqa: DTZ001 - as above
    ],
)
def test_dates(raw: str, read: datetime) -> None:
    """A date is read with T or a space, and without what may be left out."""
    assert read == checks.date(raw, "SendDate")


@table(
    "raw",
    ["soon", "2011-13-28T16:00:00", "2011-01-28T16:00:00Z", "2011-01-28T16:00:00+03:00", "20110128", "٢٠١١-٠١-٢٨"],
)
def test_invalid_dates(raw: str) -> None:
    """What is not a date, or carries a zone that the API does not document, is an invalid argument."""
    code, description = refusal(checks.date, raw, "SendDate")
    assert (2, True) == (code, description.endswith("Parameter name: senddate"))


def at(hour: int, day: int = 28, month: int = 1) -> datetime:
    """Return a naive time in 2026."""
    return datetime(2026, month, day, hour)  # noqa: DTZ001 - a wall clock has no zone


@table(
    "local, zone, utc_hour",
    [
        (at(15), "Europe/Moscow", 12),
        (at(22), "Asia/Vladivostok", 12),
        (at(12), "No/Such", 12),
        (at(12), "Etc/Unknown", 12),
    ],
)
def test_local_instants(local: datetime, zone: str, utc_hour: int) -> None:
    """A wall clock's time is an instant in its zone; a zone that nobody knows is UTC."""
    assert datetime(2026, 1, 28, utc_hour, tzinfo=UTC).timestamp() == checks.local_instant(local, zone)


def test_a_time_shown_twice_is_the_first() -> None:
    """Where clocks go back, the first of the two times is meant."""
    first = checks.local_instant(at(2, 25, 10), "Europe/Berlin")
    assert datetime(2026, 10, 25, 0, tzinfo=UTC).timestamp() == first


@table("moment", [datetime.min, datetime.max])  # noqa: DTZ901 - wall clocks have no zone
@table("zone", ["America/New_York", "Asia/Vladivostok"])
def test_the_ends_of_time_are_instants_too(moment: datetime, zone: str) -> None:
    """The first and the last date that can be written raise nothing."""
    assert isinstance(checks.local_instant(moment, zone), float)


@table("digits, zone", [("79161234567", "Europe/Moscow"), ("420601123456", "Europe/Prague")])
def test_zones_by_number(digits: str, zone: str) -> None:
    """A Russian mobile goes by Moscow time, another country's by its own."""
    assert zone == checks.zone_of(digits)


@table("raw, seconds", [("", 86400), ("0", 86400), ("10", 600), (" 5 ", 300), ("86400", 5184000)])
def test_sms_validity(raw: str, seconds: float) -> None:
    """Minutes become seconds; nothing and 0 mean a day."""
    assert seconds == checks.sms_validity(raw)


@table("raw", ["-1", "1.5", "ten", "9" * 10, "9" * 400, "٣"])
def test_invalid_sms_validity(raw: str) -> None:
    """What is not a number of minutes is an invalid argument."""
    assert 2 == refusal(checks.sms_validity, raw)[0]


@table("raw, seconds", [("", 86400), ("1", 60), ("1440", 86400), ("86400", 86400)])
def test_viber_validity(raw: str, seconds: float) -> None:
    """1 to 1440 minutes are taken, and 86400 as the day that the API's examples mean."""
    assert seconds == checks.viber_validity(raw)


@table("raw", ["0", "1441", "-5", "x", "86401"])
def test_invalid_viber_validity(raw: str) -> None:
    """Anything else is the documented word."""
    assert (1, "error-validity-period-seconds-format") == refusal(checks.viber_validity, raw)


@table("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe", "\0"])
def test_unknown_zones(zone: str) -> None:
    """What is not a time zone is refused, paths and folders included."""
    with pytest.raises(ValueError, match="no such time zone"):
        checks.known_zone(zone)


def test_a_known_zone() -> None:
    """A time zone passes."""
    checks.known_zone("Asia/Vladivostok")
