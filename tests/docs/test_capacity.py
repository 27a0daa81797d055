"""The page "Capacity" says what the figures come to."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import capacity

_PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "capacity.md").read_text("utf-8")


def test_the_page_shows_what_is_computed() -> None:
    """Nobody has typed a number of the table."""
    assert capacity.table() in _PAGE


def test_what_it_is_computed_from_stands_there() -> None:
    """The figures as they came out."""
    seen = capacity.SEEN
    told = (
        f"{seen.drained:,.0f} messages a second",
        f"{seen.wal:,.0f} bytes of WAL",
        f"{seen.row:,.0f} bytes on the disk",
    )
    assert [] == [each for each in told if each not in _PAGE]


def test_twice_the_messages_need_twice_as_much() -> None:
    """But for the workers, of which there are two at the least."""
    small, large = (capacity.column(messages, capacity.SEEN) for messages in (50_000_000, 100_000_000))
    assert ("579", "1,157") == tuple(found["messages a second, on average"] for found in (small, large))
    assert "2" == capacity.column(1, capacity.SEEN)["workers (two at the least, so that one may fail)"]
