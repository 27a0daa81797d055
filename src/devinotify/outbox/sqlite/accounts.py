"""Whose rows are whose: statements on an open transaction.

The truth stands in ``messages``. ``rows.account`` repeats it, so that the queue can be searched by it, or is NULL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

OF_ROW = "coalesce(rows.account, (SELECT account FROM messages WHERE messages.id = rows.message))"
"""The account of a row, in SQL."""


STRANGER = 0
"""Stands for an account that this file has never heard of: no number is 0."""


def known(connection: sqlite3.Connection, name: str) -> int:
    """Return the number that stands for an account in this file, or STRANGER."""
    line = connection.execute("SELECT id FROM accounts WHERE name = ?", (name,)).fetchone()
    return STRANGER if line is None else int(line[0])


def add(connection: sqlite3.Connection, name: str) -> int:
    """Return the number that stands for a new account from now on."""
    cursor = connection.execute("INSERT INTO accounts (name) VALUES (?)", (name,))
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT has just set it
    return cursor.lastrowid


def of_message(connection: sqlite3.Connection, message: int) -> int | None:
    """Return the number of a message's account."""
    line = connection.execute("SELECT account FROM messages WHERE id = ?", (message,)).fetchone()
    return None if line is None else line[0]


def queues(connection: sqlite3.Connection, account: int | None) -> list[int | None]:
    """Return the accounts whose queues are looked through: all, or an account's own and that of nobody's rows."""
    if account is not None:
        return [None, account]
    return [None, *(number for (number,) in connection.execute("SELECT id FROM accounts"))]


def open_to(account: int | None) -> str:
    """Return the term of a search in ``rows`` that leaves other accounts' rows out; with ``None`` it is empty."""
    return "" if account is None else f" AND coalesce({OF_ROW}, {account:d}) = {account:d}"


def stamp(connection: sqlite3.Connection, message: int, account: int | None) -> None:
    """Make a message an account's where it is nobody's yet."""
    if account is not None:
        connection.execute("UPDATE messages SET account = ? WHERE id = ? AND account IS NULL", (account, message))


def introduce(connection: sqlite3.Connection, account: int) -> int:
    """Make the messages of a file that is older than accounts this account's, once; return how many rows they have."""
    line = connection.execute("DELETE FROM meta WHERE name = 'older' RETURNING value").fetchall()
    if not line:
        return 0
    (older,) = line[0]
    own = {"account": account, "older": older}
    (rows,) = connection.execute(
        "SELECT count(*) FROM rows JOIN messages ON messages.id = rows.message"
        " WHERE messages.account IS NULL AND messages.id <= :older",
        own,
    ).fetchone()
    connection.execute(
        "UPDATE rows SET account = :account WHERE message IN"
        " (SELECT id FROM messages WHERE account IS NULL AND id <= :older)",
        own,
    )
    connection.execute("UPDATE messages SET account = :account WHERE account IS NULL AND id <= :older", own)
    return int(rows)


def hand_over(connection: sqlite3.Connection, old: int, new: int) -> int:
    """Make all that is one account's another's; return how many rows."""
    (rows,) = connection.execute(
        "SELECT count(*) FROM rows JOIN messages ON messages.id = rows.message WHERE messages.account = ?", (old,)
    ).fetchone()
    connection.execute("UPDATE rows SET account = ? WHERE account = ?", (new, old))
    connection.execute("UPDATE messages SET account = ? WHERE account = ?", (new, old))
    return int(rows)


def waiting(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many rows are queued, by account."""
    return dict(
        connection.execute(
            f"SELECT name, count(*) FROM rows JOIN accounts ON accounts.id = {OF_ROW}"  # noqa: S608 - our own words
            " WHERE state = 0 GROUP BY name ORDER BY name"
        ).fetchall()
    )
