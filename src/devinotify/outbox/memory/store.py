"""The store in memory: ``store.Store`` over tables under one lock, with a set of names as the signs of life."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import time
from typing import TYPE_CHECKING, TypeVar

from devinotify.exceptions import InvalidInput, Verdict
from devinotify.outbox.memory.tables import Tables
from devinotify.outbox.memory.transaction import MemoryTransaction
from devinotify.outbox.paging import in_pages
from devinotify.outbox.records import make_row
from devinotify.outbox.room import MAX_ROWS
from devinotify.outbox.states import RowState
from devinotify.outbox.store import Claimant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from devinotify.outbox.records import NewMessage, Row
    from devinotify.outbox.store import Selection

T = TypeVar("T")

_workers = itertools.count(1)


class MemoryStore:
    """A store of its own; ``clock`` returns seconds since the epoch."""

    max_rows: int | None = MAX_ROWS
    campaign: str | None = None

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._data = Tables()
        self._worker: str | None = None
        self._closed = False

    def another(self) -> MemoryStore:
        """Return a store of the same contents, as another process would open it: with claims of its own."""
        other = MemoryStore(self._clock)
        other._data = self._data
        return other

    def vanish(self) -> None:
        """End as a process does that is killed: nothing is settled, and the sign of life is gone."""
        with self._data.lock:
            self._data.alive.discard(self._worker or "")
            self._closed = True

    @property
    def name(self) -> str:
        """How it is called to people."""
        return "in memory"

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def worker(self) -> str | None:
        """The name under which this store claims."""
        return self._worker

    def now(self) -> float:
        """Return the time by the clock."""
        return self._clock()

    def ahead(self) -> float:
        """Return 0: it is this machine's clock, or stands in its place."""
        return 0.0

    def read(self, operation: str, work: Callable[[MemoryTransaction], T]) -> T:  # noqa: ARG002 - nothing fails here
        """Return what ``work`` reads; nothing changes meanwhile."""
        with self._data.lock:
            self._need_open()
            return work(MemoryTransaction(self._data, self._clock))

    def write(
        self,
        operation: str,  # noqa: ARG002 - nothing fails here
        work: Callable[[MemoryTransaction], T],
        *,
        durable: bool = False,  # noqa: ARG002 - nothing is
        verdict: Verdict = Verdict.NOT_SENT,  # noqa: ARG002 - as above
    ) -> T:
        """Return what ``work`` returns; an exception undoes its changes."""
        with self._data.lock:
            self._need_open()
            if self._data.writing:
                raise InvalidInput(f"outbox {self.name}: used from within its own transaction")
            self._data.writing = True
            transaction = MemoryTransaction(self._data, self._clock)
            try:
                return work(transaction)
            except BaseException:
                transaction.undo()
                raise
            finally:
                self._data.writing = False

    def add_one(
        self, new: NewMessage, recipient: str, channel: str, not_before: float | None, deadline: float | None
    ) -> Row | None:
        """Store a message with one row."""

        def work(transaction: MemoryTransaction) -> Row | None:
            if new.key is not None and transaction.message_of_key(new.key) is not None:
                return None
            due = transaction.now if not_before is None else max(transaction.now, not_before)
            (number,) = transaction.add(new, (recipient,), channel, due, deadline)
            return make_row(number, number, recipient, channel, RowState.QUEUED, 0, due, deadline)

        return self.write("enqueue", work)

    def pages(self, selection: Selection, after: int, limit: int | None, size: int) -> Iterator[list[Row]]:
        """Yield pages of rows."""

        def read(after: int, most: int) -> list[Row]:
            return self.read("rows", lambda transaction: transaction.page(selection, after, most))

        return in_pages(read, after, limit, size)

    def idle(self, account: str | None) -> bool:
        """Whether nothing can be claimed now."""
        return self.read("claim", lambda transaction: next(transaction.due(account), None) is None)

    def enlist(self) -> str:
        """Return the name under which this store claims from now on."""
        with self._data.lock:
            self._need_open()
            if self._worker is None:
                self._worker = f"{os.getpid()}-{next(_workers)}"
            self._data.alive.add(self._worker)
            return self._worker

    @contextlib.contextmanager
    def gone(self) -> Iterator[Collection[str]]:
        """Give the workers with claims that are alive no more."""
        with self._data.lock:
            yield {worker for worker, _ in self._data.claims.values()} - self._data.alive

    def held(self) -> str | None:
        """Nothing is held back."""
        return None

    def resume(self) -> None:
        """Nothing is held back."""

    def senders_alive(self) -> bool:
        """Whether any worker but this one is alive."""
        return bool(set(self._data.alive) - {self._worker})

    def workers(self) -> list[Claimant]:
        """Return those of this process that are alive."""
        now = self._clock()
        return self.read(
            "workers",
            lambda transaction: [
                Claimant(name, socket.gethostname(), os.getpid(), now, len(transaction.claimed_by(name)))
                for name in sorted(self._data.alive)
            ],
        )

    def close(self) -> None:
        """Give the sign of life back; what is stored stays for those that were made of this one."""
        self.vanish()

    def _need_open(self) -> None:
        if self._closed:
            raise InvalidInput(f"outbox {self.name}: it is closed")
