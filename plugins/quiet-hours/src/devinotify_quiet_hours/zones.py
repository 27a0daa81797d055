"""Where a recipient may be: the time zones by whose clocks their night is judged. Pure, but for the zone database.

A mobile number often tells its country and no more; all of ``+7`` is one set of sixteen zones. So there is a rule for
a number that could be in several: one zone for the whole country, unless every possible one is asked for.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devinotify import InvalidInput, InvalidPhoneNumber, phones

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY = "any"
"""In place of a zone: it counts as night while it is night in any zone that the number may be in."""
EVERYWHERE = "*"
"""In place of a region: every region that has no entry of its own."""

LIKELY: Mapping[str, str] = MappingProxyType(
    {
        "AG": "America/Antigua",
        "AI": "America/Anguilla",
        "AS": "Pacific/Pago_Pago",
        "AU": "Australia/Sydney",
        "AX": "Europe/Mariehamn",
        "BB": "America/Barbados",
        "BM": "Atlantic/Bermuda",
        "BQ": "America/Kralendijk",
        "BS": "America/Nassau",
        "CA": "America/Toronto",
        "CC": "Indian/Cocos",
        "CD": "Africa/Kinshasa",
        "CW": "America/Curacao",
        "CX": "Indian/Christmas",
        "DM": "America/Dominica",
        "EC": "America/Guayaquil",
        "ES": "Europe/Madrid",
        "FI": "Europe/Helsinki",
        "GB": "Europe/London",
        "GD": "America/Grenada",
        "GG": "Europe/Guernsey",
        "GL": "America/Godthab",
        "IE": "Europe/London",  # phonenumbers gives Ireland no zone of its own; London's clocks show the same
        "IM": "Europe/Isle_of_Man",
        "IT": "Europe/Rome",
        "JE": "Europe/Jersey",
        "JM": "America/Jamaica",
        "KI": "Pacific/Tarawa",
        "KN": "America/St_Kitts",
        "KY": "America/Cayman",
        "KZ": "Asia/Almaty",
        "LC": "America/St_Lucia",
        "MN": "Asia/Ulaanbaatar",
        "MS": "America/Montserrat",
        "NO": "Europe/Oslo",
        "NZ": "Pacific/Auckland",
        "PF": "Pacific/Tahiti",
        "PT": "Europe/Lisbon",
        "RE": "Indian/Reunion",
        "RU": "Europe/Moscow",
        "SJ": "Arctic/Longyearbyen",
        "SX": "America/Puerto_Rico",  # phonenumbers gives Sint Maarten no zone of its own either; the same clock
        "TC": "America/Grand_Turk",
        "TT": "America/Port_of_Spain",
        "US": "America/New_York",
        "VA": "Europe/Vatican",
        "VC": "America/St_Vincent",
        "VG": "America/Tortola",
        "YT": "Indian/Mayotte",
    }
)
"""Region (ISO 3166) -> its most populous zone, where a number that tells no more than the region may be in several."""


def check_zone(name: str) -> str:
    """Return the name of a time zone; raises InvalidInput for one that the zone database does not have."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: a name like "Europe" is a folder of the database.
        raise InvalidInput(f"{name!r} is not a time zone: one looks like Europe/Moscow") from None
    return name


def check_entry(region: str, zone: str) -> None:
    """Pass an entry of a table of zones; raises InvalidInput for an impossible one."""
    if region == EVERYWHERE:
        if zone != ANY:
            raise InvalidInput(f"{EVERYWHERE}={zone}: every region together can only be {ANY!r}")
    elif not (region.isascii() and region.isalnum() and region == region.upper() and len(region) in {2, 3}):
        raise InvalidInput(f"{region!r} is not a region: write its ISO 3166 code, such as RU")
    elif zone != ANY:
        check_zone(zone)


def zones_of(recipient: str, chosen: Mapping[str, str]) -> tuple[str, ...]:
    """Return the zones by whose clocks the recipient's night is judged; none where nothing tells.

    ``chosen`` is region -> zone, or ``ANY``. A number that tells its zone is in that one, whatever was chosen for its
    region. A recipient that is not a number, as a plugin's channel may have, is in none.
    """
    try:
        number = phones.normalize(recipient)
    except InvalidPhoneNumber:
        return ()
    possible = phones.time_zones(number)
    if len(possible) == 1:
        return possible
    region = number.region
    zone = chosen.get(region) or chosen.get(EVERYWHERE)
    if zone is None:
        zone = LIKELY.get(region, ANY)
        # Of a number that tells more than its country, the country's zone may be none of the possible ones.
        return (zone,) if zone in possible else possible
    return possible if zone == ANY else (zone,)
