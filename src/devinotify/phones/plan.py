"""The countries' numbering plans, by phonenumbers: which number the digits are, and whether it takes messages. Pure.

phonenumbers is imported on the first use: it costs more than all the rest together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.phones.number import REFUSED, Kind, PhoneNumber
from devinotify.phones.refusal import WHY, Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from phonenumbers import PhoneNumber as LibraryNumber
    from phonenumbers.phonemetadata import PhoneMetadata

# The numbers on the left are phonenumbers' own constants, kept as numbers so that this table needs no import.
KINDS: Mapping[int, Kind] = {
    0: Kind.FIXED_LINE,
    1: Kind.MOBILE,
    2: Kind.FIXED_OR_MOBILE,
    3: Kind.TOLL_FREE,
    4: Kind.PREMIUM,
    5: Kind.SHARED_COST,
    6: Kind.VOIP,
    7: Kind.PERSONAL,
    8: Kind.PAGER,
    9: Kind.COMPANY,
    10: Kind.VOICEMAIL,
}
"""phonenumbers' PhoneNumberType -> Kind; its UNKNOWN, an unassigned number, is left out."""

UNREADABLE: Mapping[int, Reason] = {
    0: Reason.UNKNOWN_COUNTRY_CODE,
    1: Reason.TOO_SHORT,
    2: Reason.TOO_SHORT,
    3: Reason.TOO_SHORT,
    4: Reason.TOO_LONG,
}
"""phonenumbers' NumberParseException.error_type -> Reason. Of digits alone, 1 (no number) means a single one."""

LENGTHS: Mapping[int, Reason] = {
    0: Reason.INVALID,
    1: Reason.UNKNOWN_COUNTRY_CODE,
    2: Reason.TOO_SHORT,
    3: Reason.TOO_LONG,
    4: Reason.TOO_SHORT,
    5: Reason.INVALID,
}
"""phonenumbers' ValidationResult for a mobile number's length -> Reason; 4 is a number without its area code."""

_OTHER_LINES = frozenset(REFUSED.values())
"""The reasons of numbers that exist, and are not mobiles."""

_LONGEST_CODE = 3
"""Digits of a country's calling code at most (ITU-T E.164)."""

TOO_LONG = f"{WHY[Reason.TOO_LONG]}; a number of another country needs + and its country code in front"
"""What is said of digits that are too many for ``region``, without ``+``."""


def known_region(region: object) -> str:
    """Return the region's ISO 3166 code in upper case; raises InvalidInput for one that does not exist."""
    from phonenumbers import SUPPORTED_REGIONS

    if isinstance(region, str) and region.upper() in SUPPORTED_REGIONS:
        return region.upper()
    # Arguments given in the wrong order must not show a number.
    shown = ascii(region) if isinstance(region, str) and len(region) <= 3 else "what was given"
    raise InvalidInput(f"the region must be a two-letter ISO 3166 code such as 'RU' or 'KZ', not {shown}")


def read_plan(region: str) -> PhoneMetadata | None:
    """Return phonenumbers' plan of a region, given by its ISO 3166 code, ``None`` for one that it does not know."""
    from phonenumbers.phonemetadata import PhoneMetadata

    return PhoneMetadata.metadata_for_region(region, None)


def calling_code(number: str, region: str) -> int:
    """Return the calling code by whose plans ``resolve`` reads a number in ``region``, 0 where no country has it."""
    import phonenumbers as library

    digits = number.removeprefix("+")
    if digits == number:
        plan = read_plan(region)
        abroad = re.match(f"00|{plan.international_prefix}" if plan and plan.international_prefix else "00", number)
        if abroad is None:
            return int(library.country_code_for_region(region))
        digits = number[abroad.end() :]
    starts = (int(digits[:length]) for length in range(1, _LONGEST_CODE + 1) if digits and digits[0] != "0")
    return next((start for start in starts if start in library.COUNTRY_CODE_TO_REGION_CODE), 0)


def read_country(code: int) -> None:
    """Have in memory what a mobile number of this calling code is read by: the plans of all who share it."""
    import phonenumbers as library

    for region in library.COUNTRY_CODE_TO_REGION_CODE.get(code, ()):
        if region == library.REGION_CODE_FOR_NON_GEO_ENTITY:
            example = library.example_number_for_non_geo_entity(code)
        else:
            example = library.example_number_for_type(region, library.PhoneNumberType.MOBILE)
        if example is not None:  # what reads it is a pattern, compiled on its first use
            _judge(library.format_number(example, library.PhoneNumberFormat.E164), None)


