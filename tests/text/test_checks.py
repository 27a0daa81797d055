"""What cannot be sent, and how the refusal reads."""

from __future__ import annotations

import pytest
from hypothesis import given

from devinotify.exceptions import InvalidText, Verdict
from devinotify.text import check, check_length, check_sendable
from tests.tables import table
from tests.text.strategies import any_texts


@table("text, expected", [("", 2000), ("я" * 2000, 0), ("😀" * 1999, 1)])
def test_check_length_tells_how_many_characters_remain(text: str, expected: int) -> None:
    """Code points count, not units."""
    assert expected == check_length(text, 2000)


def test_a_text_too_long_says_by_how_many_characters_and_hides_the_text() -> None:
    """The error counts and does not quote."""
    with pytest.raises(InvalidText, match="5 characters too long: 1005 of at most 1000") as caught:
        check_length("я" * 1005, 1000)
    assert (False, Verdict.NOT_SENT) == ("я" in str(caught.value), caught.value.verdict)


def test_a_lone_surrogate_is_refused_with_its_position_and_without_the_text() -> None:
    """It has no UTF-8, so that no form can carry it; the encoding error, which holds the text, is not kept."""
    with pytest.raises(InvalidText, match="position 6") as caught:
        check_sendable("secret\ud83d and more")
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


@given(any_texts)
def test_exactly_the_texts_with_utf8_are_sendable(text: str) -> None:
    """NUL, unassigned code points and noncharacters included."""
    expected = not any("\ud800" <= character <= "\udfff" for character in text)
    try:
        check_sendable(text)
    except InvalidText:
        assert not expected
    else:
        assert expected


@table("text", ["", " \n\t\u3000"])
def test_a_text_of_nothing_is_refused(text: str) -> None:
    """White space alone is no message."""
    with pytest.raises(InvalidText, match="empty"):
        check(text, 2000)


@table("text", ["\ud800", "я" * 11])
def test_check_refuses_what_its_parts_refuse(text: str) -> None:
    """All checks in one call."""
    with pytest.raises(InvalidText):
        check(text, 10)


def test_check_tells_how_many_characters_remain() -> None:
    """The answer of a text that may go."""
    assert 1994 == check("Привет", 2000)
