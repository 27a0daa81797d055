"""What can be asked of the file: counts, rows, messages. Memory stays bounded however many rows there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.outbox.encoding import COLUMNS, MESSAGE_COLUMNS, decode_message, decode_row, encode_recipient
from devinotify.outbox.pace import StoredPace
from devinotify.outbox.sqlite import accounts
from devinotify.outbox.states import CODES, RowState
from devinotify.outbox.store import DROPPED, FORGOTTEN, QUEUED_STEPS, STEPS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping

    from devinotify.outbox.records import Row, StoredMessage
    from devinotify.outbox.store import Selection

_IS_STEP = "story IS NOT NULL AND story <> id"
_QUEUED = CODES[RowState.QUEUED]
SELECT = f"SELECT {COLUMNS} FROM rows"  # noqa: S608 - our own column names
_NAME = "(SELECT name FROM accounts WHERE accounts.id = messages.account)"
_SELECT_MESSAGE = f"SELECT id, {MESSAGE_COLUMNS.replace('account', _NAME)} FROM messages WHERE id = ?"  # noqa: S608 - as above

FEW = 1000
"""Rows of a message up to which they are found by its index; more are read as a range of the table."""


def row(connection: sqlite3.Connection, number: int) -> Row | None:
    """Return one row, or ``None`` where there is none of this id."""
    line = connection.execute(f"{SELECT} WHERE id = ?", (number,)).fetchone()
    return None if line is None else decode_row(line)


def message(connection: sqlite3.Connection, number: int) -> StoredMessage | None:
    """Return a message, or ``None`` where there is none of this id."""
    line = connection.execute(_SELECT_MESSAGE, (number,)).fetchone()
    return None if line is None else decode_message(line)


def message_of_key(connection: sqlite3.Connection, key: str) -> int | None:
    """Return the id of the message that was enqueued under a key."""
    line = connection.execute("SELECT id FROM messages WHERE key = ?", (key,)).fetchone()
    return None if line is None else int(line[0])


def rows_of(connection: sqlite3.Connection, message_id: int, recipient: str | None) -> list[Row]:
    """Return a message's rows, or those of one recipient, in the order of their ids."""
    if recipient is None:
        lines = connection.execute(f"{SELECT} WHERE message = ? ORDER BY id", (message_id,))
    else:
        lines = connection.execute(
            f"{SELECT} WHERE message = ? AND recipient = ? ORDER BY id", (message_id, encode_recipient(recipient))
        )
    return [decode_row(line) for line in lines]


def steps_of(connection: sqlite3.Connection, order: int) -> list[Row]:
    """Return the steps that a row has ordered, in the order of their ids."""
    lines = connection.execute(f"{SELECT} WHERE story = :order AND id <> :order ORDER BY id", {"order": order})
    return [decode_row(line) for line in lines]


def counts(connection: sqlite3.Connection, account: int | None, channel: str | None) -> dict[str, int]:
    """Return how many rows stand in each state, and how many were dropped and forgotten."""
    on, step = ("", "") if channel is None else (" AND channel = :channel", " AND step = :channel")
    # On one channel steps are rows like any other.
    ranks = {f"state = {code}": str(state) for state, code in CODES.items()}
    if channel is None:
        ranks = {f"{rank} AND NOT ({_IS_STEP})": name for rank, name in ranks.items()}
        ranks |= {_IS_STEP: STEPS, f"state = {_QUEUED} AND {_IS_STEP}": QUEUED_STEPS}
    and_mine = "" if account is None else f" AND coalesce(account, {account:d}) = {account:d}"
    # One statement is one snapshot. Added up, for GROUP BY would sort a million rows first, in 40 MB.
    line = connection.execute(
        f"SELECT {', '.join(f'count(*) FILTER (WHERE {rank})' for rank in ranks)},"  # noqa: S608 - ours
        f" (SELECT count(*) FROM intake WHERE text IS NOT NULL{and_mine}{step}),"
        f" (SELECT value FROM meta WHERE name = '{DROPPED}'), (SELECT value FROM meta WHERE name = '{FORGOTTEN}')"
        f" FROM rows WHERE 1{accounts.open_to(account)}{on}",
        {"channel": channel},
    ).fetchone()
    names = (*ranks.values(), "waiting", DROPPED, FORGOTTEN)
    numbers = {STEPS: 0, QUEUED_STEPS: 0, **dict(zip(names, line, strict=True))}
    numbers[RowState.QUEUED] += numbers.pop("waiting")
    return numbers


