"""One number, many numbers, and none lost."""

from __future__ import annotations

import unicodedata
from typing import cast

import phonenumbers
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from phonenumbers import timezone

from devinotify import phones
from devinotify.exceptions import InvalidInput, InvalidPhoneNumber
from devinotify.phones import Reason, plan
from devinotify.phones.recipients import distinct, sort_many
from devinotify.phones.refusal import MAX_INPUT, Refused
from tests.laws import both_ways
from tests.strategies import changed
from tests.tables import table

E164 = "+79161234567"
RUSSIAN = st.integers(0, 10**8 - 1).map(lambda tail: f"+791{tail:08d}")
MOBILES = [
    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (number := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
]
ANY_MOBILE = st.sampled_from(MOBILES) | RUSSIAN


def test_a_number_passes_through() -> None:
    """A PhoneNumber is returned as it is."""
    number = phones.normalize(E164)
    assert phones.normalize(number) is number


def test_region_is_russia_unless_told() -> None:
    """Digits alone are read as they are written in Russia."""
    assert phones.normalize("89161234567").e164 == E164


def test_region_in_lower_case() -> None:
    """The region's case does not matter."""
    assert phones.normalize("89161234567", "ru").e164 == E164


@table("region", ["XX", "UK", "", "001", "RUS", None, 7, ("RU",), "+79161234567", "\ud800"])
def test_unknown_region(region: object) -> None:
    """A region that does not exist is the caller's mistake, told without showing a number."""
    with pytest.raises(InvalidInput, match="ISO 3166") as caught:
        phones.normalize(E164, cast("str", region))
    assert not isinstance(caught.value, InvalidPhoneNumber)
    assert "1234567" not in str(caught.value)
    with pytest.raises(InvalidInput, match="ISO 3166"):
        phones.normalize_many([], cast("str", region))


def test_an_unhashable_region() -> None:
    """Even a list in the region's place is told in words."""
    with pytest.raises(InvalidInput, match="ISO 3166"):
        phones.normalize(E164, cast("str", ["RU"]))


def test_integers_are_numbers() -> None:
    """JSON and spreadsheets bring integers."""
    assert phones.normalize(79161234567).e164 == E164


@table(
    "raw, reason",
    [
        (None, Reason.NOT_A_NUMBER),
        (b"79161234567", Reason.NOT_A_NUMBER),
        (79161234567.0, Reason.NOT_A_NUMBER),
        (True, Reason.NOT_A_NUMBER),
        (-79161234567, Reason.NOT_A_NUMBER),
        (["79161234567"], Reason.NOT_A_NUMBER),
        (0, Reason.TOO_SHORT),
        (10**5000, Reason.TOO_LONG),
        ("7" * (MAX_INPUT + 1), Reason.TOO_LONG),
    ],
    ids=["None", "bytes", "float", "bool", "negative", "list", "zero", "huge", "long text"],
)
def test_other_types_are_refused(raw: object, reason: Reason) -> None:
    """What is neither text nor a number is refused like a wrong number, never with a bare error."""
    with pytest.raises(InvalidPhoneNumber) as caught:
        phones.normalize(cast("str", raw))
    assert caught.value.reason == reason
    assert "1234567" not in str(caught.value)


def test_subclasses_of_text_are_read() -> None:
    """A subclass of str, an enum member for one, is a text like any other."""

    class Text(str):
        __slots__ = ()

    assert phones.normalize(Text(E164)).e164 == E164


def test_gateway_digits() -> None:
    """The gateway's form of whatever was written."""
    assert phones.gateway_digits("8 (916) 123-45-67") == "79161234567"


@table(
    "number, region, zones",
    [
        ("+4915112345678", "RU", ("Europe/Berlin",)),
        ("0151 12345678", "DE", ("Europe/Berlin",)),
        ("+881612345678", "RU", ()),
    ],
)
def test_time_zones(number: str, region: str, zones: tuple[str, ...]) -> None:
    """The time zones that the numbering plan tells, none where it tells none."""
    assert phones.time_zones(number, region) == zones


def test_time_zones_of_a_russian_mobile() -> None:
    """A Russian mobile may be in any of Russia's zones."""
    found = set(phones.time_zones(phones.normalize(E164)))
    assert {"Europe/Kaliningrad", "Europe/Moscow", "Asia/Vladivostok"} <= found
    assert "Europe/Bucharest" not in found


@given(st.integers(9_000_000_000, 9_999_999_999))
def test_time_zones_are_the_plans_own(national: int) -> None:
    """Where all mobiles of a country share their zones they are told at once: what phonenumbers says of each."""
    number = phonenumbers.parse(f"+7{national}", None)
    assume(phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE)
    own = [zone.replace("Bucharest", "Kaliningrad") for zone in timezone.time_zones_for_number(number)]
    assert tuple(own) == phones.time_zones(f"+7{national}")


def test_many_keeps_order_and_drops_duplicates() -> None:
    """Distinct numbers come in order of first appearance; the repeated point back to it."""
    found = phones.normalize_many(
        ["+380501234567", "8 916 123-45-67", E164, "00380501234567", "79160000000", 79161234567]
    )
    assert [number.e164 for number in found.numbers] == ["+380501234567", E164, "+79160000000"]
    assert found.positions == (0, 1, 4)
    assert found.duplicates == {2: 1, 3: 0, 5: 1}
    assert found.refused == ()


def test_many_returns_the_refused() -> None:
    """Each refused input comes back with its position and reason."""
    found = phones.normalize_many(["", E164, "+74951234567", None])  # type: ignore[list-item]  # what callers do
    assert [(error.position, error.reason) for error in found.refused] == [
        (0, Reason.EMPTY),
        (2, Reason.FIXED_LINE),
        (3, Reason.NOT_A_NUMBER),
    ]


def test_many_takes_any_iterable_of_both() -> None:
    """Numbers and texts mix, and a generator will do."""
    number = phones.normalize(E164)
    found = phones.normalize_many(item for item in (number, "89161234567"))
    assert found.numbers[0] is number
    assert found.duplicates == {1: 0}


def test_many_in_another_region() -> None:
    """The region counts for each of them."""
    found = phones.normalize_many(["87011234567", "7 701 123 45 67", "79161234567"], "KZ")
    assert [number.e164 for number in found.numbers] == ["+77011234567", E164]
    assert found.duplicates == {1: 0}


def test_many_without_loss_tells_every_position() -> None:
    """Where nothing was dropped, each number stands where its input stood."""
    found = phones.normalize_many([E164, "+380501234567"])
    assert list(found.positions) == [0, 1]
    assert (found.duplicates, found.refused) == ({}, ())


def test_many_of_nothing() -> None:
    """An empty list is an empty result."""
    found = phones.normalize_many([])
    assert (found.numbers, list(found.positions), found.duplicates, found.refused) == ((), [], {}, ())


@table("raws", [E164, b"79161234567"])
def test_many_refuses_one_text(raws: object) -> None:
    """One text in place of a list would be read character by character."""
    with pytest.raises(InvalidInput, match="list"):
        phones.normalize_many(cast("list[str]", raws))


def test_many_reads_over_line_breaks() -> None:
    """Each input is one number, though its parts stand on two lines."""
    found = phones.normalize_many(["8 916 123-45-67", "+7 903\n1234567", "8\n9161234567"])
    assert (("+79161234567", "+79031234567"), {2: 0}) == (
        tuple(number.e164 for number in found.numbers),
        dict(found.duplicates),
    )


def test_many_shows_counts_alone() -> None:
    """The repr of a result holds no number."""
    assert repr(phones.normalize_many([E164, E164, ""])) == "<NormalizedMany 1 numbers, 1 duplicates, 1 refused>"


@given(st.lists(RUSSIAN | st.text(max_size=15) | st.none() | st.integers(), max_size=12))
def test_many_loses_nothing(raws: list[object]) -> None:
    """Every input is in exactly one of the three: numbers, duplicates, refused."""
    found = phones.normalize_many(cast("list[str]", raws))
    accounted = [*found.positions, *found.duplicates, *(error.position for error in found.refused)]
    assert sorted(cast("list[int]", accounted)) == list(range(len(raws)))
    assert len(found.numbers) == len(found.positions)


@given(st.lists(ANY_MOBILE, max_size=8))
def test_many_agrees_with_one(raws: list[str]) -> None:
    """A list gives what its inputs give one by one."""
    assert list(phones.normalize_many(raws).numbers) == list(dict.fromkeys(map(phones.normalize, raws)))


@given(st.lists(ANY_MOBILE | st.sampled_from(["", "8 916 123-45-67", "+74951234567"]), max_size=8))
def test_the_distinct_ones_are_those_of_many(raws: list[str]) -> None:
    """In E.164 and in their order; where some are refused, the first of these is why."""
    found = phones.normalize_many(raws)
    if not found.refused:
        assert tuple([number.e164 for number in found.numbers]) == distinct(raws)
        return
    with pytest.raises(InvalidPhoneNumber) as caught:
        distinct(raws)
    first, error = found.refused[0], caught.value
    assert (str(first), first.position, first.reason) == (str(error), error.position, error.reason)


@given(ANY_MOBILE, st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
def test_idempotent_in_any_region(e164: str, region: str) -> None:
    """A number in E.164 is itself, wherever it is read, and so is what comes out."""
    number = phones.normalize(e164, region)
    assert number.e164 == e164
    assert phones.normalize(number.e164, region) == number


_GAP = st.text(alphabet=" -().\u00a0\u2009\u200b–—\u2060", max_size=2)


@st.composite
def _decorated(draw: st.DrawFn) -> tuple[str, str]:
    """Return a number in E.164 and the same number as somebody might write it."""
    e164 = draw(ANY_MOBILE)
    plus = draw(st.sampled_from(["+", "＋", "00", "tel:+", "8~10"]))
    zero = ord(draw(st.sampled_from("0０٠०")))
    digits = "".join(chr(zero + int(digit)) + draw(_GAP) for digit in e164[1:])
    # A gap within +84 makes it a Russian area code behind a misplaced +8, which is refused.
    assume(not (e164.startswith("+84") and unicodedata.normalize("NFKC", digits)[1] != "4"))
    return e164, ("" if plus == "tel:+" else draw(_GAP)) + plus + digits + draw(_GAP)


@given(_decorated())
def test_stable_under_formatting(pair: tuple[str, str]) -> None:
    """Punctuation, spaces, invisible characters and other digits change nothing."""
    e164, written = pair
    assert phones.normalize(written).e164 == e164


WRITTEN = ["8 (916) 123-45-67", "+7 916 123-45-67", "0044 7781 123456", "tel:+998-90-123-45-67", "(212) 555-1234"]
PIECES = ["", " ", "-", ".", "\u200b", "\u2009", "+", "(", ",", ";", "x", "ж", "\0", "5", "٣"]


@both_ways(
    given(
        raw=st.sampled_from(WRITTEN).flatmap(lambda whole: changed(whole, PIECES)), region=st.sampled_from(["RU", "US"])
    )
)
def test_a_changed_number_is_read_or_refused(raw: str, region: str) -> bool:
    """It is the number that stands in it, to the last digit, or an InvalidPhoneNumber that does not show it."""
    digits = "".join(str(unicodedata.digit(sign)) for sign in unicodedata.normalize("NFKC", raw) if sign.isdecimal())
    try:
        number = phones.normalize(raw, region)
    except InvalidPhoneNumber as error:
        assert (False, False) == (raw in str(error), digits[-7:] in str(error))  # noqa: PT017 - either end is right
        return False
    assert number.e164.startswith(f"+{number.country_code}")
    assert digits.endswith(number.e164.removeprefix(f"+{number.country_code}"))
    return True


@settings(max_examples=50)
@given(raw=st.text(max_size=30), region=st.sampled_from(["RU", "KZ", "US"]))
def test_never_another_error(raw: str, region: str) -> None:
    """Any text at all is a number, or an InvalidPhoneNumber that does not show it."""
    try:
        phones.normalize(raw, region)
    except InvalidPhoneNumber as error:
        assert len(raw) < 9 or raw not in str(error)  # noqa: PT017 - either end is right


@table("region", ["RU", "KZ", "kz", "US"])
def test_plans_can_be_read_ahead(region: str) -> None:
    """It changes nothing but the time of the first number."""
    phones.recipients.read_plans(region)
    assert "+79161234567" == phones.normalize("+79161234567", region).e164


@table("region", ["RU", "ru"])
def test_what_refuses_a_russian_number_is_made_ahead(region: str) -> None:
    """The first number may be a land line, and it is not made for that one."""
    refusals = phones.recipients._refusals
    refusals.cache_clear()
    phones.recipients.read_plans(region)
    ahead = refusals.cache_info().misses
    with pytest.raises(InvalidPhoneNumber):
        phones.normalize("84951234567", region)
    assert (1, 1) == (ahead, refusals.cache_info().misses)


def test_the_plan_of_an_unknown_region_is_refused() -> None:
    """As by ``normalize``."""
    with pytest.raises(InvalidInput, match="two-letter"):
        phones.recipients.read_plans("XX")


@table(
    "raw, region, codes",
    [
        ("79161234567", "RU", set()),
        ("8 916 123-45-67", "RU", set()),
        ("(8) 916 123.45.67", "RU", {7}),
        ("+79161234567", "KZ", set()),
        ("89161234567", "KZ", {7}),
        ("+998901234567", "RU", {998}),
        ("00998901234567", "RU", {998}),
        ("810998901234567", "RU", {998}),
        ("011 44 7781 123456", "US", {44}),
        ("2125551234", "US", {1}),
        ("+1 876 555 1234", "RU", {1}),
        ("+7 495 123-45-67", "RU", {7}),
        ("+0123456789", "RU", set()),
        ("+2109999999", "RU", set()),
        ("00", "RU", set()),
        (998901234567, "RU", {7}),
        (None, "RU", set()),
        ("nobody", "RU", set()),
        ("+998901234567" * 30, "RU", set()),
        (phones.normalize("+998901234567"), "RU", set()),
    ],
)
def test_the_countries_whose_plans_are_looked_at(raw: object, region: str, codes: set[int]) -> None:
    """They can be read ahead; what is told without a plan names none."""
    assert codes == phones.recipients.calling_codes([raw], region)


@given(ANY_MOBILE, st.sampled_from([("+", "RU"), ("00", "RU"), ("810", "RU"), ("011", "US"), ("+", "GB")]))
def test_a_number_that_is_found_is_of_a_country_that_was_named(e164: str, written: tuple[str, str]) -> None:
    """Whatever is accepted was read by the plans that ``calling_codes`` tells, or by Russia's."""
    prefix, region = written
    raw = prefix + e164[1:]
    try:
        number = phones.normalize(raw, region)
    except InvalidPhoneNumber:
        return
    assert number.country_code in phones.recipients.calling_codes([raw], region) | {7}


@table("code", [1, 44, 290, 800, 870, 998, 999])
def test_the_plans_of_a_country_can_be_read_ahead(code: int) -> None:
    """Those of a network without a country too; a code that is nobody's has none."""
    plan.read_country(code)
    assert "+79161234567" == phones.normalize("+79161234567").e164


def test_a_known_refusal_is_taken_over() -> None:
    """What was refused before is not read again, and keeps its reason."""
    known = Refused(Reason.SEVERAL)
    found = sort_many(["+79161234567", "12"], "RU", {1: known})
    assert (["+79161234567"], [(1, known)]) == (list(found.numbers), list(found.refused))
