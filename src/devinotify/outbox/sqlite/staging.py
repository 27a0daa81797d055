"""How messages come into the file, and how they leave it again to make room: statements on an open transaction.

A single message is written as one line of ``intake``, which has no index to keep: that is as quick as an insert can
be. ``absorb`` moves such lines in bulk to where they can be claimed, before anything reads them.
"""

from __future__ import annotations

from itertools import count, repeat
from typing import TYPE_CHECKING, TypeVar

from devinotify.outbox.records import MESSAGE_COLUMNS, encode_recipient
from devinotify.outbox.states import CODES, FINISHED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from devinotify.outbox.records import Row

_Offered = TypeVar("_Offered")

_SHARED = MESSAGE_COLUMNS.split(", ")
_OWN = ("recipient", "step", "due", "deadline", *_SHARED)
_INTAKE = ", ".join(_OWN)
_MARKS = ", ".join("?" * len(_OWN))

ADD_ONE = f"INSERT INTO intake ({_INTAKE}) VALUES ({_MARKS})"  # noqa: S608 - built from our own column names
"""Enqueues a single message: recipient as it is, channel of the step, due, deadline, MESSAGE_COLUMNS."""

ADD_ONE_ONCE = (
    f"INSERT OR IGNORE INTO intake ({_INTAKE}) SELECT {_MARKS}"  # noqa: S608 - built from our own column names
    " WHERE NOT EXISTS (SELECT 1 FROM messages WHERE key = ?)"
)
"""The same, unless the key, given once more at the end, is known."""

_ADD_MESSAGE = f"INSERT INTO messages (id, {MESSAGE_COLUMNS}) VALUES (?, {', '.join('?' * len(_SHARED))})"  # noqa: S608 - as above
_ADD_ROW = (
    "INSERT OR IGNORE INTO rows (id, recipient, message, channel, state, due, deadline, account)"
    " VALUES (?, ?, ?, ?, 0, ?, ?, ?)"
)

# The CASE is encode_recipient, done here so that enqueue need not.
_ABSORB = (
    f"INSERT INTO messages (id, {MESSAGE_COLUMNS})"  # noqa: S608
    f" SELECT id, {MESSAGE_COLUMNS} FROM intake WHERE text IS NOT NULL AND id <= :last;"
    "INSERT INTO rows (id, message, recipient, channel, state, due, deadline, account)"
    " SELECT id, id, CASE WHEN recipient GLOB '+[1-9]*' AND length(recipient) BETWEEN 8 AND 16"
    " AND substr(recipient, 2) NOT GLOB '*[^0-9]*' THEN CAST(substr(recipient, 2) AS INTEGER) ELSE recipient END,"
    " step, 0, due, deadline, account FROM intake WHERE text IS NOT NULL AND id <= :last;"
    "DELETE FROM intake WHERE id <= :last AND id < (SELECT max(id) FROM intake);"
    f"UPDATE intake SET {', '.join(f'{name} = NULL' for name in _OWN)} WHERE id <= :last"
).split(";")


def pending(connection: sqlite3.Connection) -> bool:
    """Return whether something waits in the intake."""
    return connection.execute("SELECT 1 FROM intake WHERE text IS NOT NULL LIMIT 1").fetchone() is not None


def absorb(connection: sqlite3.Connection, limit: int = -1) -> None:
    """Move what is in the intake, its first ``limit`` lines or all, to the messages and rows."""
    (last,) = connection.execute(
        "SELECT max(id) FROM (SELECT id FROM intake WHERE text IS NOT NULL ORDER BY id LIMIT ?)", (limit,)
    ).fetchone()
    if last is not None:
        for statement in _ABSORB:
            connection.execute(statement, {"last": last})


def take_ids(connection: sqlite3.Connection, number: int) -> int:
    """Return the first of ``number`` row ids that were never used; the intake must have been absorbed."""
    (last,) = connection.execute("SELECT max(id) FROM intake").fetchone()
    connection.execute("UPDATE intake SET id = ? WHERE id = ?", (last + number, last))
    return int(last) + 1


def add_message(connection: sqlite3.Connection, number: int, values: Sequence[object]) -> None:
    """Store a message under its id."""
    connection.execute(_ADD_MESSAGE, (number, *values))


def add_rows(
    connection: sqlite3.Connection,
    first: int,
    recipients: Iterable[str],
    message: int,
    channel: str,
    due: float,
    deadline: float | None,
    account: int | None,
) -> int:
    """Queue one row a recipient, ids counting up from ``first``; return how many were new to the message."""
    return connection.executemany(
        _ADD_ROW,
        zip(
            count(first),
            map(encode_recipient, recipients),
            repeat(message),
            repeat(channel),
            repeat(due),
            repeat(deadline),
            repeat(account),
            strict=False,  # the endless columns end with the recipients
        ),
    ).rowcount


