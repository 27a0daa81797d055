"""Statements on one connection, in the words of one schema."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Line = tuple[Any, ...]


class Session(NamedTuple):
    """A connection and the schema that ``~`` stands for in statements."""

    connection: psycopg.Connection[Line]
    prefix: str
    base: str
    """What stands before what all campaigns of an outbox share with it."""

    @property
    def schema(self) -> str:
        """The schema's name as it is."""
        return self.prefix[1:-2]

    def sql(self, statement: str) -> str:
        """Return a statement that names the schema."""
        return statement.replace("~", self.prefix)

    def all(self, statement: str, *values: object) -> list[Line]:
        """Return all lines of a query."""
        return self.connection.execute(self.sql(statement), values).fetchall()

    def one(self, statement: str, *values: object) -> Line | None:
        """Return the first line of a query, or ``None``."""
        return self.connection.execute(self.sql(statement), values).fetchone()

    def ids(self, statement: str, *values: object) -> list[int]:
        """Return the first column of all lines."""
        return [number for (number, *_) in self.all(statement, *values)]

    def run(self, statement: str, *values: object) -> int:
        """Make a change; return how many lines it met."""
        return self.connection.execute(self.sql(statement), values).rowcount

    def many(self, statement: str, lines: Iterable[Sequence[object]]) -> int:
        """Make a change for each of the given values; return how many lines it met."""
        with self.connection.cursor() as cursor:
            cursor.executemany(self.sql(statement), lines)
            return cursor.rowcount

    def has_base(self, table: str) -> bool:
        """Whether the outbox's table is there: a campaign may stand in the database alone, or beside an older one."""
        if self.base == self.prefix:
            return True
        return self.one("SELECT 1 WHERE to_regclass(%s) IS NOT NULL", f"{self.base}{table}") is not None


def quoted(schema: str) -> str:
    """Return what stands before a table's name; the schema's has been checked to hold no quote."""
    return f'"{schema}".'


def is_live(connection: psycopg.Connection[Line]) -> bool:
    """Whether nothing has been heard of the connection's end: without a question to the server, in microseconds."""
    if connection.closed or connection.info.transaction_status is not TransactionStatus.IDLE:
        return False
    if not select.select([connection.fileno()], [], [], 0)[0]:
        return True
    try:
        connection.pgconn.consume_input()
    except psycopg.Error:
        return False
    # A farewell is read; its end is seen by a second look.
    return not select.select([connection.fileno()], [], [], 0)[0]
