"""A message enqueued through a connection that is the caller's, in the caller's transaction.

By the schema's own function, in one statement of the driver's, whichever it is. Nothing is committed here, and a
savepoint is kept around the statement, so that its failure leaves the caller's transaction as it was.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row

from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox.postgres import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from devinotify.outbox.records import NewMessage

SAVEPOINT = "devinotify"

PLACE = (
    "(SELECT system_identifier FROM pg_catalog.pg_control_system())::text"
    " || '/' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
)
"""Which database of which server a connection leads to, in SQL."""

_CASTS = {
    "message": "text",
    "recipients": "text[]",
    "account": "text",
    "key": "text",
    "channel": "text",
    "title": "text",
    "sender": "text",
    "validity": "integer",
    "send_at": "timestamptz",
    "local_time": "timestamp",
    "tags": "text[]",
    "deadline": "timestamptz",
    "not_before": "timestamptz",
    "original_time": "timestamptz",
    "patience": "double precision",
    "watch": "boolean",
    "fallback": "boolean",
    "meta": "jsonb",
    "step": "text",
}
"""The parameters of the function, and their types: a driver need not find them out."""

_CALL = (
    f"SELECT {PLACE}, e.* FROM (SELECT 1) AS always LEFT JOIN ~enqueue("  # noqa: S608 - our own words
    f"{', '.join(f'{name} => %s::{kind}' for name, kind in _CASTS.items())}) AS e ON true"
)

_OTHERS = frozenset(
    {"sqlite3", "aiosqlite", "MySQLdb", "pymysql", "mysql", "oracledb", "cx_Oracle", "pyodbc", "duckdb"}
)
"""Packages whose connections lead to other databases."""

_AWAITED = frozenset({"asyncpg", "aiopg"})
"""Packages whose connections are awaited, whatever their methods look like."""

_TROUBLES = {
    # SQLSTATE, or the beginning of one, and what it means of a connection that was given: refused, nothing was sent.
    "25P01": "the connection commits each statement by itself: begin a transaction first, or turn autocommit off",
    "25P02": "the connection's transaction has failed already: roll it back first",
    "25006": "the connection's transaction is read-only",
    "3F000": "{here}",
    "42883": "{here}",
    "42P01": "{here}",
    "42601": "the connection's driver does not take a statement as psycopg does: call the function enqueue by hand",
}
_HERE = "the connection's database has no outbox of this version in the schema {schema}: is it the outbox's database?"


class Order(NamedTuple):
    """What is to be enqueued."""

    new: NewMessage
    recipients: Sequence[str]
    step: str
    not_before: float | None
    deadline: float | None


def enqueue(
    connection: object, order: Order, *, name: str, prefix: str, is_here: Callable[[str], bool]
) -> list[tuple[Any, ...]]:
    """Return the lines of the function ``enqueue``; ``is_here`` tells whether a place is the outbox's database.

    ``name`` is the outbox's to people, ``prefix`` stands before what is its schema's. Raises InvalidInput where the
    connection cannot serve or the order cannot be kept, DevinotifyError (``not_sent``) for all else.
    """
    values = _values(order, name)
    with _told(name, prefix), contextlib.closing(_cursor(connection, name)) as cursor, _savepoint(cursor):
        cursor.execute(_CALL.replace("~", prefix), values)
        lines = [_plain(line) for line in cursor.fetchall()]
        if not is_here(lines[0][0]):
            raise InvalidInput(f"outbox {name}: the connection is to another database than the outbox's")
    return [line[1:] for line in lines if line[1] is not None]


def _values(order: Order, name: str) -> list[object]:
    message, key, original_time, patience, watch, fallback, meta, account = order.new
    send_at = message.send_at
    by_clock = send_at is not None and send_at.tzinfo is None
    given: dict[str, object] = {
        "message": message.text,
        "recipients": list(order.recipients),
        "account": account,
        "key": key,
        "channel": message.channel,
        "title": message.title,
        "sender": message.sender,
        "validity": message.validity,
        "send_at": None if send_at is None or by_clock else send_at.isoformat(),
        "local_time": send_at.isoformat() if send_at is not None and by_clock else None,
        "tags": sorted(message.tags) or None,
        "deadline": _instant(order.deadline),
        "not_before": _instant(order.not_before),
        "original_time": _instant(original_time),
        "patience": patience,
        "watch": watch,
        "fallback": fallback,
        "meta": json.dumps(dict(meta), ensure_ascii=False) if meta else None,
        "step": order.step,
    }
    for text in filter(lambda value: isinstance(value, str), [*given.values(), *order.recipients, *message.tags]):
        if not _can_be_kept(str(text)):
            raise InvalidInput(f"outbox {name}: it cannot keep what was given (half a character, or a NUL)")
    return [given[parameter] for parameter in _CASTS]


def _can_be_kept(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _instant(seconds: float | None) -> str | None:
    # As a text, which every driver takes in one way.
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _cursor(connection: object, name: str) -> Any:  # noqa: ANN401 - any driver's
    """Return a cursor that gives plain lines; raise InvalidInput where what was given is not a connection of DBAPI."""
    kind = type(connection)
    packages = {base.__module__.partition(".")[0] for base in kind.__mro__}
    if packages & _OTHERS:
        raise InvalidInput(f"outbox {name}: the connection is not one to PostgreSQL")
    if packages & _AWAITED or any(
        inspect.iscoroutinefunction(getattr(kind, method, None)) for method in ("execute", "commit", "close")
    ):
        raise InvalidInput(
            f"outbox {name}: a connection that is awaited cannot be used here: call the SQL function"
            " enqueue of the outbox's schema on it"
        )
    if isinstance(connection, psycopg.Connection):
        return psycopg.Cursor(connection, row_factory=tuple_row)
    extensions = sys.modules.get("psycopg2.extensions")
    if extensions is not None and isinstance(connection, extensions.connection):
        return connection.cursor(cursor_factory=extensions.cursor)
    cursor = getattr(connection, "cursor", None)
    if not callable(cursor):
        raise InvalidInput(
            f"outbox {name}: the connection is not a driver's (of psycopg, say): Django's is connection.connection,"
            " SQLAlchemy's is session.connection().connection.driver_connection"
        )
    return cursor()


def _plain(line: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any driver's
    return tuple(line.values() if isinstance(line, Mapping) else line)


@contextlib.contextmanager
def _savepoint(cursor: Any) -> Iterator[None]:  # noqa: ANN401 - any driver's
    cursor.execute(f"SAVEPOINT {SAVEPOINT}")
    try:
        yield
    except BaseException:
        # Where this fails as well, the connection is lost, and the transaction with it.
        with contextlib.suppress(Exception):
            cursor.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
            cursor.execute(f"RELEASE SAVEPOINT {SAVEPOINT}")
        raise
    cursor.execute(f"RELEASE SAVEPOINT {SAVEPOINT}")


@contextlib.contextmanager
def _told(name: str, prefix: str) -> Iterator[None]:
    """Tell in our words what a driver raises: its own may quote what was given."""
    try:
        yield
    except DevinotifyError:
        raise
    except Exception as error:  # noqa: BLE001 - each driver has classes of its own
        raise _as_error(name, prefix, error) from None


def _as_error(name: str, prefix: str, error: Exception) -> DevinotifyError:
    code = _code(error)
    meant = _TROUBLES.get(code or "")
    if meant is not None:
        here = _HERE.format(schema=prefix[1:-2])
        return InvalidInput(f"outbox {name}: {meant.format(here=here)}", operation="outbox.enqueue")
    if code is None:
        return DevinotifyError(
            f"outbox {name}: the connection that was given is closed or lost, or not one to PostgreSQL",
            operation="outbox.enqueue",
            verdict=Verdict.NOT_SENT,
            retryable=True,
        )
    return errors.of_code(name, code, "enqueue", Verdict.NOT_SENT)


def _code(error: BaseException) -> str | None:
    """Return the SQLSTATE, wherever the driver has put it; Django's errors have the driver's as their cause."""
    for each in (error, error.__cause__):
        for attribute in ("sqlstate", "pgcode"):
            if isinstance(code := getattr(each, attribute, None), str):
                return code
        first = next(iter(getattr(each, "args", ())), None)
        if isinstance(first, Mapping) and isinstance(code := first.get("C"), str):  # pg8000's
            return code
    return None
