"""One connection to the database: made when it is needed, made again when it was lost, and left alone across a fork.

Nothing lives in the server's session (no setting, no lock, no prepared statement), so that a pooler may give each
transaction another one.

More than 400 lines: each way in which something is asked, for what a lost answer means depends on which it was.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox import forking
from devinotify.outbox.postgres import errors, failover, migration
from devinotify.outbox.postgres.errors import InDoubtError, UnconfirmedError
from devinotify.outbox.postgres.failover import CommitsMissedError, Last
from devinotify.outbox.postgres.session import Line, Session, is_live, quoted
from devinotify.outbox.store import HeldError

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.outbox.postgres.location import Location

log: logging.Logger = logging.getLogger(__name__)

T = TypeVar("T")


class AnswerLostError(Exception):
    """A statement was carried out and committed, and nobody knows what it told."""


TIME = "SELECT extract(epoch FROM clock_timestamp())::double precision"
"""The database's clock: the only one that counts."""

_BEGIN = (
    # One round trip: several statements without values, of which the last one tells.
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT * FROM ~begin_change({last:d}, {next:d}, {durable})"
)

# Not DO NOTHING: a line that is there is written again, so that this commit, too, waits for the standbys, and so for
# what came before it. Of a new line, xmax is 0.
_WAS_MADE = (
    "INSERT INTO ~tokens (id) VALUES (%s) ON CONFLICT (id) DO UPDATE SET made_at = now() RETURNING xmax::text <> '0'"
)

TRIES = 10
"""How often a transaction is done that others keep from being made; a deadlock ends one of the two at once."""

NOT_REPLICATED = "01000"
"""The warning of a commit that no standby has confirmed: it may be lost with this server."""

_TO_REPEAT = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, psycopg.errors.UniqueViolation)

_inherited: list[Any] = []  # connections of the parent: to be neither used nor closed nor collected here