def total(connection: sqlite3.Connection) -> int:
    """Return how many rows there are, those in the intake included."""
    (rows,) = connection.execute("SELECT count(*) FROM rows").fetchone()
    (waiting,) = connection.execute("SELECT count(*) FROM intake WHERE text IS NOT NULL").fetchone()
    return int(rows + waiting)


def finished(connection: sqlite3.Connection, states: Collection[RowState], limit: int) -> list[int]:
    """Return the ids of the oldest rows in these states that need no attention."""
    lines = connection.execute(
        f"{SELECT.replace(COLUMNS, 'id')} WHERE state IN ({_codes(states)}) AND next_poll_at IS NULL"
        " ORDER BY id LIMIT ?",
        (limit,),
    )
    return [number for (number,) in lines]


class Reading:
    """How the rows of a selection are found, page by page; ``few`` as FEW."""

    def __init__(
        self, connection: sqlite3.Connection, selection: Selection, account: int | None, few: int = FEW
    ) -> None:
        conditions, values = _conditions(selection)
        source, self._first = "FROM rows", 0
        if selection.message_id is not None:
            source, within, ids, self._first = _within(connection, selection.message_id, few)
            conditions, values = f"{conditions} {within}", [*values, *ids]
        self._ask = (
            f"SELECT {COLUMNS} {source} WHERE id > ? {conditions}{accounts.open_to(account)} ORDER BY id LIMIT ?"
        )
        self._values = values

    def page(self, connection: sqlite3.Connection, after: int, size: int) -> list[Row]:
        """Return up to ``size`` rows with an id above ``after``."""
        values = (max(after, self._first - 1), *self._values, size)
        return [decode_row(line) for line in connection.execute(self._ask, values).fetchall()]


def latest(
    connection: sqlite3.Connection, selection: Selection, account: int | None, before: int, size: int
) -> list[Row]:
    """Return up to ``size`` rows with an id below ``before``, the newest first."""
    conditions, values = _conditions(selection)
    if selection.message_id is not None:
        conditions, values = f"{conditions} AND message = ?", [*values, selection.message_id]
    ask = (
        f"SELECT {COLUMNS} FROM rows WHERE id < ? {conditions}{accounts.open_to(account)}"  # noqa: S608 - our own names
        " ORDER BY id DESC LIMIT ?"
    )
    return [decode_row(line) for line in connection.execute(ask, (before, *values, size)).fetchall()]


def _within(connection: sqlite3.Connection, message_id: int, most: int) -> tuple[str, str, list[int], int]:
    """Return where to look for a message's rows, and from which id: few by index, many as a range of the table."""
    few = "SELECT count(*) FROM (SELECT 1 FROM rows WHERE message = ? LIMIT ?)"
    if connection.execute(few, (message_id, most + 1)).fetchone()[0] <= most:
        return "FROM rows INDEXED BY rows_once", "AND message = ?", [message_id], 0
    first, last = connection.execute("SELECT min(id), max(id) FROM rows WHERE message = ?", (message_id,)).fetchone()
    # One lower bound alone: of two, SQLite may seek by the wrong one.
    return "FROM rows", "AND +message = ? AND id <= ?", [message_id, last], first


def _conditions(selection: Selection) -> tuple[str, list[object]]:
    """Return the WHERE terms of a filter and their values; unary plus keeps the order that of the ids, page by page."""
    terms: list[str] = []
    values: list[object] = []
    if selection.states is not None:
        terms.append(f"AND state IN ({_codes(selection.states)})")
    recipient = None if selection.recipient is None else encode_recipient(selection.recipient)
    for name, value in (("channel", selection.channel), ("recipient", recipient)):
        if value is not None:
            terms.append(f"AND +{name} = ?")
            values.append(value)
    if not selection.steps:
        terms.append("AND (story IS NULL OR story = id)")
    return " ".join(terms), values


def _codes(states: Collection[RowState]) -> str:
    return ", ".join(sorted(str(CODES[state]) for state in states))


def recall(connection: sqlite3.Connection, name: str) -> str | None:
    """Return a text of a user's."""
    line: Mapping[int, object] | None = connection.execute(
        "SELECT value FROM meta WHERE name = ?", (f"user.{name}",)
    ).fetchone()
    return None if line is None else str(line[0])


def pace(connection: sqlite3.Connection, account: str) -> StoredPace | None:
    """Return the pace of an account."""
    line = connection.execute("SELECT value FROM meta WHERE name = ?", (f"pace.{account}",)).fetchone()
    return None if line is None else StoredPace(*map(float, line[0].split()))
