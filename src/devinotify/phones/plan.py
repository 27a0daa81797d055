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
    from collections.abc import Callable, Mapping

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

_NINE = re.compile(r"9|\[[0-9-]*9\]")
"""A pattern for one digit that takes a 9."""

_NEVER = re.compile(r"(?!)").fullmatch


def known_region(region: object) -> str:
    """Return the region's ISO 3166 code in upper case; raises InvalidInput for one that does not exist."""
    from phonenumbers import SUPPORTED_REGIONS

    if isinstance(region, str) and region.upper() in SUPPORTED_REGIONS:
        return region.upper()
    # Arguments given in the wrong order must not show a number.
    shown = ascii(region) if isinstance(region, str) and len(region) <= 3 else "what was given"
    raise InvalidInput(f"the region must be a two-letter ISO 3166 code such as 'RU' or 'KZ', not {shown}")


def read_plan(region: str) -> None:
    """Have phonenumbers read the plan of a region, given by its ISO 3166 code; one that it does not know has none."""
    from phonenumbers.phonemetadata import PhoneMetadata

    PhoneMetadata.metadata_for_region(region, None)


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
        return Refused(reason, _TOO_LONG)
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


def _takes_nines(pattern: str, rest: str = "") -> bool:
    """Whether a branch of a flat pattern is a 9, or a class with it, and then ``rest``."""
    return "(" not in pattern and any(
        branch.endswith(rest) and _NINE.fullmatch(branch.removesuffix(rest)) for branch in pattern.split("|")
    )


def compile_matcher(plan: PhoneMetadata | None) -> Callable[[str], re.Match[str] | None]:
    """Return a full match for Russian mobiles, built of the plan's own patterns; one that never matches if it cannot.

    It answers yes only where phonenumbers would find a valid mobile of this region: the general, leading and
    mobile patterns match, and none of the kinds that phonenumbers asks about first. Whatever it does not match takes
    the long way, so that a plan with other lengths or prefixes costs speed and nothing else.
    """
    if (
        plan is None
        or plan.mobile is None
        or plan.general_desc is None
        or plan.mobile.national_number_pattern is None
        or plan.general_desc.national_number_pattern is None
        or plan.leading_digits is None
        or (plan.country_code, plan.national_prefix_for_parsing) != (7, "8")
        or plan.national_prefix_transform_rule is not None
        or 11 in plan.general_desc.possible_length
        or 10 not in plan.mobile.possible_length
    ):
        return _NEVER
    first = (
        plan.premium_rate, plan.toll_free, plan.shared_cost, plan.voip, plan.personal_number, plan.pager,
        plan.uan, plan.voicemail, plan.fixed_line,
    )  # fmt: skip
    others = "|".join(f"(?:{kind.national_number_pattern})" for kind in first if kind and kind.national_number_pattern)
    # Asking these two costs as much as all the rest; where they plainly take whatever follows a 9, as they do
    # today, they are left out.
    general, leading = plan.general_desc.national_number_pattern, plan.leading_digits
    ahead = ("" if _takes_nines(general, r"\d{9}") else rf"(?=(?:{general})\Z)") + (
        "" if _takes_nines(leading) else f"(?={leading})"
    )
    ahead += rf"(?!(?:{others})\Z)" if others else ""
    # ASCII: \d in phonenumbers' patterns would take any script's digits.
    mobile = rf"(?:\+?7|8)?(?=9.{{9}}\Z){ahead}(?:{plan.mobile.national_number_pattern})"
    return re.compile(mobile, re.ASCII).fullmatch


_TOO_LONG = f"{WHY[Reason.TOO_LONG]}; a number of another country needs + and its country code in front"


def compile_refusals(plan: PhoneMetadata | None) -> Callable[[str], Refused | None]:
    """Return what tells why bare digits are none of Russia's mobiles, ``None`` where the long way has to look.

    It answers where the plan leaves no doubt, and as ``resolve`` does: land lines outside of the 8xx, and digits that
    are too few or too many whatever is taken for a prefix. ``00`` and ``810`` begin a number of another country; of
    ``78`` both digits may be prefixes, and so may what stands before ``8108``, of a freephone number with 14 digits.
    """
    if (
        compile_matcher(plan) is _NEVER
        or plan is None
        or plan.fixed_line is None
        or plan.fixed_line.national_number_pattern is None
        or plan.general_desc is None
        or plan.international_prefix != "810"
        or not {*plan.general_desc.possible_length} <= {10, 14}
        or plan.mobile is None
        or (*plan.mobile.possible_length,) != (10,)
    ):
        return lambda digits: None  # noqa: ARG005 - the long way looks at all
    first = (plan.premium_rate, plan.toll_free, plan.shared_cost, plan.voip, plan.personal_number, plan.pager)
    kinds = (*first, plan.uan, plan.voicemail, plan.mobile)
    others = "|".join(f"(?:{kind.national_number_pattern})" for kind in kinds if kind and kind.national_number_pattern)
    general, leading = plan.general_desc.national_number_pattern, plan.leading_digits
    ahead = rf"(?=[34]\d{{9}}\Z)(?=(?:{general})\Z)(?={leading})(?!(?:{others})\Z)"
    found = re.compile(
        r"(?P<short>(?!00|810)\d{1,9})"
        r"|(?P<long>(?!00|810)(?:(?!78)\d{12}|\d{13}|(?!\d{0,2}8108)\d{14,16}|\d{17,}))"
        rf"|(?P<line>(?:\+?7|8)?{ahead}(?:{plan.fixed_line.national_number_pattern}))",
        re.ASCII,
    ).fullmatch
    told = {
        "short": (Reason.TOO_SHORT, ""),
        "long": (Reason.TOO_LONG, _TOO_LONG),
        "line": (Reason.FIXED_LINE, ""),
    }

    def refusal(digits: str) -> Refused | None:
        match = found(digits)
        return None if match is None else Refused(*told[str(match.lastgroup)])

    return refusal


def russian_refusals() -> Callable[[str], Refused | None]:
    """Return what tells sooner than ``resolve`` why digits are none of Russia's mobiles, where that is plain."""
    from phonenumbers.phonemetadata import PhoneMetadata

    return compile_refusals(PhoneMetadata.metadata_for_region("RU", None))


def russian_matcher() -> Callable[[str], re.Match[str] | None]:
    """Return the full match for ``+7``, ``7``, ``8`` or nothing, then the ten digits of a valid Russian mobile."""
    from phonenumbers.phonemetadata import PhoneMetadata

    return compile_matcher(PhoneMetadata.metadata_for_region("RU", None))


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


def _zones(number: LibraryNumber) -> tuple[str, ...]:
    from phonenumbers import timezone

    found = timezone.time_zones_for_number(number)
    return tuple(zone for zone in found if zone != timezone.UNKNOWN_TIMEZONE)
