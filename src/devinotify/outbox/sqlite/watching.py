"""What follows a send: rows that are due for a look, the steps of a fallback. Statements on an open transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.outbox.encoding import COLUMNS, decode_row, encode_recipient
from devinotify.outbox.records import Row
from devinotify.outbox.sqlite import accounts, staging
from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    import sqlite3

_DUE = (
    f"SELECT {COLUMNS} FROM rows WHERE next_poll_at IS NOT NULL AND account IS ? AND next_poll_at <= ?"  # noqa: S608 - our own names
    "{and_open} ORDER BY next_poll_at LIMIT ?"
)


def attend(connection: sqlite3.Connection, now: float, limit: int, until: float, account: int | None) -> list[Row]:
    """Return the rows that need attention, put off until ``until`` so that no other worker takes them meanwhile."""
    rows: list[Row] = []
    for queue in accounts.queues(connection, account):
        ask = _DUE.format(and_open=accounts.open_to(account) if queue is None else "")
        rows += map(decode_row, connection.execute(ask, (queue, now, limit)).fetchall())
    rows = sorted(rows, key=lambda row: row.next_poll_at or 0.0)[:limit]
    for message in {row.message_id for row in rows}:
        accounts.stamp(connection, message, account)
    connection.executemany("UPDATE rows SET next_poll_at = ? WHERE id = ?", [(until, row.id) for row in rows])
    return rows


def add_step(
    connection: sqlite3.Connection, parent: Row, channel: str, due: float, deadline: float | None
) -> Row | None:
    """Queue the next step of a row; ``None`` where the message has been on this channel for the recipient."""
    number = staging.take_ids(connection, 1)
    added = connection.execute(
        "INSERT OR IGNORE INTO rows (account, id, message, recipient, channel, state, due, deadline, parent)"
        " VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)",
        (
            accounts.of_message(connection, parent.message_id),
            number,
            parent.message_id,
            encode_recipient(parent.recipient),
            channel,
            due,
            deadline,
            parent.id,
        ),
    ).rowcount
    if not added:
        return None
    return Row(
        number, parent.message_id, parent.recipient, channel, RowState.QUEUED, 0, due, deadline, parent=parent.id
    )