def add_refused(connection: sqlite3.Connection, lines: Sequence[tuple[object, ...]]) -> int:
    """Store rows that are ended from the start: id, message, recipient, channel, state, and the error's four parts."""
    return connection.executemany(
        "INSERT OR IGNORE INTO rows"
        " (id, message, recipient, channel, state, error, error_code, error_reason, error_text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        lines,
    ).rowcount


_FINISHED_CODES = ", ".join(sorted(str(CODES[state]) for state in FINISHED))


def forget_finished(connection: sqlite3.Connection, number: int) -> int:
    """Remove up to ``number`` rows, the oldest first, that are finished and unwatched; return how many."""
    numbers = [
        each
        for (each,) in connection.execute(
            f"SELECT id FROM rows WHERE state IN ({_FINISHED_CODES}) AND next_poll_at IS NULL"  # noqa: S608 - our own numbers
            " ORDER BY id LIMIT ?",
            (number,),
        )
    ]
    return remove(connection, numbers)


def forgettable(connection: sqlite3.Connection, rows: Iterable[Row], before: float | None) -> list[int]:
    """Return the ids of those rows that are still as they were read, unwatched, and older than ``before``."""
    ask = (
        "SELECT 1 FROM rows JOIN messages ON messages.id = rows.message WHERE rows.id = ? AND state = ?"
        " AND next_poll_at IS NULL AND (? IS NULL OR created_at < ?)"
    )
    return [
        row.id
        for row in rows
        if connection.execute(ask, (row.id, CODES[row.state], before, before)).fetchone() is not None
    ]


def remove(connection: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """Remove rows, and the messages that have none left, and count them as forgotten; return how many there were."""
    messages = set()
    removed = 0
    for number in numbers:
        line = connection.execute("SELECT message FROM rows WHERE id = ?", (number,)).fetchone()
        if line is not None:
            messages.add(line)
            removed += connection.execute("DELETE FROM rows WHERE id = ?", (number,)).rowcount
    connection.executemany(
        "DELETE FROM messages WHERE id = ? AND NOT EXISTS (SELECT 1 FROM rows WHERE message = messages.id)", messages
    )
    add_to_count(connection, "forgotten", removed)
    return removed


def add_to_count(connection: sqlite3.Connection, name: str, number: int) -> None:
    """Raise one of the persisted counts."""
    if number:
        connection.execute("UPDATE meta SET value = value + ? WHERE name = ?", (number, name))


class Bound:
    """The most rows that a file may hold, and when to count them.

    Ids are never used twice, so there are at most as many rows as the highest id says, and counting can wait for long.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most
        self.count_from = most

    def fit(self, connection: sqlite3.Connection, offered: tuple[_Offered, ...]) -> tuple[_Offered, ...]:
        """Return as many of what is offered as there is room for, and count the rest as dropped."""
        if self.most is None or self.count_from is None:
            return offered
        (last,) = connection.execute("SELECT max(id) FROM intake").fetchone()
        if last + len(offered) <= self.count_from:
            return offered
        room = max(self._room(connection, last, len(offered)), 0)
        add_to_count(connection, "dropped", len(offered[room:]))
        return offered[:room]

    def keep(self, connection: sqlite3.Connection, number: int) -> bool:
        """Return whether the row that was just added fits; where it does not, it is taken out again and counted."""
        if self._room(connection, number, 0) >= 0:
            return True
        # Unless a worker was quicker: what is claimed is no longer ours to drop.
        removed = connection.execute("DELETE FROM rows WHERE id = ? AND state = 0", (number,)).rowcount
        if removed:
            connection.execute("DELETE FROM messages WHERE id = ?", (number,))
        add_to_count(connection, "dropped", removed)
        return not removed

    def _room(self, connection: sqlite3.Connection, last: int, needed: int) -> int:
        """Return for how many more rows there is room, made if need be; negative where there are too many already."""
        assert self.most is not None  # noqa: S101 - the callers have asked
        (rows,) = connection.execute("SELECT count(*) FROM rows").fetchone()
        (waiting,) = connection.execute("SELECT count(*) FROM intake WHERE text IS NOT NULL").fetchone()
        room = int(self.most - rows - waiting)
        # Nothing is remembered of a count that this transaction, which may yet fail, has changed.
        self.count_from = last + max(room, 0) if room >= needed else 0
        if room < needed:
            # Some more than is needed goes, so that a full file is not counted for every row.
            room += forget_finished(connection, needed - room + self.most // 100)
        return room
