"""What a law over things that are valid or nearly so has to meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws import both_ways
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable


def law(read: int, tries: int) -> Callable[[], None]:
    """Return a law that reads so many of all that it is tried with."""
    ends = iter([True] * read + [False] * (tries - read))

    @both_ways(given(number=st.integers()), settings(max_examples=tries, database=None))
    def told(number: int) -> bool:
        return next(ends)

    return told


@table("read", [2, 30, 62])
def test_a_law_that_reads_some_and_refuses_some_holds(read: int) -> None:
    """A part of either is enough."""
    law(read, 64)()


@table("read", [0, 1, 63, 64])
def test_a_law_that_hardly_meets_one_of_the_ends_fails(read: int) -> None:
    """Be it that next to all is refused, or that next to all is read."""
    with pytest.raises(AssertionError, match=f"{read} of 64 were read"):
        law(read, 64)()


def test_few_tries_tell_nothing_of_the_shares() -> None:
    """Where a law is tried less, chance would make it fail."""
    law(0, 25)()


@both_ways(given(drawn=st.booleans()))
def test_what_a_fixture_gives_is_passed_on(tmp_path_factory: pytest.TempPathFactory, drawn: bool) -> bool:
    """As to any law."""
    assert tmp_path_factory is not None
    return drawn
