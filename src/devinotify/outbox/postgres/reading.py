"""What can be asked of the database: rows as they stand, messages, counts. Memory stays bounded by pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.outbox.encoding import COLUMNS, MESSAGE_COLUMNS, decode_message, decode_row
from devinotify.outbox.postgres import accounts
from devinotify.outbox.states import CODES, RowState
from devinotify.outbox.store import DROPPED, FORGOTTEN, QUEUED_STEPS, STEPS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from devinotify.outbox.postgres.session import Session
    from devinotify.outbox.records import Row, StoredMessage
    from devinotify.outbox.store import Selection

_CLAIMED = "r.state = 0 AND q.id IS NULL"  # neither waiting nor ended

_AS_IT_STANDS = {
    "state": f"CASE WHEN {_CLAIMED} THEN {CODES[RowState.CLAIMED]} ELSE r.state END",
    "attempts": f"CASE WHEN {_CLAIMED} THEN r.attempts + 1 ELSE r.attempts END",
    "claim": (
        f"CASE WHEN {_CLAIMED} THEN (SELECT c.id FROM ~claims c WHERE r.id = ANY(c.rows)) ELSE r.claim END"  # noqa: S608 - ours
    ),
}
SELECT = (
    f"SELECT {', '.join(_AS_IT_STANDS.get(name, f'r.{name}') for name in COLUMNS.split(', '))}"  # noqa: S608 - our own names
    " FROM ~rows r LEFT JOIN ~queue q ON q.id = r.id"
)
"""Rows as they stand, in the order of Row's fields."""


_MESSAGE = ", ".join(
    "(SELECT name FROM ~accounts a WHERE a.id = m.account)" if name == "account" else name
    for name in MESSAGE_COLUMNS.split(", ")
)


def rows(session: Session, numbers: Iterable[int]) -> list[Row]:
    """Return the rows of these ids, in their order, those left out that are not there."""
    wanted = list(numbers)
    found = {line[0]: line for line in session.all(f"{SELECT} WHERE r.id = ANY(%s::bigint[])", wanted)}
    return [decode_row(found[number]) for number in wanted if number in found]


def message(session: Session, number: int) -> StoredMessage | None:
    """Return a message, or ``None`` where there is none of this id."""
    line = session.one(
        f"SELECT id, {_MESSAGE} FROM ~messages m WHERE id = %s",  # noqa: S608 - our own names
        number,
    )
    return None if line is None else decode_message(line)


def message_of_key(session: Session, key: str) -> int | None:
    """Return the id of the message that was enqueued under a key."""
    line = session.one("SELECT id FROM ~messages WHERE key = %s", key)
    return None if line is None else int(line[0])


def ids_of(session: Session, message_id: int, recipient: str | None) -> list[int]:
    """Return the ids of a message's rows, or of those of one recipient, in their order."""
    if recipient is None:
        return session.ids("SELECT id FROM ~rows WHERE message = %s ORDER BY id", message_id)
    return session.ids("SELECT id FROM ~rows WHERE message = %s AND recipient = %s ORDER BY id", message_id, recipient)


def steps_of(session: Session, order: int) -> list[int]:
    """Return the ids of the steps that a row has ordered, in their order."""
    return session.ids("SELECT id FROM ~rows WHERE story = %s AND id <> story ORDER BY id", order)


def counts(session: Session, account: int | None, channel: str | None) -> dict[str, int]:
    """Return how many rows stand in each state, and how many were dropped and forgotten: one statement, one moment."""
    mine = accounts.open_to("r", account) + ("" if channel is None else " AND r.channel = %s")
    values = () if channel is None else (channel, channel, channel)
    step = "r.story <> r.id" if channel is None else "false"  # on one channel they are rows like any other
    found = {
        name: int(number)
        for name, number in session.all(
            f"SELECT CASE WHEN {step} THEN 'steps' ELSE r.state::text END AS what, count(*)"  # noqa: S608 - ours
            f" FROM ~rows r WHERE true{mine} GROUP BY what"
            f" UNION ALL SELECT 'waiting', count(*) FROM ~queue r WHERE true{mine}"
            " UNION ALL SELECT 'queued_steps', count(*) FROM ~rows r JOIN ~queue q ON q.id = r.id"
            f" WHERE {step}{mine}"
            " UNION ALL SELECT name, value FROM ~counters",
            *values,
        )
    }
    numbers = {str(state): found.get(str(code), 0) for state, code in CODES.items()}
    waiting = found["waiting"] - found[QUEUED_STEPS]
    numbers[RowState.CLAIMED] = numbers[RowState.QUEUED] - waiting
    numbers[RowState.QUEUED] = waiting
    numbers |= {STEPS: found.get(STEPS, 0), QUEUED_STEPS: found[QUEUED_STEPS]}
    return {**numbers, DROPPED: found[DROPPED], FORGOTTEN: found[FORGOTTEN]}


