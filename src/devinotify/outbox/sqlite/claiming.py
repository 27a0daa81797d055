"""How the next batch is found in the queue and marked as claimed: statements on an open transaction."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

LOOK_AHEAD = 4
"""How many times its size a batch looks ahead in the queue for rows of its message, where several are mixed."""

_GATHER = (
    "SELECT id, recipient, attempts, due, deadline, parent FROM rows WHERE id IN ("
    "SELECT id FROM (SELECT id, message, channel FROM rows WHERE state = 0 AND due <= :now ORDER BY due LIMIT :ahead)"
    " WHERE message = :message AND channel = :channel LIMIT :limit) ORDER BY id"
)

Gathered = tuple[int, "int | str", int, "float | None", "float | None", "int | None"]
"""id, recipient, attempts, due, deadline, parent: what a claim needs of a row."""


def head(connection: sqlite3.Connection, now: float) -> tuple[int, str] | None:
    """Return message and channel of the row that has been due for longest, or ``None`` where nothing is due."""
    found: tuple[int, str] | None = connection.execute(
        "SELECT message, channel FROM rows WHERE state = 0 AND due <= ? ORDER BY due, message, channel LIMIT 1", (now,)
    ).fetchone()
    return found


def gather(connection: sqlite3.Connection, now: float, message: int, channel: str, limit: int) -> list[Gathered]:
    """Return up to ``limit`` due rows of one message and channel, in the order of their ids."""
    return connection.execute(
        _GATHER,
        {"now": now, "message": message, "channel": channel, "limit": limit, "ahead": limit * LOOK_AHEAD},
    ).fetchall()


def gather_of(
    connection: sqlite3.Connection, now: float, numbers: Sequence[int]
) -> tuple[int, str, list[Gathered]] | None:
    """Return message, channel and rows of those of the given rows that are due and share the first one's message."""
    found: list[tuple[Any, ...]] = []
    for number in numbers:
        line = connection.execute(
            "SELECT message, channel, id, recipient, attempts, due, deadline, parent FROM rows"
            " WHERE id = ? AND state = 0 AND due <= ?",
            (number, now),
        ).fetchone()
        if line is not None and (not found or line[:2] == found[0][:2]):
            found.append(line)
    return (found[0][0], found[0][1], [line[2:] for line in found]) if found else None


def mark_claimed(connection: sqlite3.Connection, claim: int, numbers: Sequence[int]) -> None:
    """Turn queued rows into claimed ones."""
    change = "UPDATE rows SET state = 1, attempts = attempts + 1, claim = ? WHERE"
    if numbers[-1] - numbers[0] == len(numbers) - 1:  # a campaign's rows follow each other: one statement does
        connection.execute(f"{change} id BETWEEN ? AND ?", (claim, numbers[0], numbers[-1]))
    else:
        connection.executemany(f"{change} id = ?", zip(repeat(claim), numbers, strict=False))  # repeat has no end
