"""Texts by key, in buckets: what plugins keep in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence

CHUNK = 500
"""Keys that one statement asks for: an older SQLite takes no more than 999 values."""


def entries(connection: sqlite3.Connection, bucket: str, keys: Sequence[str]) -> dict[str, str]:
    """Return what stands under these keys."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        marks = ", ".join("?" * len(some))
        ask = f"SELECT key, value FROM entries WHERE bucket = ? AND key IN ({marks})"  # noqa: S608 - nothing but marks
        found |= dict(connection.execute(ask, (bucket, *some)).fetchall())
    return found


def after(connection: sqlite3.Connection, bucket: str, last: str, size: int) -> list[tuple[str, str]]:
    """Return up to ``size`` keys above ``last`` with their values, in order."""
    ask = "SELECT key, value FROM entries WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?"
    return connection.execute(ask, (bucket, last, size)).fetchall()


def put(connection: sqlite3.Connection, bucket: str, values: Mapping[str, str]) -> None:
    """Store values under their keys."""
    lines = [(bucket, key, value) for key, value in values.items()]
    connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", lines)


def drop(connection: sqlite3.Connection, bucket: str, keys: Collection[str]) -> None:
    """Remove these keys."""
    connection.executemany("DELETE FROM entries WHERE bucket = ? AND key = ?", [(bucket, key) for key in keys])
