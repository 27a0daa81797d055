"""Shortcuts for Russian numbers: patterns, built of the plan's own, that answer at once where it leaves no doubt. Pure.

What they do not answer takes the long way, ``plan.resolve``, which would say the same of what they do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify.phones.plan import TOO_LONG, read_plan
from devinotify.phones.refusal import Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

_NINE = re.compile(r"9|\[[0-9-]*9\]")
"""A pattern for one digit that takes a 9."""

_BY_LINES = re.ASCII | re.MULTILINE
"""ASCII, for ``\\d`` in phonenumbers' patterns would take any script's digits; ``$`` is the end of each line."""

_NEVER = re.compile(r"(?!)").fullmatch


def _takes_nines(pattern: str, rest: str = "") -> bool:
    """Whether a branch of a flat pattern is a 9, or a class with it, and then ``rest``."""
    return "(" not in pattern and any(
        branch.endswith(rest) and _NINE.fullmatch(branch.removesuffix(rest)) for branch in pattern.split("|")
    )


def _others(plan: PhoneMetadata, last: PhoneNumberDesc | None) -> str:
    """Return a pattern for every kind of number but mobiles and land lines, and for ``last`` of these two."""
    kinds = (
        plan.premium_rate, plan.toll_free, plan.shared_cost, plan.voip, plan.personal_number, plan.pager,
        plan.uan, plan.voicemail, last,
    )  # fmt: skip
    return "|".join(f"(?:{kind.national_number_pattern})" for kind in kinds if kind and kind.national_number_pattern)


def _mobile(plan: PhoneMetadata | None) -> str | None:
    """Return a pattern for Russian mobiles that stand alone in a line, built of the plan's own; ``None`` if it cannot.

    It matches only where phonenumbers would find a valid mobile of this region: the general, leading and mobile
    patterns match, and none of the kinds that phonenumbers asks about first. Whatever it does not match takes the long
    way, so that a plan with other lengths or prefixes costs speed and nothing else. Its one group are the ten digits.
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
        return None
    others = _others(plan, plan.fixed_line)
    # Asking these two costs as much as all the rest; where they plainly take whatever follows a 9, as they do
    # today, they are left out.
    general, leading = plan.general_desc.national_number_pattern, plan.leading_digits
    ahead = ("" if _takes_nines(general, r"\d{9}") else f"(?=(?:{general})$)") + (
        "" if _takes_nines(leading) else f"(?={leading})"
    )
    ahead += f"(?!(?:{others})$)" if others else ""
    mobile = rf"(?:\+?7|8)?((?=9.{{9}}$){ahead}(?:{plan.mobile.national_number_pattern}))"
    return mobile if re.compile(mobile, _BY_LINES).groups == 1 else None


def compile_matcher(plan: PhoneMetadata | None) -> Callable[[str], re.Match[str] | None]:
    """Return a full match for Russian mobiles; one that never matches where none can be built of the plan."""
    mobile = _mobile(plan)
    return _NEVER if mobile is None else re.compile(mobile, _BY_LINES).fullmatch


def compile_reader(plan: PhoneMetadata | None) -> Callable[[str], list[str]]:
    """Return what gives the ten digits of each line of a text that the full match takes, for any other line ``""``.

    That takes half of the time of a match for each line.
    """
    mobile = _mobile(plan)
    if mobile is None:
        return lambda text: [""] * (text.count("\n") + 1)
    return re.compile(f"^(?:{mobile}$|.*)", _BY_LINES).findall


def compile_refusals(plan: PhoneMetadata | None) -> Callable[[str], Refused | None]:
    """Return what tells why bare digits are none of Russia's mobiles, ``None`` where the long way has to look.

    It answers where the plan leaves no doubt, and as ``resolve`` does: land lines outside of the 8xx, and digits that
    are too few or too many whatever is taken for a prefix, or with the ``89`` and ``79`` that mobiles begin with.
    ``00`` and ``810`` begin a number of another country; of ``78`` both digits may be prefixes, and so may what stands
    before ``8108``, of a freephone number with 14 digits.
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
    others = _others(plan, plan.mobile)
    every = f"{_others(plan, plan.fixed_line)}|{plan.mobile.national_number_pattern}"
    general, leading = plan.general_desc.national_number_pattern, plan.leading_digits
    ahead = rf"(?=[34]\d{{9}}\Z)(?=(?:{general})\Z)(?={leading})(?!(?:{others})\Z)"
    found = re.compile(
        rf"(?P<short>(?!00|810)\d{{1,9}}|(?!(?:{every})\Z)[78]9\d{{8}})"
        r"|(?P<long>(?!00|810)(?:(?!78)\d{12}|\d{13}|(?!\d{0,2}8108)\d{14,16}|\d{17,}))"
        rf"|(?P<line>(?:\+?7|8)?{ahead}(?:{plan.fixed_line.national_number_pattern}))",
        re.ASCII,
    ).fullmatch
    told = {
        "short": (Reason.TOO_SHORT, ""),
        "long": (Reason.TOO_LONG, TOO_LONG),
        "line": (Reason.FIXED_LINE, ""),
    }

    def refusal(digits: str) -> Refused | None:
        match = found(digits)
        return None if match is None else Refused(*told[str(match.lastgroup)])

    return refusal


def russian_refusals() -> Callable[[str], Refused | None]:
    """Return what tells sooner than ``resolve`` why digits are none of Russia's mobiles, where that is plain."""
    return compile_refusals(read_plan("RU"))


def russian_matcher() -> Callable[[str], re.Match[str] | None]:
    """Return the full match for ``+7``, ``7``, ``8`` or nothing, then the ten digits of a valid Russian mobile."""
    return compile_matcher(read_plan("RU"))


def russian_reader() -> Callable[[str], list[str]]:
    """Return what gives the ten digits of each line of a text that is such a number, for any other line ``""``."""
    return compile_reader(read_plan("RU"))
