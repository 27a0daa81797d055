"""What follows a send: looks at the delivery, and the steps of a fallback. Statements on an open transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.models import ViberState
from devinotify.outbox.records import COLUMNS, Row, decode_row, encode_recipient
from devinotify.outbox.sqlite import accounts, staging
from devinotify.outbox.sqlite.settling import attention
from devinotify.outbox.states import CODES, STEPS, WATCH_FOR, RowState, poll_delay, require

if TYPE_CHECKING:
    import sqlite3

    from devinotify.models import DeliveryStatus, SmsState

_DUE = (
    f"SELECT {COLUMNS} FROM rows WHERE next_poll_at IS NOT NULL AND account IS ? AND next_poll_at <= ?"  # noqa: S608 - our own names
    "{and_open} ORDER BY next_poll_at LIMIT ?"
)


def due(connection: sqlite3.Connection, now: float, limit: int, until: float, account: int | None) -> list[Row]:
    """Return the rows that need attention, put off until ``until`` so that no other worker takes them meanwhile."""
    rows: list[Row] = []
    for queue in accounts.queues(connection, account):
        ask = _DUE.format(and_open=accounts.open_to(account) if queue is None else "")
        rows += map(decode_row, connection.execute(ask, (queue, now, limit)).fetchall())
    rows = sorted(rows, key=lambda row: row.next_poll_at or 0.0)[:limit]
    for message in {row.message_id for row in rows}:
        accounts.stamp(connection, message, account)
    connection.executemany("UPDATE rows SET next_poll_at = ? WHERE id = ?", [(until, row.id) for row in rows])
    return rows


def record(connection: sqlite3.Connection, row: Row, state: SmsState, now: float, first_poll: float) -> Row:
    """Record a delivery state and return the row as it stands then; raise InvalidInput for an illegal transition."""
    status = state.whole_status if isinstance(state, ViberState) else state.status
    after = _after(row, status)
    if after is not row.state:
        require(row.state, after)
    elif row.state is not RowState.ACCEPTED and not _upgrade(row, status):
        return row
    fallback = _is_fallback(connection, row)
    reported = state.reported_at or state.updated_at
    new = row._replace(
        state=after,
        status=status,
        status_code=state.code,
        status_at=now if reported is None else reported.timestamp(),
        price=row.price if state.price is None else state.price,
        next_poll_at=_next_look(row, after, now, first_poll, fallback=fallback),
    )
    connection.execute(
        "UPDATE rows SET state = ?, status = ?, status_code = ?, status_at = ?, price = ?, next_poll_at = ?"
        " WHERE id = ?",
        (
            CODES[after],
            str(status),
            new.status_code,
            new.status_at,
            None if new.price is None else str(new.price),
            new.next_poll_at,
            new.id,
        ),
    )
    return new


def _after(row: Row, status: DeliveryStatus) -> RowState:
    if status.is_delivered:
        return RowState.DELIVERED
    if status.is_final:
        return RowState.FAILED
    # An open status after a final one is old news, not a step back.
    return row.state if row.state in (RowState.DELIVERED, RowState.FAILED) else RowState.ACCEPTED


def _upgrade(row: Row, status: DeliveryStatus) -> bool:
    """Return whether a decided row hears more: delivered, and now read."""
    return row.state is RowState.DELIVERED and status.is_delivered and status is not row.status and status == "read"


def _next_look(row: Row, after: RowState, now: float, first_poll: float, *, fallback: bool) -> float | None:
    if after is not RowState.ACCEPTED:
        return attention(after, fallback=fallback, stepped=row.stepped, now=now)
    sent = now if row.sent_at is None else row.sent_at
    if now >= (row.watch_until or sent + WATCH_FOR):
        # Closed; only a fallback that has not been decided yet keeps the row due.
        return now if fallback and not row.stepped else None
    if row.watch_until is None:
        return None  # nobody asked for a watch: the state was told by other means
    look = now + poll_delay(max(now - sent, 0.0), first_poll)
    if row.patience_until is not None and not row.stepped and now < row.patience_until:
        look = min(look, row.patience_until)
    return look


def step(connection: sqlite3.Connection, row: Row, channel: str, when: float, deadline: float | None) -> Row:
    """Queue the next step of a fallback and mark the row; return the new row, or the one a former call made."""
    found = connection.execute(
        f"SELECT {COLUMNS} FROM rows WHERE message = ? AND recipient = ? AND channel = ?",  # noqa: S608 - our own names
        (row.message_id, encode_recipient(row.recipient), channel),
    ).fetchone()
    if found is not None:
        child = decode_row(found)
        if child.parent == row.id:
            return child
        raise InvalidInput(f"the message of row {row.id} has been enqueued on {channel} before")
    if row.state not in STEPS:
        raise InvalidInput(f"row {row.id} is {row.state}: no other channel is tried for it")
    if row.stepped:
        raise InvalidInput(f"row {row.id} has gone on to another channel before")
    number = staging.take_ids(connection, 1)
    until = row.deadline if deadline is None else deadline
    connection.execute(
        "INSERT INTO rows (account, id, message, recipient, channel, state, due, deadline, parent)"
        " VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)",
        (
            accounts.of_message(connection, row.message_id),
            number,
            row.message_id,
            encode_recipient(row.recipient),
            channel,
            when,
            until,
            row.id,
        ),
    )
    # An accepted row is watched on: that it was delivered late is worth knowing. Any other has had its attention.
    connection.execute(
        "UPDATE rows SET stepped = 1, next_poll_at = CASE WHEN state = ? THEN next_poll_at END WHERE id = ?",
        (CODES[RowState.ACCEPTED], row.id),
    )
    return Row(number, row.message_id, row.recipient, channel, RowState.QUEUED, 0, when, until, parent=row.id)


def _is_fallback(connection: sqlite3.Connection, row: Row) -> bool:
    line = connection.execute("SELECT flags & 2 FROM messages WHERE id = ?", (row.message_id,)).fetchone()
    return bool(line and line[0])
