"""Whether the database is the one that claims were committed in, and still knows of them all.

A standby that had not received everything yet, and a backup, know nothing of the last claims: what these had taken, and
what was sent, stands in the queue again. So the line in ``server`` says which server this is, and claims are held where
that has changed, until a person has decided (``Outbox.resume``). What tells:

- the timeline, which a server leaves for a new one when it is promoted, or has been restored to a moment;
- the system's identifier and the table's own, which are others where a dump was loaded, or a copy is used elsewhere;
- the token of the last transaction of any process: one that misses its own has it written down, with LOST in the place
  of the timeline, for all to see. So a disk's snapshot that was put back is noticed by those who lived through it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from devinotify.outbox.postgres.standing import COLUMNS, LOST, TIMELINE

if TYPE_CHECKING:
    from devinotify.outbox.postgres.session import Line, Session

TOKENS_KEPT = 86400.0
"""Seconds for which the token of a transaction stays, at the least, unless its process makes another transaction."""

_NOW = "extract(epoch FROM clock_timestamp())::double precision"
_SAME_SYSTEM = "SELECT s.system = c.system_identifier FROM ~server s, pg_control_system() c"

_RESUME = (
    f"UPDATE ~server SET system = c.system_identifier, timeline = {TIMELINE}, relation = '~server'::regclass::oid,"  # noqa: S608 - our own words
    f" known_at = {_NOW} FROM pg_control_system() c"
)
_MISS = f"UPDATE ~server SET timeline = {LOST} WHERE known_at < %s"  # noqa: S608 - a number of ours

FAILED_OVER = "the database has failed over to another server, or was restored from a backup"
COPIED = "the database was restored from a backup, or is a copy of another"
MISSED = "the database has lost what was committed in it, as after a failover or a restored backup"


class CommitsMissedError(Exception):
    """What this process committed last is not there any more."""


class Watch:
    """One process's look at the server, in transactions that claim; ``trusts`` takes a new timeline for a good one."""

    def __init__(self, *, trusts: bool) -> None:
        self._trusts = trusts
        self._started: float | None = None
        self._same_system = True

    @property
    def started(self) -> float | None:
        """When the server was started that is known to be the right system; ``None`` before it was looked at."""
        return self._started if self._same_system else None

    def why(self, session: Session, line: Line) -> str | None:
        """Return why nothing may be claimed, of what COLUMNS have told; ``None`` where it may."""
        timeline, present, same_table, started = line
        if started != self._started:
            # It takes the server a file to read: once for each time that it was started.
            found = session.one(_SAME_SYSTEM)
            self._same_system, self._started = found is not None and bool(found[0]), started
        if timeline == LOST:
            return MISSED
        if not (same_table and self._same_system):
            return COPIED
        return None if timeline == present or self._trusts else FAILED_OVER

    def resume(self, session: Session) -> None:
        """Take the server as it is for the one to send from."""
        session.run(_RESUME)
        self._started = None


class Last(NamedTuple):
    """The last transaction that a process has committed: its token, which is there as long as the commit is."""

    token: int = 0
    began: float = 0.0
    """By the database's clock."""
    monotonic: float = 0.0
    wall: float = 0.0

    @staticmethod
    def of(token: int, began: float) -> Last:
        """Return what has just been committed."""
        return Last(token, began, time.monotonic(), time.time())

    @property
    def is_kept(self) -> bool:
        """Whether its token must be there: it is not so old that it may have been cleared away."""
        # One clock stands still while the machine is suspended, the other may be set back.
        age = max(time.monotonic() - self.monotonic, time.time() - self.wall)
        return self.token != 0 and age < TOKENS_KEPT / 2

    def miss(self, session: Session) -> None:
        """Write down for all that it is missed, unless a person has looked since it was committed."""
        session.run(_MISS, self.began)


def why(session: Session, *, trusts: bool) -> str | None:
    """Return why nothing may be claimed, or ``None``."""
    line = session.one(f"SELECT {COLUMNS} FROM ~server s")  # noqa: S608 - our own words
    return None if line is None else Watch(trusts=trusts).why(session, line)
