"""Several processes on one file: claimed once, recovered after a kill, left alone while alive, whole after a fork."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from devinotify.outbox import Outbox, RowState
from devinotify.outbox.sqlite import locks, recognition
from tests.outbox.support import accepted, claim, database_of, message, numbers, run_python
from tests.waiting import ended

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

CLAIM_AND_WAIT = """
import sys
from devinotify.outbox import Outbox
outbox = Outbox(sys.argv[1])
batch = outbox.claim(int(sys.argv[2]))
print(*(row.id for row in batch.rows), flush=True)
input()
"""

DRAIN = """
import sys
from devinotify.exceptions import Verdict
from devinotify.models import Outcome
from devinotify.outbox import Outbox
outbox = Outbox(sys.argv[1])
input()
while (batch := outbox.claim(7)) is not None:
    print(*(row.id for row in batch.rows), flush=True)
    outbox.settle(batch, [Outcome(row.recipient, Verdict.ACCEPTED, "sms") for row in batch.rows])
outbox.close()
"""


def first_line(process: subprocess.Popen[str]) -> list[int]:
    """Return the row ids that a process printed first."""
    assert process.stdout is not None
    return [int(each) for each in process.stdout.readline().split()]


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process and wait for its end."""
    process.kill()
    process.communicate(timeout=60)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with twenty queued rows."""
    path = tmp_path / "outbox.db"
    with Outbox(path) as outbox:
        outbox.enqueue(message(*numbers(20)))
    return path


@pytest.mark.once
def test_a_killed_workers_rows_become_unknown(path: Path) -> None:
    """After kill -9 in mid-claim the rows are unknown, never claimable, and the rest is sent."""
    process = run_python(path, CLAIM_AND_WAIT, "5")
    taken = first_line(process)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    with Outbox(path) as outbox:
        assert (5, 0) == (outbox.recover(), outbox.recover())
        lost = list(outbox.rows(states=[RowState.UNKNOWN]))
        assert (taken, {"OutcomeUnknown"}) == ([row.id for row in lost], {row.error for row in lost})
        batch = claim(outbox)
        assert (15, None, set()) == (len(batch), outbox.claim(), set(taken) & {row.id for row in batch.rows})
        assert [] == [worker for worker in path.parent.glob("*-worker-*") if str(process.pid) in worker.name]


def test_a_living_workers_rows_are_left_alone(path: Path) -> None:
    """However long a worker takes, even stopped, its rows stay claimed."""
    process = run_python(path, CLAIM_AND_WAIT, "5")
    try:
        first_line(process)
        process.send_signal(signal.SIGSTOP)
        with Outbox(path) as outbox:
            assert (0, 5, True) == (outbox.recover(), outbox.counts().claimed, outbox.senders_alive())
    finally:
        end(process)


def test_a_killed_idle_worker_leaves_nothing_behind(path: Path) -> None:
    """The lock file of a worker that had settled everything is removed by the next recovery."""
    process = run_python(path, CLAIM_AND_WAIT, "5")
    first_line(process)
    end(process)
    with Outbox(path) as outbox:
        assert not outbox.senders_alive()
        outbox.recover()
        assert [] == list(path.parent.glob("*-worker-*"))


def test_recovery_calls_for_the_fallback(tmp_path: Path) -> None:
    """A recovered row of a fallback awaits its next step."""
    path = tmp_path / "outbox.db"
    with Outbox(path) as outbox:
        outbox.enqueue(message(), fallback=True)
        process = run_python(path, CLAIM_AND_WAIT, "5")
        first_line(process)
        end(process)
        outbox.recover()
        assert [RowState.UNKNOWN] == [row.state for row in outbox.watch_due()]


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.once)])
def test_no_row_is_claimed_twice(path: Path, count: int) -> None:
    """Workers that drain one file at once share its rows without overlap."""
    with Outbox(path) as outbox:
        for _ in range(100):
            outbox.enqueue(message())
        outbox.enqueue(message(*numbers(300)))
    processes = [run_python(path, DRAIN) for _ in range(count)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    taken = [int(each) for process in processes for each in process.communicate(timeout=60)[0].split()]
    with Outbox(path) as outbox:
        assert (list(range(1, 421)), 420) == (sorted(taken), outbox.counts().accepted)


def test_only_one_recovers(path: Path) -> None:
    """Two that recover at once count each row once."""
    process = run_python(path, CLAIM_AND_WAIT, "5")
    first_line(process)
    end(process)
    counts: list[int] = []
    with Outbox(path) as first, Outbox(path) as second:
        threads = [threading.Thread(target=lambda box=box: counts.append(box.recover())) for box in (first, second)]
        for thread in threads:
            thread.start()
        ended(*threads)
    assert [0, 5] == sorted(counts)


def test_a_lock_held_is_not_inherited(tmp_path: Path) -> None:
    """A stale lock is free once its lease is released, and not before."""
    lease = locks.Lease(tmp_path / "outbox.db")
    held = locks.StaleLock(tmp_path / "outbox.db", lease.worker)
    assert not held.free
    held.close(remove=True)
    lease.release()
    gone = locks.StaleLock(tmp_path / "outbox.db", lease.worker)
    assert gone.free
    gone.close(remove=True)


def test_a_lease_that_is_cleared_away_at_birth_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recovery that takes a lock file before its worker has locked it only makes the worker choose another name."""
    real: Callable[..., bool] = locks._lock
    stolen: list[Path] = []

    def lock(file: object) -> bool:
        if not stolen:
            (victim,) = tmp_path.glob("*-worker-*")
            stolen.append(victim)
            victim.unlink()
        return real(file)

    monkeypatch.setattr(locks, "_lock", lock)
    lease = locks.Lease(tmp_path / "outbox.db")
    assert [f"outbox.db-worker-{lease.worker}"] == [each.name for each in tmp_path.glob("*-worker-*")]
    lease.release()


