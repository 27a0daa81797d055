"""The line on the phone."""

from __future__ import annotations

import unicodedata

import pytest
from devinotify import text as texts
from hypothesis import given
from hypothesis import strategies as st

from devinotify_monitoring import Notice, line


@pytest.mark.parametrize(
    ("headline", "detail", "expected"),
    [
        ("CRITICAL web1/Disk", "/ is 95% full", "CRITICAL web1/Disk: / is 95% full"),
        ("DOWN web1", "", "DOWN web1"),
        ("", "only a text", "only a text"),
        ("DOWN\tweb1", "line\n\n  and \r\n line\x1b[31m", "DOWN web1: line and line"),
        ("DOWN web1", "\udcff", "DOWN web1: ?"),
    ],
)
def test_a_line(headline: str, detail: str, expected: str) -> None:
    """It is one line, of what can be sent."""
    assert expected == line(Notice(headline, detail))


def test_a_long_one() -> None:
    """The state and the place come first, so they stay; the output is cut at a word."""
    found = line(Notice("CRITICAL web1/Disk", "word " * 100))
    assert (1, True) == (texts.count_segments(found), found.startswith("CRITICAL web1/Disk: word word"))
    assert found.endswith("word...")


def test_more_segments() -> None:
    """As many as are allowed are used."""
    assert [1, 2, 3] == [texts.count_segments(line(Notice("DOWN web1", "word " * 200), most)) for most in (1, 2, 3)]


def test_transliterated() -> None:
    """In GSM-7 letters more of it fits."""
    notice = Notice("DOWN web1", "диск переполнен " * 10)
    plain, latin = line(notice), line(notice, transliterate=True)
    assert (True, False) == (texts.is_gsm7(latin), texts.is_gsm7(plain))
    assert len(latin) > len(plain)


@given(headline=st.text(min_size=1), detail=st.text(), most=st.integers(1, 4), transliterate=st.booleans())
def test_law_of_lines(headline: str, detail: str, most: int, *, transliterate: bool) -> None:
    """It never takes more segments than it may, is one line, and is empty only where there is nothing to show."""
    found = line(Notice(headline, detail), most, transliterate=transliterate)
    assert texts.count_segments(found) <= most
    assert found == " ".join(found.split())
    assert found or not texts.sendable(headline + detail).strip()


WHOLE = ("é", "👨‍👩‍👧", "🇷🇺", "👍🏽", "ж", "a", "e\u0301")
"""What a reader sees as one character each, of one to five code points."""


@given(pieces=st.lists(st.sampled_from(WHOLE), max_size=200), most=st.integers(1, 3))
def test_law_of_characters(pieces: list[str], most: int) -> None:
    """What is left of a text that is cut are whole characters, as a reader sees them."""
    found = line(Notice("DOWN", "".join(pieces)), most)
    kept = found.removeprefix("DOWN: ").removesuffix("...")
    beginnings = {"".join(pieces[:number]) for number in range(len(pieces) + 1)} | {"DOWN", "DOWN:"}
    assert kept in beginnings
    assert not any(unicodedata.category(character) == "Cs" for character in found)