class Database:
    """This process's connection to one outbox; threads take turns under ``lock``."""

    def __init__(self, where: Location) -> None:
        self._where = where
        self.name: str = where.name
        self.lock: threading.RLock = threading.RLock()
        self.closed: bool = False
        self._connection: psycopg.Connection[Line] | None = None
        self._pid = os.getpid()
        self._writing = False
        self.token: int = 0
        """That of the last transaction that was begun here; to be read within it."""
        self._last = Last()
        self.missed_at: float = float("-inf")
        """What was committed here before, by this process's monotonic clock, may be missing."""
        self._watch = failover.Watch(trusts=where.trusts)
        self._held: str | None = None  # why the transaction under way may claim nothing
        self._committing = False
        self._doubtful = False  # whether the commit under way came with a warning
        self._ahead: float | None = None  # how far the database's clock is ahead of this process's monotonic one
        forking.watch(self)

    # --- time

    def now(self) -> float:
        """Return the time by the database's clock: as it was last heard, and the seconds since then."""
        if self._ahead is None:
            self.hear()
        assert self._ahead is not None  # noqa: S101 - it has just been heard
        return time.monotonic() + self._ahead

    def heard(self, now: float, asked: float) -> None:
        """Take it that the clock has shown this at some moment since ``asked``, which is a monotonic one.

        In an answer that took long, as with a commit in it, what is known already holds as far as it agrees.
        """
        least, most = now - time.monotonic(), now - asked
        self._ahead = least if self._ahead is None else min(max(self._ahead, least), most)

    def hear(self) -> None:
        """Ask for the time: what was last heard is behind by as long as that answer took to come."""
        self.read("now", lambda session: self._hear(session.one(TIME)))

    def _hear(self, line: Line | None) -> float:
        assert line is not None  # noqa: S101 - the time is always told
        now = float(line[0])
        self._ahead = now - time.monotonic()
        return now

    # --- the connection

    def connect(self, operation: str) -> psycopg.Connection[Line]:
        """Return a new connection, nobody else's."""
        try:
            connection = psycopg.connect(self._where.conninfo, autocommit=True, prepare_threshold=None)
        except psycopg.ProgrammingError:
            raise InvalidInput(f"outbox {self.name}: the URL has a setting that PostgreSQL does not know") from None
        except psycopg.Error as error:
            raise self._failed(error, operation, Verdict.NOT_SENT) from None
        connection.add_notice_handler(self._noticed)
        return connection

    def session(self, connection: psycopg.Connection[Line]) -> Session:
        """Return the schema on a connection."""
        return Session(connection, quoted(self._where.schema), quoted(self._where.base))

    def _noticed(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if self._committing and diagnostic.sqlstate == NOT_REPLICATED:
            self._doubtful = True

    def _live(self, operation: str) -> Session:
        """Return the connection as far as is known without a question; under ``lock``."""
        if self.closed:
            raise InvalidInput(f"outbox {self.name}: it is closed")
        if self._pid != os.getpid():
            _inherited.append(self._connection)
            self._connection, self._pid, self._writing, self._last = None, os.getpid(), False, Last()
        connection = self._connection
        if connection is not None and not is_live(connection):
            self._drop()
        if self._connection is None:
            self._connection = self.connect(operation)
        return self.session(self._connection)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _failed(self, error: psycopg.Error, operation: str, verdict: Verdict) -> DevinotifyError:
        return errors.as_error(self.name, error, operation, verdict)

    def is_lost(self) -> bool:
        """Whether the connection is gone."""
        return self._connection is None or self._connection.broken or self._connection.closed

    # --- what is done on it

    def prepare(self) -> None:
        """Make the schema where there is none; raise InvalidInput where it cannot be used."""
        with self.lock:
            session = self._live("open")
            try:
                found = migration.version(session)
                if found == 0:
                    _, found = migration.migrate(session)
                migration.check(found, self.name)
            except psycopg.errors.InsufficientPrivilege:
                raise InvalidInput(
                    f"outbox {self.name}: the schema is not set up, and this role may not make it"
                ) from None
            except psycopg.Error as error:
                raise self._failed(error, "open", Verdict.NOT_SENT) from None

    def migrate(self) -> tuple[int, int]:
        """Bring the schema to the newest version; return the version it had, and the one it has."""
        with self.lock:
            session = self._live("migrate")
            try:
                before, after = migration.migrate(session)
                migration.check(after, self.name)
                return before, after
            except psycopg.errors.InsufficientPrivilege:
                raise InvalidInput(f"outbox {self.name}: this role may not make or change the schema") from None
            except psycopg.Error as error:
                raise self._failed(error, "migrate", Verdict.NOT_SENT) from None

    def read(self, operation: str, work: Callable[[Session], T]) -> T:
        """Return what ``work`` reads, each statement by itself; asked again where the connection had been lost."""
        with self.lock:
            if self._writing:
                raise InvalidInput(f"outbox {self.name}: used from within its own transaction")
            for last in (False, True):
                session = self._live(operation)
                try:
                    return work(session)
                except psycopg.Error as error:
                    if last or not self.is_lost():
                        raise self._failed(error, operation, Verdict.NOT_SENT) from None
            raise AssertionError("unreachable")  # pragma: no cover - the second time returns or raises

    def once(self, operation: str, work: Callable[[Session], T], verdict: Verdict) -> T:
        """Return what one statement changed; ``verdict`` is that of a failure, UNKNOWN that of a lost answer."""
        with self.lock:
            if self._writing:
                raise InvalidInput(f"outbox {self.name}: used from within its own transaction")
            session = self._live(operation)
            try:
                self._committing, self._doubtful = True, False
                found = work(session)
                self._confirm(operation)
                return found
            except psycopg.Error as error:
                if self.is_lost():
                    raise errors.in_doubt(self.name, operation) from None
                raise self._failed(error, operation, verdict) from None
            except UnicodeEncodeError:
                raise errors.unfit(self.name, operation) from None
            finally:
                self._committing = False

    def alone(self, operation: str, ask: Callable[[Session, int, int], T | None]) -> T | None:
        """Return what one statement tells that is a whole transaction; ``None`` where it was not made.

        ``ask`` is given the token of the last one and that which takes its place, and returns ``None`` where that has
        not been done. What it finds not to be as it mostly is, and an error, are for ``write`` to see. Raises
        AnswerLostError where it was made and what it told was lost.
        """
        with self.lock:
            if self._writing:
                raise InvalidInput(f"outbox {self.name}: used from within its own transaction")
            session = self._live(operation)
            if not self._last.is_kept:
                return None
            before, self._last = self._last, Last()  # as in ``write``
            self.token = secrets.randbits(62) + 1
            self._committing, self._doubtful = True, False
            try:
                found = ask(session, before.token, self.token)
            except (psycopg.Error, UnicodeEncodeError):
                found = None
                if self.is_lost() and self._was_made(operation):
                    self._last = Last.of(self.token, self.now())
                    raise AnswerLostError from None
            except BaseException:
                self._undo(session.connection)
                raise
            finally:
                self._committing = False
            if found is None:
                self._last = before
                return None
            self._confirm(operation)
            self._last = Last.of(self.token, self.now())
            return found

    def write(
        self,
        operation: str,
        work: Callable[[Session, float], T],
        *,
        durable: bool = False,
        verdict: Verdict = Verdict.NOT_SENT,
    ) -> T:
        """Return what ``work`` returns of the open transaction and the database's time, once it is committed.

        It is done again where others kept it from being made, or where the connection was lost and it was not made.
        """
        with self.lock:
            if self._writing:
                raise InvalidInput(f"outbox {self.name}: used from within its own transaction")
            for left in reversed(range(TRIES)):
                session = self._live(operation)
                self._writing = True
                try:
                    found = self._done(session, work, durable=durable)
                except CommitsMissedError:
                    self._undo(session.connection)
                    self._miss(session, operation)
                    continue
                except psycopg.Error as error:
                    self._undo(session.connection)
                    lost = self.is_lost()
                    if left and (isinstance(error, _TO_REPEAT) or (lost and left == TRIES - 1)):
                        continue
                    raise self._failed(error, operation, verdict) from None
                except UnicodeEncodeError:
                    self._undo(session.connection)
                    raise errors.unfit(self.name, operation) from None
                except BaseException:
                    self._undo(session.connection)
                    raise
                finally:
                    self._writing = False
                # Until its answer is there, nobody knows which of the two tokens stands: an interrupt may come between,
                # and one that was mistaken for missing would have the claims of all workers held.
                before, self._last = self._last, Last()
                try:
                    self._commit(session, operation, verdict)
                except InDoubtError:
                    if not self._was_made(operation):
                        self._last = before  # what was to take its place was not made
                        if not left:
                            raise
                        continue
                except UnconfirmedError:
                    raise
                except DevinotifyError:
                    self._last = before
                    raise
                self._last = Last.of(self.token, self.now())
                return found
            raise AssertionError("unreachable")  # pragma: no cover - the last try returns or raises

    def _done(self, session: Session, work: Callable[[Session, float], T], *, durable: bool) -> T:
        self.token = secrets.randbits(62) + 1
        cursor = session.connection.execute(
            session.sql(_BEGIN.format(last=self._last.token, next=self.token, durable=durable))
        )
        while cursor.nextset():
            pass
        line = cursor.fetchone()
        now = self._hear(line)
        assert line is not None  # noqa: S101 - the time is always told
        if not line[1] and self._last.is_kept:
            raise CommitsMissedError
        self._held = self._watch.why(session, line[2:]) if durable else None
        return work(session, now)

    def _miss(self, session: Session, operation: str) -> None:
        """Have claims held: what this process has committed is not there any more."""
        self.missed_at = time.monotonic()
        try:
            self._last.miss(session)
        except psycopg.errors.InsufficientPrivilege:
            log.warning("outbox %s: %s; this role may not have it written down", self.name, failover.MISSED)
        except psycopg.Error as error:
            raise self._failed(error, operation, Verdict.NOT_SENT) from None
        self._last = Last()

    @property
    def started(self) -> float | None:
        """When the server was started that claims are made on; ``None`` where that is to be looked at first."""
        return self._watch.started

    def check_claims(self) -> None:
        """Raise HeldError where the durable transaction under way may claim nothing."""
        if self._held is not None:
            raise HeldError(self.name, self._held)

    def held(self) -> str | None:
        """Return why nothing may be claimed, or ``None``."""
        return self.read("held", lambda session: failover.why(session, trusts=self._where.trusts))

    def resume(self) -> None:
        """Take the server as it is for the one to send from."""
        self.write("resume", lambda session, now: self._watch.resume(session))  # noqa: ARG005 - the server's own time

    def was_made(self, session: Session, token: int) -> bool:
        """Return whether a transaction of this process that has ended here was committed.

        Its token is inserted again: a look would tell nothing while it may still be under way, but this waits for it,
        and where the token is not there, it can never come. That of the last one is known to be there, and is gone by
        now from within the next one, which has taken its place.
        """
        if token == self._last.token:
            return True
        line = session.one(_WAS_MADE, token)
        return line is not None and bool(line[0])

    def _was_made(self, operation: str) -> bool:
        """Return whether the transaction whose answer was lost was committed; raise the doubt where nobody can tell."""
        try:
            session = self._live(operation)
            self._committing, self._doubtful = True, False
            made = self.was_made(session, self.token)
            self._confirm(operation)
        except (psycopg.Error, DevinotifyError):
            self._drop()
            raise errors.in_doubt(self.name, operation) from None
        finally:
            self._committing = False
        return made

    def _undo(self, connection: psycopg.Connection[Line]) -> None:
        try:
            if connection.info.transaction_status is TransactionStatus.ACTIVE:
                # Broken off in mid-statement, as by Ctrl-C: nobody waits for its end.
                self._drop()
            elif connection.info.transaction_status is not TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            self._drop()

    def _commit(self, session: Session, operation: str, verdict: Verdict) -> None:
        self._committing, self._doubtful = True, False
        try:
            done = session.connection.execute("COMMIT").statusmessage
        except psycopg.Error as error:
            self._undo(session.connection)
            if self.is_lost():
                raise errors.in_doubt(self.name, operation) from None
            raise self._failed(error, operation, verdict) from None
        except BaseException:
            self._drop()
            raise
        finally:
            self._committing = False
        if done != "COMMIT":
            # A transaction that had failed unnoticed: undone.
            raise DevinotifyError(
                f"outbox {self.name}: the change was not made", operation=f"outbox.{operation}", verdict=verdict
            )
        self._confirm(operation)

    def _confirm(self, operation: str) -> None:
        """Raise UnconfirmedError where what was committed just now may be lost with this server."""
        if self._doubtful:
            self._last = Last()
            raise errors.unconfirmed(self.name, operation, Verdict.UNKNOWN)

    def close(self) -> None:
        """Let the connection go; a second call does nothing."""
        with self.lock:
            if self._pid != os.getpid():
                _inherited.append(self._connection)
                self._connection = None
            self._drop()
            self.closed = True
