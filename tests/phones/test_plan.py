"""The numbering plans: phonenumbers' answers, the fast path that gives the same, and what it costs to load."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

from devinotify import phones
from devinotify.exceptions import InvalidPhoneNumber
from devinotify.phones import Kind, PhoneNumber, Reason, notation, plan, shortcuts
from devinotify.phones.refusal import Refused
from tests.tables import table

E164_FORMAT = phonenumbers.PhoneNumberFormat.E164
MOBILE = phonenumbers.PhoneNumberType.MOBILE
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
EXAMPLES = {region: number for region in REGIONS if (number := phonenumbers.example_number_for_type(region, MOBILE))}


def _ours(raw: str, region: str = "RU") -> PhoneNumber | str:
    try:
        return phones.normalize(raw, region)
    except InvalidPhoneNumber as refused:
        return refused.reason


def _long_way(raw: str, region: str = "RU") -> PhoneNumber | str:
    """Return the answer without the fast path."""
    try:
        return plan.resolve(notation.read(raw), region)
    except Refused as refused:
        return refused.reason


def _library(raw: str, region: str = "RU") -> str | None:
    """Return the mobile number in E.164 as phonenumbers finds it, or None."""
    try:
        found = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(found) or phonenumbers.number_type(found) not in (MOBILE, 2):
        return None
    return phonenumbers.format_number(found, E164_FORMAT)


def _fields(answer: PhoneNumber | str) -> tuple[object, ...]:
    if isinstance(answer, str):
        return (answer,)
    return (answer.e164, answer.region, answer.country_code, answer.kind)


# --- the fast path -------------------------------------------------------------------------------------------------

WAYS = ["+7", "7", "8", "", "007", "+8", "77", "88", "8~107", "78", "+78", "tel:+7"]
NATIONAL = st.from_regex(r"9[0-9]{9}", fullmatch=True) | st.from_regex(r"[0-9]{8,12}", fullmatch=True)
GAPS = ["", "", "", " ", "-", "(", ")", "\u00a0", ".", "\n", "/", "\u200b", "٣", "x"]


@st.composite
def _attempts(draw: st.DrawFn) -> str:
    """Return what may or may not be a Russian mobile."""
    digits = draw(st.sampled_from(WAYS)) + draw(NATIONAL)
    return "".join(character + draw(st.sampled_from(GAPS)) for character in digits)


@given(_attempts(), st.sampled_from(["RU", "RU", "KZ", "US", "DE", "BY"]))
def test_fast_path_answers_as_the_long_way(raw: str, region: str) -> None:
    """Number and reason are the same with and without the fast path, in every region."""
    assert _fields(_ours(raw, region)) == _fields(_long_way(raw, region))


@given(st.sampled_from(["+7", "7", "8", ""]), NATIONAL)
def test_fast_path_answers_as_phonenumbers(way: str, national: str) -> None:
    """What is a mobile, and which, is what phonenumbers says, for every way of writing that the fast path takes."""
    answer = _ours(way + national)
    assert (answer.e164 if isinstance(answer, PhoneNumber) else None) == _library(way + national)


@pytest.mark.once
@pytest.mark.untraced
def test_fast_path_over_every_prefix() -> None:
    """All 100,000 blocks +7 9XX YYY are mobiles here exactly where they are in phonenumbers.

    Six digits are the granularity of the plan; the last four vary from block to block. How phonenumbers reads such a
    number is asked by other tests: here it is given the digits, and says what they are.
    """
    match = shortcuts.russian_matcher()
    wrong = []
    for block in range(100_000):
        national = 9_00000_0000 + block * 10_000 + block * 7919 % 10_000
        found = phonenumbers.PhoneNumber(country_code=7, national_number=national)
        if bool(match(f"+7{national}")) != (phonenumbers.number_type(found) in (MOBILE, 2)):
            wrong.append(block)
    assert wrong == []


@table("tail", ["0000", "4999", "9999"])
def test_fast_path_within_the_blocks_that_are_cut_finest(tail: str) -> None:
    """The first and last numbers of the blocks 9300YYY, which the plan cuts finest, agree as well."""
    numbers = [f"+7930{block:03d}{tail}" for block in range(1000)]
    assert [bool(shortcuts.russian_matcher()(number)) for number in numbers] == [_library(n) == n for n in numbers]


def test_fast_path_takes_nothing_but_nines() -> None:
    """Numbers of +7 that do not begin with 9, Kazakhstan's among them, are left to the long way."""
    taken = [n for block in range(9000) if shortcuts.russian_matcher()(n := f"+7{block:04d}123456")]
    assert taken == []


