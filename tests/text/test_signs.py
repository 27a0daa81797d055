"""The typographic table: everything the field expects in it, and nothing that GSM-7 has."""

from __future__ import annotations

import pytest

from devinotify.text import is_gsm7, to_gsm7
from devinotify.text.signs import TYPOGRAPHY, compatible


def test_the_table_replaces_only_what_gsm7_lacks_and_only_by_what_it_has() -> None:
    """Both sides of every row."""
    assert [] == [each for each, plain in TYPOGRAPHY.items() if is_gsm7(each) or not is_gsm7(plain)]


@pytest.mark.parametrize(
    ("characters", "expected"),
    [
        ("‘’‚‛′", "'"),
        ("“”„‟«»″", '"'),
        ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        ("\xa0\u2002\u2003\u2009\u202f\u3000\t", " "),
        ("\xad\u200b\u200c\u200d\u2060\ufeff\ufe0f", ""),
        ("…", "..."),
        ("№", "No"),
        ("₽", "RUB"),
        ("ﬁ", "fi"),
        ("Ａ", "A"),
        ("！", "!"),
    ],
)
def test_what_people_paste_is_replaced(characters: str, expected: str) -> None:
    """Quotes, dashes, spaces, invisible characters, signs, ligatures and fullwidth forms."""
    assert {expected} == set(map(to_gsm7, characters))


@pytest.mark.parametrize("character", ["漢", "a", "é"])
def test_what_stands_for_nothing_else_has_no_compatible_form(character: str) -> None:
    """Letters are themselves."""
    assert compatible(character) is None


def test_a_compatible_form_that_gsm7_lacks_is_none() -> None:
    """A circled ideograph stands for an ideograph, which helps nobody."""
    assert compatible("㊀") is None
