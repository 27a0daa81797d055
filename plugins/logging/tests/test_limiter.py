"""Where the quota is kept: what is shared, with whom, and what a day is."""

from __future__ import annotations

import sqlite3
import stat
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from devinotify_logging.limiter import FileLimiter, MemoryLimiter, day_of, limits_path, next_day
from devinotify_logging.quota import Go, Limits, Pause, Wait
from devinotify_logging.settings import Rate

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits(Rate(1, 60), 2, 100)
NOON = datetime(2026, 11, 23, 12).astimezone().timestamp()


def test_memory() -> None:
    """A quota in memory gives its burst, and then lets wait."""
    limiter = MemoryLimiter(LIMITS, lambda: NOON)
    assert [Go(), Go(), Wait(60.0)] == [limiter.spend(1, 1) for _ in range(3)]


def test_file_is_shared(tmp_path: Path) -> None:
    """Whoever comes later, after a crash for one, finds the quota as it was left."""
    path = tmp_path / "limits"
    grants = [FileLimiter(path, "me", LIMITS, lambda: NOON).spend(1, 1) for _ in range(3)]
    assert [Go(), Go(), Wait(60.0)] == grants


def test_owners_have_quotas_of_their_own(tmp_path: Path) -> None:
    """Handlers with other recipients do not take from each other, and no owner is in the file in the clear."""
    path = tmp_path / "limits"
    for owner in ("me +79161234567", "you"):
        assert [Go(), Go()] == [FileLimiter(path, owner, LIMITS, lambda: NOON).spend(1, 1) for _ in range(2)]
    assert b"7916" not in path.read_bytes()


def test_pause_is_kept(tmp_path: Path) -> None:
    """The notice of the day is sent once by all processes together."""
    limits = Limits(Rate(1000, 1), 1000, 2)
    grants = [FileLimiter(tmp_path / "limits", "me", limits, lambda: NOON).spend(1, 1) for _ in range(4)]
    assert [Go(), Pause(notify=True), Pause(notify=False), Pause(notify=False)] == grants


def test_file_is_private(tmp_path: Path) -> None:
    """Nobody else may read it."""
    path = limits_path(tmp_path / "alerts.db")
    FileLimiter(path, "me", LIMITS, lambda: NOON).spend(1, 1)
    assert ("alerts.db-limits", 0o600) == (path.name, stat.S_IMODE(path.stat().st_mode))


def test_damaged_file(tmp_path: Path) -> None:
    """A file that is none of ours is an error that the sender knows."""
    path = tmp_path / "limits"
    path.write_text("no database " * 100, "utf-8")
    with pytest.raises(sqlite3.Error):
        FileLimiter(path, "me", LIMITS, lambda: NOON).spend(1, 1)


def test_days_are_local() -> None:
    """The day ends at this machine's midnight."""
    midnight = next_day(NOON)
    assert (0, 0, 0) == (midnight.hour, midnight.minute, midnight.second)
    before = (midnight - timedelta(seconds=1)).timestamp()
    assert 1 == day_of(midnight.timestamp()) - day_of(before)
    assert day_of(NOON) == day_of(before)
