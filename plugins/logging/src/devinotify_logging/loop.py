"""A daemon thread that is started by the first thing put to it, takes things in turns, and ends when it is told to.

What is put goes through a ``SimpleQueue``, which may be filled from a signal handler, a ``__del__`` or a thread that
holds any lock, and never blocks.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")

AT_ONCE = 500
"""Things that one turn takes at most, so that what is due is sent in the midst of a storm as well."""

_inside = threading.local()


def is_sender() -> bool:
    """Whether the current thread is at work for a handler, so that what it logs must not become an alert."""
    return getattr(_inside, "sender", False)


class Loop(Generic[Item]):
    """Calls ``turn(items, ending, final)`` in its thread; it returns in how many seconds it wants to be called again.

    ``None`` is for not before something is put. With ``ending`` the items are the last, unless something is put all
    the same, and ``None`` ends the thread; with ``final`` the interpreter ends as well, and nothing may be put off.
    ``turn`` must not raise. ``ended`` is called in the thread when it ends.
    """

    def __init__(
        self, name: str, turn: Callable[[Sequence[Item], bool, bool], float | None], ended: Callable[[], None]
    ) -> None:
        self._name = name
        self._turn = turn
        self._ended = ended
        self._inbox: queue.SimpleQueue[Item | threading.Event | None] = queue.SimpleQueue()
        # Held while a thread begins or decides to end, and never while it works; entered again by what a __del__ logs.
        self._life = threading.RLock()
        self._thread: threading.Thread | None = None
        self._running = False
        self._ending = self._final = False

    @property
    def running(self) -> bool:
        """Whether the thread runs, or is about to."""
        return self._running

    def put(self, item: Item | threading.Event | None) -> None:
        """Hand something to the thread, starting it where it does not run; ``None`` only wakes it."""
        self._inbox.put(item)
        if not self._running:
            self._start()

    def flush(self, timeout: float) -> bool:
        """Wait until all that was put is done, and return whether it was within ``timeout`` seconds."""
        if not self._running and self._inbox.empty():
            return True
        ticket = threading.Event()
        self.put(ticket)
        self._run_here()
        return ticket.wait(timeout)

    def end(self) -> None:
        """Let the thread end as soon as it has nothing left to do, and return at once."""
        self._ending = True
        if not self._wake():
            self._ended()

    def finish(self, timeout: float) -> bool:
        """End now: what can be done is done, what would have to wait is given up; return whether it was in time."""
        self._ending = self._final = True
        if self._wake():
            self._run_here()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        return not self._running

    def _wake(self) -> bool:
        """Let the thread look at what there is, and return whether there is a thread, or something to start one for.

        A thread that has ended is not started again for nothing: what it worked on is closed.
        """
        with self._life:
            if self._running:
                self._inbox.put(None)
                return True
            if self._inbox.empty():
                return False
        self._start()
        return True

    def _start(self) -> None:
        with self._life:
            if self._running:
                return
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._running = True
            try:
                thread.start()
            except RuntimeError:
                # The interpreter is shutting down, or the system has no thread left. It waits for flush or finish.
                self._running = False
            else:
                self._thread = thread

    def _run(self) -> None:
        _inside.sender = True
        pause: float | None = 0.0
        while True:
            items, tickets = self._take(pause)
            ending = self._ending  # after the wait: what ended it is what it is told
            pause = self._work(items, tickets, ending=ending, final=self._final)
            if ending and pause is None:
                with self._life:
                    if self._inbox.empty():
                        self._running = False
                        break
        self._ended()

    def _run_here(self) -> None:
        """Do in the current thread what no thread could be started for; do nothing where there is one."""
        if self._running or self._inbox.empty():
            return
        before, _inside.sender = is_sender(), True
        try:
            while not self._inbox.empty():
                self._work(*self._take(0.0), ending=True, final=True)
            self._ended()
        finally:
            _inside.sender = before

    def _work(
        self, items: Sequence[Item], tickets: Sequence[threading.Event], *, ending: bool, final: bool
    ) -> float | None:
        # Of several turns' worth only the last is the end.
        last = self._inbox.empty()
        pause = self._turn(items, ending and last, final and last)
        for ticket in tickets:
            ticket.set()
        return pause

    def _take(self, pause: float | None) -> tuple[list[Item], list[threading.Event]]:
        """Return what is there, after waiting for the first thing for ``pause`` seconds, or for ever."""
        items: list[Item] = []
        tickets: list[threading.Event] = []
        try:
            found = self._inbox.get(timeout=None if pause is None else max(0.0, pause))
            while True:
                if isinstance(found, threading.Event):
                    tickets.append(found)
                elif found is not None:
                    items.append(found)
                if len(items) == AT_ONCE:
                    break
                found = self._inbox.get_nowait()
        except queue.Empty:
            pass
        return items, tickets
