"""Whether a file is an outbox, told before anything touches it: its place, its head, its version, damage.

Closing *any* descriptor of a file drops the process's POSIX locks on it, so the first bytes are read only while no
connection of this process is open on it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify import files
from devinotify.exceptions import InvalidInput
from devinotify.outbox.sqlite.connecting import BUSY_TIMEOUT, check_version, pragma
from devinotify.outbox.sqlite.schema import APPLICATION_ID

if TYPE_CHECKING:
    from collections.abc import Collection

Inode = tuple[int, int]
"""A file: its device and its number there."""

CHECKED_SIZE = 8 * 1024 * 1024
"""Bytes up to which a file is read through for damage when it is opened; beyond it only its head is."""

LOOKS, BETWEEN_LOOKS = 5, 0.02
"""How often a file is looked at before it is taken for damaged, and seconds from one look to the next."""

_MAGIC = b"SQLite format 3\0"
_HEAD = 100  # bytes of SQLite's file header: the version stands at 60, the application id at 68


def real_path(path: Path) -> Path:
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


def prepare(path: Path, whole: Inode | None, in_use: Collection[Inode], newest: int) -> Inode:
    """Return the inode of the file, made where there was none; raise InvalidInput where it is not ours.

    ``whole`` is the inode of a file that needs no second look for damage; those ``in_use`` are open in this process.
    ``newest`` is the version of the schema up to which we read.
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
    if inode not in in_use and status.st_size:
        _recognise(path, newest)
        for name in _side_files(path):
            # SQLite follows a link that stands in the place of one of its files, and writes what it finds there.
            if name.is_symlink():
                raise InvalidInput(f"outbox {path}: {name.name} beside it is a link; all was left untouched")
        if inode != whole:
            _probe(path, status.st_size, newest)
    for name in (path, *_side_files(path)):
        # SQLite gives its side files the rights of the main one; all of them hold numbers and texts.
        with contextlib.suppress(FileNotFoundError):
            beside = name.lstat()
            if beside.st_mode & 0o077 and stat.S_ISREG(beside.st_mode) and beside.st_uid == os.geteuid():
                name.chmod(files.OWNER_ONLY)
    return inode


def _side_files(path: Path) -> tuple[Path, ...]:
    return tuple(Path(f"{path}{ending}") for ending in ("-wal", "-shm", "-journal"))


def _recognise(path: Path, newest: int) -> None:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if len(head) < _HEAD or not head.startswith(_MAGIC):
        raise InvalidInput(f"outbox {path}: it is not an outbox but another file; it was left untouched")
    if int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise InvalidInput(f"outbox {path}: it is the SQLite database of another program; it was left untouched")
    check_version(path, int.from_bytes(head[60:64], "big"), newest)


def _probe(path: Path, size: int, newest: int) -> None:
    """Raise InvalidInput where the file is damaged or too new, over a connection that cannot change it."""
    log = Path(f"{path}-wal")
    for _ in range(LOOKS):
        # Without a log nobody else is using the file, and it can be read as if nobody could: no side file is made then.
        is_alone = not log.exists()
        if _is_whole(path, size, newest, "immutable=1" if is_alone else "mode=ro"):
            return
        if not is_alone:
            break
        # Somebody may have come and gone meanwhile, and what he wrote was read by halves: it is looked at again.
        time.sleep(BETWEEN_LOOKS)
    raise InvalidInput(f"outbox {path}: it is damaged; it was left untouched")


def _is_whole(path: Path, size: int, newest: int, how: str) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=BUSY_TIMEOUT)) as probe:
            check_version(path, pragma(probe, "user_version"), newest)
            return size > CHECKED_SIZE or bool(pragma(probe, "quick_check(1)") == "ok")
    except sqlite3.DatabaseError as error:
        # Anything but damage, such as a creation that was cut short, is for the writing connection to mend or to tell.
        return getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