@table("raw", ["+79161234567\n", "+7٩161234567", "79161234567 ", "++79161234567", "779161234567", ""])
def test_fast_path_is_a_full_ascii_match(raw: str) -> None:
    """A line end or another script's digits are not taken for the ten digits."""
    assert shortcuts.russian_matcher()(raw) is None


def _russia(**changes: Any) -> PhoneMetadata:  # noqa: ANN401 - whatever the metadata holds
    """Return Russia's plan with some changes, not registered anywhere."""
    now = PhoneMetadata.metadata_for_region("RU", None)
    assert now is not None
    names = (
        "id", "general_desc", "fixed_line", "mobile", "toll_free", "premium_rate", "personal_number", "country_code",
        "national_prefix_for_parsing", "leading_digits", "national_prefix_transform_rule",
    )  # fmt: skip
    return PhoneMetadata(**{**{name: getattr(now, name) for name in names}, **changes}, register=False)


def _kind(pattern: str | None, *lengths: int) -> PhoneNumberDesc:
    return PhoneNumberDesc(national_number_pattern=pattern, possible_length=lengths)


@table(
    "changes",
    [
        {"mobile": None},
        {"general_desc": None},
        {"mobile": _kind(None, 10)},
        {"general_desc": _kind(None, 10)},
        {"country_code": 8},
        {"national_prefix_for_parsing": "0"},
        {"leading_digits": None},
        {"national_prefix_transform_rule": "9$1"},
        {"general_desc": _kind(r"9\d{9,10}", 10, 11)},
        {"mobile": _kind(r"9\d{8}", 9)},
    ],
)
def test_fast_path_gives_way_to_another_plan(changes: dict[str, Any]) -> None:
    """A plan of another shape than the fast path was made for turns it off, and the answers stay right."""
    plan = _russia(**changes)
    assert shortcuts.compile_matcher(plan)("+79161234567") is None
    assert ["", ""] == shortcuts.compile_reader(plan)("+79161234567\n89161234567")


def test_fast_path_gives_way_to_groups() -> None:
    """A plan whose patterns have groups of their own turns it off: the reader could not tell them from the number."""
    plan = _russia(mobile=_kind(r"9(\d{9})", 10))
    assert shortcuts.compile_matcher(plan)("+79161234567") is None
    assert [""] == shortcuts.compile_reader(plan)("+79161234567")


def test_lines_are_read_as_each_is_matched() -> None:
    """The reader finds in each line what the full match takes of it, and of nothing that runs over a line's end."""
    lines = [
        "+79161234567",
        "",
        "9161234567",
        "84951234567",
        "7916123456",
        "89161234567 ",
        "+79161234567x",
        "8",
        "٩161234567",
    ]
    lines += [prefix + f"{block:03d}1234567" for prefix in ("+7", "7", "8", "") for block in range(0, 1000, 7)]
    match = shortcuts.russian_matcher()
    assert [line[-10:] if match(line) else "" for line in lines] == shortcuts.russian_reader()("\n".join(lines))


def test_fast_path_gives_way_to_no_plan() -> None:
    """Without a plan for Russia nothing is matched."""
    assert shortcuts.compile_matcher(None)("+79161234567") is None


