"""The text that is really sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import text as texts
from devinotify.channels.compose import shape
from devinotify.exceptions import InvalidText
from devinotify.models import Message
from devinotify.text import Segmentation, SegmentLimits

TO = ("+79161234567",)
OCTETS = SegmentLimits(gsm7=140, gsm7_part=134)


def octets(text: str) -> Segmentation:
    """Estimate like a gateway that bills Latin as octets."""
    return texts.segment(text, OCTETS)


def never(text: str) -> Segmentation:
    """Estimate every text at two segments or more."""
    return texts.segment("x" * 200 + text)


def test_nothing_to_do() -> None:
    """A message without title or settings is the same object."""
    message = Message("Hello", TO)
    assert message is shape(message)


def test_the_title_is_a_line_of_its_own() -> None:
    """The title comes first, and is then part of the text."""
    composed = shape(Message("disk full", TO, title="db1"))
    assert ("db1\ndisk full", None) == (composed.text, composed.title)


def test_an_empty_title_is_none() -> None:
    """An empty title adds no line."""
    composed = shape(Message("disk full", TO, title=""))
    assert ("disk full", None) == (composed.text, composed.title)


def test_transliterate() -> None:
    """Title and text are written in GSM-7 where that is asked for."""
    composed = shape(Message("мир", TO, title="Привет"), transliterate=True)
    assert "Privet\nmir" == composed.text


def test_a_text_that_cannot_be_sent_becomes_one_that_can() -> None:
    """Title and text are cleaned, before anything is transliterated or counted, and what is lost is told."""
    told: list[str] = []
    message = Message("\x1b[31m\udcd0 полон\x1b[0m\tnow" + "x" * 140, TO, title="db1\x07")
    composed = shape(message, transliterate=True, max_segments=1, warn=told.append)
    assert ("db1\n? polon now" + "x" * 140, 1) == (composed.text, len(told))


def test_a_text_within_the_budget_stays() -> None:
    """What fits is not touched."""
    message = Message("x" * 160, TO)
    assert message is shape(message, max_segments=1)


@given(st.text(st.sampled_from("ab é€Яж😀\n "), max_size=400), st.integers(1, 3))
def test_the_budget_is_kept(text: str, budget: int) -> None:
    """Whatever the text, it takes no more segments than allowed."""
    composed = shape(Message(text, TO), max_segments=budget)
    assert texts.count_segments(composed.text) <= budget


def test_the_title_counts() -> None:
    """The budget holds for title and text together."""
    composed = shape(Message("x" * 155, TO, title="title"), max_segments=1)
    assert (1, True) == (texts.count_segments(composed.text), composed.text.startswith("title\nxxx"))


@given(st.text(st.sampled_from("ab é€Яж😀\n "), max_size=400), st.integers(1, 3))
def test_a_stricter_estimate_is_kept(text: str, budget: int) -> None:
    """Where a plugin's estimate is stricter than the core's, the text is shortened until that one is kept."""
    composed = shape(Message(text, TO), max_segments=budget, estimate=octets)
    assert octets(composed.text).count <= budget


def test_a_stricter_estimate_leaves_as_much_as_it_allows() -> None:
    """140 octets allow 140 letters, the ellipsis among them."""
    composed = shape(Message("x" * 150, TO), max_segments=1, estimate=octets)
    assert "x" * 137 + "..." == composed.text


def test_a_stricter_estimate_of_many_segments() -> None:
    """The core's own cut is not enough for two segments of octets, and the right one is found."""
    composed = shape(Message("x" * 400, TO), max_segments=2, estimate=octets)
    assert 2 * 134 == len(composed.text)


def test_what_cannot_be_shortened_is_refused() -> None:
    """Where an estimate lets nothing pass, the text is refused, and not quoted."""
    with pytest.raises(InvalidText, match=r"^the text cannot be shortened to 1 segments$"):
        shape(Message("a secret word", TO), max_segments=1, estimate=never)


def test_a_text_of_one_character_that_is_too_dear_is_refused() -> None:
    """There may be nothing to cut at all."""
    with pytest.raises(InvalidText):
        shape(Message("x", TO), max_segments=1, estimate=never)


def test_the_rest_of_the_message_stays() -> None:
    """Recipients, sender, channel and tags are not the composer's business."""
    message = Message("text", TO, title="title", sender="ME", channel="viber", validity=5, tags=frozenset({"urgent"}))
    composed = shape(message)
    assert (TO, "ME", "viber", 5, frozenset({"urgent"})) == (
        composed.recipients,
        composed.sender,
        composed.channel,
        composed.validity,
        composed.tags,
    )
