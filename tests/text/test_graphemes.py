"""Where a text may be cut, held against the ``regex`` package's rendering of UAX #29."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.text.graphemes import is_boundary
from tests.tables import table

regex = pytest.importorskip("regex")

CLUSTERS = (
    "e\u0301 \r\n 👨‍👩‍👧 👍🏽 🇷🇺🇺🇦 🏴\U000e0067\U000e0062\U000e007f 각 각 กำ नि क्षि ｶﾞ \u06dd1 a\u200cb 1\ufe0f\u20e3"
)

texts = st.one_of(st.text(st.sampled_from(CLUSTERS), max_size=30), st.text(max_size=10))


@given(texts)
def test_every_boundary_is_one_of_unicodes(text: str) -> None:
    """Nothing that a reader sees as one character is ever split."""
    allowed = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    assert [] == [place for place in range(len(text) + 1) if is_boundary(text, place) and place not in allowed]


@table("text", ["привет", "ab", "я 😀😀", "🇷🇺🇺🇦"[0:2] + "a", "中文"])
def test_ordinary_characters_can_be_cut_apart(text: str) -> None:
    """The rules are no stricter than ordinary texts need: a boundary of Unicode's is one here."""
    expected = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    assert expected == {place for place in range(len(text) + 1) if is_boundary(text, place)}


@table("text", ["\u094d\U0001f3fdक", "क\u094d\u200dष", "क\u093c\u094d\u093cष"])
def test_a_virama_joins_across_what_continues_it(text: str) -> None:
    """Two consonants of an Indic script are one character, also with a joiner or a dot between."""
    assert not is_boundary(text, len(text) - 1)


def test_two_flags_can_be_cut_apart_and_one_cannot() -> None:
    """Regional indicators make pairs, counted from the first."""
    assert [True, False, True, False, True] == [is_boundary("🇷🇺🇺🇦", place) for place in range(5)]
