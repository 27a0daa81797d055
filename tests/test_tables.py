"""A table that one test walks hides nothing that a test for each row would show."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import table


def test_a_row_that_fails_is_named_and_hides_none_after_it() -> None:
    """All rows are walked, and each that fails is told by what it holds."""
    walked = []

    @table("number, word", [(1, "one"), (2, "two"), (3, "three")])
    def odd(number: int, word: str) -> None:
        walked.append(word)
        assert number == 2

    with pytest.raises(ExceptionGroup, match="2 of 3 rows fail") as caught:
        odd()
    assert ["one", "two", "three"] == walked
    assert [["in row 1: number=1, word='one'"], ["in row 3: number=3, word='three'"]] == [
        each.__notes__ for each in caught.value.exceptions
    ]


def test_a_failure_of_its_own_comes_as_it_is() -> None:
    """One row that fails is not wrapped, and the note says which it was, by its name where it has one."""

    @table("number", [1, pytest.param(0, id="nothing"), 2])
    def divided(number: int) -> None:
        assert 1 / number

    with pytest.raises(ZeroDivisionError) as caught:
        divided()
    assert ["in row 2: nothing"] == caught.value.__notes__


def test_names_stand_beside_the_table_too() -> None:
    """As many as there are rows."""

    @table("number", [1, 0], ids=["something", "nothing"])
    def is_something(number: int) -> None:
        assert number

    with pytest.raises(AssertionError) as caught:
        is_something()
    assert ["in row 2: nothing"] == caught.value.__notes__
    with pytest.raises(ValueError, match="shorter"):
        table("number", [1, 0], ids=["something"])


def test_tables_above_one_another_are_a_product() -> None:
    """Each row of the one with each of the other; both are named where one fails."""
    walked = []

    @table("word", ["a", "b"])
    @table("number", [1, 2])
    def pairs(number: int, word: str) -> None:
        walked.append((word, number))
        assert (word, number) != ("b", 1)

    with pytest.raises(AssertionError) as caught:
        pairs()
    assert [("a", 1), ("a", 2), ("b", 1), ("b", 2)] == walked
    assert ["in row 1: number=1", "in row 2: word='b'"] == caught.value.__notes__


def test_a_table_without_rows_fails() -> None:
    """It would assert nothing."""

    @table("number", [])
    def nothing(number: int) -> None:
        """Never called."""

    with pytest.raises(pytest.fail.Exception, match="no rows"):
        nothing()


@pytest.mark.parametrize("end", [pytest.fail, pytest.skip])
def test_what_ends_a_row_does_not_end_the_table(end: Callable[[str], NoReturn]) -> None:
    """A row that is skipped fails, or those after it would not be walked; so does one that raised nothing."""
    walked = []

    @table("word", ["a", "b"])
    @table("number", [1, 2])
    def ended(number: int, word: str) -> None:
        walked.append(number)
        end("here")

    with pytest.raises(BaseExceptionGroup, match="2 of 2 rows"):
        ended()
    assert [1, 2, 1, 2] == walked


def test_a_row_has_no_marks_and_a_value_for_each_column() -> None:
    """Both are told where the table stands, when it is collected."""
    with pytest.raises(TypeError, match="not marked"):
        table("number", [pytest.param(1, marks=pytest.mark.once)])
    with pytest.raises(ValueError, match="shorter"):
        table("number, word", [(1,)])


@table("number", [1, 2])
def test_fixtures_are_handed_on(tmp_path_factory: pytest.TempPathFactory, number: int) -> None:
    """Pytest sees what is not a column."""
    assert tmp_path_factory.getbasetemp().is_dir()
    assert ["tmp_path_factory"] == [*inspect.signature(test_fixtures_are_handed_on).parameters]


@table("lower", [1, 2])
@given(drawn=st.integers(3, 5))
def test_a_law_is_tried_for_each_row(lower: int, drawn: int) -> None:
    """As one that is parametrized is."""
    assert lower < drawn


@pytest.mark.untraced
@table("number", [1])
@pytest.mark.once
def test_marks_are_the_whole_tests(request: pytest.FixtureRequest, number: int) -> None:
    """Whether they stand above the table or below it."""
    assert {"once", "untraced"} <= {mark.name for mark in request.node.iter_markers()}
