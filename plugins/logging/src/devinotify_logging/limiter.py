"""Where the quota is kept: in memory, or beside the outbox, shared by processes and by whoever comes after a crash."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from devinotify_logging.quota import Grant, Limits, Quota, full, spend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUSY = 2.0
"""Seconds to wait for another process that is at the file; it is there for less than a millisecond."""

_at_work = threading.Lock()
"""Held while a file is open, and over a fork: a child that inherits a connection believes that it holds its locks."""


class MemoryLimiter:
    """A quota of this process alone; ``clock`` returns seconds since the epoch."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._quota: Quota | None = None

    def spend(self, segments: int, recipients: int) -> Grant:
        """Ask for a message, and return whether it may go out."""
        now = self._clock()
        day = day_of(now)
        quota = self._quota or full(self._limits, now, day)
        self._quota, grant = spend(quota, self._limits, now, day, segments, recipients)
        return grant


class FileLimiter:
    """A quota in a small SQLite file, so that all processes together keep the limits, and a crash loop does too.

    ``owner`` tells handlers apart that share the file with other recipients or limits. Raises sqlite3.Error where the
    file fails; each question opens it anew, so that a fork does no harm.
    """

    def __init__(self, path: Path, owner: str, limits: Limits, clock: Callable[[], float]) -> None:
        self._path = path
        self._owner = hashlib.sha256(f"{owner} {limits}".encode()).hexdigest()  # no number in the clear
        self._limits = limits
        self._clock = clock

    def spend(self, segments: int, recipients: int) -> Grant:
        """Ask for a message, and return whether it may go out; what was granted is on the disk."""
        now = self._clock()
        day = day_of(now)
        with _at_work, contextlib.closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS quotas (owner TEXT PRIMARY KEY, tokens, at, day, spent, paused)"
            )
            line = connection.execute(
                "SELECT tokens, at, day, spent, paused FROM quotas WHERE owner = ?", (self._owner,)
            ).fetchone()
            quota = full(self._limits, now, day) if line is None else Quota._make((*line[:4], bool(line[4])))
            quota, grant = spend(quota, self._limits, now, day, segments, recipients)
            connection.execute("INSERT OR REPLACE INTO quotas VALUES (?, ?, ?, ?, ?, ?)", (self._owner, *quota))
            connection.execute("COMMIT")
        return grant

    def _open(self) -> sqlite3.Connection:
        # Made by us, so that nobody else may read it.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        return sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)


def limits_path(outbox: Path) -> Path:
    """Return the file beside an outbox that holds the quota."""
    return outbox.with_name(f"{outbox.name}-limits")


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
