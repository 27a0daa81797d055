"""Who keeps the quota and the windows of equal records: the process, or a file beside the outbox for all of them."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import sqlite3
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from devinotify_logging.dedupe import Elsewhere, Nothing, Window, claim, told
from devinotify_logging.quota import Go, Pause, Quota, QuotaLimits, Wait, full, spend
from devinotify_logging.stderr import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE = "DEVINOTIFY_OUTBOX"
"""The environment variable that names the outbox where neither handler nor URL does."""
BUSY = 2.0
"""Seconds to wait for another process that is at the file; it is there for less than a millisecond."""
MOST_WINDOWS = 2000
"""Windows that are kept at most."""

Grant = Go | Wait | Pause | Elsewhere | Nothing

_at_work = threading.Lock()
"""Held while a file is open, and over a fork: a child that inherits a connection believes that it holds its locks."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that wants to go out to so many ``recipients``.

    ``segments(more, others)`` returns the segments of its text for each of them, where it tells of so many other
    records besides. ``kind`` is what equal records share, ``None`` for a message that nobody else could tell;
    ``times`` are its own records, ``window`` the seconds for which they are one message, and ``owner`` whoever asks.
    """

    limits: QuotaLimits
    segments: Callable[[int, int], int]
    recipients: int = 1
    target: str = ""
    kind: object = None
    times: int = 1
    window: float = 0.0
    owner: str = ""
    insist: bool = False
    closing: bool = False


class _Kept(Protocol):
    """Where a quota and windows are kept, while somebody asks."""

    def quota(self) -> Quota | None:
        """Return the quota, if there is one."""

    def keep_quota(self, quota: Quota) -> None:
        """Keep the quota."""

    def window(self, key: str) -> Window | None:
        """Return a window, if there is one."""

    def keep_window(self, key: str, window: Window) -> None:
        """Keep a window."""

    def left_behind(self, target: str, before: float) -> int:
        """Return how many records of a target nobody told of, in windows opened before a moment."""

    def forget(self, target: str, before: float) -> None:
        """Forget these windows."""


class MemoryLimiter:
    """Keeps an account's limits for this process alone; ``clock`` returns seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._quota: Quota | None = None
        self._windows: dict[str, Window] = {}

    def ask(self, candidate: Candidate) -> Grant:
        """Ask for a message, and return whether it may go out."""
        with self._lock:
            return _decide(self, candidate, self._clock())

    def quota(self) -> Quota | None:
        """Return the quota, if there is one."""
        return self._quota

    def keep_quota(self, quota: Quota) -> None:
        """Keep the quota."""
        self._quota = quota

    def window(self, key: str) -> Window | None:
        """Return a window, if there is one."""
        return self._windows.get(key)

    def keep_window(self, key: str, window: Window) -> None:
        """Keep a window, and forget the oldest of too many."""
        self._windows.pop(key, None)
        self._windows[key] = window
        if len(self._windows) > MOST_WINDOWS:
            del self._windows[next(iter(self._windows))]

    def left_behind(self, target: str, before: float) -> int:
        """Return how many records of a target nobody told of, in windows opened before a moment."""
        return sum(self._windows[key].untold for key in self._old(target, before))

    def forget(self, target: str, before: float) -> None:
        """Forget these windows."""
        for key in self._old(target, before):
            del self._windows[key]

    def _old(self, target: str, before: float) -> list[str]:
        return [key for key, window in self._windows.items() if window.opened < before and key.startswith(target)]


class FileLimiter:
    """Keeps an account's limits in a small SQLite file: for all processes together, and over a crash loop too.

    Raises sqlite3.Error where the file fails; each question opens it anew, so that a fork does no harm.
    """

    def __init__(self, path: Path, account: str, clock: Callable[[], float]) -> None:
        self._path = path
        self._account = _digest(account)  # neither a number nor a login in the clear
        self._clock = clock

    def ask(self, candidate: Candidate) -> Grant:
        """Ask for a message, and return whether it may go out; what was granted is on the disk."""
        with _at_work, contextlib.closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            grant = _decide(_Lines(connection, self._account), candidate, self._clock())
            connection.execute("COMMIT")
        return grant

    def _open(self) -> sqlite3.Connection:
        # Made by us, so that nobody else may read it; a link in its place, or beside it, may be a stranger's.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
        journal = self._path.with_name(f"{self._path.name}-journal")
        if journal.is_symlink():
            raise FileExistsError(errno.EEXIST, "it is a link, which is not followed", str(journal))
        return sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)


