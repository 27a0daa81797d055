"""Numbers seen before: the same answers by set and by map."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.bulk.seen import Seen


@pytest.mark.parametrize("few", [0, 5, 1000])
@given(numbers=st.lists(st.integers(0, 10**15) | st.integers(79160000000, 79160000020)))
def test_it_answers_as_a_set(few: int, numbers: list[int]) -> None:
    """A number is new once, however many fit into the set before the map takes over."""
    seen = Seen(few)
    known: set[int] = set()
    for number in numbers:
        assert (number not in known) == seen.add(number)
        known.add(number)
