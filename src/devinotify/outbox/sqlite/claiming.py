"""How the next batch is found in the queue and marked as claimed: statements on an open transaction."""

from __future__ import annotations

import os
from array import array
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify.outbox.encoding import CLAIMED, COLUMNS, claimed_rows, decode_row
from devinotify.outbox.sqlite import accounts
from devinotify.outbox.store import Taken

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from devinotify.outbox.records import Row, StoredMessage

LOOK_AHEAD = 4
"""How many times its size a batch looks ahead in the queue for rows of its message, where several are mixed."""

_GATHER = (
    f"SELECT {CLAIMED} FROM rows WHERE id IN ("  # noqa: S608 - our own names
    "SELECT id FROM (SELECT id, message, channel FROM rows"
    " WHERE state = 0 AND account IS :queue AND due <= :now ORDER BY due LIMIT :ahead)"
    " WHERE message = :message AND channel = :channel LIMIT :limit) ORDER BY id"
)

Gathered = tuple[int, "int | str", int, "float | None", "float | None", "int | None", "int | None", "int | None"]
"""A line of CLAIMED."""


class TakenLines(NamedTuple):
    """What a claim found, as it stood in the file: ``lines`` that are claimed by now, and the ids of ``late`` rows."""

    claim: int
    stored: StoredMessage
    channel: str
    lines: list[Gathered]
    late: list[int]

    def made(self, late: Sequence[Row] = ()) -> Taken:
        """Return it with the rows of its lines, and the late ones."""
        rows = claimed_rows(self.lines, self.stored.id, self.channel, self.claim)
        return Taken(self.claim, self.stored, rows, tuple(late))


def head(connection: sqlite3.Connection, now: float, account: int | None) -> tuple[int, str, int | None] | None:
    """Return message, channel and queue of the row that has been due for longest, or ``None`` where nothing is due."""
    found = []
    for queue in accounts.queues(connection, account):
        line = connection.execute(
            "SELECT due, message, channel FROM rows WHERE state = 0 AND account IS ? AND due <= ?"  # noqa: S608 - ours
            f"{accounts.open_to(account) if queue is None else ''} ORDER BY due, message, channel LIMIT 1",
            (queue, now),
        ).fetchone()
        if line is not None:
            found.append((*line, queue))
    return min(found, key=lambda line: line[:3])[1:] if found else None


def gather(
    connection: sqlite3.Connection, now: float, message: int, channel: str, queue: int | None, limit: int
) -> list[Gathered]:
    """Return up to ``limit`` due rows of one message and channel, in the order of their ids."""
    return connection.execute(
        _GATHER,
        {
            "now": now,
            "message": message,
            "channel": channel,
            "queue": queue,
            "limit": limit,
            "ahead": limit * LOOK_AHEAD,
        },
    ).fetchall()


def gather_of(
    connection: sqlite3.Connection, now: float, numbers: Sequence[int], account: int | None
) -> tuple[int, str, list[Gathered]] | None:
    """Return message, channel and rows of those of the given rows that are due and share the first one's message."""
    found: list[tuple[Any, ...]] = []
    for number in numbers:
        line = connection.execute(
            f"SELECT message, channel, {CLAIMED} FROM rows"  # noqa: S608 - ours
            f" WHERE id = ? AND state = 0 AND due <= ?{accounts.open_to(account)}",
            (number, now),
        ).fetchone()
        if line is not None and (not found or line[:2] == found[0][:2]):
            found.append(line)
    return (found[0][0], found[0][1], [line[2:] for line in found]) if found else None


def ahead(connection: sqlite3.Connection, later: float, limit: int) -> list[Row]:
    """Return rows that are due, and whose messages were stored, after a moment."""
    found: list[Row] = []
    for queue in accounts.queues(connection, None):
        lines = connection.execute(
            f"SELECT {COLUMNS} FROM rows WHERE state = 0 AND account IS ? AND due > ?"  # noqa: S608 - our own names
            " AND (SELECT created_at FROM messages WHERE messages.id = rows.message) > ? LIMIT ?",
            (queue, later, later, limit),
        )
        found += map(decode_row, lines.fetchall())
    return found[:limit]


def moments(connection: sqlite3.Connection, account: int | None, *, queued: bool) -> Iterator[float | None]:
    """Yield when what waits in each queue next comes due, and what is watched unless ``queued``; ``None`` for never."""
    for queue in accounts.queues(connection, account):
        mine = accounts.open_to(account) if queue is None else ""
        for column, waits in (("due", "state = 0"), ("next_poll_at", "next_poll_at IS NOT NULL"))[: 1 if queued else 2]:
            line = connection.execute(
                f"SELECT {column} FROM rows WHERE {waits} AND account IS ?{mine} ORDER BY {column} LIMIT 1",  # noqa: S608 - ours
                (queue,),
            ).fetchone()
            yield None if line is None else line[0]
        yield connection.execute("SELECT min(due) FROM intake WHERE account IS ?", (queue,)).fetchone()[0]


def open_claim(connection: sqlite3.Connection, worker: str, now: float, numbers: Sequence[int]) -> int:
    """Write down who claims which queued rows, and mark them; return the claim's id, which is never used again."""
    cursor = connection.execute(
        "INSERT INTO claims (worker, pid, claimed_at, open, rows) VALUES (?, ?, ?, ?, ?)",
        (worker, os.getpid(), now, len(numbers), array("q", numbers).tobytes()),
    )
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT has just set it
    _mark_claimed(connection, cursor.lastrowid, numbers)
    return cursor.lastrowid


def claimants(connection: sqlite3.Connection) -> set[str]:
    """Return the workers that have open claims."""
    return {worker for (worker,) in connection.execute("SELECT DISTINCT worker FROM claims")}


def claimed_by(connection: sqlite3.Connection, worker: str) -> Iterator[tuple[int, int]]:
    """Yield the ids of what a worker has claimed, settled by now or not, each with its claim's."""
    for claim, packed in connection.execute("SELECT id, rows FROM claims WHERE worker = ?", (worker,)).fetchall():
        numbers = array("q")
        numbers.frombytes(packed)
        yield from zip(numbers, repeat(claim), strict=False)  # repeat has no end


def _mark_claimed(connection: sqlite3.Connection, claim: int, numbers: Sequence[int]) -> None:
    """Turn queued rows into claimed ones."""
    change = "UPDATE rows SET state = 1, attempts = attempts + 1, claim = ? WHERE"
    if numbers[-1] - numbers[0] == len(numbers) - 1:  # a campaign's rows follow each other: one statement does
        connection.execute(f"{change} id BETWEEN ? AND ?", (claim, numbers[0], numbers[-1]))
    else:
        connection.executemany(f"{change} id = ?", zip(repeat(claim), numbers, strict=False))  # repeat has no end
