"""How the next batch is found in the queue and claimed: statements on an open transaction."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from devinotify.outbox.encoding import claimed_rows, decode_message
from devinotify.outbox.postgres import accounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from devinotify.outbox.postgres.session import Line, Session
    from devinotify.outbox.records import Row, StoredMessage

LOOK_AHEAD = 4
"""How many times its size a batch looks ahead in the queue for rows of its message, where several are mixed."""


class Place(NamedTuple):
    """A place in an account's queue, in its order."""

    due: float
    message: int
    channel: str
    id: int


START = Place(float("-inf"), 0, "", 0)


class Found(NamedTuple):
    """What a claim has taken out of the queue."""

    opened: bool
    """Whether it may be claimed: the worker is not taken for dead."""
    rows: tuple[Row, ...]
    """All that was found, as it will stand in the claim, in the order of the ids."""
    stored: StoredMessage


class Alone(NamedTuple):
    """What a claim is told that is a transaction of its own."""

    last: int | None
    """The token of the last transaction."""
    next: int | None
    """Its own."""
    started: float | None
    """When the server was started that may be claimed from."""
    trusts: bool | None
    """Whether a new timeline is as good as that on which the last claims were made."""


_WITHIN = Alone(None, None, None, None)
"""Tells a claim that it is not one, but within one."""

_TAKE = "SELECT * FROM ~take(%s, %s, %s, %s, %s, %s, %s, %s::integer, %s, %s, %s::bigint[], %s, %s, %s, %s)"


def is_idle(session: Session, now: float, account: int | None) -> bool:
    """Whether an account, or with ``None`` everybody, has nothing to claim."""
    line = session.one("SELECT ~is_idle(%s, %s::integer, %s, %s, %s, %s)", now, account, *START)
    return line is not None and bool(line[0])


def take_next(
    session: Session, claim: int, worker: str, now: float, account: int | None, limit: int, since: Place
) -> tuple[Place, Found] | None:
    """Claim up to ``limit`` rows of one message and channel, from a place on; ``None`` where none is due.

    The place is that of the first one.
    """
    return found(claim, ask_next(session, _WITHIN, claim, worker, now, account, limit, since))


def ask_next(
    session: Session,
    alone: Alone,
    claim: int,
    worker: str,
    now: float | None,
    account: int | None,
    limit: int,
    since: Place,
) -> Line | None:
    """Ask for a claim as ``take_next`` does, which may be a transaction; return what is told: see ``found``."""
    values = (claim, worker, now, account, limit, limit * LOOK_AHEAD, None, *since)
    return session.one(_TAKE, *alone, *values)


def made_at(line: Line | None) -> float | None:
    """Return the database's time when a transaction of its own was made; ``None`` where nothing was changed."""
    return None if line is None else line[-1]


def take(session: Session, claim: int, worker: str, now: float, numbers: Sequence[int]) -> Found | None:
    """Claim rows of one message and channel that are held in the queue; ``None`` where there are none."""
    if not numbers:
        return None
    values = (claim, worker, now, None, 0, 0, list(numbers), *START)
    taken = found(claim, session.one(_TAKE, *_WITHIN, *values))
    return None if taken is None else taken[1]


def found(claim: int, line: Line | None) -> tuple[Place, Found] | None:
    """Return what a claim has told: the place of its first row, and what it has taken; ``None`` if that is nothing."""
    if line is None or line[4] is None:
        return None
    due, message, channel, number, opened, *columns = line[:13]
    rows = claimed_rows(zip(*columns, strict=True), message, channel, claim)
    return Place(due, message, channel, number), Found(opened, rows, decode_message((message, *line[13:20])))


def gather_of(session: Session, now: float, numbers: Sequence[int], account: int | None) -> list[int]:
    """Return those of the given rows, held, that are due and share the first one's message and channel."""
    lines = session.all(
        "SELECT r.id, r.message, r.channel FROM ~queue r WHERE r.id = ANY(%s::bigint[]) AND r.due <= %s"  # noqa: S608 - ours
        f"{accounts.open_to('r', account)} FOR UPDATE OF r SKIP LOCKED",
        list(numbers),
        now,
    )
    found = {number: (message, channel) for number, message, channel in lines}
    kind = next((found[number] for number in numbers if number in found), (0, ""))
    return [number for number in numbers if found.get(number) == kind]


def ahead(session: Session, later: float, limit: int) -> list[int]:
    """Return the ids of rows that are due, and whose messages were stored, after a moment."""
    found: list[int] = []
    for queue in accounts.queues(session, None):
        found += session.ids(
            "SELECT id FROM ~queue q WHERE account = %s AND due > %s"
            " AND (SELECT created_at FROM ~messages m WHERE m.id = q.message) > %s ORDER BY due LIMIT %s",
            queue,
            later,
            later,
            limit,
        )
    return found[:limit]


def new_claim() -> int:
    """Return an id for a claim: the claimant's own, by which it is known whatever becomes of an answer."""
    return secrets.randbits(62) + 1


def open_claim(session: Session, claim: int, worker: str, now: float, numbers: Sequence[int]) -> bool:
    """Move rows from the queue to a new claim; return whether it was made: not where the worker is taken for dead."""
    line = session.one("SELECT ~move(%s, %s, %s, %s::bigint[])", claim, worker, now, list(numbers))
    return line is not None and bool(line[0])


def ids_of(session: Session, worker: str) -> list[tuple[int, list[int]]]:
    """Return the claims of a worker, held, each with its rows."""
    return [
        (claim, numbers)
        for claim, numbers in session.all(
            "SELECT id, rows FROM ~claims WHERE worker = %s ORDER BY id FOR UPDATE", worker
        )
    ]


def drop(session: Session, worker: str) -> None:
    """Close a worker's claims."""
    session.run("DELETE FROM ~claims WHERE worker = %s", worker)


def close(session: Session, claim: int) -> list[int]:
    """Close a claim; return the rows that stood in it."""
    line = session.one("DELETE FROM ~claims WHERE id = %s RETURNING rows", claim)
    return [] if line is None else list(line[0])


def is_open(session: Session, claim: int) -> bool:
    """Whether a claim is there."""
    return session.one("SELECT 1 FROM ~claims WHERE id = %s", claim) is not None


def close_whole(session: Session, claim: int, numbers: Iterable[int]) -> bool:
    """Close a claim if it is of exactly these rows; return whether it was."""
    return bool(session.run("DELETE FROM ~claims WHERE id = %s AND rows = %s::bigint[]", claim, sorted(numbers)))


def shrink(session: Session, claim: int, left: Iterable[int]) -> None:
    """Leave these rows in a claim; one that has none is closed."""
    rest = sorted(left)
    if rest:
        session.run("UPDATE ~claims SET rows = %s::bigint[] WHERE id = %s", rest, claim)
    else:
        session.run("DELETE FROM ~claims WHERE id = %s", claim)
