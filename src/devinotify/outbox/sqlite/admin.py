"""What a person, or time, does to an outbox: retry, forget, recover from a crash, remember."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput, InvalidPhoneNumber
from devinotify.outbox.records import Row, encode_time
from devinotify.outbox.sqlite import accounts, settling, staging
from devinotify.outbox.sqlite.base import get, number_of
from devinotify.outbox.sqlite.locks import Estate, leftover
from devinotify.outbox.sqlite.reading import PAGE, ReadableOutbox
from devinotify.outbox.states import CODES, FINISHED, RETRIES, RowState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime


log = logging.getLogger(__name__)


class KeptOutbox(ReadableOutbox):
    """The upkeep of an outbox."""

    def retry(self, rows: Iterable[Row | int], *, force: bool = False) -> int:
        """Queue rows again at a person's wish; return how many.

        ``rejected`` and ``not_sent`` are safe; ``unknown``, and a row whose fallback has begun, may reach the recipient
        twice and take ``force``. Anything else, an id that is not there, or a recipient that was refused as no number,
        raises InvalidInput, and nothing is changed. A deadline that has passed is set anew.
        """
        now = self._clock()
        with self._database.write("retry") as connection:
            staging.absorb(connection)
            chosen = [self._need(connection, number_of(row)) for row in rows]
            for row in chosen:
                if row.state not in RETRIES:
                    raise InvalidInput(f"row {row.id} is {row.state} and cannot be sent again")
                if _is_no_number(row):
                    raise InvalidInput(f"row {row.id} is no number that could be sent to")
                if (RETRIES[row.state] or row.stepped) and not force:
                    raise InvalidInput(
                        f"row {row.id} is {row.state} and may have been sent: sending it again takes force"
                    )
            return self._queue_again(connection, [row.id for row in chosen], now)

    def retry_all(self, state: RowState, *, message_id: int | None = None, force: bool = False) -> int:
        """Queue all rows in a state again, of one message or all, as ``retry`` does; return how many.

        Those that were refused as no number stay as they are.
        """
        if state not in RETRIES:
            raise InvalidInput(f"rows that are {state} cannot be sent again")
        if RETRIES[state] and not force:
            raise InvalidInput(f"rows that are {state} may have been sent: sending them again takes force")
        changed = 0
        now = self._clock()
        for page in _pages(self.rows(states={state}, message_id=message_id)):
            with self._database.write("retry") as connection:
                numbers = [row.id for row in page if (force or not row.stepped) and not _is_no_number(row)]
                changed += self._queue_again(connection, numbers, now, CODES[state])
        return changed

    def forget(self, rows: Iterable[Row | int]) -> int:
        """Remove rows, and messages that have none left; return how many. A queued one is thereby cancelled.

        Raises InvalidInput for a row that is claimed, and changes nothing then: its outcome must find it.
        """
        with self._database.write("forget") as connection:
            staging.absorb(connection)
            numbers = [number_of(row) for row in rows]
            for number in numbers:
                row = get(connection, number)
                if row is not None and row.state is RowState.CLAIMED:
                    raise InvalidInput(f"row {number} is being sent and cannot be forgotten now")
            return staging.remove(connection, numbers)

    def forget_all(
        self,
        states: Collection[RowState] = tuple(FINISHED),
        *,
        older_than: datetime | None = None,
        message_id: int | None = None,
    ) -> int:
        """Remove all rows in these states, enqueued before ``older_than`` and of one message or all; return how many.

        Accepted rows whose delivery is still watched, and rows that await their fallback, stay.
        """
        if RowState.CLAIMED in states:
            raise InvalidInput("rows that are being sent cannot be forgotten")
        before = encode_time(older_than)
        removed = 0
        for page in _pages(self.rows(states=states, message_id=message_id)):
            with self._database.write("forget") as connection:
                removed += staging.remove(connection, staging.forgettable(connection, page, before))
        return removed

    def recover(self) -> int:
        """Turn what dead workers had claimed into ``unknown``; return how many rows.

        A worker is dead when the system has released its lock: a slow, stopped or waiting one is never taken for it.
        """
        now = self._clock()
        changed = 0
        estates = []
        done = False
        try:
            with self._database.write("recover", full=True) as connection:
                claimants = {worker for (worker,) in connection.execute("SELECT DISTINCT worker FROM claims")}
                for worker in sorted(claimants | leftover(self.path)):
                    estate = Estate(self.path, worker)
                    if estate.open:
                        estates.append(estate)
                        changed += settling.give_up(connection, worker, now)
            done = True
        finally:
            for estate in estates:
                estate.close(remove=done)
        return changed

    def introduce(self, account: str) -> int:
        """Make the messages that are older than accounts ``account``'s; return how many rows that were: once, then 0.

        To be called by whoever opens the outbox to send for an account, before anything is claimed.
        """
        whose = self._account(account)
        with self._database.read("introduce") as connection:
            if connection.execute("SELECT 1 FROM meta WHERE name = 'older'").fetchone() is None:
                return 0
        assert whose is not None  # noqa: S101 - a name has a number
        with self._database.write("introduce") as connection:
            staging.absorb(connection)
            rows = accounts.introduce(connection, whose)
        if rows:
            log.warning(
                "outbox %s: %d rows from before rows had an account are %s's from now on", self.name, rows, account
            )
        return rows

    def adopt(self, old: str, new: str) -> int:
        """Make all that is account ``old``'s account ``new``'s, as when a host or login changes; return how many rows.

        Their deliveries are looked up at the new account's gateway from then on.
        """
        before, after = self._account(old), self._account(new)
        if before is None or after is None or before == after:
            return 0
        with self._database.write("adopt") as connection:
            staging.absorb(connection)
            return accounts.hand_over(connection, before, after)

    def remember(self, name: str, value: str) -> None:
        """Store a text of the caller's own under a name: which campaign this file is of, for one."""
        with self._database.write("remember") as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"user.{name}", value))

    def _queue_again(
        self, connection: sqlite3.Connection, numbers: Sequence[int], now: float, state: int | None = None
    ) -> int:
        # The claim's id stays: should its worker tell after all that the message went out, the row takes that.
        return connection.executemany(
            "UPDATE rows SET state = 0, due = :now, next_poll_at = NULL, error = NULL, error_code = NULL,"
            " error_reason = NULL, error_text = NULL,"
            " deadline = CASE WHEN deadline < :now THEN :until ELSE deadline END"
            " WHERE id = :id AND (:state IS NULL OR state = :state)",
            [{"id": number, "now": now, "until": self._deadline(None, now), "state": state} for number in numbers],
        ).rowcount


def _is_no_number(row: Row) -> bool:
    """Whether our own checks refused the recipient: that is final, and what stood there is all that is known of it."""
    return row.state is RowState.NOT_SENT and row.error == InvalidPhoneNumber.__name__


def _pages(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while page := list(itertools.islice(rows, PAGE)):
        yield page
