"""How the next batch is found in the queue and claimed: statements on an open transaction."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from devinotify.outbox.encoding import claimed_rows
from devinotify.outbox.postgres import accounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from devinotify.outbox.postgres.session import Session
    from devinotify.outbox.records import Row

LOOK_AHEAD = 4
"""How many times its size a batch looks ahead in the queue for rows of its message, where several are mixed."""


class Place(NamedTuple):
    """A place in an account's queue, in its order."""

    due: float
    message: int
    channel: str
    id: int


START = Place(float("-inf"), 0, "", 0)

_HEAD = (
    "SELECT due, message, channel, id, account FROM ~queue r WHERE account = %s AND due <= %s"
    " AND (due, message, channel, id) >= (%s, %s, %s, %s){mine}"
    " ORDER BY due, message, channel, id LIMIT 1"
)

# Looked ahead without a lock, then locked one by one: what another worker holds by then is left to it.
_GATHER = """
    WITH ahead AS MATERIALIZED (
        SELECT id FROM (
            SELECT id, message, channel FROM ~queue
            WHERE account = %s AND due <= %s AND (due, message, channel, id) >= (%s, %s, %s, %s)
            ORDER BY due, message, channel, id LIMIT %s
        ) AS next WHERE message = %s AND channel = %s LIMIT %s
    )
    SELECT q.id FROM ~queue q WHERE q.id = ANY(ARRAY(SELECT id FROM ahead)) AND q.due <= %s
    FOR UPDATE OF q SKIP LOCKED
"""

_CLAIM = """
    WITH taken AS (DELETE FROM ~queue WHERE id = ANY(%s::bigint[]) RETURNING id)
    INSERT INTO ~claims (id, worker, claimed_at, rows)
    SELECT %s, w.name, %s, (SELECT array_agg(id ORDER BY id) FROM taken) FROM ~workers w WHERE w.name = %s
    FOR KEY SHARE OF w RETURNING rows
"""


def head(session: Session, now: float, account: int | None, since: Place, *, lock: bool) -> tuple[int, Place] | None:
    """Return queue and place of the row that has been due for longest, from a place on; ``None`` where none is due.

    ``lock``: of those that nobody else is about to take, and held.
    """
    queues = accounts.queues(session, account)
    heads = []
    for queue in queues:
        mine = accounts.open_to("r", account) if queue == accounts.NOBODY else ""
        ask = _HEAD.format(mine=mine) + (" FOR UPDATE OF r SKIP LOCKED" if lock else "")
        heads.append(f"SELECT * FROM ({ask}) AS head")  # noqa: S608 - our own words
    values = [value for queue in queues for value in (queue, now, *since)]
    found = [(Place(*place), queue) for *place, queue in session.all(" UNION ALL ".join(heads), *values)]
    if not found:
        return None
    place, queue = min(found)
    return queue, place


def gather(session: Session, now: float, queue: int, place: Place, limit: int) -> list[int]:
    """Return the ids of up to ``limit`` due rows of the message and channel at a place in a queue, held."""
    return session.ids(_GATHER, queue, now, *place, limit * LOOK_AHEAD, place.message, place.channel, limit, now)


def gather_of(
    session: Session, now: float, numbers: Sequence[int], account: int | None
) -> tuple[tuple[int, str], list[int]]:
    """Return those of the given rows, held, that are due and share the first one's message and channel, after these."""
    lines = session.all(
        "SELECT r.id, r.message, r.channel FROM ~queue r WHERE r.id = ANY(%s::bigint[]) AND r.due <= %s"  # noqa: S608 - ours
        f"{accounts.open_to('r', account)} FOR UPDATE OF r SKIP LOCKED",
        list(numbers),
        now,
    )
    found = {number: (message, channel) for number, message, channel in lines}
    kind = next((found[number] for number in numbers if number in found), (0, ""))
    return kind, [number for number in numbers if found.get(number) == kind]


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
    return session.one(_CLAIM, list(numbers), claim, now, worker) is not None


def claimed(session: Session, numbers: Sequence[int], message: int, channel: str, claim: int) -> tuple[Row, ...]:
    """Return rows of one message and channel as they will stand in a claim, in the order of their ids."""
    lines = session.all(
        "SELECT id, recipient, attempts, due, deadline, parent, story FROM ~rows"
        " WHERE id = ANY(%s::bigint[]) ORDER BY id",
        list(numbers),
    )
    return claimed_rows(lines, message, channel, claim)


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
