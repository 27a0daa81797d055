"""What a subscriber wants: the table of words, and what is forgiven."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify_opt_out import Wish, wish_of
from devinotify_opt_out.words import LOOK_ALIKES, START, STOP, skeleton, skeletons

WORDS = {Wish.STOP: STOP, Wish.START: START}
words = st.sampled_from([(wish, word) for wish, known in WORDS.items() for word in known])
noise = st.text(" \t\n.,!?-–—…\"'«»()*_:;\N{NO-BREAK SPACE}\N{ZERO WIDTH SPACE}🙏", max_size=4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STOP", Wish.STOP),
        ("stop", Wish.STOP),
        (" Stop!! ", Wish.STOP),
        ("S T O P", Wish.STOP),
        ("s.t.o.p.", Wish.STOP),
        ("«Стоп»", Wish.STOP),
        ("СТОП стоп", Wish.STOP),
        ("STOP, CANCEL", Wish.STOP),
        ("CTOП", Wish.STOP),
        ("СTOП", Wish.STOP),
        ("Отписатьcя", Wish.STOP),
        ("ОТПИСАТЬСЯ.", Wish.STOP),
        ("cancel", Wish.STOP),
        ("САNСЕL", Wish.STOP),
        ("ST0P", Wish.STOP),
        ("ＳＴＯＰ", Wish.STOP),
        ("STÓP", Wish.STOP),
        ("start", Wish.START),
        ("Старт!", Wish.START),
        ("START STOP", None),
        ("stop by tomorrow", None),
        ("please stop", None),
        ("не стоп", None),
        ("don't stop", None),
        ("stopped", None),
        ("STOP1", None),
        ("отписаться от всего", None),
        ("non-stop", None),
        ("Да", None),
        ("", None),
        ("!!!", None),
    ],
)
def test_wish(text: str, expected: Wish | None) -> None:
    """A word alone counts, in whatever dress; one word of a sentence does not."""
    assert expected is wish_of(text)


@given(words, st.data())
def test_what_is_forgiven(word: tuple[Wish, str], data: st.DataObject) -> None:
    """Case, look-alikes, and anything between the letters that is neither a letter nor a digit."""
    wish, text = word
    twins = {**LOOK_ALIKES, **{twin: letter for letter, twin in LOOK_ALIKES.items()}}
    letters = [data.draw(st.sampled_from([sign, sign.lower(), twins.get(sign.lower(), sign)])) for sign in text]
    assert wish is wish_of("".join(letter + data.draw(noise) for letter in letters))


@given(words, st.text("abcdеёжз123", min_size=1), st.booleans())
def test_any_other_word_beside_it_is_none_of_ours(word: tuple[Wish, str], other: str, before: bool) -> None:
    """Whatever somebody says more, people are to read."""
    text = f"{other} {word[1]}" if before else f"{word[1]} {other}"
    assert None is wish_of(text)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """None breaks it, and a skeleton is its own."""
    wish_of(text)
    assert skeleton(text) == skeleton(skeleton(text))


def test_ones_own_words() -> None:
    """Several words may be one, and the table's own stay what they are where they are named."""
    mine = (*STOP, "no more", "хватит")
    assert (Wish.STOP, Wish.STOP, Wish.STOP, None) == (
        wish_of("No more!", mine),
        wish_of("ХВАТИТ", mine),
        wish_of("stop", mine),
        wish_of("no", mine),
    )
    assert Wish.STOP is wish_of("both", ["both"], ["both"])


def test_a_word_without_letters_is_none() -> None:
    """It would be every message of marks."""
    with pytest.raises(ValueError, match="!!"):
        skeletons(["stop", "!!"])
