"""The store in memory: what is its own."""

from __future__ import annotations

import os
import threading

from devinotify.outbox import Outbox
from devinotify.outbox.memory import MemoryStore
from tests.outbox.support import message
from tests.waiting import ended


def test_it_is_said_to_be_in_memory() -> None:
    """There is no file to name."""
    with Outbox(MemoryStore()) as outbox:
        assert "<Outbox in memory>" == repr(outbox)


def test_a_child_does_not_wait_for_a_lock_of_its_parent() -> None:
    """A process that forks while another thread works gets a child whose store works, with what was in it."""
    store = MemoryStore()
    outbox = Outbox(store)
    outbox.enqueue(message())
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with store._data.lock:
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(60)
    threading.Timer(0.05, leave.set).start()
    child = os.fork()
    if not child:
        os._exit(0 if 1 == len(outbox) else 1)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended(thread)
    outbox.close()
