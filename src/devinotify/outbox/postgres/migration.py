"""The schema made, and brought from version to version: safe where two do it at once, and wherever one is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.outbox.postgres.schema import LOCK, MIGRATIONS

if TYPE_CHECKING:
    from devinotify.outbox.postgres.session import Session

NEWEST = len(MIGRATIONS)


def version(session: Session) -> int:
    """Return the version of the schema that is there: 0 where there is none."""
    # Asked of the catalogue itself: what to_regclass remembers may be older than a lock that was waited for.
    there = "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    if session.one(f"{there} WHERE n.nspname = %s AND c.relname = 'version'", session.schema) is None:
        return 0
    found = session.one("SELECT max(number) FROM ~version")
    return 0 if found is None or found[0] is None else int(found[0])


def migrate(session: Session) -> tuple[int, int]:
    """Bring the schema to the newest version, unless it is newer; return the version that it had, and that it has."""
    with session.connection.transaction():
        session.all("SELECT pg_advisory_xact_lock(%s)", LOCK)
        before = version(session)
        if before == 0:
            # Not IF NOT EXISTS: that asks for the right to make one, even where there is one.
            if session.one("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", session.schema) is None:
                session.run(f'CREATE SCHEMA "{session.schema}"')
            session.run("CREATE TABLE ~version (number integer PRIMARY KEY, made_at timestamptz NOT NULL)")
        for number, statements in enumerate(MIGRATIONS[before:], before + 1):
            for statement in statements:
                session.run(statement)
            session.run("INSERT INTO ~version VALUES (%s, now())", number)
    return before, max(NEWEST, before)


def check(found: int, name: str) -> None:
    """Raise InvalidInput where a schema of this version cannot be used."""
    if found > NEWEST:
        raise InvalidInput(
            f"outbox {name}: it was made by a newer devinotify (version {found}, this one knows {NEWEST})"
        )
    if found < NEWEST:
        raise InvalidInput(
            f"outbox {name}: the schema is of version {found} and has to be brought to {NEWEST}:"
            " run `devinotify outbox migrate`"
        )
