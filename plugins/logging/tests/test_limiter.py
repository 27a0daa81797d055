"""Where the limits are kept: what is shared, with whom, and what a day is."""

from __future__ import annotations

import sqlite3
import stat
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from devinotify_logging.dedupe import Elsewhere, Nothing
from devinotify_logging.limiter import (
    MOST_WINDOWS,
    VARIABLE,
    Candidate,
    FileLimiter,
    Grant,
    MemoryLimiter,
    day_of,
    limits_path,
    memory_limiter,
    next_day,
    shared_path,
)
from devinotify_logging.quota import Go, Pause, QuotaLimits, Wait
from devinotify_logging.settings import Rate

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = QuotaLimits(Rate(1, 60), 2, 100)
WIDE = QuotaLimits(Rate(1000, 1), 10**6, 10**7)
NOON = datetime(2026, 11, 23, 12).astimezone().timestamp()

Limiter = MemoryLimiter | FileLimiter


class Clock:
    """A clock that the tests move."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture(params=["memory", "file"])
def limiter(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Limiter:
    """Return a limiter of each kind."""
    return MemoryLimiter(clock) if request.param == "memory" else FileLimiter(tmp_path / "limits", "me", clock)


def ask(limiter: Limiter, limits: QuotaLimits = LIMITS) -> Grant:
    """Ask for a message of one segment that nobody else could tell."""
    return limiter.ask(Candidate(limits, lambda *_: 1))


def tell(limiter: Limiter, owner: str, times: int = 1, *, kind: str = "a", insist: bool = False) -> Grant:
    """Ask to tell of so many equal records."""
    return limiter.ask(Candidate(WIDE, lambda *_: 1, 1, "us", kind, times, 60.0, owner, insist))


def test_memory(clock: Clock) -> None:
    """A quota in memory gives its burst, and then lets wait."""
    limiter = MemoryLimiter(clock)
    assert [Go(), Go(), Wait(60.0)] == [ask(limiter) for _ in range(3)]


def test_file_is_shared(tmp_path: Path, clock: Clock) -> None:
    """Whoever comes later, after a crash for one, finds the quota as it was left."""
    path = tmp_path / "limits"
    assert [Go(), Go(), Wait(60.0)] == [ask(FileLimiter(path, "me", clock)) for _ in range(3)]


def test_accounts_have_quotas_of_their_own(tmp_path: Path, clock: Clock) -> None:
    """Accounts do not take from each other, and none is in the file in the clear."""
    path = tmp_path / "limits"
    for account in ("me +79161234567", "you"):
        assert [Go(), Go()] == [ask(FileLimiter(path, account, clock)) for _ in range(2)]
    assert b"7916" not in path.read_bytes()


def test_account_has_one_in_a_process() -> None:
    """All handlers of an account share one in memory."""
    assert memory_limiter("me") is memory_limiter("me")
    assert memory_limiter("me") is not memory_limiter("you")


def test_pause_is_kept(tmp_path: Path, clock: Clock) -> None:
    """The notice of the day is sent once by all processes together."""
    limits = QuotaLimits(Rate(1000, 1), 1000, 2)
    grants = [ask(FileLimiter(tmp_path / "limits", "me", clock), limits) for _ in range(4)]
    assert [Go(), Pause(notify=True), Pause(notify=False), Pause(notify=False)] == grants


def test_one_tells(limiter: Limiter, clock: Clock) -> None:
    """Equal records are told by one; the others leave their number, which the first to come tells when time is up."""
    assert [Go(), Elsewhere(60.0), Elsewhere(60.0)] == [tell(limiter, owner) for owner in "abb"]
    clock.now += 45
    assert Elsewhere(15.0) == tell(limiter, "c", 5)
    clock.now += 15
    assert Go(more=7) == tell(limiter, "a", 3)
    assert Elsewhere(60.0) == tell(limiter, "b", 0)


def test_nothing_left(limiter: Limiter, clock: Clock) -> None:
    """Who has left a number and comes back to find it told has nothing to tell."""
    tell(limiter, "a")
    tell(limiter, "b", 2)
    clock.now += 60
    assert Go(more=2) == tell(limiter, "c")
    clock.now += 60
    assert Nothing() == tell(limiter, "b", 0)


def test_own_window_is_his(limiter: Limiter) -> None:
    """Whoever told may tell again: how often is his own affair."""
    assert [Go(), Go()] == [tell(limiter, "a") for _ in range(2)]


def test_insists(limiter: Limiter) -> None:
    """What nobody could tell later is told at once, with what others left."""
    tell(limiter, "a")
    tell(limiter, "b", 2)
    assert Go(more=2) == tell(limiter, "c", insist=True)


def test_kinds_and_targets_apart(limiter: Limiter) -> None:
    """Other records, and the same for other people, are told by whoever has them."""
    tell(limiter, "a")
    other = limiter.ask(Candidate(WIDE, lambda *_: 1, 1, "them", "a", 1, 60.0, "b"))
    assert [Go(), Go()] == [tell(limiter, "b", kind="b"), other]


def test_left_behind(limiter: Limiter, clock: Clock) -> None:
    """What was left by processes that never came back is told as a number with the next message to the same people."""
    tell(limiter, "a", kind="gone")
    tell(limiter, "b", 4, kind="gone")
    clock.now += 120.5
    assert [Go(others=4), Go()] == [tell(limiter, "c", kind=kind) for kind in ("next", "after")]
    assert Go() == tell(limiter, "c", kind="gone")


def test_left_behind_of_the_same_kind(limiter: Limiter, clock: Clock) -> None:
    """Where the next message is of that kind, they are in its own number, and counted once."""
    tell(limiter, "a")
    tell(limiter, "b", 4)
    clock.now += 200
    assert Go(more=4) == tell(limiter, "c")


def test_waiting_takes_nothing(limiter: Limiter, clock: Clock) -> None:
    """A message that the rate holds back leaves the numbers where they are."""
    tell(limiter, "a")
    tell(limiter, "b", 4)
    clock.now += 60
    cost: list[tuple[int, int]] = []

    def held(more: int, others: int) -> int:
        cost.append((more, others))
        return 1

    narrow = QuotaLimits(Rate(1, 3600), 1, 100)
    assert isinstance(limiter.ask(Candidate(narrow, held, 1, "us", "a", 1, 60.0, "c")), Wait)
    limiter.ask(Candidate(narrow, lambda *_: 1))
    asked = Candidate(narrow, held, 1, "us", "b", 1, 60.0, "c")
    assert isinstance(limiter.ask(asked), Wait)
    assert isinstance(limiter.ask(asked), Wait)
    assert [(4, 0), (0, 0), (0, 0)] == cost


def test_clock_put_back(limiter: Limiter, clock: Clock) -> None:
    """A clock that jumps back keeps nobody from telling."""
    tell(limiter, "a")
    clock.now -= 3600
    assert Go() == tell(limiter, "b")


def test_windows_are_bounded(clock: Clock) -> None:
    """However many kinds there are, memory keeps no more windows than it may."""
    limiter = MemoryLimiter(clock)
    for number in range(MOST_WINDOWS + 10):
        tell(limiter, "a", kind=str(number))
    assert MOST_WINDOWS == len(limiter._windows)


def test_file_is_private(tmp_path: Path, clock: Clock) -> None:
    """Nobody else may read it."""
    path = limits_path(str(tmp_path / "alerts.db"))
    ask(FileLimiter(path, "me", clock))
    assert ("alerts.db-limits", 0o600) == (path.name, stat.S_IMODE(path.stat().st_mode))


def test_file_of_a_link(tmp_path: Path) -> None:
    """An outbox that is named by a link has one file of limits with the real one."""
    (tmp_path / "link.db").symlink_to(tmp_path / "alerts.db")
    assert limits_path(str(tmp_path / "alerts.db")) == limits_path(str(tmp_path / "link.db"))


@pytest.mark.parametrize(
    ("outbox", "named", "expected"),
    [
        (None, None, None),
        ("alerts.db", None, "alerts.db-limits"),
        (None, "alerts.db", "alerts.db-limits"),
        ("alerts.db", "other.db", "alerts.db-limits"),
        ("alerts.db", "postgresql://db/shop", "alerts.db-limits"),
        ("postgresql://db/shop", "alerts.db", None),
        (None, "postgres://db/shop", None),
    ],
)
def test_file_of_any_outbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outbox: str | None, named: str | None, expected: str | None
) -> None:
    """The outbox of the URL comes before that of the environment; beside a database there is no file."""
    monkeypatch.chdir(tmp_path)
    environ = {} if named is None else {VARIABLE: named}
    assert (None if expected is None else tmp_path / expected) == shared_path(outbox, environ)


def test_damaged_file(tmp_path: Path, clock: Clock) -> None:
    """A file that is none of ours is an error that the sender knows."""
    path = tmp_path / "limits"
    path.write_text("no database " * 100, "utf-8")
    with pytest.raises(sqlite3.Error):
        ask(FileLimiter(path, "me", clock))


def test_days_are_local() -> None:
    """The day ends at this machine's midnight."""
    midnight = next_day(NOON)
    assert (0, 0, 0) == (midnight.hour, midnight.minute, midnight.second)
    before = (midnight - timedelta(seconds=1)).timestamp()
    assert 1 == day_of(midnight.timestamp()) - day_of(before)
    assert day_of(NOON) == day_of(before)


@pytest.mark.skipif(sys.platform == "win32", reason="links are other there")
@pytest.mark.parametrize("ending", ["", "-journal"])
def test_a_planted_link_is_not_followed(ending: str, tmp_path: Path) -> None:
    """Somebody may have put it beside the outbox: nothing is written, or made, where it leads."""
    (tmp_path / f"limits{ending}").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match=r"link|Too many levels"):
        ask(FileLimiter(tmp_path / "limits", "me", Clock()))
    assert not (tmp_path / "victim").exists()
