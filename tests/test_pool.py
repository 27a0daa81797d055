"""The pool of what a process shares: made once, closed when there are too many and at the end, usable after a fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from devinotify import Pool
from tests.waiting import ended


class Value:
    """Something that can be closed."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.closed = 0

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def pool(capacity: int | None = None) -> Pool[str, Value]:
    """Return an empty one."""
    return Pool(Value, Value.close, capacity=capacity)


def test_a_key_has_one_value() -> None:
    """Made when it is first asked for, and known from then on."""
    made = pool()
    before = made.known("a")
    one = made.get("a")
    assert (None, True, True, "b") == (before, one is made.get("a"), one is made.known("a"), made.get("b").key)


def test_threads_get_the_same() -> None:
    """However many ask at once, one is made."""
    made, found = pool(), []
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait(60)
        found.append(made.get("a"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    ended(*threads)
    assert (8, 1) == (len(found), len(set(map(id, found))))


def test_what_cannot_be_made_is_asked_for_again() -> None:
    """The error is the caller's, and nothing is kept."""

    def make(key: str) -> Value:
        raise ValueError(key)

    made: Pool[str, Value] = Pool(make, Value.close)
    for _ in range(2):
        with pytest.raises(ValueError, match="a"):
            made.get("a")
    assert made.known("a") is None


def test_what_was_not_used_for_longest_is_closed() -> None:
    """As soon as there are more than it keeps."""
    made = pool(2)
    a, b = made.get("a"), made.get("b")
    made.get("a")
    made.get("c")
    assert (0, 1, None, a) == (a.closed, b.closed, made.known("b"), made.get("a"))


def test_closed_and_used_again() -> None:
    """Everything is closed once, and made anew when it is asked for."""
    made = pool()
    one = made.get("a")
    made.close()
    made.close()
    assert (1, False) == (one.closed, one is made.get("a"))


def test_a_fork_keeps_what_nobody_was_at() -> None:
    """A value is its child's, too."""
    made = pool()
    one = made.get("a")
    made.start_anew()
    assert one is made.get("a")


def test_a_fork_waits_for_no_thread_of_its_parent() -> None:
    """Where one held the lock, all is made anew in the child, and nothing is closed there."""
    made = pool()
    one = made.get("a")
    made._lock.acquire()
    made.start_anew()
    assert (False, 0) == (one is made.get("a"), one.closed)


PROGRAM = """
import os, sys, threading
from devinotify import Pool

def close(value):
    print("closed", value, os.getpid() == parent, flush=True)

parent, pool = os.getpid(), Pool(str, close)
pool.get("a")
if sys.argv[1:] == ["fork"]:
    taken, over = threading.Event(), threading.Event()

    def hold():
        with pool._lock:
            taken.set()
            over.wait()

    threading.Thread(target=hold).start()
    taken.wait()
    child = os.fork()
    if not child:
        pool.get("b")
        pool.close()
        os._exit(0)
    os.waitpid(child, 0)
    over.set()
"""


@pytest.mark.once
@pytest.mark.parametrize(
    ("how", "told"),
    [
        ((), "closed a True\n"),
        pytest.param(
            ("fork",),
            "closed b False\nclosed a True\n",
            marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork"),
        ),
    ],
)
def test_a_process_closes_its_own(how: tuple[str, ...], told: str) -> None:
    """At its end by itself; a child that was forked off while a thread held the pool knows nothing of the parent's."""
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", PROGRAM, *how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (0, told, "") == (done.returncode, done.stdout, done.stderr)
