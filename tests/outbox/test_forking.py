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
from tests.outbox.support import message

if TYPE_CHECKING:
    from collections.abc import Callable

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
    thread.join()
    assert [True] * 20 == whole
    assert is_whole()


def test_a_store_in_memory_goes_on_in_the_child() -> None:
    """What the child enqueues is its own."""
    with Outbox(MemoryStore()) as outbox:
        assert in_child(lambda: len(outbox.enqueue(message())) == 1 == len(outbox))
        assert 0 == len(outbox)
