"""Numbers seen before: the same answers by set and by table."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.bulk.seen import Seen


@pytest.mark.parametrize("few", [0, 5, 1000])
@given(
    numbers=st.lists(
        st.integers(0, 10**15)
        | st.integers(79160000000, 79160000020)
        # One bucket for all, with keys that can be found across two others as well.
        | st.sampled_from([0, 1, 255, 256, 2**16, 2**24, 2**32, 2**33 - 1]).map(lambda key: key * 65_521)
    )
)
def test_it_answers_as_a_set(few: int, numbers: list[int]) -> None:
    """A number is new once, however many fit into the set before the table takes over."""
    seen = Seen(few)
    known: set[int] = set()
    for number in numbers:
        assert ((number in known), (number not in known)) == ((number in seen), seen.add(number))
        known.add(number)


@pytest.mark.parametrize("few", [0, 5, 1000])
@given(pages=st.lists(st.lists(st.integers(79160000000, 79160000020) | st.integers(0, 10**15), unique=True)))
def test_many_at_once_are_as_each_of_them(few: int, pages: list[list[int]]) -> None:
    """Of many that are added at once those are told that were not new, before and after the table takes over."""
    one_by_one, at_once = Seen(few), Seen(few)
    for numbers in pages:
        assert {number for number in numbers if not one_by_one.add(number)} == at_once.add_all(numbers)


@pytest.mark.untraced
def test_memory_is_bounded_whatever_the_numbers() -> None:
    """Numbers that are far from each other take no more than others: some bytes each, and a set's worth on the way."""
    draw = random.Random(8)
    tracemalloc.start()
    try:
        seen = Seen(10_000)
        for _ in range(200_000):
            seen.add(draw.randrange(10**15))
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (True, True) == (held < 6_000_000, peak < 8_000_000)
