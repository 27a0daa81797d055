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

    ``None`` is for not before something is put. With ``ending`` there will be nothing more unless something is put
    all the same, and ``None`` ends the thread; with ``final`` the interpreter ends, and nothing may be put off.
    ``turn`` must not raise. ``ended`` is called in the thread when it ends.
    """

    def __init__(
        self, name: str, turn: Callable[[Sequence[Item], bool, bool], float | None], ended: Callable[[], None]
    ) -> None:
        self._name = name
        self._turn = turn
        self._ended = ended
        self._inbox: queue.SimpleQueue[Item | threading.Event | None] = queue.SimpleQueue()
        self._life = threading.RLock()  # a thread begins or ends; entered again by what a __del__ logs meanwhile
        self._thread: threading.Thread | None = None
        self._ending = self._final = False

    def put(self, item: Item | threading.Event | None) -> None:
        """Hand something to the thread, starting it where it does not run; ``None`` only wakes it."""
        self._inbox.put(item)
        if self._thread is None:
            self._start()

    def flush(self, timeout: float) -> bool:
        """Wait until all that was put is done, and return whether it was within ``timeout`` seconds."""
        if self._thread is None and self._inbox.empty():
            return True
        ticket = threading.Event()
        self.put(ticket)
        if self._thread is None:
            self._run_here()
        return ticket.wait(timeout)

    def end(self) -> None:
        """Let the thread end as soon as it has nothing left to do, and return at once."""
        self._ending = True
        if self._thread is None and self._inbox.empty():
            self._ended()
        else:
            self.put(None)

    def finish(self, timeout: float) -> bool:
        """End now: what can be done is done, what would have to wait is given up; return whether it was in time."""
        self._ending = self._final = True
        if self._thread is None and self._inbox.empty():
            return True
        self.put(None)
        thread = self._thread
        if thread is None:
            self._run_here()
        elif thread is not threading.current_thread():
            thread.join(timeout)
        return self._thread is None

    def _start(self) -> None:
        with self._life:
            if self._thread is not None:
                return
            thread = self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # The interpreter is shutting down, or the system has no thread left. It waits for flush or finish.
                self._thread = None

    def _run(self) -> None:
        _inside.sender = True
        pause: float | None = 0.0
        while True:
            items, tickets = self._take(pause)
            pause = self._turn(items, self._ending, self._final)
            for ticket in tickets:
                ticket.set()
            if self._ending and pause is None:
                with self._life:
                    if self._inbox.empty():
                        self._thread = None
                        self._ended()
                        return

    def _run_here(self) -> None:
        """Do in the current thread what no thread can be started for any more."""
        with self._life:
            before, _inside.sender = is_sender(), True
            try:
                while not self._inbox.empty():
                    items, tickets = self._take(0.0)
                    self._turn(items, True, True)  # noqa: FBT003 - ending and final, as the signature has them
                    for ticket in tickets:
                        ticket.set()
                self._ended()
            finally:
                _inside.sender = before

    def _take(self, pause: float | None) -> tuple[list[Item], list[threading.Event]]:
        """Return what is there, after waiting for the first thing for ``pause`` seconds, or for ever."""
        items: list[Item] = []
        tickets: list[threading.Event] = []
        until = None if pause is None else time.monotonic() + pause
        while len(items) < AT_ONCE:
            try:
                if items or tickets:
                    found = self._inbox.get_nowait()
                else:
                    found = self._inbox.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if found is None:
                if not (items or tickets):
                    break
            elif isinstance(found, threading.Event):
                tickets.append(found)
            else:
                items.append(found)
        return items, tickets
