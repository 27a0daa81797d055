"""The number: what it shows, and what it hides."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import TYPE_CHECKING, cast

import phonenumbers
import pytest

from devinotify import phones
from devinotify.exceptions import InvalidPhoneNumber
from devinotify.phones import Kind, PhoneNumber, Reason
from devinotify.phones.number import REFUSED, are_e164, russian_mobile
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

E164 = "+79161234567"
NUMBER = PhoneNumber(E164, "RU", 7, Kind.MOBILE)


def test_gateway_takes_digits_without_plus() -> None:
    """The gateway's form is the number without its plus."""
    assert NUMBER.digits == "79161234567"


@table("show", [str, repr, ascii, "{}".format, "{!r}".format, "%s".__mod__])
def test_every_way_of_printing_masks(show: Callable[[object], str]) -> None:
    """No way of turning a number into text shows it in full, except by its attributes."""
    shown = show(NUMBER)
    assert "+7916***4567" in shown
    assert "1234567" not in shown


def test_repr_tells_region_and_kind() -> None:
    """The repr helps in a debugger."""
    assert repr(NUMBER) == "<PhoneNumber +7916***4567 RU mobile>"


def test_equal_by_e164_alone() -> None:
    """The same number is the same, whatever is known about it."""
    assert PhoneNumber(E164, "KZ", 7, Kind.FIXED_OR_MOBILE) == NUMBER
    assert hash(PhoneNumber(E164, "KZ", 7)) == hash(NUMBER)


def test_not_equal_to_its_text() -> None:
    """A number is no text, so that the two are not mixed up in a set."""
    assert NUMBER != E164
    assert PhoneNumber("+79161234568", "RU", 7) != NUMBER


def test_frozen() -> None:
    """A number cannot be changed."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        NUMBER.e164 = "+79160000000"  # type: ignore[misc]  # that is the point


@table("twin", [copy.copy, copy.deepcopy, lambda number: pickle.loads(pickle.dumps(number))])  # noqa: S301 - our own bytes
def test_copies_are_equal(twin: Callable[[PhoneNumber], PhoneNumber]) -> None:
    """Numbers travel between processes and copies unharmed."""
    assert twin(russian_mobile(E164)) == NUMBER


def test_fast_path_makes_the_same_value() -> None:
    """A number of the fast path has every field of one that was constructed."""
    assert dataclasses.astuple(russian_mobile(E164)) == dataclasses.astuple(NUMBER)


@table("value", [E164, "+12345", "+" + "9" * 15, "+999123456789"])
def test_the_form_of_e164_is_known(value: str) -> None:
    """A plus, a first digit that is not 0, 5 to 15 digits in all; whether the number exists is another question."""
    assert phones.is_e164(value)


@table(
    "value",
    [
        "79161234567",
        "+0123456",
        "+1234",
        "+" + "9" * 16,
        "+7 9161234567",
        "+٧٩١٦١٢٣٤٥٦٧",
        f"{E164}\n",
        "",
        b"+79161234567",
        1,
        None,
        NUMBER,
    ],
)
def test_another_form_is_no_e164(value: object) -> None:
    """Whatever its type."""
    assert not phones.is_e164(value)


@table("odd", ["79161234567", f"{E164}\n", "", b"+79161234567", 1, None, NUMBER])
@table("before", [[], [E164]])
def test_one_that_is_none_makes_many_none(before: list[object], odd: object) -> None:
    """Asked of many at once, the answer is what it is one by one, whatever the type of a value."""
    assert [True, False] == [are_e164(values) for values in ([*before, E164], [*before, odd, E164])]


@table("e164", ["79161234567", "", "+", "+7916123456789012", "+7 916 1234567", "+٧٩١٦١٢٣٤٥٦٧", None])
def test_only_e164_makes_a_number(e164: object) -> None:
    """A number made by hand in another form would lose its first digit at the gateway: it is refused."""
    with pytest.raises(InvalidPhoneNumber) as caught:
        PhoneNumber(cast("str", e164), "RU", 7)
    assert caught.value.reason == Reason.NOT_A_NUMBER
    assert "1234567" not in str(caught.value)


def test_only_mobile_kinds_are_accepted() -> None:
    """Every kind is either refused for a reason or one of the two that receive messages."""
    assert set(Kind) - REFUSED.keys() == {Kind.MOBILE, Kind.FIXED_OR_MOBILE}


def test_every_other_kind_is_refused_for_this_reason() -> None:
    """The table, by value: a kind that slips out of it would be sent to."""
    assert REFUSED == {
        "fixed_line": "fixed_line",
        "toll_free": "toll_free",
        "premium": "premium",
        "shared_cost": "premium",
        "voip": "not_mobile",
        "personal": "not_mobile",
        "pager": "not_mobile",
        "company": "not_mobile",
        "voicemail": "not_mobile",
    }


@table(
    "example, kind",
    [("+79161234567", Kind.MOBILE), ("+12125551234", Kind.FIXED_OR_MOBILE), ("+881612345678", Kind.MOBILE)],
)
def test_accepted_kinds(example: str, kind: Kind) -> None:
    """Mobiles, satellite phones among them, and numbers that cannot be told apart are accepted."""
    assert phones.normalize(example).kind == kind


_OTHER_KINDS = {
    phonenumbers.PhoneNumberType.FIXED_LINE: Kind.FIXED_LINE,
    phonenumbers.PhoneNumberType.TOLL_FREE: Kind.TOLL_FREE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE: Kind.PREMIUM,
    phonenumbers.PhoneNumberType.SHARED_COST: Kind.SHARED_COST,
    phonenumbers.PhoneNumberType.VOIP: Kind.VOIP,
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: Kind.PERSONAL,
    phonenumbers.PhoneNumberType.PAGER: Kind.PAGER,
    phonenumbers.PhoneNumberType.UAN: Kind.COMPANY,
    phonenumbers.PhoneNumberType.VOICEMAIL: Kind.VOICEMAIL,
}


@table("library_type, kind", _OTHER_KINDS.items())
def test_refused_kinds(library_type: int, kind: Kind) -> None:
    """Each other kind of number is refused with the reason of the table, wherever a country has it."""
    found = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, library_type)
        if example is None or phonenumbers.number_type(example) != library_type:
            continue
        found += 1
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        with pytest.raises(InvalidPhoneNumber) as caught:
            phones.normalize(e164)
        assert caught.value.reason == REFUSED[kind]
    assert found > 0
