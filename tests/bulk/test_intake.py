"""The list of a campaign: read once where it is short, read again where it is long, and refused where it changes."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from devinotify.bulk.intake import Intake
from devinotify.bulk.sorting import Refusals, Sorted, sort_out
from devinotify.bulk.source import Source
from devinotify.bulk.table import FIRST_PAGE, PAGE, Table
from devinotify.exceptions import InvalidInput
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.bulk.progress import Progress
    from tests.bulk.conftest import Write

ROWS = 3000


@pytest.fixture
def path(write: Write) -> Path:
    """A list of several pages."""
    return write("\n".join(numbers(ROWS)), "a.txt")


class Reader:
    """Reads a list as a campaign does, and counts how often."""

    def __init__(self, source: Source) -> None:
        self.times = 0
        self._table = Table(source)
        self._refusals = Refusals()

    def __call__(self) -> Iterator[Sorted]:
        """Yield the pages."""
        self.times += 1
        return sort_out(self._table, region="RU", refusals=self._refusals)


@pytest.mark.parametrize(("text", "kept", "times"), [("Hi", ROWS, 1), ("Hi", ROWS - 1, 2), (None, ROWS, 2)])
def test_a_short_list_of_one_text_is_read_once(path: Path, text: str | None, kept: int, times: int) -> None:
    """It is kept from its reading to its journal; a longer one, or one with a text each, is read again."""
    with Source(path) as source:
        reader = Reader(source)
        intake = Intake(source, reader, text, kept=kept)
        intake.read()
        assert (numbers(ROWS), times) == ([each for page in intake.pages() for each in page.numbers], reader.times)


def test_a_list_that_changes_while_it_is_fed(path: Path) -> None:
    """What stands in the journal is sent to, and no page of the changed list follows."""
    with Source(path) as source:
        intake = Intake(source, Reader(source), "Hi", kept=0)
        intake.read()
        pages = intake.pages()
        next(pages)
        path.write_text("+79031234567\n")
        with pytest.raises(InvalidInput, match="has changed since it was opened: what is in the journal is sent to"):
            next(pages)


def test_a_list_that_has_changed_before_is_not_begun(path: Path) -> None:
    """Nothing of it is sent."""
    with Source(path) as source:
        intake = Intake(source, Reader(source), "Hi")
        intake.read()
        path.write_text("+79031234567\n")
        with pytest.raises(InvalidInput, match="this run sends nothing of it"):
            intake.counted() and intake.read()


def test_what_is_kept_is_what_was_read(write: Write) -> None:
    """Repeated rows, refused ones and what stands beside a number are kept with the page as they were."""
    path = write(
        "\n".join(["phone", "8 916 123-45-67", "+79161234567", "nobody", "+79031234567 ::: +79037654321"]), "a.csv"
    )
    with Source(path) as source:
        reader = Reader(source)
        intake = Intake(source, reader, "Hi")
        intake.read()
        assert list(reader()) == list(intake.pages())


def looked_through(source: Source, reader: Reader, rows: Iterator[int]) -> Intake:
    """Return the intake of a new campaign, of whose list no number has been read yet."""
    intake = Intake(source, reader, "Hi")
    assert intake.read(pages=rows)
    return intake


def test_a_list_is_looked_through_and_sorted_out_later(write: Write) -> None:
    """Its numbers are read with its pages; what it comes to is told once they are, and until then as far as it goes."""
    some = numbers(2 * PAGE)
    with Source(write("\n".join([some[0], *some, "nobody"]), "a.txt")) as source:
        reader = Reader(source)
        intake = looked_through(source, reader, iter([PAGE, PAGE, 2]))
        assert (0, 2 * PAGE + 2) == (reader.times, intake.expected)
        pages = intake.pages()
        next(pages)
        assert (1, 2 * PAGE + 1) == (reader.times, intake.expected)
        assert 2 * PAGE + 1 - FIRST_PAGE == sum(len(page.numbers) for page in pages)
        assert 2 * PAGE == intake.expected
        assert Intake(source, Reader(source), "Hi").counted() == intake.counted()
    assert 1 == reader.times


def test_a_list_is_not_counted_before_its_end(path: Path) -> None:
    """A run that was stopped meanwhile has sorted out a part of it: the next one, or a plan, reads it all."""
    with Source(path) as source:
        reader = Reader(source)
        intake = looked_through(source, reader, iter([ROWS]))
        next(intake.pages())
        assert (ROWS, 2) == (intake.counted().recipients, reader.times)


def test_texts_of_their_own_are_filled_in_before_anything_is_sent(path: Path) -> None:
    """A row that lacks a column is found before: such a list is not only looked through."""
    with Source(path) as source:
        reader = Reader(source)
        assert Intake(source, reader, None).read(pages=iter([ROWS]))
        assert 1 == reader.times


def test_looking_through_is_stopped(path: Path) -> None:
    """As reading is, after the page under way."""
    told: list[Progress] = []
    with Source(path) as source:
        intake = Intake(source, Reader(source), "Hi")
        assert not intake.read(told.append, lambda: True, iter([1000, 2000]))
    assert [("reading", 1000)] == [(each.phase, each.done) for each in told]


def test_a_list_that_changes_while_it_is_looked_through(path: Path) -> None:
    """Nothing of it is sent."""
    with Source(path) as source:
        path.write_text("+79031234567\n")
        with pytest.raises(InvalidInput, match="this run sends nothing of it"):
            Intake(source, Reader(source), "Hi").read(pages=iter([1]))


@pytest.mark.untraced
def test_what_is_kept_takes_little_memory(write: Write) -> None:
    """A list is kept in two dozen bytes a recipient at most, so that a million is worth it."""
    with Source(write("\n".join(numbers(50_000)), "a.txt")) as source:
        intake = Intake(source, Reader(source), "Hi")
        tracemalloc.start()
        try:
            intake.read()
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (50_000, True) == (intake.counted().recipients, kept < 50_000 * 24)
