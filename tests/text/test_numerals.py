"""Digits beside digits: no number becomes another one on its way to GSM-7."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devinotify.text import accents, compatibility, convert, is_gsm7, to_gsm7, typography
from devinotify.text.numerals import BEARING, BETWEEN, LOWERED, RAISED
from devinotify.text.signs import TYPOGRAPHY, compatible
from tests.tables import table

SPELLED = {
    "1½ ч, 10⁶ шт": "1 1/2 ch, 10^6 sht",
    "½ ч": "1/2 ch",
    "1½": "1 1/2",
    "2½%": "2 1/2%",
    "1½¼": "1 1/2 1/4",
    "½5": "1/2 5",
    "2.½": "2. 1/2",
    "⅟5": "1/5",
    "3⅟5": "3 1/5",
    "м² и м³": "m2 i m3",
    "50 м²": "50 m2",
    "x²³": "x23",
    "10²³": "10^23",
    "10⁻³": "10^-3",
    "2ⁿ": "2^n",
    "2ⁿ⁻¹": "2^n-1",
    "²ⁿ": "2n",
    "18⁺": "18+",
    "Ca²⁺": "Ca2+",
    "x²3": "x2 3",
    "м²,5": "m2 ,5",
    "H₂O": "H2O",
    "101₂": "101_2",
    "10₋₁": "10_-1",
    "x²₃": "x2_3",
    "5³⁄₄": "5 3/4",
    "³⁄₄": "3/4",
    "1⁄2": "1/2",
    "5①": "5 1",
    "①②": "1 2",
    "①5": "1 5",
    "❶5 ❿": "1 5 10",
    "⒈5": "1. 5",
    "🄂5": "1, 5",
    "3⒈": "3 1.",
    "5⑴": "5(1)",
    "㎡5": "m2 5",
    "5㎡": "5m2",
    "2·3": "2*3",
    "2⋅3": "2*3",
    "a·b 2· 3": "a.b 2. 3",
    "5。6": "5. 6",
    "1、2": "1, 2",
    "а、б": "a,b",
    "1\u200b2": "1 2",
    "1\u200b\u200b2": "1 2",
    "1\u200b a": "1 a",
    "2\u20623": "2 3",
    "1\u2064½": "1 1/2",
    "1\x002": "1 2",
    "1️⃣10 шт": "1 10 sht",
    "1️⃣ шт": "1 sht",
    "4\u20608\u200d2\xad1": "4821",
    "1\ufe0f½": "1 1/2",
    "２０２５": "2025",
    "2１": "21",
    "٣٤": "34",
    "𝟏2": "12",
    "7Ь8": "7 8",
    "7ьЬ8": "7 8",
    "7\u200bь8": "7 8",
    "½ҍ5": "1/2 5",
    "10ь²": "10 2",
    "конь5 7ь кг": "kon5 7 kg",
    "7ьё8": "7e8",
}


@table("text, expected", SPELLED.items(), ids=map(ascii, SPELLED))
def test_a_number_stays_the_number_that_it_is(text: str, expected: str) -> None:
    """And so it stands in the record of changes."""
    conversion = convert(text)
    changes = iter(change.replacement for change in conversion.changes)
    assert (expected, expected) == (conversion.text, "".join(each if is_gsm7(each) else next(changes) for each in text))


def test_each_step_keeps_its_own_digits_apart() -> None:
    """Used by itself, too."""
    assert ("1 1/2", "2*3", "1 2") == (compatibility("1½"), typography("2·3"), accents("1\u20e32"))


def plain(character: str) -> str:
    """Return the plain spelling of a character by itself."""
    return to_gsm7(character)


@pytest.mark.untraced
def test_every_character_that_bears_digits_is_known() -> None:
    """None but the digits themselves is spelled with a digit at either end and missing from the table."""
    known = re.compile(f"[{BEARING}]")
    bearing = re.compile(r"[0-9].*|.*[0-9][.,]?", re.DOTALL)
    missing = [
        character
        for character in map(chr, range(0x80, 0x110000))
        if (spelled := compatible(character)) is not None
        and bearing.fullmatch(spelled)
        and not character.isdecimal()
        and not known.match(character)
    ]
    assert [] == missing


def test_every_character_of_the_table_bears_digits() -> None:
    """Nothing else is looked at twice."""
    found = re.findall(f"[{BEARING}]", "".join(map(chr, range(0x20000))))
    assert [] == [each for each in found if not re.search("[0-9]", compatible(each) or "")]


BORNE = re.findall(f"[{BEARING}]", "".join(map(chr, range(0x20000))))


def test_no_character_lends_its_digits_to_a_number_beside_it() -> None:
    """Before a digit, behind one, between two, and beside itself."""
    for character in BORNE:
        groups = re.findall("[0-9]+", plain(character))
        for text in (f"5{character}", f"{character}5", f"5{character}5", f"5.{character}", f"{character}x{character}"):
            expected = [
                group for each in text for group in (groups if each == character else re.findall("[0-9]", each))
            ]
            assert expected == re.findall("[0-9]+", to_gsm7(text)), text


def test_no_sign_between_two_digits_becomes_a_point_or_vanishes() -> None:
    """But for what is a decimal point or a comma itself, and for what a reader does not see."""
    pointed = {"٫", "،", "․"}
    for character, spelled in TYPOGRAPHY.items():
        if spelled not in {"", ".", ","}:
            continue
        kept = spelled == "" and character not in BETWEEN
        expected = {"12"} if kept else {"1.2", "1,2"} if character in pointed else {"1*2", "1. 2", "1, 2", "1 2"}
        assert to_gsm7("1" + character + "2") in expected, character


PARTS = [*"05.,x ", *BORNE, *"ьЬꙏ·⋅\u200b\u2063\u20e3½²₂٣３⁻ⁿ⁄"]


def source_numbers(text: str) -> list[str]:
    """Return the digit groups of a text as a reader sees them: runs of digits, raised or lowered; each other sign.

    A variation selector only says how the sign before it looks, and stands between nothing.
    """
    groups: list[str] = []
    last = ""
    for character in text.replace("\ufe0f", ""):
        kind = (
            "digit"
            if character.isdecimal()
            else "raised"
            if character in RAISED
            else "lowered"
            if character in LOWERED
            else f"other {character}"
        )
        found = re.findall("[0-9]+", plain(character))
        if found and kind == last and not kind.startswith("other"):
            groups[-1] += found[0]
        else:
            groups += found
        last = kind
    return groups


@given(st.lists(st.sampled_from(PARTS), max_size=8).map("".join))
@example("1\u20e3½")
@example("½\u200b5")
def test_converting_never_makes_one_number_of_two(text: str) -> None:
    """The digit groups of the result are those of the source, one by one."""
    assert source_numbers(text) == re.findall("[0-9]+", to_gsm7(text))


@given(st.lists(st.sampled_from([*"05x ½²①·\u200b", "ь", "😀", "漢", "\ufe0f"]), max_size=8).map("".join))
def test_dropping_never_makes_one_number_of_two(text: str) -> None:
    """What no step knows is dropped here, and the record of changes accounts for the result."""
    conversion = convert(text, last_resort="")
    changes = iter(change.replacement for change in conversion.changes)
    assert conversion.text == "".join(each if is_gsm7(each) else next(changes) for each in text)
    assert source_numbers(re.sub("[ь😀漢]", "\u200b", text)) == re.findall("[0-9]+", conversion.text)


@given(st.lists(st.sampled_from([*"05x ½²①·", "\ufe0f", "\u200d", "\xad"]), max_size=8).map("".join))
def test_what_is_not_seen_does_not_hide_a_neighbour(text: str) -> None:
    """With unseen characters between, the result is the same as without."""
    seen = re.sub("[\ufe0f\u200d\xad]", "", text)
    assert to_gsm7(seen) == to_gsm7(text)


def test_every_enclosing_mark_is_known() -> None:
    """Whatever Unicode's version of this Python calls one."""
    marks = [chr(code) for code in range(0x20000) if unicodedata.category(chr(code)) == "Me"]
    assert [] == [each for each in marks if to_gsm7(f"1{each}2") != "1 2"]
