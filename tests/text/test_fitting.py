"""A text shortened to a budget: never over it, never ugly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.text import SegmentLimits, count_segments, fit, is_gsm7
from tests.tables import table
from tests.text.strategies import any_texts, long_texts

regex = pytest.importorskip("regex")

SMALL = SegmentLimits(gsm7=9, gsm7_part=5, ucs2=7, ucs2_part=4)
ODD = SegmentLimits(gsm7=4, gsm7_part=2, ucs2=70, ucs2_part=67)
"""GSM-7 is scarce: what fits as UCS-2 may not fit without its blocker."""

TINY = SegmentLimits(gsm7=2, gsm7_part=2, ucs2=70, ucs2_part=67)

texts = st.one_of(any_texts, long_texts(), st.lists(st.sampled_from(["слово", "word", "€uro", "😀"])).map(" ".join))
limits = st.sampled_from([SegmentLimits(), SMALL, ODD, TINY])


@given(texts, st.integers(1, 4), limits, st.sampled_from([None, "", "…", " [more]"]))
def test_the_budget_is_never_exceeded(text: str, budget: int, limits: SegmentLimits, ellipsis: str | None) -> None:
    """Whatever the text, the limits and the ellipsis."""
    assert count_segments(fit(text, budget, limits, ellipsis=ellipsis), limits) <= budget


@given(texts, st.integers(1, 4), limits)
def test_what_is_kept_is_the_beginning_of_the_text(text: str, budget: int, limits: SegmentLimits) -> None:
    """And what follows it is an ellipsis that the encoding has."""
    fitted = fit(text, budget, limits)
    if fitted not in ("", text, text.rstrip()):
        kept = fitted.removesuffix("...") if is_gsm7(fitted) else fitted.removesuffix("…").removesuffix("...")
        assert (True, True) == (kept != fitted, text.startswith(kept))


@given(st.text(st.sampled_from("aя€😀"), max_size=60), st.integers(1, 3), limits)
def test_as_much_is_kept_as_fits(text: str, budget: int, limits: SegmentLimits) -> None:
    """The longest beginning of a text that holds no space, found by trying each."""
    longest = max(end for end in range(len(text) + 1) if count_segments(text[:end], limits) <= budget)
    assert text[:longest] == fit(text, budget, limits, ellipsis="")


@given(st.lists(st.sampled_from(["word", "слово", "I"])).map(" ".join), st.integers(1, 3))
def test_never_more_than_half_is_given_up_for_a_whole_word(text: str, budget: int) -> None:
    """Where words are short, what is kept comes close to the budget."""
    fitted = fit(text, budget, SMALL)
    longest = max(end for end in range(len(text) + 1) if count_segments(text[:end] + "...", SMALL) <= budget)
    assert fitted == text or 2 * len(fitted) >= longest


@given(texts, st.integers(1, 4), limits)
def test_fitting_again_changes_nothing(text: str, budget: int, limits: SegmentLimits) -> None:
    """What fits comes back as it is."""
    fitted = fit(text, budget, limits)
    assert fitted == fit(fitted, budget, limits)


@given(st.text(st.sampled_from("e\u0301👨\u200d👩🏽🇷🇺"), min_size=60, max_size=200))
def test_nothing_that_reads_as_one_character_is_cut(text: str) -> None:
    """Families, flags and accents stay whole."""
    kept = fit(text, 1, ellipsis="")
    assert len(kept) in {0, *(match.end() for match in regex.finditer(r"\X", text))}


@table(
    "text, expected",
    [
        pytest.param("a" * 160, "a" * 160, id="it fits"),
        pytest.param("a" * 160 + "   ", "a" * 160, id="it fits without the white space at its end"),
        pytest.param("a" * 161, "a" * 157 + "...", id="a long word is cut, with three points"),
        pytest.param("я" * 71, "я" * 69 + "…", id="UCS-2 has an ellipsis"),
        pytest.param("word " * 40, "word " * 30 + "word...", id="a cut at a word"),
        pytest.param("слово, " * 20, "слово, " * 9 + "слово,…", id="a cut at a Cyrillic word"),
        pytest.param("a" * 40 + " " + "a" * 200, "a" * 40 + " " + "a" * 116 + "...", id="a word too far back"),
        pytest.param("a" * 200 + "я", "a" * 157 + "...", id="the blocker is cut off, so that more fits"),
        pytest.param("a" * 60 + "я" * 20, "a" * 60 + "я" * 9 + "…", id="the blocker stays where more fits with it"),
        pytest.param("word " * 13 + "яяяяяяяя", "word " * 12 + "word...", id="the blocker goes with its word"),
    ],
)
def test_where_a_text_is_cut_to_one_segment(text: str, expected: str) -> None:
    """One segment, by hand."""
    assert expected == fit(text, 1)


def test_a_given_ellipsis_is_used() -> None:
    """Whatever its encoding costs."""
    assert "a" * 69 + "…" == fit("a" * 200, 1, ellipsis="…")


def test_where_not_even_the_ellipsis_fits_the_result_is_empty() -> None:
    """Better nothing than more than the budget."""
    assert "" == fit("aaaa", 1, TINY)


def test_a_word_is_cut_where_to_leave_it_out_would_make_a_scarcer_encoding_count() -> None:
    """Without the blocker the rest is GSM-7, of which these limits take less."""
    text = "a" * 40 + " " + "я" * 31
    assert text[:69] + "…" == fit(text, 1, ODD)


def test_where_a_character_cannot_be_cut_less_is_kept_until_it_fits() -> None:
    """A cluster at the end goes as a whole, and the scarcer encoding counts for the rest."""
    assert "a..." == fit("a" * 40 + "e" + "\u0301" * 60, 1, ODD)


def test_a_budget_of_nothing_is_refused() -> None:
    """Every text takes a segment."""
    with pytest.raises(ValueError, match="at least one"):
        fit("a", 0)
