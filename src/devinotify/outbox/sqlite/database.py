"""The SQLite file: recognised before it is touched, opened once a process, and left alone across a fork.

Three rules of SQLite shape this module. A WAL database must have all its users on one machine. Closing *any*
descriptor of a file drops the process's POSIX locks on it, so the first bytes are read only while no connection of this
process is open on it. And a connection must not cross a fork, not even unused: a child that inherits one believes that
it holds the parent's locks. So all connections are closed before a fork and opened again, on demand, after it.
More than 400 lines: these rules lean on each other, and on the one table of open files.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devinotify import files
from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox.sqlite import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process's transaction."""

CHECKED_SIZE = 8 * 1024 * 1024
"""Bytes up to which a file is read through for damage when it is opened; beyond it only its head is."""

SHRINK_PAGES = 500
"""Pages that are given back to the disk at once: some 2 MB, 20 ms."""

SPARE_PAGES = 50
"""Free pages that a file keeps for what comes next."""

_MAGIC = b"SQLite format 3\0"
_HEAD = 100  # bytes of SQLite's file header: the version stands at 60, the application id at 68

_TROUBLES = {
    # What SQLite's primary result codes mean to whoever runs this, and whether the same call may work later.
    sqlite3.SQLITE_FULL: ("the disk is full; what was stored before is safe, this change was not made", True),
    sqlite3.SQLITE_IOERR: ("the disk cannot be read or written; this change was not made", True),
    sqlite3.SQLITE_BUSY: (f"another process has kept it locked for {BUSY_TIMEOUT:.0f} seconds", True),
    sqlite3.SQLITE_LOCKED: ("another thread keeps it locked", True),
    sqlite3.SQLITE_READONLY: ("it cannot be written", False),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", False),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", False),
    sqlite3.SQLITE_NOTADB: ("it is not an SQLite database", False),
}

_guard = threading.RLock()  # over _open, and over each opening of a file
_open: dict[tuple[int, int], int] = {}  # (device, inode) of a file -> connections that this process has on it
_databases: weakref.WeakSet[Database] = weakref.WeakSet()


