"""What a fork finds: locks that nobody holds, in the parent and in the child."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from devinotify import Outbox
from devinotify.outbox import forking
from devinotify.outbox.memory import MemoryStore
from tests.outbox.support import message, run_python
from tests.tables import table
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no fork"),
]


class Counter:
    """Something of two numbers, which are equal whenever nobody holds the lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.one = self.other = 0
        forking.watch(self)


def in_child(work: Callable[[], bool]) -> bool:
    """Return what something comes to in a forked child."""
    pid = os.fork()
    if not pid:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_whoever_works_is_waited_for() -> None:
    """However often it is forked while another thread counts, no child finds one number without the other."""
    counter, stop = Counter(), threading.Event()

    def count() -> None:
        while not stop.is_set():
            with counter.lock:
                counter.one += 1
                Counter()  # who holds a lock may make another: the fork waits for neither for ever
                counter.other += 1

    def is_whole() -> bool:
        return counter.lock.acquire(timeout=30) and counter.one == counter.other

    thread = threading.Thread(target=count)
    thread.start()
    whole = [in_child(is_whole) for _ in range(20)]
    stop.set()
    ended(thread)
    assert [True] * 20 == whole
    assert is_whole()


class Asked:
    """A lock that tells when it is asked for in vain."""

    def __init__(self) -> None:
        self.lock, self.in_vain = threading.RLock(), threading.Event()

    def acquire(self, *, blocking: bool = True) -> bool:
        """Take it, as an RLock is taken."""
        if self.lock.acquire(blocking=False):
            return True
        self.in_vain.set()
        return blocking and self.lock.acquire()

    def release(self) -> None:
        """Let it go."""
        self.lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


@table("turn", [1, -1])
def test_who_needs_another_lock_is_waited_for_too(turn: int) -> None:
    """In whichever order a thread takes two, none that it needs is held while it is waited for."""
    first, second = [Counter(), Counter()][::turn]
    asked = Asked()
    first.lock = asked  # type: ignore[assignment]
    held, took = threading.Event(), []

    def work() -> None:
        with asked.lock:
            held.set()
            assert asked.in_vain.wait(60)
            took.append(second.lock.acquire(timeout=30))
        if took[0]:
            second.lock.release()

    thread = threading.Thread(target=work)
    thread.start()
    assert held.wait(60)
    assert in_child(lambda: True)
    ended(thread)
    assert [True] == took


_ENLISTING = """
import os, sys, threading
from devinotify import Outbox
stop = threading.Event()
def enlist():
    while not stop.is_set():
        with Outbox(sys.argv[1]) as outbox:
            outbox.enqueue(MESSAGE)
            outbox.claim()
from devinotify import Message
MESSAGE = Message("hi", ("+79161234567",))
thread = threading.Thread(target=enlist)
thread.start()
for _ in range(60):
    if not (pid := os.fork()):
        os._exit(0)
    os.waitpid(pid, 0)
stop.set()
thread.join()
"""


def test_a_fork_while_a_worker_makes_its_lock_file(tmp_path: Path) -> None:
    """It does so while it holds the store: both locks are waited for in whichever order it takes them."""
    process = run_python(tmp_path / "outbox.db", _ENLISTING)
    try:
        assert 0 == process.wait(60)
    finally:
        process.kill()
        process.communicate(timeout=60)


def test_a_store_in_memory_goes_on_in_the_child() -> None:
    """What the child enqueues is its own."""
    with Outbox(MemoryStore()) as outbox:
        assert in_child(lambda: len(outbox.enqueue(message())) == 1 == len(outbox))
        assert 0 == len(outbox)
