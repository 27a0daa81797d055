"""What the property tests draw from: numbers, texts, credentials, and the bytes of a reply in portions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import AnyStr

from hypothesis import strategies as st

from devinotify.limits import Limit, Period, Prices, Scope

RESERVED = ":/?#[]@!$&'()*+,;=%|\\\"<>^`{} ~-._"
"""Every character that a URL gives a meaning to, and some that it does not allow."""

_WRITABLE = st.characters(exclude_categories=["Cs"])

texts = st.text(_WRITABLE, min_size=1, max_size=40)
"""Any text that UTF-8 can carry, never empty."""

credentials = st.one_of(
    texts,
    st.text(st.sampled_from(RESERVED + "aZ0ж漢😀"), min_size=1, max_size=20),
    st.just(RESERVED),
)
"""Logins and passwords: any text, with every reserved character in it now and then."""

numbers = st.from_regex(r"[1-9][0-9]{9,14}", fullmatch=True)
"""The digits of a number in the international format, 10 to 15 of them."""

passwords = st.from_regex(r"[a-z]{6}[A-Z][!-.][0-9]{3}", fullmatch=True)
"""Passwords that occur in no message by chance."""

words = st.from_regex(r"zq[a-z]{8}", fullmatch=True)
"""Texts that occur in no message by chance."""


_AMOUNTS = st.integers(1, 10**12)
_MONEY = st.decimals(Decimal("0.01"), 10**9, places=2)
_NAMES = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters=";"), min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)

limits = st.builds(
    lambda measure, period, what: Limit(Decimal(measure[0]), measure[1], period, *what),
    st.one_of(
        st.tuples(_AMOUNTS, st.sampled_from(["segments", "messages"])),
        st.tuples(_MONEY, st.just("RUB")),
    ),
    st.sampled_from(Period),
    st.one_of(
        st.sampled_from([(Scope.ACCOUNT,), (Scope.RECIPIENT,)]),
        st.tuples(st.sampled_from([Scope.SENDER, Scope.TAG]), _NAMES),
    ),
)
"""Limits of every kind; all on money are in one currency."""

prices = st.builds(
    Prices,
    _MONEY,
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True), _MONEY, max_size=3).map(
        lambda found: tuple(found.items())
    ),
)
"""Prices with one for all channels, and some for single ones."""


@st.composite
def portions(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Return ``data`` cut into portions at any places."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@st.composite
def changed(draw: st.DrawFn, whole: AnyStr, pieces: Sequence[AnyStr]) -> AnyStr:
    """Return what is valid with one of the ``pieces`` put in at any place, or in the place of a sign."""
    start = draw(st.integers(0, len(whole)))
    return whole[:start] + draw(st.sampled_from(pieces)) + whole[start + draw(st.sampled_from([0, 0, 0, 1])) :]
