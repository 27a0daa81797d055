"""What is refused soon is refused as the long way refuses it, in the same words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers.phonemetadata import PhoneMetadata

from devinotify import phones
from devinotify.exceptions import InvalidPhoneNumber
from devinotify.phones import notation, plan, shortcuts
from devinotify.phones.refusal import Refused
from tests.tables import table

PREFIXES = (
    *("", "7", "8", "+7", "78", "88", "77", "00", "007", "9", "3", "4", "495", "7495", "8495", "+7495", "336", "73"),
    *("79", "89", "810", "8108", "78108", "88108", "788108", "8800"),
)


def long_way(digits: str) -> tuple[str, str] | None:
    """Return the reason and the words of the refusal that phonenumbers' plan comes to."""
    try:
        plan.resolve(notation.read(digits), "RU")
    except Refused as refused:
        return str(refused.reason), refused.why
    return None


@given(st.sampled_from(PREFIXES), st.text("0123456789", max_size=19))
def test_what_is_refused_soon_is_refused_alike(prefix: str, rest: str) -> None:
    """Land lines, too few digits and too many; what is in doubt is left to the long way."""
    found = shortcuts.russian_refusals()(prefix + rest)
    assert found is None or (str(found.reason), found.why) == long_way(prefix + rest)


@table(
    "digits, reason",
    [
        ("84951234567", "fixed_line"),
        ("+74951234567", "fixed_line"),
        ("4951234567", "fixed_line"),
        ("891612345", "too_short"),
        ("8916123456", "too_short"),
        ("7916123456", "too_short"),
        ("79161234567890", "too_long"),
        ("4276123456789012", "too_long"),
    ],
)
def test_the_mass_of_refusals_is_soon(digits: str, reason: str) -> None:
    """They do not wait for phonenumbers."""
    found = shortcuts.russian_refusals()(digits)
    assert (reason, (reason, found and found.why)) == (found and found.reason, long_way(digits))


@table("digits", ["81012345", "00123", "789161234567", "81081234567890", "8121234567", "79161234567"])
def test_what_is_in_doubt_takes_the_long_way(digits: str) -> None:
    """Another country's, two prefixes, a freephone number, an area code that may be a prefix, a mobile."""
    assert shortcuts.russian_refusals()(digits) is None


@table("raw", ["31-12-2020", "2020-12-31", "89161234567 89161234568", "8916123456789161234568"])
def test_other_reasons_come_before(raw: str) -> None:
    """A date and several numbers are told as such, whatever their digits come to."""
    with pytest.raises(InvalidPhoneNumber) as caught:
        phones.normalize(raw)
    assert long_way(raw) == (caught.value.reason, str(caught.value).partition(": ")[2])


@dataclass
class OtherPlan:
    """A plan of another edition of phonenumbers."""

    base: Any
    changes: dict[str, Any]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the plan's
        return self.changes[name] if name in self.changes else getattr(self.base, name)


@table("changes", [{"international_prefix": "00"}, {"fixed_line": None}, {"country_code": 8}])
def test_another_plan_takes_the_long_way(changes: dict[str, Any]) -> None:
    """Where the plan is not as these shortcuts know it, they answer nothing."""
    other: Any = OtherPlan(PhoneMetadata.metadata_for_region("RU", None), changes)
    assert shortcuts.compile_refusals(other)("84951234567") is None
