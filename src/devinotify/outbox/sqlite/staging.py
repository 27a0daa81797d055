"""How messages come into the file, and how they leave it: statements on an open transaction.

A single message is written as one line of ``intake``, which has no index to keep: that is as quick as an insert can
be. ``flush`` moves such lines in bulk to where they can be claimed, before anything reads them.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING

from devinotify.outbox.encoding import E164_DIGITS, MESSAGE_COLUMNS, encode_recipient
from devinotify.phones.number import are_e164

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

_SHARED = MESSAGE_COLUMNS.split(", ")
_OWN = ("recipient", "step", "due", *_SHARED, "deadline")


def _add_line(length: int) -> str:
    """Return the statement that writes the first so many columns of a line, unless its key is known."""
    columns = _OWN[:length]
    into = f"INTO intake ({', '.join(columns)})"
    if "key" not in columns:
        return f"INSERT {into} VALUES ({', '.join('?' * length)})"  # noqa: S608 - built from our own column names, here and below
    # By name, not by a numbered mark: Python 3.12 warns of those where the values come as a sequence.
    line = ", ".join(f"? AS {name}" for name in columns)
    known = "SELECT 1 FROM messages WHERE messages.key = line.key"
    return f"INSERT OR IGNORE {into} SELECT * FROM (SELECT {line}) AS line WHERE NOT EXISTS ({known})"  # noqa: S608


_ADD_LINE = [_add_line(length) for length in range(len(_OWN) + 1)]

_ADD_MESSAGE = f"INSERT INTO messages (id, {MESSAGE_COLUMNS}) VALUES (?, {', '.join('?' * len(_SHARED))})"  # noqa: S608 - built from our own column names

_SHARED_BY_ROWS = ":message, :channel, 0, :due, :deadline, :account"
_ADD_ROW = (
    "INSERT OR IGNORE INTO rows (id, recipient, message, channel, state, due, deadline, account)"  # noqa: S608 - ours
    f" VALUES (:id, :recipient, {_SHARED_BY_ROWS})"
)
_ADD_ROWS = (
    "INSERT OR IGNORE INTO rows (id, recipient, message, channel, state, due, deadline, account)"  # noqa: S608 - ours
    f" SELECT :first + key, value, {_SHARED_BY_ROWS} FROM json_each(:recipients) WHERE value IS NOT NULL"
)
"""Adds rows to the numbers of a JSON array, in one statement: others that send go on meanwhile, and it costs less."""

# The CASE is encode_recipient, done here so that enqueue need not.
_FLUSH = (
    f"INSERT INTO messages (id, {MESSAGE_COLUMNS})"  # noqa: S608
    f" SELECT id, {MESSAGE_COLUMNS} FROM intake WHERE text IS NOT NULL AND id <= :last;"
    "INSERT INTO rows (id, message, recipient, channel, state, due, deadline, account)"
    " SELECT id, id, CASE WHEN recipient GLOB '+[1-9]*'"
    f" AND length(recipient) BETWEEN {E164_DIGITS.start + 1} AND {E164_DIGITS.stop}"  # and the +
    " AND substr(recipient, 2) NOT GLOB '*[^0-9]*' THEN CAST(substr(recipient, 2) AS INTEGER) ELSE recipient END,"
    " step, 0, due, deadline, account FROM intake WHERE text IS NOT NULL AND id <= :last;"
    "DELETE FROM intake WHERE id <= :last AND id < (SELECT max(id) FROM intake);"
    f"UPDATE intake SET {', '.join(f'{name} = NULL' for name in _OWN)} WHERE id <= :last"
).split(";")


def pending(connection: sqlite3.Connection) -> bool:
    """Return whether something waits in the intake."""
    return connection.execute("SELECT 1 FROM intake WHERE text IS NOT NULL LIMIT 1").fetchone() is not None


def flush(connection: sqlite3.Connection, limit: int = -1) -> None:
    """Move what is in the intake, its first ``limit`` lines or all, to the messages and rows."""
    (last,) = connection.execute(
        "SELECT max(id) FROM (SELECT id FROM intake WHERE text IS NOT NULL ORDER BY id LIMIT ?)", (limit,)
    ).fetchone()
    if last is not None:
        for statement in _FLUSH:
            connection.execute(statement, {"last": last})


def take_ids(connection: sqlite3.Connection, number: int) -> int:
    """Return the first of ``number`` row ids that were never used; the intake must have been flushed."""
    (last,) = connection.execute("SELECT max(id) FROM intake").fetchone()
    connection.execute("UPDATE intake SET id = ? WHERE id = ?", (last + number, last))
    return int(last) + 1


def last_id(connection: sqlite3.Connection) -> int:
    """Return the highest row id that was ever used."""
    (last,) = connection.execute("SELECT max(id) FROM intake").fetchone()
    return int(last)


def add_one(connection: sqlite3.Connection, line: Sequence[object]) -> int | None:
    """Write one line of the intake; return its id, or ``None`` where its key is known.

    A line is the recipient as it is, the channel of the step, when it is due, MESSAGE_COLUMNS, and the deadline.
    """
    given = _given(line)
    cursor = connection.execute(_ADD_LINE[len(given)], given)
    return cursor.lastrowid if cursor.rowcount else None


def add_lines(connection: sqlite3.Connection, lines: Iterable[Sequence[object]]) -> int:
    """Write many lines of the intake; return how many there were but those whose key was known."""
    return sum(
        connection.executemany(_ADD_LINE[length], alike).rowcount
        for length, alike in groupby(map(_given, lines), key=len)
    )


def _given(line: Sequence[object]) -> Sequence[object]:
    """Return a line without what is None at its end: to bind four of those takes as long as all the rest."""
    length = len(line)
    while line[length - 1] is None:
        length -= 1
    return line[:length]


def add_message(connection: sqlite3.Connection, number: int, values: Sequence[object]) -> None:
    """Store a message under its id."""
    connection.execute(_ADD_MESSAGE, (number, *values))


def add_rows(
    connection: sqlite3.Connection,
    first: int,
    recipients: Sequence[str],
    message: int,
    channel: str,
    due: float,
    deadline: float | None,
    account: int | None,
) -> int:
    """Queue one row a recipient, ids counting up from ``first``; return how many were new to the message."""
    shared = {"message": message, "channel": channel, "due": due, "deadline": deadline, "account": account}
    numbers, texts = _as_json(first, recipients)
    added = connection.execute(_ADD_ROWS, {**shared, "first": first, "recipients": numbers}).rowcount
    others = [{**shared, "id": number, "recipient": recipient} for number, recipient in texts]
    return added + connection.executemany(_ADD_ROW, others).rowcount


def _as_json(first: int, recipients: Sequence[str]) -> tuple[str, list[tuple[int, str]]]:
    """Return recipients as a JSON array of what stands in the file for them, and those that stand as text, by id.

    What is not a number takes a statement of its own: JSON, as SQLite reads it, ends a text at a zero.
    """
    digits = [each[1:] for each in recipients]
    if are_e164(recipients) and len(min(digits, key=len, default="")) in E164_DIGITS:  # as those of a campaign are
        return f"[{','.join(digits)}]", []
    encoded = list(map(encode_recipient, recipients))
    texts = [(number, each) for number, each in enumerate(encoded, first) if isinstance(each, str)]
    return json.dumps([None if isinstance(each, str) else each for each in encoded]), texts


def add_refused(
    connection: sqlite3.Connection,
    first: int,
    message: int,
    channel: str,
    state: int,
    refused: Sequence[tuple[str, tuple[object, ...]]],
) -> int:
    """Store rows that are ended from the start (recipient, the error's four parts); return how many were new."""
    return connection.executemany(
        "INSERT OR IGNORE INTO rows"
        " (id, message, recipient, channel, state, error, error_code, error_reason, error_text)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (number, message, encode_recipient(recipient), channel, state, *error)
            for number, (recipient, error) in enumerate(refused, first)
        ],
    ).rowcount


def remove(connection: sqlite3.Connection, numbers: Iterable[int]) -> int:
    """Remove rows, and the messages that have none left; return how many rows there were."""
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
    return removed