def _judge(number: str, region: str | None) -> PhoneNumber | Reason:
    """Return the number if it is read in this way, or the reason why it is none."""
    import phonenumbers as library

    try:
        found = library.parse(number, region)
    except library.NumberParseException as error:
        return UNREADABLE[error.error_type]
    kind = KINDS.get(library.number_type(found))
    if kind is None:
        mobile = library.PhoneNumberType.MOBILE
        return LENGTHS[library.is_possible_number_for_type_with_reason(found, mobile)]
    if kind in REFUSED:
        return REFUSED[kind]
    e164 = library.format_number(found, library.PhoneNumberFormat.E164)
    return PhoneNumber(e164, str(library.region_code_for_number(found)), int(found.country_code or 0), kind)


def _explain(digits: str, region: str, reason: Reason) -> Refused:
    """Return the refusal of a number without ``+`` in the words that help most."""
    import phonenumbers as library

    if reason is Reason.TOO_LONG:
        return Refused(reason, TOO_LONG)
    if reason is not Reason.INVALID:
        return Refused(reason)
    # 8916123456 has ten digits, as a Russian number has, but its 8 is not a part of it: a digit is missing.
    trunk = library.ndd_prefix_for_region(region, strip_non_digits=True) or ""
    code = str(library.country_code_for_region(region))
    for prefix in (code, trunk):
        if prefix and digits.startswith(prefix):
            shorter = _judge(f"+{code}{digits.removeprefix(prefix)}", None)
            if shorter is Reason.TOO_SHORT:
                return Refused(shorter)
    return Refused(reason)


def resolve(number: str, region: str) -> PhoneNumber:
    """Return the number behind ``+`` and digits, or behind digits as they are written in ``region``; raises Refused.

    Digits alone are read as the region reads them, and with the region's own country code in front
    (``79161234567`` in Kazakhstan); after ``00`` as an international number in any region. No other country's
    code is guessed: ``9161234567`` with two digits too many would be a mobile in India.
    """
    if number.startswith("+"):
        readings = [_judge(number, None)]
    elif number.startswith("00"):
        readings = [_judge("+" + number[2:], None), _judge(number, region)]
    else:
        import phonenumbers as library

        readings = [_judge(number, region)]
        if number.startswith(str(library.country_code_for_region(region))):
            readings.append(_judge("+" + number, None))
    found = {reading for reading in readings if isinstance(reading, PhoneNumber)}
    reasons = [reading for reading in readings if isinstance(reading, Reason)]
    lines = [reason for reason in reasons if reason in _OTHER_LINES]
    # After 00 both readings are international. Without it, a land line whose trunk prefix was left off
    # (4915123456789 in Germany) is the far-fetched one, and does not stand against a mobile.
    if len(found) > 1 or (found and lines and number.startswith("00")):
        raise Refused(Reason.AMBIGUOUS)
    if found:
        return found.pop()
    reason = (lines or reasons)[0]
    raise Refused(reason) if number.startswith(("+", "00")) else _explain(number, region, reason)


def zones(number: PhoneNumber) -> tuple[str, ...]:
    """Return the IANA time zones that the number may be in, none where the plan does not say."""
    from phonenumbers import parse

    return _zones(parse(number.e164, None))


def mobile_zones(region: str) -> tuple[str, ...] | None:
    """Return the zones of each mobile of a region, ``None`` where its mobiles tell more than their country."""
    import phonenumbers as library

    mobile = library.PhoneNumberType.MOBILE
    example = library.example_number_for_type(region, mobile)
    if example is None or library.is_number_type_geographical(mobile, example.country_code or 0):
        return None
    return _zones(example)


_RUSSIA = 7
"""The country code of which phonenumbers means Kaliningrad by Bucharest, which is an hour ahead of it in summer."""


def _zones(number: LibraryNumber) -> tuple[str, ...]:
    from phonenumbers import timezone

    found = [zone for zone in timezone.time_zones_for_number(number) if zone != timezone.UNKNOWN_TIMEZONE]
    if number.country_code == _RUSSIA:
        found = ["Europe/Kaliningrad" if zone == "Europe/Bucharest" else zone for zone in found]
    return tuple(sorted(found))
