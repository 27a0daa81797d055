"""The store in one SQLite file: ``store.Store`` over a Database, with a held lock as this process's sign of life."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox.encoding import encode_message
from devinotify.outbox.paging import in_pages
from devinotify.outbox.records import Batch, make_row
from devinotify.outbox.room import MAX_ROWS
from devinotify.outbox.settlement import Settlement
from devinotify.outbox.sqlite import claiming, settling, staging
from devinotify.outbox.sqlite.connecting import BUSY_TIMEOUT
from devinotify.outbox.sqlite.database import Database
from devinotify.outbox.sqlite.locks import Lease, StaleLock, leftover, pid_of
from devinotify.outbox.sqlite.transaction import SqliteTransaction
from devinotify.outbox.states import RowState
from devinotify.outbox.store import Claimant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from devinotify.outbox.records import NewMessage, Row
    from devinotify.outbox.store import Selection, Taken

T = TypeVar("T")

CHECK_EVERY = 1.0
"""Seconds for which single messages go to the file without a look whether it is still there."""


LONG = frozenset({"extend"})
"""What holds the file for long and is called under no other lock, so that it may take turns with those who send."""


class _OtherWayError(Exception):
    """Undoes what a quick step has begun and cannot do: it is left to the transaction's methods."""


class SqliteStore:
    """The file ``path``, made with mode 0600 where there is none; ``clock`` returns seconds since the epoch,
    ``busy_timeout`` is for how many seconds another process's transaction is waited for.

    Raises InvalidInput, the file untouched, where it is damaged, another program's or a newer version's, or where it
    cannot be written.
    """

    max_rows: int | None = MAX_ROWS
    campaign: str | None = None

    def __init__(
        self,
        path: str | os.PathLike[str],
        clock: Callable[[], float] | None = None,
        *,
        busy_timeout: float = BUSY_TIMEOUT,
    ) -> None:
        self.database: Database = Database(Path(path).expanduser(), busy_timeout)
        self.path: Path = self.database.path
        self.leases: list[Lease] = []  # of this process: at most one
        self._clock = clock or time.time
        self._check_at = 0.0
        self._finalizer = weakref.finalize(self, _release, self.database, self.leases)

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.path)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self.database.closed

    @property
    def worker(self) -> str | None:
        """This process's name, once it has claimed."""
        return next((lease.worker for lease in self.leases if lease.pid == os.getpid()), None)

    def now(self) -> float:
        """Return the time by the clock."""
        return self._clock()

    def ahead(self) -> float:
        """Return 0: it is this machine's clock, or stands in its place."""
        return 0.0

    def read(self, operation: str, work: Callable[[SqliteTransaction], T]) -> T:
        """Return what ``work`` reads, statement by statement."""

        def flush() -> None:
            if staging.pending(connection):
                with self.database.write(operation) as writing:
                    staging.flush(writing)

        with self.database.read(operation) as connection:
            return work(SqliteTransaction(connection, self._clock, self.database.accounts, flush))

    def write(
        self,
        operation: str,
        work: Callable[[SqliteTransaction], T],
        *,
        durable: bool = False,
        verdict: Verdict = Verdict.NOT_SENT,
    ) -> T:
        """Return what ``work`` returns, in one transaction."""
        with self.database.turn.lock if operation in LONG else contextlib.nullcontext():
            if verdict is Verdict.NOT_SENT:  # what has been sent is written down wherever that is possible
                self.database.check(operation)
            with self.database.write(operation, full=durable, verdict=verdict) as connection:
                found = work(SqliteTransaction(connection, self._clock, self.database.accounts))
        if operation == "forget":
            self.database.shrink()
        return found

    def take(self, worker: str, limit: int, account: str | None) -> tuple[bool, Taken | None]:
        """Claim with nobody held up by what needs no transaction: the wait for the disk, and making the rows."""
        database = self.database
        try:
            with database.turn.lock:
                database.check("claim")
                with database.write("claim") as connection:
                    transaction = SqliteTransaction(connection, self._clock, database.accounts)
                    found = transaction.take_lines(worker, limit, account)
                    if found is not None and found.late:
                        raise _OtherWayError
        except _OtherWayError:
            return False, None
        if found is None:
            return True, None
        taken = found.made()
        try:
            database.sync("claim")
        except BaseException:  # an interrupt as well: nobody gets this batch
            self._put_back(taken)
            raise
        return True, taken

    def _put_back(self, taken: Taken) -> None:
        """Queue again, as nothing was tried, what nobody sends; where that fails as well, it will be ``unknown``."""
        batch = Batch(taken.claim, taken.stored, taken.rows)
        settlement = Settlement(batch, now=self._clock(), ahead=0.0, jitter=0.0, first_poll=0.0)
        for row in taken.rows:
            settlement.release(row)
        with contextlib.suppress(DevinotifyError):
            self.settle(settlement)

    def settle(self, settlement: Settlement) -> bool:
        """Write down what became of a batch by statements that are ready before the transaction begins."""
        if settlement.waits:
            return False
        statements = settling.prepared(settlement)
        try:
            with self.database.turn.lock, self.database.write("settle", verdict=Verdict.UNKNOWN) as connection:
                if settling.settle(connection, settlement.batch.claim, statements) != len(settlement.states):
                    raise _OtherWayError
        except _OtherWayError:
            return False
        return True

    def add_one(
        self, new: NewMessage, recipient: str, channel: str, not_before: float | None, deadline: float | None
    ) -> Row | None:
        """Write one line of the intake."""
        database = self.database
        if time.monotonic() >= self._check_at:
            database.check("enqueue")
            self._check_at = time.monotonic() + CHECK_EVERY
        now = self._clock()
        due = now if not_before is None else max(now, not_before)
        with database.lock:
            account = None if new.account is None else self._account(new.account)
            line = (recipient, channel, due, *encode_message(new, now, account), deadline)
            try:  # one statement is its own transaction, and a context manager would cost a tenth of it
                number = staging.add_one(database.connection, line)
            except sqlite3.Error as error:
                raise database.error(error, "enqueue", Verdict.NOT_SENT) from None
            except UnicodeEncodeError:
                raise database.unfit("enqueue") from None
        return (
            None if number is None else make_row(number, number, recipient, channel, RowState.QUEUED, 0, due, deadline)
        )

    def _account(self, name: str) -> int:
        """Return the number of an account, made and committed where there is none."""
        _ = self.database.connection  # a file that is opened anew has numbers of its own
        known = self.database.accounts.get(name)
        return known or self.write("enqueue", lambda transaction: transaction.number_of(name))

    def pages(self, selection: Selection, after: int, limit: int | None, size: int) -> Iterator[list[Row]]:
        """Yield pages of rows, each as it stands when it is read."""
        reading = self.read("rows", lambda transaction: transaction.selected(selection, size))

        def read(after: int, most: int) -> list[Row]:
            return self.read("rows", lambda transaction: transaction.page(reading, after, most))

        yield from in_pages(read, after, limit, size)

    def idle(self, account: str | None) -> bool:
        """Whether neither the intake nor the queue has anything."""
        self.database.check("claim")
        return self.read("claim", lambda transaction: transaction.is_idle(account))

    def enlist(self) -> str:
        """Return the name under which this process holds a lock from now on."""
        if (known := self.worker) is not None:  # asked before each claim: it does not wait for those of others
            return known
        with self.database.lock:
            self.leases[:] = [lease for lease in self.leases if lease.pid == os.getpid()]
            if not self.leases:
                try:
                    self.leases.append(Lease(self.path))
                except OSError as error:
                    raise DevinotifyError(
                        f"outbox {self.path}: no lock file can be made beside it ({error.strerror})",
                        operation="outbox.claim",
                        verdict=Verdict.NOT_SENT,
                    ) from None
            return self.leases[0].worker

    @contextlib.contextmanager
    def gone(self) -> Iterator[Collection[str]]:
        """Give the workers whose locks the system has released: each held here while its claims are closed."""
        with self.database.read("recover") as connection:
            claimants = claiming.claimants(connection)
        stale: dict[str, StaleLock] = {}
        done = False
        try:
            for worker in sorted(claimants | leftover(self.path)):
                lock = StaleLock(self.path, worker)
                if lock.free:
                    stale[worker] = lock
            yield stale.keys()
            done = True
        finally:
            for lock in stale.values():
                lock.close(remove=done)

    def held(self) -> str | None:
        """Nothing is held back."""
        return None

    def resume(self) -> None:
        """Nothing is held back."""

    def senders_alive(self) -> bool:
        """Whether any worker but this one holds its lock."""
        return any(worker != self.worker for worker in self._alive())

    def _alive(self) -> Iterator[str]:
        for worker in sorted(leftover(self.path)):
            lock = StaleLock(self.path, worker)
            lock.close(remove=False)
            if not lock.free:
                yield worker

    def workers(self) -> list[Claimant]:
        """Return those whose locks are held, now: they are all on this machine."""
        now = self._clock()
        return [
            Claimant(
                name,
                socket.gethostname(),
                pid_of(name),
                now,
                len(self.read("workers", lambda transaction: transaction.claimed_by(name))),  # noqa: B023 - called at once
            )
            for name in self._alive()
        ]

    def close(self) -> None:
        """Close the file and let go of the lock."""
        try:
            self.database.close()
        finally:
            # By hand: a finalizer does nothing any more where the interpreter ends, and an exit hook may close as well.
            self._finalizer.detach()
            _release(self.database, self.leases)


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
