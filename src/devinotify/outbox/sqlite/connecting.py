"""How a connection to an outbox's file is opened: its schema brought to this version, its log and cache set."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from devinotify.exceptions import InvalidInput
from devinotify.outbox.sqlite.schema import APPLICATION_ID, MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process's transaction."""


Migrations = Sequence[Iterable[str]]
"""The statements that lead from each version of the schema to the next."""


def connect(path: Path, busy_timeout: float, migrations: Migrations = MIGRATIONS) -> sqlite3.Connection:
    """Return a connection to a file that is ours; raise sqlite3.Error or InvalidInput where it cannot be used."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,  # the lock of Database orders the threads
    )
    try:
        _upgrade(connection, path, migrations)
        use_wal(connection, path, busy_timeout)
        # 32 MB of cache, taken as needed: with less, a million recipients in random order are slow to add.
        for setting in ("synchronous=NORMAL", "secure_delete=ON", "cache_size=-32000", "journal_size_limit=16777216"):
            connection.execute(f"PRAGMA {setting}")
    except BaseException:
        connection.close()
        raise
    return connection


def pragma(connection: sqlite3.Connection, name: str) -> Any:  # noqa: ANN401 - a pragma answers what it likes
    """Return what a pragma answers, or what it was set to."""
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _upgrade(connection: sqlite3.Connection, path: Path, migrations: Migrations) -> None:
    """Bring the schema to this version, from nothing or from an older one, in one transaction."""
    if pragma(connection, "user_version") == len(migrations):
        return
    empty = not pragma(connection, "page_count")
    connection.execute("BEGIN" if empty else "BEGIN EXCLUSIVE")
    try:
        if empty:
            # How room is given back is settled with the first page, which this writes, and locks the file for it.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        # Asked again under the lock: another process may have been quicker.
        version: int = pragma(connection, "user_version")
        check_version(path, version, len(migrations))
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def use_wal(connection: sqlite3.Connection, path: Path, busy_timeout: float) -> None:
    """Switch to the write-ahead log, waiting for others who do the same: SQLite itself does not wait here."""
    give_up = time.monotonic() + busy_timeout
    while True:
        try:
            mode = pragma(connection, "journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise InvalidInput(f"outbox {path}: its file system cannot keep a write-ahead log")
        return


def check_version(path: Path, version: int, newest: int) -> None:
    """Raise InvalidInput where a file is of a later version than the ``newest`` that is known here."""
    if version > newest:
        raise InvalidInput(
            f"outbox {path}: it was written by a newer devinotify (format {version}, this one reads up to {newest});"
            " it was left untouched"
        )
