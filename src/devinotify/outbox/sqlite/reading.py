"""What can be asked of an outbox: counts, rows, messages, claims. Memory stays bounded however many rows there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from devinotify.outbox.records import (
    COLUMNS,
    Claim,
    Counts,
    Row,
    StoredMessage,
    decode_message,
    decode_row,
    describe,
    encode_recipient,
)
from devinotify.outbox.sqlite import accounts, claiming
from devinotify.outbox.sqlite.base import SELECT_MESSAGE, OutboxFile, get
from devinotify.outbox.sqlite.locks import Estate, leftover
from devinotify.outbox.states import CODES, RowState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PAGE = 1000
"""Rows that an iteration reads at a time; more are never in memory."""


class ReadableOutbox(OutboxFile):
    """The questions that an outbox answers."""

    def counts(self, account: str | None = None) -> Counts:
        """Return how many rows stand in each state, and how many were dropped and forgotten: all at one moment.

        With ``account`` its own rows and nobody's are counted; what was dropped and forgotten is everybody's.
        """
        whose = self._account(account)
        and_mine = "" if whose is None else f" AND coalesce(account, {whose:d}) = {whose:d}"
        with self._database.read("counts") as connection:
            # One statement is one snapshot.
            lines = dict(
                connection.execute(
                    f"SELECT state, count(*) FROM rows WHERE 1{accounts.open_to(whose)} GROUP BY state"  # noqa: S608 - ours
                    f" UNION ALL SELECT 'waiting', count(*) FROM intake WHERE text IS NOT NULL{and_mine}"
                    " UNION ALL SELECT name, value FROM meta WHERE name IN ('dropped', 'forgotten')"
                ).fetchall()
            )
        numbers = {str(state): lines.get(code, 0) for state, code in CODES.items()}
        numbers[RowState.QUEUED] += lines["waiting"]
        return Counts(**numbers, dropped=lines["dropped"], forgotten=lines["forgotten"])

    def get(self, row_id: int) -> Row | None:
        """Return one row as it stands now, or ``None`` where there is none of this id."""
        with self._absorbed("get") as connection:
            return get(connection, row_id)

    def find(self, key: str) -> list[Row]:
        """Return all rows of the message enqueued under ``key``; an empty list where the key is unknown."""
        with self._absorbed("find") as connection:
            known = self._by_key(connection, key)
            return [] if known is None else self._of_message(connection, known)

    def steps(self, row_id: int) -> list[Row]:
        """Return the row of this id and the later steps of its fallback, in order; an empty list where it is gone."""
        with self._absorbed("steps") as connection:
            lines = connection.execute(
                f"SELECT {COLUMNS} FROM rows WHERE (message, recipient) ="  # noqa: S608 - our own column names
                " (SELECT message, recipient FROM rows WHERE id = ?) AND id >= ? ORDER BY id",
                (row_id, row_id),
            )
            return [decode_row(line) for line in lines]

    def message(self, message_id: int) -> StoredMessage | None:
        """Return a message without its recipients, or ``None`` where there is none of this id."""
        with self._absorbed("message") as connection:
            line = connection.execute(f"{SELECT_MESSAGE} WHERE id = ?", (message_id,)).fetchone()
            return None if line is None else decode_message(line)

    def rows(
        self,
        *,
        states: Collection[RowState] | None = None,
        message_id: int | None = None,
        channel: str | None = None,
        recipient: str | None = None,
        account: str | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Yield rows in the order of their ids, with bounded memory, as they stand when their page is read.

        The filters go together: in one of ``states``, of one message, channel or recipient, an ``account``'s or
        nobody's, with an id above ``after``; at most ``limit`` rows.
        """
        conditions, values = _conditions(states, channel, recipient)
        conditions += accounts.open_to(self._account(account))
        source = "FROM rows"
        if message_id is not None:
            source, within, ids, first = self._within(message_id)
            conditions, values, after = f"{conditions} {within}", [*values, *ids], max(after, first - 1)
        left = limit
        while left is None or left > 0:
            page = PAGE if left is None else min(PAGE, left)
            with self._absorbed("rows") as connection:
                lines = connection.execute(
                    f"SELECT {COLUMNS} {source} WHERE id > ? {conditions} ORDER BY id LIMIT ?",
                    (after, *values, page),
                ).fetchall()
            yield from map(decode_row, lines)
            if len(lines) < page:
                return
            after = lines[-1][0]
            left = None if left is None else left - page

    def _within(self, message_id: int) -> tuple[str, str, list[int], int]:
        """Return where to look for a message's rows, and from which id: few by index, many as a range of the table."""
        with self._absorbed("rows") as connection:
            few = "SELECT count(*) FROM (SELECT 1 FROM rows WHERE message = ? LIMIT ?)"
            if connection.execute(few, (message_id, PAGE + 1)).fetchone()[0] <= PAGE:
                return "FROM rows INDEXED BY rows_once", "AND message = ?", [message_id], 0
            first, last = connection.execute(
                "SELECT min(id), max(id) FROM rows WHERE message = ?", (message_id,)
            ).fetchone()
        # One lower bound alone: of two, SQLite may seek by the wrong one.
        return "FROM rows", "AND +message = ? AND id <= ?", [message_id, last], first

    def __iter__(self) -> Iterator[Row]:
        return self.rows()

    def __len__(self) -> int:
        return self.counts().total

    def describe(self, row: Row, *, full: bool = False) -> dict[str, Any] | None:
        """Return a row as a flat dict of JSON values, as ``export`` does; ``None`` where it has been forgotten."""
        stored = self.message(row.message_id)
        return None if stored is None else describe(row, stored, full=full)

    def export(self, *, full: bool = False, states: Collection[RowState] | None = None) -> Iterator[dict[str, Any]]:
        """Yield every row as a flat dict of JSON values; numbers masked and texts left out unless ``full``."""
        stored: StoredMessage | None = None
        for row in self.rows(states=states):
            if stored is None or stored.id != row.message_id:
                stored = self.message(row.message_id)
            if stored is not None:  # forgotten since its page was read
                yield describe(row, stored, full=full)

    def claims(self) -> list[Claim]:
        """Return the claims whose outcome is open, of all workers."""
        with self._database.read("claims") as connection:
            lines = connection.execute("SELECT id, worker, pid, claimed_at, open FROM claims ORDER BY id").fetchall()
        alive: dict[str, bool] = {}
        for _, worker, *_ in lines:
            if worker not in alive:
                estate = Estate(self.path, worker)
                alive[worker] = not estate.open
                estate.close(remove=False)
        return [
            Claim(number, worker, pid, datetime.fromtimestamp(at, UTC), left, alive[worker])
            for number, worker, pid, at, left in lines
        ]

    def next_due(self, account: str | None = None) -> float | None:
        """Return when (seconds since the epoch) the next row can be claimed or needs attention; ``None`` for never.

        With ``account`` only its own rows and nobody's count.
        """
        whose = self._account(account)
        with self._database.read("next") as connection:
            moments = [moment for moment in claiming.moments(connection, whose) if moment is not None]
        return min(moments, default=None)

    def waiting(self) -> dict[str, int]:
        """Return how many rows are queued, by account; those that are nobody's yet are not among them."""
        with self._absorbed("waiting") as connection:
            return accounts.waiting_elsewhere(connection, None)

    def waiting_elsewhere(self, account: str) -> dict[str, int]:
        """Return how many rows of other accounts than ``account`` are queued, by account."""
        whose = self._account(account)
        with self._absorbed("waiting") as connection:
            return accounts.waiting_elsewhere(connection, whose)

    def senders_alive(self) -> bool:
        """Return whether a process that sends from this outbox is alive: from its first claim until it closes."""
        for worker in leftover(self.path):
            estate = Estate(self.path, worker)
            estate.close(remove=False)
            if not estate.open:
                return True
        return False

    def recall(self, name: str) -> str | None:
        """Return the text stored under a name, or ``None``."""
        with self._database.read("recall") as connection:
            line = connection.execute("SELECT value FROM meta WHERE name = ?", (f"user.{name}",)).fetchone()
        return None if line is None else str(line[0])


def _conditions(
    states: Collection[RowState] | None, channel: str | None, recipient: str | None
) -> tuple[str, list[object]]:
    """Return the WHERE terms of a filter and their values; unary plus keeps the order that of the ids, page by page."""
    terms: list[str] = []
    values: list[object] = []
    if states is not None:
        terms.append(f"AND state IN ({', '.join(str(CODES[state]) for state in states)})")
    for name, value in (
        ("channel", channel),
        ("recipient", None if recipient is None else encode_recipient(recipient)),
    ):
        if value is not None:
            terms.append(f"AND +{name} = ?")
            values.append(value)
    return " ".join(terms), values
