"""The SQLite file: opened once a process, and left alone across a fork.

Three rules of SQLite shape this module. A WAL database must have all its users on one machine. Closing *any*
descriptor of a file drops the process's POSIX locks on it, so it is known which files are open. And a connection must
not cross a fork, not even unused: a child that inherits one believes that it holds the parent's locks. So all
connections are closed before a fork and opened again, on demand, after it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox import forking
from devinotify.outbox.sqlite.connecting import BUSY_TIMEOUT, connect, pragma
from devinotify.outbox.sqlite.recognition import Inode, prepare, real_path
from devinotify.outbox.sqlite.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.outbox.sqlite.connecting import Migrations

SHRINK_PAGES = 500
"""Pages that are given back to the disk at once: some 2 MB, 20 ms."""

SPARE_PAGES = 50
"""Free pages that a file keeps for what comes next."""

_INCREMENTAL = 2
"""What ``PRAGMA auto_vacuum`` answers for a file that can give some of its pages back."""

_TROUBLES = {
    # What SQLite's primary result codes mean to whoever runs this, and whether the same call may work later.
    sqlite3.SQLITE_FULL: ("the disk is full; what was stored before is safe, this change was not made", True),
    sqlite3.SQLITE_IOERR: ("the disk cannot be read or written; this change was not made", True),
    sqlite3.SQLITE_BUSY: ("another process has kept it locked for {seconds:.0f} seconds", True),
    sqlite3.SQLITE_LOCKED: ("another thread keeps it locked", True),
    sqlite3.SQLITE_READONLY: ("it cannot be written", False),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", False),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", False),
    sqlite3.SQLITE_NOTADB: ("it is not an SQLite database", False),
}

_reach_disk = getattr(os, "fdatasync", os.fsync)  # the one that SQLite itself asks for

_guard = threading.RLock()  # over _open, and over each opening of a file
_open: dict[Inode, int] = {}  # (device, inode) of a file -> connections that this process has on it


class Turn:
    """Whose step it is of those who send, where each has many: a fork waits for it.

    Whoever asks whether it may send what it has claimed waits for one other, and not for all who are about to write.
    """

    def __init__(self) -> None:
        self.lock: threading.RLock = threading.RLock()
        forking.watch(self)


class Database:
    """One outbox file and this process's connection to it.

    All threads share the connection under one lock: writers of an SQLite file take turns anyway. Four threads come
    about as far as with a connection each, none has to sleep in SQLite's waiting, and one is closed before a fork.
    ``busy_timeout`` is for how many seconds another process's transaction is waited for; ``migrations`` lead to the
    version of the schema that the file is brought to.
    """

    def __init__(self, path: Path, busy_timeout: float = BUSY_TIMEOUT, migrations: Migrations = MIGRATIONS) -> None:
        # The real path: what stands beside the file, locks above all, must be one for all who come by a link.
        self.path: Path = real_path(path)
        self.lock: threading.RLock = threading.RLock()
        self.turn: Turn = Turn()  # taken before the lock, never under it
        self.closed: bool = False
        self._connection: sqlite3.Connection | None = None
        self._busy_timeout = busy_timeout
        self._migrations = migrations
        self._inode: Inode = (0, 0)
        self._whole: Inode | None = None  # the file that was read through for damage
        self.accounts: dict[str, int] = {}  # the numbers of accounts in this file, as far as they have been asked
        self._pid = os.getpid()
        with self.lock:
            forking.watch(self, Database.leave)
            with _guard:
                self._connect()

    def error(self, error: sqlite3.Error, operation: str, verdict: Verdict) -> DevinotifyError:
        """Return what went wrong in words that name the file and hold nothing of its contents.

        On a full disk the log is folded into the file first: the next try may find its room there.
        """
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_FULL and self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        fallback = ("SQLite failed", False)
        trouble, retryable = fallback if code is None else _TROUBLES.get(code & 0xFF, fallback)
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        return DevinotifyError(
            f"outbox {self.path}: {trouble.format(seconds=self._busy_timeout)} ({name})",
            operation=f"outbox.{operation}",
            verdict=verdict,
            retryable=retryable,
        )

    def unfit(self, operation: str) -> InvalidInput:
        """Return that a text has half a character in it; it may be any part of what was given."""
        return InvalidInput(
            f"outbox {self.path}: it cannot keep what was given (half a character)", operation=f"outbox.{operation}"
        )

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of this process; to be used under ``lock``."""
        if self._pid != os.getpid():
            # Forked behind Python's back (a host in C that runs no fork hooks): the inherited connection is neither
            # used nor closed nor collected, for each of these would act on the parent's locks.
            self._abandon()
            self._pid = os.getpid()
        if self._connection is None:
            if self.closed:
                raise InvalidInput(f"outbox {self.path}: it is closed")
            with _guard:
                self._connect()
        assert self._connection is not None  # noqa: S101 - _connect() has just set it
        return self._connection

    @contextlib.contextmanager
    def read(self, operation: str) -> Iterator[sqlite3.Connection]:
        """Give the connection for one statement's reading; SQLite's errors come out as ours."""
        with self.lock:
            try:
                yield self.connection
            except sqlite3.Error as error:
                raise self.error(error, operation, Verdict.NOT_SENT) from None

    @contextlib.contextmanager
    def write(
        self, operation: str, *, full: bool = False, verdict: Verdict = Verdict.NOT_SENT
    ) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one write transaction, committed at the end and undone by any error.

        ``full`` has the commit reach the disk before this returns, so that it survives a power failure.
        """
        with self.lock:
            connection = self.connection
            if connection.in_transaction:
                raise InvalidInput(f"outbox {self.path}: used from within its own transaction")
            try:
                if full:
                    connection.execute("PRAGMA synchronous=FULL")
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):  # a full disk has undone it already
                        connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self.error(error, operation, verdict) from None
                if isinstance(error, UnicodeEncodeError):
                    raise self.unfit(operation) from None
                raise
            finally:
                if full:
                    with contextlib.suppress(sqlite3.Error):  # the error that matters is on its way
                        connection.execute("PRAGMA synchronous=NORMAL")

    def sync(self, operation: str) -> None:
        """Have what is committed survive a power failure, as ``full`` does, while others use the file.

        SQLite's own wait for the disk holds all of them up. Raises DevinotifyError where the disk fails.
        """
        try:
            # No lock is lost as this is closed: SQLite has none on its log, they stand beside it.
            log = os.open(f"{self.path}-wal", os.O_RDWR)
            try:
                _reach_disk(log)
            finally:
                os.close(log)
        except OSError as error:
            trouble, retryable = _TROUBLES[sqlite3.SQLITE_IOERR]
            raise DevinotifyError(
                f"outbox {self.path}: {trouble} ({error.strerror or type(error).__name__})",
                operation=f"outbox.{operation}",
                verdict=Verdict.NOT_SENT,
                retryable=retryable,
            ) from None

    def is_same(self) -> bool:
        """Whether the file at the path is still the one that was opened."""
        if self._connection is None:
            return True
        try:
            status = os.stat(self.path, follow_symlinks=False)  # noqa: PTH116 - half the time of a Path, at each claim
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._inode

    def check(self, operation: str) -> None:
        """Raise DevinotifyError where the file was removed or another was put in its place."""
        with self.lock:
            if not self.is_same():
                raise DevinotifyError(
                    f"outbox {self.path}: the file was removed or replaced while it was in use; nothing more is sent"
                    " from it. Stop every process that uses it before a file is put in its place",
                    operation=f"outbox.{operation}",
                    verdict=Verdict.NOT_SENT,
                )

    def shrink(self) -> None:
        """Give the room of what was removed back to the disk, some pages at a time: others come in between.

        A file that version 1 has made learns that first: it is written anew, once, and others wait for that long.
        Where this cannot be done now, the room stays free for what comes next.
        """
        with self.lock, contextlib.suppress(sqlite3.Error):  # what was to be forgotten is, and that was asked for
            connection = self.connection
            if pragma(connection, "freelist_count") <= SPARE_PAGES:
                return
            if pragma(connection, "auto_vacuum") != _INCREMENTAL:
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
                connection.execute("VACUUM")
            while pragma(connection, "freelist_count") > SPARE_PAGES:
                connection.execute(f"PRAGMA incremental_vacuum({SHRINK_PAGES})").fetchall()

    def close(self) -> None:
        """Close the connection for good; a second call does nothing."""
        with self.lock:
            self.closed = True
            self.disconnect()

    def _abandon(self) -> None:
        """Let the connection stand as it is until the process ends, unused, not even collected."""
        import ctypes

        if self._connection is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))
        self._connection = None

    def leave(self) -> None:
        """Close the connection before a fork; what cannot be closed holds no fork up."""
        with contextlib.suppress(sqlite3.Error):
            self.disconnect()

    def disconnect(self) -> None:
        """Close the connection until it is needed again, unless it belongs to a parent process."""
        if self._connection is None or self._pid != os.getpid():
            return
        with _guard:
            if self.is_same():
                self._connection.close()
                self._connection = None
            else:
                # Closing would remove the log by its name: that of whatever file stands there now.
                self._abandon()
            _open[self._inode] -= 1
            if not _open[self._inode]:
                del _open[self._inode]

    def _connect(self) -> None:
        self.accounts.clear()
        try:
            self._inode = prepare(self.path, self._whole, _open, len(self._migrations))
            self._whole = self._inode
            self._connection = connect(self.path, self._busy_timeout, self._migrations)
        except sqlite3.Error as error:
            raise InvalidInput(str(self.error(error, "open", Verdict.NOT_SENT))) from None
        except OSError as error:
            raise InvalidInput(f"outbox {self.path}: {error.strerror or type(error).__name__}") from None
        _open[self._inode] = _open.get(self._inode, 0) + 1
        self._pid = os.getpid()


def _after_fork_in_child() -> None:
    # Nobody held it: it is taken under a database's lock alone, and the fork held all of those. New as theirs are.
    global _guard
    _guard = threading.RLock()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