def next_due(session: Session, account: int | None, *, queued: bool) -> float | None:
    """Return when the next row can be claimed or, unless only the ``queued`` are asked for, needs attention."""
    moments = []
    for queue in accounts.queues(session, account):
        mine = accounts.open_to("r", account) if queue == accounts.NOBODY else ""
        for table, column in (("queue", "due"), ("rows", "next_poll_at"))[: 1 if queued else 2]:
            line = session.one(
                f"SELECT {column} FROM ~{table} r WHERE account = %s AND {column} IS NOT NULL{mine}"  # noqa: S608 - ours
                f" ORDER BY {column} LIMIT 1",
                queue,
            )
            if line is not None:
                moments.append(float(line[0]))
    return min(moments, default=None)


def last_id(session: Session) -> int:
    """Return the highest id that was ever given."""
    line = session.one("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM ~ids")
    return 0 if line is None else int(line[0])


def total(session: Session) -> int:
    """Return how many rows there are."""
    line = session.one("SELECT count(*) FROM ~rows")
    return 0 if line is None else int(line[0])


def finished(session: Session, states: Collection[RowState], limit: int) -> list[int]:
    """Return the ids of the oldest rows in these states that need no attention."""
    return session.ids(f"{SELECT} WHERE {_in(states)} AND r.next_poll_at IS NULL ORDER BY r.id LIMIT %s", limit)


def page(session: Session, selection: Selection, account: int | None, after: int, size: int) -> list[Row]:
    """Return up to ``size`` rows of a selection with an id above ``after``."""
    terms, values = _terms(selection)
    ask = f"{SELECT} WHERE r.id > %s{terms}{accounts.open_to('r', account)} ORDER BY r.id LIMIT %s"
    return [decode_row(line) for line in session.all(ask, after, *values, size)]


def latest(session: Session, selection: Selection, account: int | None, before: int, size: int) -> list[Row]:
    """Return up to ``size`` rows of a selection with an id below ``before``, the newest first."""
    terms, values = _terms(selection)
    ask = f"{SELECT} WHERE r.id < %s{terms}{accounts.open_to('r', account)} ORDER BY r.id DESC LIMIT %s"
    return [decode_row(line) for line in session.all(ask, before, *values, size)]


def _terms(selection: Selection) -> tuple[str, list[object]]:
    """Return what is asked of a row besides its id, and the values of its marks."""
    terms: list[str] = []
    values: list[object] = []
    if selection.states is not None:
        terms.append(_in(selection.states))
    for column, value in (
        ("message", selection.message_id),
        ("channel", selection.channel),
        ("recipient", selection.recipient),
    ):
        if value is not None:
            terms.append(f"r.{column} = %s")
            values.append(value)
    if not selection.steps:
        terms.append("(r.story IS NULL OR r.story = r.id)")
    return "".join(f" AND {term}" for term in terms), values


def recall(session: Session, name: str) -> str | None:
    """Return a text of a user's."""
    line = session.one("SELECT value FROM ~notes WHERE name = %s", name)
    return None if line is None else str(line[0])


def _in(states: Collection[RowState]) -> str:
    """Return the term that a row stands in one of these states."""
    codes = ", ".join(sorted(str(CODES[state]) for state in states if state not in _UNENDED)) or "-1"
    waiting = [term for state, term in _UNENDED.items() if state in states]
    return f"({' OR '.join([f'r.state IN ({codes})', *waiting])})"


_UNENDED = {RowState.QUEUED: "r.state = 0 AND q.id IS NOT NULL", RowState.CLAIMED: _CLAIMED}