class _Lines:
    """The lines of the file, in a transaction."""

    def __init__(self, connection: sqlite3.Connection, account: str) -> None:
        self._execute = connection.execute
        self._account = account
        self._execute("CREATE TABLE IF NOT EXISTS quotas (account TEXT PRIMARY KEY, used, at, day, spent, paused)")
        self._execute("CREATE TABLE IF NOT EXISTS windows (key TEXT PRIMARY KEY, opened REAL, owner, untold)")

    def quota(self) -> Quota | None:
        """Return the quota, if there is one."""
        line = self._execute(
            "SELECT used, at, day, spent, paused FROM quotas WHERE account = ?", (self._account,)
        ).fetchone()
        return None if line is None else Quota._make(line)

    def keep_quota(self, quota: Quota) -> None:
        """Keep the quota."""
        self._execute("INSERT OR REPLACE INTO quotas VALUES (?, ?, ?, ?, ?, ?)", (self._account, *quota))

    def window(self, key: str) -> Window | None:
        """Return a window, if there is one."""
        line = self._execute("SELECT opened, owner, untold FROM windows WHERE key = ?", (key,)).fetchone()
        return None if line is None else Window._make(line)

    def keep_window(self, key: str, window: Window) -> None:
        """Keep a window."""
        self._execute("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?)", (key, *window))

    def left_behind(self, target: str, before: float) -> int:
        """Return how many records of a target nobody told of, in windows opened before a moment."""
        (found,) = self._execute(f"SELECT total(untold) {_OLD}", (target, target, before)).fetchone()
        return int(found)

    def forget(self, target: str, before: float) -> None:
        """Forget these windows."""
        self._execute(f"DELETE {_OLD}", (target, target, before))


_OLD = "FROM windows WHERE key > ? AND key < ? || '~' AND opened < ?"
"""The windows of a target that were opened before a moment."""


def _decide(kept: _Kept, candidate: Candidate, now: float) -> Grant:
    """Answer a candidate from what is kept, and keep what came of it."""
    day = day_of(now)
    quota = kept.quota() or full(now, day)
    if candidate.kind is None:
        quota, grant = _pay(quota, candidate, now, 0, 0)
        kept.keep_quota(quota)
        return grant
    target = _digest(candidate.target)
    key = f"{target} {_digest(repr(candidate.kind))}"
    before = now - 2 * candidate.window  # told by nobody for a whole window more: whoever counted them is gone
    window, found = claim(
        kept.window(key), now, candidate.window, candidate.times, candidate.owner, insist=candidate.insist
    )
    if not isinstance(found, int):
        if window is not None:
            kept.keep_window(key, window)
        return found
    own = window.untold if window is not None and window.opened < before else 0
    quota, grant = _pay(quota, candidate, now, found - candidate.times, kept.left_behind(target, before) - own)
    kept.keep_quota(quota)
    if isinstance(grant, Go):
        kept.keep_window(key, told(now, candidate.owner))
        kept.forget(target, before)
    return grant


def _pay(quota: Quota, candidate: Candidate, now: float, more: int, others: int) -> tuple[Quota, Go | Wait | Pause]:
    segments = candidate.segments(more, others)
    quota, grant = spend(
        quota, candidate.limits, now, day_of(now), segments, candidate.recipients, closing=candidate.closing
    )
    return quota, Go(more, others) if isinstance(grant, Go) else grant


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def memory_limiter(account: str) -> MemoryLimiter:
    """Return what keeps the limits of an account in this process: the same for all handlers, also after a reload.

    A process that was forked begins anew, since nobody could tell it what its parent sends.
    """
    # Without a lock: a fork hook asks as well.
    return _in_memory.setdefault((os.getpid(), account), MemoryLimiter(time.time))


_in_memory: dict[tuple[int, str], MemoryLimiter] = {}


def shared_path(outbox: str | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file that holds the limits for all processes, ``None`` where each has its own.

    It is beside the outbox of the handler or its URL, else of the environment: processes that share one are of one
    account's. Where that is a database it is said once that they share no limits: each alert would wait for it.
    """
    named = outbox or environ.get(VARIABLE)
    if not named:
        return None
    if "://" in named:
        _say_not_shared()
        return None
    return limits_path(named)


@functools.cache
def _say_not_shared() -> None:
    say(
        f"the outbox of the URL or {VARIABLE} is a database, which keeps no limits: each process has its own;"
        " a file given as outbox= is shared by all"
    )


def limits_path(outbox: str) -> Path:
    """Return the file beside an outbox that holds the limits, however the outbox is named."""
    path = Path(os.path.realpath(Path(outbox).expanduser()))
    return path.with_name(f"{path.name}-limits")


def day_of(now: float) -> int:
    """Return the local day of a moment, as an ordinal."""
    return datetime.fromtimestamp(now).astimezone().toordinal()


def next_day(now: float) -> datetime:
    """Return the local midnight that ends the day, where the cap begins anew."""
    local = datetime.fromtimestamp(now).astimezone()
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time())
    return midnight.astimezone()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_at_work.acquire, after_in_parent=_at_work.release, after_in_child=_at_work.release)
