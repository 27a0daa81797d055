"""How messages and rows come into the database, and how they leave it: statements on an open transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.outbox.encoding import MESSAGE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from devinotify.outbox.postgres.session import Session
    from devinotify.outbox.records import ErrorParts

_MARKS = ", ".join(["%s"] * len(MESSAGE_COLUMNS.split(", ")))

ADD_ONE = f"SELECT * FROM ~add_one({_MARKS}, %s, %s, %s, %s)"  # noqa: S608 - our own words
"""Stores a message of one recipient: MESSAGE_COLUMNS, the recipient, its channel, when it may be sent at the earliest,
and its deadline. Returns id and due time of its row, or NULL where its key is known."""

_ADD_ROWS = """
    WITH added AS (
        INSERT INTO ~rows (id, message, recipient, channel, state, due, deadline, account, parent)
        SELECT id, message, recipient, %s, 0, %s, %s, account, parent
        FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::integer[], %s::bigint[])
            AS given (id, message, recipient, account, parent)
        ON CONFLICT DO NOTHING RETURNING id, message, channel, due, account
    )
    INSERT INTO ~queue (id, message, channel, due, account)
    SELECT id, message, channel, due, account FROM added RETURNING id
"""

_EXTEND = """
    WITH added AS (
        INSERT INTO ~rows (id, message, recipient, channel, state, due, deadline, account)
        SELECT nextval('~ids'), %s, recipient, %s, 0, %s, %s, %s FROM unnest(%s::text[]) AS given (recipient)
        ON CONFLICT DO NOTHING RETURNING id, message, channel, due, account
    )
    INSERT INTO ~queue (id, message, channel, due, account) SELECT id, message, channel, due, account FROM added
"""
"""Takes the ids itself, and tells none: a campaign's feed would send and fetch a hundred thousand at a time."""

_ADD_REFUSED = """
    INSERT INTO ~rows (id, message, recipient, channel, state, error, error_code, error_reason, error_text)
    SELECT id, %s, recipient, %s, %s, error, code, reason, words
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::integer[], %s::text[], %s::text[])
        AS given (id, recipient, error, code, reason, words)
    ON CONFLICT DO NOTHING
"""

_QUEUE = """
    INSERT INTO ~queue (id, message, channel, due, account)
    SELECT id, message, channel, due, account FROM ~rows WHERE id = ANY(%s::bigint[])
    ON CONFLICT (id) DO UPDATE SET due = excluded.due
"""


def take_ids(session: Session, number: int) -> list[int]:
    """Return so many ids that were never used, in their order."""
    return sorted(session.ids("SELECT nextval('~ids') FROM generate_series(1, %s)", number)) if number else []


def add_message(session: Session, number: int, values: Sequence[object]) -> None:
    """Store a message under its id."""
    session.run(f"INSERT INTO ~messages (id, {MESSAGE_COLUMNS}) VALUES (%s, {_MARKS})", number, *values)  # noqa: S608 - ours


def add_message_once(session: Session, number: int, values: Sequence[object]) -> bool:
    """Store a message under its id unless its key is known; return whether it was stored."""
    return bool(
        session.run(
            f"INSERT INTO ~messages (id, {MESSAGE_COLUMNS}) VALUES (%s, {_MARKS})"  # noqa: S608 - ours
            " ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING",
            number,
            *values,
        )
    )


def add_rows(
    session: Session,
    numbers: Sequence[int],
    messages: Sequence[int],
    recipients: Sequence[str],
    accounts: Sequence[int],
    channel: str,
    due: float,
    deadline: float | None,
    parents: Sequence[int | None] | None = None,
) -> set[int]:
    """Queue a row for each id, message, recipient and account; return the ids of those that were new."""
    if not numbers:
        return set()
    values = (list(numbers), list(messages), list(recipients), list(accounts))
    return set(session.ids(_ADD_ROWS, channel, due, deadline, *values, list(parents or [None] * len(values[0]))))


def extend(
    session: Session,
    message: int,
    recipients: Sequence[str],
    account: int,
    channel: str,
    due: float,
    deadline: float | None,
) -> int:
    """Queue a row of one message for each recipient; return how many were new."""
    return session.run(_EXTEND, message, channel, due, deadline, account, list(recipients)) if recipients else 0


def add_refused(
    session: Session, message: int, channel: str, state: int, refused: Sequence[tuple[str, ErrorParts]]
) -> int:
    """Store rows that are ended from the start; return how many were new."""
    if not refused:
        return 0
    recipients = [recipient for recipient, _ in refused]
    errors = [list(column) for column in zip(*(error for _, error in refused), strict=True)]
    return session.run(_ADD_REFUSED, message, channel, state, take_ids(session, len(refused)), recipients, *errors)


def enqueue(session: Session, numbers: Iterable[int]) -> None:
    """Put rows into the queue, from when on their ``due`` says; those that wait already get it."""
    session.run(_QUEUE, list(numbers))


def remove(session: Session, numbers: Iterable[int]) -> int:
    """Remove rows, and the messages that have none left; return how many rows there were."""
    wanted = list(dict.fromkeys(numbers))
    session.run("DELETE FROM ~queue WHERE id = ANY(%s::bigint[])", wanted)
    messages = session.ids("DELETE FROM ~rows WHERE id = ANY(%s::bigint[]) RETURNING message", wanted)
    emptied = sorted(set(messages))
    # Locked, and looked at anew after that: another may have added rows to one meanwhile.
    session.all("SELECT 1 FROM ~messages WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE", emptied)
    session.run(
        "DELETE FROM ~messages m WHERE id = ANY(%s::bigint[]) AND NOT EXISTS"
        " (SELECT 1 FROM ~rows r WHERE r.message = m.id)",
        emptied,
    )
    return len(messages)


def hold_message(session: Session, number: int) -> int | None:
    """Keep a message from being removed until the end of the transaction; return its account's number."""
    line = session.one("SELECT coalesce(account, 0) FROM ~messages WHERE id = %s FOR KEY SHARE", number)
    return None if line is None else int(line[0])
