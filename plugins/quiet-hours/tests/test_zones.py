"""The zones by whose clocks a recipient's night is judged."""

from __future__ import annotations

import phonenumbers
import pytest
from devinotify import InvalidInput, phones
from phonenumbers.tzdata import TIMEZONE_DATA

from devinotify_quiet_hours import QuietHours
from devinotify_quiet_hours.zones import LIKELY, check_zone, zones_of

MOSCOW = "+79161234567"
SATELLITE = "+8816123456789"


@pytest.mark.parametrize(
    ("recipient", "chosen", "expected"),
    [
        (MOSCOW, {}, ("Europe/Moscow",)),
        ("+77011234567", {}, ("Asia/Almaty",)),
        (MOSCOW, {"RU": "Asia/Omsk"}, ("Asia/Omsk",)),
        (MOSCOW, {"RU": "Europe/Kaliningrad"}, ("Europe/Kaliningrad",)),
        (MOSCOW, {"KZ": "Asia/Omsk"}, ("Europe/Moscow",)),
        (MOSCOW, {"RU": "Asia/Omsk", "*": "any"}, ("Asia/Omsk",)),
        ("+12125550123", {"US": "America/Chicago", "*": "any"}, ("America/New_York",)),
        ("+12083305678", {}, ("America/Boise", "America/Los_Angeles")),
        ("+12083305678", {"US": "America/Boise"}, ("America/Boise",)),
        (SATELLITE, {}, ()),
        (SATELLITE, {"*": "any"}, ()),
        (SATELLITE, {"001": "Etc/UTC"}, ("Etc/UTC",)),
        ("somebody@example.com", {}, ()),
    ],
)
def test_zones_of(recipient: str, chosen: dict[str, str], expected: tuple[str, ...]) -> None:
    """The number's own zone comes first, then the one chosen for its region, then the likely one."""
    assert expected == zones_of(recipient, chosen)


@pytest.mark.parametrize("chosen", [{"RU": "any"}, {"*": "any"}])
def test_any_is_every_possible_zone(chosen: dict[str, str]) -> None:
    """For a Russian mobile these are all that phonenumbers knows of +7."""
    assert phones.time_zones(MOSCOW) == zones_of(MOSCOW, chosen)


MOBILES = {
    region: phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (example := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
}
"""An ordinary mobile number of each country that has any."""


@pytest.mark.parametrize("number", MOBILES.values(), ids=list(MOBILES))
def test_every_region_has_one_likely_zone(number: str) -> None:
    """An ordinary mobile of each country is judged by one clock."""
    assert 1 == len(zones_of(number, {}))


def test_likely_zones_are_possible_ones() -> None:
    """What the table says of a country is among what phonenumbers says of it."""
    known = {zone for zones in TIMEZONE_DATA.values() for zone in zones}
    assert set() == set(LIKELY.values()) - known


def test_every_zone_of_the_numbering_plans_exists() -> None:
    """The zone database knows each zone that phonenumbers can answer, so that none is missing at night."""
    known = {zone for zones in TIMEZONE_DATA.values() for zone in zones}
    assert known == set(map(check_zone, known))


@pytest.mark.parametrize(
    ("zones", "error"),
    [
        ({"RU": "Moscow"}, "'Moscow' is not a time zone: one looks like Europe/Moscow"),
        ({"RU": "Europe"}, "'Europe' is not a time zone"),
        ({"RU": "../etc/passwd"}, "is not a time zone"),
        ({"ru": "Europe/Moscow"}, "'ru' is not a region: write its ISO 3166 code, such as RU"),
        ({"Russia": "Europe/Moscow"}, "'Russia' is not a region"),
        ({"+7": "Europe/Moscow"}, "'\\+7' is not a region"),
        ({"*": "Europe/Moscow"}, "every region together can only be 'any'"),
    ],
)
def test_impossible_entries(zones: dict[str, str], error: str) -> None:
    """A table with an impossible entry is refused when it is given, and the error names it."""
    with pytest.raises(InvalidInput, match=error):
        QuietHours(zones=zones)