@table(
    "changes, taken",
    [
        ({}, True),
        ({"mobile": _kind(r"91[0-5]\d{7}", 10)}, False),
        ({"general_desc": _kind(r"(?:8\d{3}|9\d)\d{8}|[347]\d{9}", 10, 14)}, True),
        ({"general_desc": _kind(r"(?:91[0-5]|8\d\d)\d{7}", 10, 14)}, False),
        ({"general_desc": _kind(r"91[0-5]\d{7}", 10)}, False),
        ({"premium_rate": _kind(r"916\d{7}", 10)}, False),
        ({"fixed_line": _kind(r"9161\d{6}", 10)}, False),
        ({"fixed_line": None, "toll_free": None, "premium_rate": None, "personal_number": None}, True),
        ({"toll_free": _kind(None, -1)}, True),
        ({"leading_digits": "3[04-689]|[489]"}, True),
        ({"leading_digits": "3|9(?:1|2)"}, True),
        ({"leading_digits": "9[02-9]"}, False),
        ({"leading_digits": "[348]"}, False),
    ],
)
def test_fast_path_follows_the_plan(changes: dict[str, Any], taken: bool) -> None:
    """Every pattern that phonenumbers would ask decides here as well, as a later release may have it."""
    plan = _russia(**changes)
    assert bool(shortcuts.compile_matcher(plan)("+79161234567")) == taken
    assert [taken, taken] == [bool(each) for each in shortcuts.compile_reader(plan)("+79161234567\n89161234567")]


# --- the long way ----------------------------------------------------------------------------------------------------


@pytest.mark.untraced
def test_every_country_in_every_form() -> None:
    """Each country's example mobile is found in every form: with +, 00, no prefix, as at home, and as a URI."""
    for region, number in EXAMPLES.items():
        e164 = phonenumbers.format_number(number, E164_FORMAT)
        forms = [
            e164,
            e164[1:],
            "00" + e164[1:],
            phonenumbers.national_significant_number(number),
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL),
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.RFC3966),
        ]
        assert [getattr(_ours(form, region), "e164", form) for form in forms] == [e164] * len(forms), region


@pytest.mark.untraced
def test_every_country_from_russia() -> None:
    """A Russian who writes +, 00 or 8~10 reaches each country, and learns its region."""
    for region, number in EXAMPLES.items():
        e164 = phonenumbers.format_number(number, E164_FORMAT)
        answers = [_ours(prefix + e164[1:]) for prefix in ("+", "00", "8~10 ")]
        expected = (e164, phonenumbers.region_code_for_number(number), number.country_code)
        assert [_fields(answer)[:3] for answer in answers] == [expected] * 3, region


@table(
    "raw, region, expected",
    [
        ("87011234567", "KZ", ("+77011234567", "KZ", 7, Kind.MOBILE)),
        ("77011234567", "KZ", ("+77011234567", "KZ", 7, Kind.MOBILE)),
        ("7011234567", "KZ", ("+77011234567", "KZ", 7, Kind.MOBILE)),
        ("+77011234567", "KZ", ("+77011234567", "KZ", 7, Kind.MOBILE)),
        ("87011234567", "RU", ("+77011234567", "KZ", 7, Kind.MOBILE)),
        ("77011234567", "RU", ("+77011234567", "KZ", 7, Kind.MOBILE)),
        ("79161234567", "KZ", ("+79161234567", "RU", 7, Kind.MOBILE)),
        ("89161234567", "KZ", ("+79161234567", "RU", 7, Kind.MOBILE)),
        ("+79161234567", "KZ", ("+79161234567", "RU", 7, Kind.MOBILE)),
        ("79161234567", "GB", (Reason.TOO_LONG,)),
        ("+7 727 212 3456", "KZ", (Reason.FIXED_LINE,)),
    ],
)
def test_kazakhstan_shares_the_code(raw: str, region: str, expected: tuple[object, ...]) -> None:
    """Both countries of +7 read each other's numbers, and the region told is the number's own."""
    assert _fields(_ours(raw, region)) == expected


