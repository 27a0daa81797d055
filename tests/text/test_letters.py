"""Accents and Greek: what is taken off, and what stays."""

from __future__ import annotations

import pytest

from devinotify.text import is_gsm7
from devinotify.text.letters import GREEK, LATIN, greek, unaccented
from tests.tables import table


@table("table", [LATIN, GREEK], ids=["latin", "greek"])
def test_every_spelling_is_gsm7(table: dict[str, str]) -> None:
    """Every row of both tables."""
    assert [] == [letter for letter, spelled in table.items() if not is_gsm7(spelled)]


@table(
    "character, expected",
    [
        pytest.param("á", "a", id="an accent"),
        pytest.param("ç", "c", id="a cedilla"),
        pytest.param("ế", "e", id="two accents"),
        pytest.param("ǿ", "ø", id="an accent on a letter that GSM-7 has"),
        pytest.param("ł", "l", id="a letter that no decomposition takes apart"),
        pytest.param("œ", "oe", id="a ligature"),
        pytest.param("\u0301", "", id="an accent alone"),
        pytest.param("ж", None, id="another script"),
        pytest.param("ὰ", None, id="an accent on a letter of another script"),
        pytest.param("ि", None, id="a mark that is a vowel"),
    ],
)
def test_accents_are_taken_off_latin_letters(character: str, expected: str | None) -> None:
    """And off nothing else: what this step does not know it leaves."""
    assert expected == unaccented(character)


def test_the_greek_alphabet_becomes_the_capitals_of_the_basic_table() -> None:
    """Latin capitals where they look the same, so that both cases are covered."""
    expected = "ABΓΔEZHΘIKΛMNΞOΠPΣΣTYΦXΨΩ"
    assert expected == "".join(greek(letter) or "" for letter in "αβγδεζηθικλμνξοπρςστυφχψω")


def test_greek_knows_no_other_script() -> None:
    """Latin and Cyrillic letters are not its own."""
    assert (None, None) == (greek("ж"), greek("漢"))
