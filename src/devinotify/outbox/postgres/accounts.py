"""Whose rows are whose: an account stands in the database as a number; 0 is nobody's, -1 a stranger's.

The truth stands in ``messages.account``. ``rows`` and ``queue`` repeat it, to be searched by it, or say 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devinotify.outbox.postgres.session import Session

NOBODY, STRANGER = 0, -1


def number(session: Session, name: str) -> int:
    """Return the number that stands for an account, or STRANGER."""
    line = session.one("SELECT id FROM ~accounts WHERE name = %s", name)
    return STRANGER if line is None else int(line[0])


def add(session: Session, name: str) -> int:
    """Return the number that stands for an account, which may be new."""
    session.run("INSERT INTO ~accounts (name) VALUES (%s) ON CONFLICT DO NOTHING", name)
    return number(session, name)


def queues(session: Session, account: int | None) -> list[int]:
    """Return the accounts whose lines are looked through: all, or an account's own and nobody's."""
    if account is not None:
        return [NOBODY, account]
    return [NOBODY, *session.ids("SELECT id FROM ~accounts")]


def open_to(table: str, account: int | None) -> str:
    """Return the term of a search that leaves other accounts' lines of ``table`` out; with ``None`` it is empty."""
    return "" if account is None else open_to_named(table, f"{account:d}")


def open_to_named(table: str, account: str) -> str:
    """Return that term of an account whose number ``account`` stands for in SQL."""
    return (
        f" AND {table}.account IN (0, {account}) AND ({table}.account <> 0 OR coalesce((SELECT m.account"  # noqa: S608 - our own words
        f" FROM ~messages m WHERE m.id = {table}.message), {account}) = {account})"
    )


def stamp(session: Session, messages: list[int], account: int | None) -> None:
    """Make messages an account's where they are nobody's yet."""
    if account is not None and messages:
        session.run(
            "UPDATE ~messages SET account = %s WHERE id = ANY(%s::bigint[]) AND account IS NULL", account, messages
        )


def hand_over(session: Session, old: int, new: int) -> int:
    """Make all that is one account's another's; return how many rows."""
    line = session.one("SELECT count(*) FROM ~rows r JOIN ~messages m ON m.id = r.message WHERE m.account = %s", old)
    for table in ("queue", "rows", "messages"):
        session.run(f"UPDATE ~{table} SET account = %s WHERE account = %s", new, old)  # noqa: S608 - our own names
    return 0 if line is None else int(line[0])


def waiting(session: Session) -> dict[str, int]:
    """Return how many rows are queued, by account."""
    return dict(
        session.all(
            "SELECT a.name, count(*) FROM ~queue q LEFT JOIN ~messages m ON m.id = q.message AND q.account = 0"
            " JOIN ~accounts a ON a.id = coalesce(nullif(q.account, 0), m.account) GROUP BY a.name ORDER BY a.name"
        )
    )