class Database:
    """One outbox file and this process's connection to it.

    All threads share the connection under one lock: writers of an SQLite file take turns anyway. Four threads come
    about as far as with a connection each, none has to sleep in SQLite's waiting, and one is closed before a fork.
    """

    def __init__(self, path: Path) -> None:
        # The real path: what stands beside the file, locks above all, must be one for all who come by a link.
        self.path: Path = _real(path)
        self.lock: threading.RLock = threading.RLock()
        self.closed: bool = False
        self._connection: sqlite3.Connection | None = None
        self._inode = (0, 0)
        self._whole: tuple[int, int] | None = None  # the file that was read through for damage
        self.accounts: dict[str, int] = {}  # the numbers of accounts in this file, as far as they have been asked
        self._pid = os.getpid()
        with self.lock, _guard:
            self._connect()
            _databases.add(self)

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
            f"outbox {self.path}: {trouble} ({name})",
            operation=f"outbox.{operation}",
            verdict=verdict,
            retryable=retryable,
        )

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of this process; to be used under ``lock``."""
        if self._pid != os.getpid():
            # Forked behind Python's back (a host in C that runs no fork hooks): the inherited connection is neither
            # used nor closed nor collected, for each of these would act on the parent's locks.
            self._leave()
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
                raise
            finally:
                if full:
                    with contextlib.suppress(sqlite3.Error):  # the error that matters is on its way
                        connection.execute("PRAGMA synchronous=NORMAL")

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
        """Give the room of what was removed back to the disk, some pages at a time: others come in between."""
        with self.read("forget") as connection:
            while (free := _pragma(connection, "freelist_count")) > SPARE_PAGES:
                connection.execute(f"PRAGMA incremental_vacuum({SHRINK_PAGES})").fetchall()
                if _pragma(connection, "freelist_count") == free:  # a file of before, which keeps its room for itself
                    break

    def close(self) -> None:
        """Close the connection for good; a second call does nothing."""
        with self.lock:
            self.closed = True
            self.disconnect()

    def _leave(self) -> None:
        """Let the connection stand as it is until the process ends, unused, not even collected."""
        import ctypes

        if self._connection is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))
        self._connection = None

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
                self._leave()
            _open[self._inode] -= 1
            if not _open[self._inode]:
                del _open[self._inode]

    def _connect(self) -> None:
        self.accounts.clear()
        try:
            self._inode = _prepare(self.path, self._whole)
            self._whole = self._inode
            self._connection = _connect(self.path)
        except sqlite3.Error as error:
            raise InvalidInput(str(self.error(error, "open", Verdict.NOT_SENT))) from None
        except OSError as error:
            raise InvalidInput(f"outbox {self.path}: {error.strerror or type(error).__name__}") from None
        _open[self._inode] = _open.get(self._inode, 0) + 1
        self._pid = os.getpid()


def _real(path: Path) -> Path:
    """Return the path without links; raise InvalidInput where it is a link to nothing, or in a circle."""
    path = path.absolute()
    try:
        real = files.resolved(path)
    except OSError as error:
        raise InvalidInput(f"outbox {path}: {error.strerror}") from None
    # Nothing is made at the far end of a link: somebody may have planted it. A place that cannot be seen is told later.
    with contextlib.suppress(OSError):
        if real.is_symlink() or (path.is_symlink() and not real.exists()):
            raise InvalidInput(f"outbox {path}: it is a link, and what it leads to does not exist")
    return real


def _prepare(path: Path, whole: tuple[int, int] | None) -> tuple[int, int]:
    """Return the inode of the file, made where there was none; raise InvalidInput where it is not ours.

    ``whole`` is the inode of a file that needs no second look for damage.
    """
    if not path.parent.is_dir():
        raise InvalidInput(f"outbox {path}: its folder does not exist")
    files.make(path)
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInput(f"outbox {path}: it is not a regular file")
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK | os.X_OK):
        raise InvalidInput(f"outbox {path}: it, or its folder, cannot be written")
    inode = (status.st_dev, status.st_ino)
    if inode not in _open and status.st_size:
        _recognise(path)
        for name in _side_files(path):
            # SQLite follows a link that stands in the place of one of its files, and writes what it finds there.
            if name.is_symlink():
                raise InvalidInput(f"outbox {path}: {name.name} beside it is a link; all was left untouched")
        if inode != whole:
            _probe(path, status.st_size)
    for name in (path, *_side_files(path)):
        # SQLite gives its side files the rights of the main one; all of them hold numbers and texts.
        with contextlib.suppress(FileNotFoundError):
            beside = name.lstat()
            if beside.st_mode & 0o077 and stat.S_ISREG(beside.st_mode) and beside.st_uid == os.geteuid():
                name.chmod(files.OWNER_ONLY)
    return inode


def _side_files(path: Path) -> tuple[Path, ...]:
    return tuple(Path(f"{path}{ending}") for ending in ("-wal", "-shm", "-journal"))


def _recognise(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if len(head) < _HEAD or not head.startswith(_MAGIC):
        raise InvalidInput(f"outbox {path}: it is not an outbox but another file; it was left untouched")
    if int.from_bytes(head[68:72], "big") != schema.APPLICATION_ID:
        raise InvalidInput(f"outbox {path}: it is the SQLite database of another program; it was left untouched")
    _check_version(path, int.from_bytes(head[60:64], "big"))


def _check_version(path: Path, version: int) -> None:
    known = len(schema.MIGRATIONS)
    if version > known:
        raise InvalidInput(
            f"outbox {path}: it was written by a newer devinotify (format {version}, this one reads up to {known});"
            " it was left untouched"
        )


def _probe(path: Path, size: int) -> None:
    """Raise InvalidInput where the file is damaged or too new, over a connection that cannot change it."""
    log = Path(f"{path}-wal")
    # Without a log nobody else is using the file, and it can be read as if nobody could: no side file is made for that.
    if not log.exists() and _is_whole(path, size, "immutable=1"):
        return
    # Asked again where somebody has begun to use it meanwhile.
    if not log.exists() or not _is_whole(path, size, "mode=ro"):
        raise InvalidInput(f"outbox {path}: it is damaged; it was left untouched")


def _is_whole(path: Path, size: int, how: str) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=BUSY_TIMEOUT)) as probe:
            _check_version(path, _pragma(probe, "user_version"))
            return size > CHECKED_SIZE or bool(_pragma(probe, "quick_check(1)") == "ok")
    except sqlite3.DatabaseError as error:
        # Anything but damage, such as a creation that was cut short, is for the writing connection to mend or to tell.
        return getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,  # the lock of Database orders the threads
    )
    try:
        _upgrade(connection, path)
        _use_wal(connection, path)
        # 32 MB of cache, taken as needed: with less, a million recipients in random order are slow to add.
        for pragma in ("synchronous=NORMAL", "secure_delete=ON", "cache_size=-32000", "journal_size_limit=16777216"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _pragma(connection: sqlite3.Connection, name: str) -> Any:  # noqa: ANN401 - a pragma answers what it likes
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema to this version, from nothing or from an older one, in one transaction."""
    if _pragma(connection, "user_version") == len(schema.MIGRATIONS):
        return
    empty = not _pragma(connection, "page_count")
    connection.execute("BEGIN" if empty else "BEGIN EXCLUSIVE")
    try:
        if empty:
            # How room is given back is settled with the first page, which this writes, and locks the file for it.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        # Asked again under the lock: another process may have been quicker.
        version: int = _pragma(connection, "user_version")
        _check_version(path, version)
        for statements in schema.MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={len(schema.MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Switch to the write-ahead log, waiting for others who do the same: SQLite itself does not wait here."""
    give_up = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            mode = _pragma(connection, "journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise InvalidInput(f"outbox {path}: its file system cannot keep a write-ahead log")
        return


_forking: list[Database] = []


def _before_fork() -> None:
    # Every lock is taken, so that no thread is inside SQLite while the process is copied; by id, so that two threads
    # that fork at once take them in one order.
    while True:
        with _guard:
            databases = sorted(_databases, key=id)
        for database in databases:
            database.lock.acquire()
        _guard.acquire()
        if set(_databases) <= set(databases):
            break
        _guard.release()  # one was opened meanwhile
        for database in databases:
            database.lock.release()
    _forking[:] = databases
    for database in databases:
        with contextlib.suppress(sqlite3.Error):  # a fork must not fail because a disk does
            database.disconnect()


def _after_fork_in_parent() -> None:
    databases = list(_forking)
    _forking.clear()
    _guard.release()
    for database in databases:
        database.lock.release()


def _after_fork_in_child() -> None:
    global _guard  # may be held by a thread that does not exist here
    _guard = threading.RLock()
    _forking.clear()
    _open.clear()
    for database in list(_databases):
        database.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