@table(
    "raw, reason",
    [
        ("1", Reason.TOO_SHORT),
        ("112", Reason.TOO_SHORT),
        ("1234567", Reason.TOO_SHORT),
        ("916123456", Reason.TOO_SHORT),
        ("+7916123456", Reason.TOO_SHORT),
        ("7916123456", Reason.TOO_SHORT),
        ("8916123456", Reason.TOO_SHORT),
        ("00", Reason.TOO_SHORT),
        ("007", Reason.TOO_SHORT),
        ("+791612345678", Reason.TOO_LONG),
        ("891612345678", Reason.TOO_LONG),
        ("380501234567", Reason.TOO_LONG),
        ("4111111111111111", Reason.TOO_LONG),
        ("9" * 100, Reason.TOO_LONG),
        ("+999123456789", Reason.UNKNOWN_COUNTRY_CODE),
        ("+89161234567", Reason.UNKNOWN_COUNTRY_CODE),
        ("+09161234567", Reason.UNKNOWN_COUNTRY_CODE),
        ("00999123456789", Reason.UNKNOWN_COUNTRY_CODE),
        ("+79999999999999", Reason.TOO_LONG),
        ("2161234567", Reason.INVALID),
        ("+380101234567", Reason.INVALID),
        ("+74951234567", Reason.FIXED_LINE),
        ("84951234567", Reason.FIXED_LINE),
        ("4951234567", Reason.FIXED_LINE),
        ("88091234567", Reason.PREMIUM),
        ("+79091234567", "+79091234567"),
        ("88001234567", Reason.TOLL_FREE),
        ("+80012345678", Reason.TOLL_FREE),
        ("88081234567", Reason.NOT_MOBILE),
        ("+447012345678", Reason.NOT_MOBILE),
    ],
)
def test_reasons(raw: str, reason: str) -> None:
    """Each fault has its own reason, and a number with a digit too few or too many is never another's."""
    answer = _ours(raw)
    assert (answer.e164 if isinstance(answer, PhoneNumber) else answer) == reason


def test_no_other_countrys_code_is_guessed() -> None:
    """9161234567 with two digits too many is refused, and not read as a mobile in India."""
    assert _library("+916123456789") is None or _ours("916123456789") == Reason.TOO_LONG
    assert _library("+919812345678") == "+919812345678"
    assert _ours("919812345678") == Reason.TOO_LONG


def test_too_long_tells_of_the_plus() -> None:
    """Who writes another country's number without + learns what it lacks."""
    with pytest.raises(InvalidPhoneNumber, match=re.escape("needs + and its country code")):
        phones.normalize("380501234567")


def test_double_zero_that_is_two_numbers() -> None:
    """In Thailand 009 is a prefix of its own: what is a mobile in India and one in New York is refused."""
    assert _library("+919176543210") == "+919176543210"
    assert _library("+19176543210") == "+19176543210"
    assert _ours("00919176543210", "TH") == Reason.AMBIGUOUS
    assert _fields(_ours("00919176543210"))[0] == "+919176543210"


def test_double_zero_that_may_be_a_land_line() -> None:
    """A second reading that is a real number counts against it, though no message could reach that one."""
    assert _ours("+912266334455") == Reason.FIXED_LINE
    assert _fields(_ours("+12266334455"))[0] == "+12266334455"
    assert _ours("00912266334455", "TH") == Reason.AMBIGUOUS


def test_unassigned_behind_the_country_code() -> None:
    """A number of full length behind the country code is unassigned, not short of a digit."""
    assert _ours("442481266108", "GB") == Reason.INVALID


@table("raw, region", [("0011447911123456", "AU"), ("011447911123456", "US"), ("009447911123456", "TH")])
def test_a_countrys_own_international_prefix(raw: str, region: str) -> None:
    """Where 00 is not the prefix of the country, its own works as well."""
    assert _fields(_ours(raw, region))[0] == "+447911123456"