def in_child(work: Callable[[], object]) -> int:
    """Run something in a forked child; return 0 where it went well."""
    pid = os.fork()
    if not pid:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a child must end here, whatever happened
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.untraced
def test_both_sides_of_a_fork_go_on(path: Path) -> None:
    """Parent and child use the outbox after a fork, and each other's rows are seen."""
    with Outbox(path) as outbox:
        assert 0 == in_child(lambda: outbox.enqueue(message()))
        outbox.enqueue(message())
        assert (22, "ok") == (
            len(outbox),
            database_of(outbox).connection.execute("PRAGMA integrity_check").fetchone()[0],
        )


def test_a_fork_keeps_the_parents_claim(path: Path) -> None:
    """A child neither settles nor loses what its parent has claimed, and claims under its own name."""
    with Outbox(path) as outbox:
        batch = claim(outbox, 5)

        def child() -> None:
            assert 0 == outbox.recover()
            assert 15 == len(claim(outbox))
            outbox.close()

        assert 0 == in_child(child)
        assert {"claimed": 5, "unknown": 15} == {str(state): number for state, number in outbox.counts() if number}
        outbox.settle(batch, accepted(batch))
        assert 5 == outbox.counts().accepted


@pytest.mark.once
def test_a_child_does_not_keep_a_dead_parent_alive(path: Path) -> None:
    """Where the parent is killed and its forked child lives on, the parent's claims are recovered."""
    code = """
import os, sys
from devinotify.outbox import Outbox
outbox = Outbox(sys.argv[1])
outbox.claim(5)
if not os.fork():
    print(os.getpid(), flush=True)
    sys.stdin.readline()
    os._exit(0)
os.wait()
"""
    process = run_python(path, code)
    child = first_line(process)[0]
    process.kill()
    process.wait(60)
    with Outbox(path) as outbox:
        assert 5 == outbox.recover()
    os.kill(child, signal.SIGKILL)
    process.communicate(timeout=60)


@pytest.mark.once
def test_a_fork_while_threads_write(path: Path) -> None:
    """A process that forks while other threads use the outbox gets a child that works, and loses nothing."""
    with Outbox(path) as outbox:
        stop = threading.Event()
        written: list[int] = []

        def write() -> None:
            while not stop.is_set():
                written.append(len(outbox.enqueue(message())))

        threads = [threading.Thread(target=write) for _ in range(2)]
        for thread in threads:
            thread.start()
        code = [in_child(lambda: outbox.enqueue(message())) for _ in range(5)]
        stop.set()
        ended(*threads)
        assert ([0] * 5, 25 + len(written)) == (code, len(outbox))


@pytest.mark.untraced
@pytest.mark.skipif(sys.platform != "linux", reason="forks through glibc")
def test_a_fork_behind_pythons_back(path: Path) -> None:
    """Where a host in C forks without Python's hooks, the child still opens a connection of its own."""
    with Outbox(path) as outbox:
        outbox.enqueue(message())
        pid = ctypes.PyDLL(None).fork()
        if not pid:
            try:
                outbox.enqueue(message())
                assert 22 == len(outbox)
            except BaseException:  # noqa: BLE001 - a child must end here, whatever happened
                os._exit(1)
            os._exit(0)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert 22 == len(outbox)


LATE = """
import atexit, sys
def late():
    with Outbox(sys.argv[1]) as outbox:
        print(len(outbox.claim(3)))
atexit.register(late)
from devinotify.outbox import Outbox
Outbox(sys.argv[1]).close()
"""


def test_an_exit_hook_may_be_late(path: Path) -> None:
    """An outbox that is opened after the interpreter's finalizers have run is closed all the same."""
    out, _ = (process := run_python(path, LATE)).communicate(timeout=60)
    assert ("3\n", 0) == (out, process.returncode)
    assert [] == list(path.parent.glob("*-worker-*"))


@pytest.mark.untraced
def test_a_file_is_read_through_for_damage_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not again after a fork, by parent or child: a large one would hold up both."""
    looks: list[Path] = []
    probe = recognition._probe

    def counted(file: Path, size: int, newest: int) -> None:
        looks.append(file)
        probe(file, size, newest)

    monkeypatch.setattr(recognition, "_probe", counted)
    with Outbox(path) as outbox:
        before = len(outbox)

        def child() -> None:
            outbox.enqueue(message())
            assert [path] == looks

        status = in_child(child)
        assert (0, before + 1, [path]) == (status, len(outbox), looks)
