"""A worker's sign of life: a line that a thread of its own keeps young, by the database's clock.

A worker that has not been heard of for DEAD_AFTER seconds is dead: whoever comes across its line removes it, and what
it had claimed becomes unknown. So it stops claiming and sending well before that, by its own monotonic clock, counted
from before its last sign that was *committed*: it need not be told.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox.postgres.database import Database
from devinotify.outbox.postgres.failover import TOKENS_KEPT

if TYPE_CHECKING:
    from devinotify.outbox.postgres.location import Location

log: logging.Logger = logging.getLogger(__name__)

BEAT_EVERY = 10.0
"""Seconds between two signs."""

DEAD_AFTER = 90.0
"""Seconds without a sign after which a worker is dead."""

MOST_SPARE = DEAD_AFTER - 2 * BEAT_EVERY
"""Seconds that a worker must have left to live when its request departs, at most: with a longer deadline none ever
would. The outcome of a request that took longer comes late, and is taken all the same."""

_NOW = "extract(epoch FROM clock_timestamp())::double precision"
ENLIST = f"INSERT INTO ~workers (name, host, pid, seen_at) VALUES (%s, %s, %s, {_NOW})"  # noqa: S608 - our own words
BEAT = f"UPDATE ~workers SET seen_at = {_NOW} WHERE name = %s"  # noqa: S608 - as above
LEAVE = "DELETE FROM ~workers WHERE name = %s"
BURY = f"DELETE FROM ~workers WHERE seen_at < {_NOW} - {DEAD_AFTER}"  # noqa: S608 - as above
TIDY = f"DELETE FROM ~tokens WHERE made_at < now() - {TOKENS_KEPT} * interval '1 second'"  # noqa: S608 - as above
GONE = "SELECT DISTINCT worker FROM ~claims c WHERE NOT EXISTS (SELECT 1 FROM ~workers w WHERE w.name = c.worker)"
ALIVE = (
    f"SELECT 1 FROM ~workers WHERE seen_at >= {_NOW} - {DEAD_AFTER}"  # noqa: S608 - as above
    " AND name IS DISTINCT FROM %s::text LIMIT 1"
)

SEEN = (
    "SELECT w.name, w.host, w.pid, w.seen_at, coalesce(sum(cardinality(c.rows)), 0)::bigint"  # noqa: S608 - as above
    f" FROM ~workers w LEFT JOIN ~claims c ON c.worker = w.name WHERE w.seen_at >= {_NOW} - {DEAD_AFTER}"
    " GROUP BY w.name ORDER BY w.host, w.pid, w.name"
)


class Heartbeat:
    """The line of a worker of this process, on a connection of its own; from its making until ``stop``."""

    def __init__(self, where: Location) -> None:
        self.pid: int = os.getpid()
        self.host: str = socket.gethostname()
        self.name: str = f"{self.host}-{self.pid}-{secrets.token_hex(4)}"
        self._database = Database(where)
        self._stopping = threading.Event()
        self._heard = 0.0
        self._lost = False
        self._beat(ENLIST, self.name, self.host, self.pid)
        self._thread = threading.Thread(target=self._run, name="devinotify-heartbeat", daemon=True)
        self._thread.start()

    def is_alive(self, spare: float = 0.0) -> bool:
        """Whether this worker is nobody's dead one for ``spare`` seconds from now on, at the least."""
        return not self._lost and self.pid == os.getpid() and time.monotonic() < self._heard + DEAD_AFTER - spare

    def renew(self, seconds: float) -> bool:
        """Return whether this worker lives for so many seconds at the least; where it may not, a sign is given first.

        Whose line is still there has not been taken for dead, however long it stood still.
        """
        spare = min(seconds, MOST_SPARE)
        if not self.is_alive(spare) and not self._lost and self.pid == os.getpid():
            self._beat(BEAT, self.name)
        return self.is_alive(spare)

    def lose(self) -> None:
        """Take it that this worker has been taken for dead."""
        self._lost = True

    def _beat(self, statement: str, *values: object) -> None:
        before = time.monotonic()
        if not self._database.once("beat", lambda session: session.run(statement, *values), Verdict.NOT_SENT):
            self._lost = True
            return
        self._heard = before

    def _run(self) -> None:
        while not self._lost and not self._stopping.wait(BEAT_EVERY):
            try:
                self._beat(BEAT, self.name)
            except DevinotifyError as error:
                log.warning("%s; no sign of life was given", error)
        self._database.close()

    def leave(self) -> None:
        """Give no sign any more, as soon as the thread comes to it."""
        self._stopping.set()

    def stop(self) -> None:
        """Give no sign any more; the line is the caller's to remove."""
        self.leave()
        if self.pid == os.getpid() and self._thread is not threading.current_thread():
            self._thread.join(BEAT_EVERY)
        self._database.close()
