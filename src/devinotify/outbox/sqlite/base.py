"""What every part of the outbox stands on: the open file, this process's lease on it, and how rows are looked up."""

from __future__ import annotations

import contextlib
import os
import random as _random
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Self

from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox.records import (
    COLUMNS,
    MESSAGE_COLUMNS,
    Row,
    StoredMessage,
    decode_message,
    decode_row,
    encode_time,
)
from devinotify.outbox.sqlite import accounts, settling, staging
from devinotify.outbox.sqlite.database import Database
from devinotify.outbox.sqlite.locks import Lease
from devinotify.outbox.states import POLL_FIRST, RETRY_FOR

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from types import TracebackType

MAX_ROWS = 1_000_000
"""Rows that an outbox holds unless it is told otherwise."""

SELECT = f"SELECT {COLUMNS} FROM rows"  # noqa: S608 - our own column names
SELECT_MESSAGE = (
    f"SELECT id, {MESSAGE_COLUMNS.removesuffix('account')}"  # noqa: S608 - our own column names
    " (SELECT name FROM accounts WHERE accounts.id = messages.account) FROM messages"
)


class OutboxFile:
    """The file, opened, and closed in the end; the classes above it read it, keep it up, and send from it."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_rows: int | None = MAX_ROWS,
        retry_for: float | None = RETRY_FOR,
        poll: float = POLL_FIRST,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = _random.random,
    ) -> None:
        if max_rows is not None and max_rows < 1:
            raise InvalidInput("max_rows is at least 1")
        self.path = Path(path).expanduser().absolute()
        self.max_rows = max_rows
        self._retry_for = retry_for
        self._poll = poll
        self._clock = clock
        self._random = random
        self._leases: list[Lease] = []  # of this process: at most one
        self._bound = staging.Bound(max_rows)
        self._idle = True  # whether the last claim found nothing
        self._database = Database(self.path)
        self._finalizer = weakref.finalize(self, _release, self._database, self._leases)

    def close(self) -> None:
        """Close the file; what this process has claimed and not settled becomes ``unknown``."""
        if self._database.closed:
            return
        try:
            with self._database.lock:
                mine = [lease.worker for lease in self._leases if lease.pid == os.getpid()]
                if mine:
                    with self._database.write("close") as connection:
                        for worker in mine:
                            settling.give_up(connection, worker, self._clock())
        finally:
            self._database.close()
            # By hand: a finalizer does nothing any more where the interpreter ends, and an exit hook may close as well.
            self._finalizer.detach()
            _release(self._database, self._leases)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Outbox {self.path}{' closed' if self._database.closed else ''}>"

    def _lease(self) -> Lease:
        """Return this process's sign of life on the file, given from its first claim until it closes."""
        self._leases[:] = [lease for lease in self._leases if lease.pid == os.getpid()]
        if not self._leases:
            try:
                self._leases.append(Lease(self.path))
            except OSError as error:
                raise DevinotifyError(
                    f"outbox {self.path}: no lock file can be made beside it ({error.strerror})",
                    operation="outbox.claim",
                    verdict=Verdict.NOT_SENT,
                ) from None
        return self._leases[0]

    def _deadline(self, deadline: datetime | None, now: float) -> float | None:
        if deadline is not None:
            return encode_time(deadline)
        return None if self._retry_for is None else now + self._retry_for

    @contextlib.contextmanager
    def _absorbed(self, operation: str) -> Iterator[sqlite3.Connection]:
        """Give the connection for reading, with nothing left in the intake."""
        with self._database.lock:
            with self._database.read(operation) as connection:
                waiting = staging.pending(connection)
            if waiting:
                with self._database.write(operation) as connection:
                    staging.absorb(connection)
            with self._database.read(operation) as connection:
                yield connection

    @property
    def name(self) -> str:
        """How this outbox is called to people: its path."""
        return str(self.path)

    def _account(self, name: str | None) -> int | None:
        """Return the number that stands for an account in the file, given to it where it has none yet."""
        if name is None:
            return None
        if "@" not in name:
            raise InvalidInput("an account is written LOGIN@host[:port]/path")
        with self._database.lock:
            known = self._database.accounts.get(name)
            if known is None:
                with self._database.write("account") as connection:
                    known = accounts.number_of(connection, name)
                self._database.accounts[name] = known
            return known

    @staticmethod
    def _by_key(connection: sqlite3.Connection, key: str) -> int | None:
        line = connection.execute("SELECT id FROM messages WHERE key = ?", (key,)).fetchone()
        return None if line is None else int(line[0])

    @staticmethod
    def _of_message(connection: sqlite3.Connection, message_id: int) -> list[Row]:
        lines = connection.execute(f"{SELECT} WHERE message = ? ORDER BY id", (message_id,))
        return [decode_row(line) for line in lines]

    @staticmethod
    def _need(connection: sqlite3.Connection, number: int) -> Row:
        row = get(connection, number)
        if row is None:
            raise InvalidInput(f"there is no row {number}")
        return row

    @staticmethod
    def _need_message(connection: sqlite3.Connection, number: int) -> StoredMessage:
        line = connection.execute(f"{SELECT_MESSAGE} WHERE id = ?", (number,)).fetchone()
        if line is None:
            raise InvalidInput(f"there is no message {number}")
        return decode_message(line)


def _release(database: Database, leases: list[Lease]) -> None:
    """Let go of file and lock; whoever recovers after that finds this worker's claims without an owner."""
    # Collection may come at any moment, in a thread that holds other locks: it never waits for this one.
    if database.lock.acquire(blocking=False):
        try:
            database.close()
        finally:
            database.lock.release()
    for lease in leases:
        lease.release()
    leases.clear()


def number_of(row: Row | int) -> int:
    """Return the id of a row that may be given by its id."""
    return row.id if isinstance(row, Row) else row


def get(connection: sqlite3.Connection, number: int) -> Row | None:
    """Return one row, or ``None`` where there is none of this id."""
    line = connection.execute(f"{SELECT} WHERE id = ?", (number,)).fetchone()
    return None if line is None else decode_row(line)