def test_region_tables_cover_the_library() -> None:
    """Every number type, parse error and length verdict of phonenumbers has its row."""
    errors = phonenumbers.NumberParseException
    verdicts = phonenumbers.ValidationResult
    assert {*plan.KINDS, phonenumbers.PhoneNumberType.UNKNOWN} == set(phonenumbers.PhoneNumberType.values())
    assert set(plan.UNREADABLE) == {value for name, value in vars(errors).items() if name.isupper()}
    assert set(plan.LENGTHS) == {value for name, value in vars(verdicts).items() if name.isupper()}


def test_the_tables_hold_these_reasons() -> None:
    """By value: a row that says something else would send to a number that takes no message, or tell a wrong reason."""
    kinds = [
        "fixed_line",
        "mobile",
        "fixed_or_mobile",
        "toll_free",
        "premium",
        "shared_cost",
        "voip",
        "personal",
        "pager",
    ]
    assert plan.KINDS == dict(enumerate([*kinds, "company", "voicemail"]))
    assert plan.UNREADABLE == dict(enumerate(["unknown_country_code", *["too_short"] * 3, "too_long"]))
    lengths = ["invalid", "unknown_country_code", "too_short", "too_long", "too_short", "invalid"]
    assert plan.LENGTHS == dict(enumerate(lengths))


@table(
    "table, owner, rows",
    [
        (plan.KINDS, phonenumbers.PhoneNumberType, {"MOBILE": Kind.MOBILE, "UAN": Kind.COMPANY, "PAGER": Kind.PAGER}),
        (plan.UNREADABLE, phonenumbers.NumberParseException, {"TOO_LONG": Reason.TOO_LONG}),
        (
            plan.LENGTHS,
            phonenumbers.ValidationResult,
            {"TOO_LONG": Reason.TOO_LONG, "TOO_SHORT": Reason.TOO_SHORT, "IS_POSSIBLE": Reason.INVALID},
        ),
    ],
)
def test_tables_name_the_librarys_constants(table: Any, owner: Any, rows: dict[str, object]) -> None:  # noqa: ANN401 - any table
    """The bare numbers in the tables mean what phonenumbers means by them."""
    assert {name: table[getattr(owner, name)] for name in rows} == rows


# --- what it costs to load -------------------------------------------------------------------------------------------

PACKAGE = Path(phones.__file__).parent
IMPURE = {"socket", "time", "os", "logging", "random", "pathlib", "io", "sys", "threading", "datetime", "subprocess"}


@table("module", sorted(PACKAGE.glob("*.py")))
def test_pure(module: Path) -> None:
    """No module here imports anything that reads the world."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names & IMPURE == set()


def _run(program: str) -> Any:  # noqa: ANN401 - whatever the program prints as JSON
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_import_is_lazy() -> None:
    """Importing the package loads neither phonenumbers nor what needs it."""
    loaded = _run(
        "import sys, json, devinotify.phones\n"
        "late = ['phonenumbers', *(f'devinotify.phones.{name}' for name in ('plan', 'shortcuts', 'notation'))]\n"
        "print(json.dumps([name for name in late if name in sys.modules]))"
    )
    assert loaded == []


def test_first_use_by_many_threads() -> None:
    """Threads that normalise for the first time at the same moment all get the right answer."""
    program = """
import json, threading
from devinotify import phones
gate = threading.Barrier(16)
answers = []
def work(index):
    gate.wait()
    raw = ("8 916 123-45-67", "+380501234567", "+4915112345678", "79161234567")[index % 4]
    answers.append((index % 4, phones.normalize(raw).e164))
threads = [threading.Thread(target=work, args=(index,)) for index in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(sorted(set(answers))))
"""
    assert _run(program) == [
        [0, "+79161234567"],
        [1, "+380501234567"],
        [2, "+4915112345678"],
        [3, "+79161234567"],
    ]


@table("region, expected", [("DE", ("Europe/Berlin",)), ("MX", None), ("ZZ", None)])
def test_zones_of_all_mobiles(region: str, expected: tuple[str, ...] | None) -> None:
    """The zones that all mobiles of a region share; none where a mobile tells its place, or the region has none."""
    assert expected == plan.mobile_zones(region)
