"""The language of the search field."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devinotify import phones
from devinotify.sandbox.query import Searched, compiled, fold
from tests.tables import table

MESSAGE = Searched(
    numbers=("79161234567",),
    text=fold("Ваш заказ 42\nсобран, see  you at http://x.example"),
    sender=fold("My Shop"),
    ids=("7", "571234567890123456"),
    status="delivered",
    channel="sms",
    tags=("demo",),
    marks=frozenset({"unread"}),
)


def found(search: str, message: Searched = MESSAGE) -> bool:
    """Return whether a search finds a message."""
    return all(test(message) for test in compiled(search))


@table(
    "search, expected",
    [
        ("заказ ваш", True),
        ("YOU собран", True),
        ("собран другой", False),
        ('"42 собран"', True),
        ('"42 собран, SEE YOU"', True),
        ('"собран 42"', False),
        ("ｓｅｅ", True),
        ("-draft", True),
        ("-заказ", False),
        ('-"see you"', False),
        ("to:916", True),
        ("-to:916", False),
        ("to:903", False),
        ("from:shop", True),
        ('FROM:"my shop"', True),
        ("from:other", False),
        ("id:7", True),
        ("id:5712345678", True),
        ("id:5", False),
        ("status:deliv", True),
        ("status:expired", False),
        ("via:sms", True),
        ("via:viber", False),
        ("tag:demo", True),
        ("-tag:demo", False),
        ("is:unread", True),
        ("is:read", False),
        ("http://x.example", True),
        ("http://other", False),
        ("", True),
        ("to:", True),
        ('""', True),
        ('-""', True),
        ("заказ - 42", True),
        ("#", False),
    ],
)
def test_a_search_finds(search: str, expected: bool) -> None:
    """Words in any order and across line breaks, phrases, what is left out, and what stands before a colon."""
    assert expected == found(search)


@table(
    "search, expected",
    [
        ("+7 (916) 123-45-67", True),
        ("8 916 123 45 67", True),
        ("8-916-123-45-67", True),
        ("+7 916 123\u201345\u201367", True),
        ("0079161234567", True),
        ("8916", True),
        ("123 45", True),
        ("٩١٦", True),
        ("916 4567", False),
        ("8 916 123-45-68", False),
        ("89", False),
        ("916 123 42", True),
        ("42 916", True),
        ("собран 8 916 123", True),
        ("to:8 916 123 42", True),
        ("to:8 916 999", False),
        ("-916", False),
    ],
)
def test_a_number_is_found_in_any_notation(search: str, expected: bool) -> None:
    """Groups of digits side by side are one number, beside others that stand in the text."""
    assert expected == found(search)


@given(st.text(max_size=60))
def test_any_search_is_one(search: str) -> None:
    """Whatever is typed, it is answered; with a minus before a word, the other way round."""
    assert found(search) in {True, False}


@given(
    st.lists(st.sampled_from(["ваш", "заказ", "42", "собран", "see", "you", "916", "to:8916"]), max_size=6).map(tuple)
)
def test_order_does_not_matter(words: tuple[str, ...]) -> None:
    """Words are found in any order; digits are set apart from others, since side by side they are one number."""
    assert found(" заказ ".join(words))


@given(
    st.integers(0, 9_999_999), st.sampled_from(["+7 (903) {}-{}-{}", "8 903 {} {} {}", "8903{}{}{}", "7 903-{}.{}.{}"])
)
def test_every_notation_of_a_number_finds_it(rest: int, notation: str) -> None:
    """And no other number of the same length."""
    digits = f"{rest:07}"
    written = notation.format(digits[:3], digits[3:5], digits[5:])
    number = phones.normalize(written, "RU").digits
    other = Searched((f"{int(number) - 1}",), "", "", (), "sent", "sms", (), frozenset())
    there = Searched((number,), "", "", (), "sent", "sms", (), frozenset())
    assert (True, False) == (found(written, there), found(written, other))
