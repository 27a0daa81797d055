"""A daemon thread that is started by the first thing put to it, takes things in turns, and ends when it is told to.

Everything that it is told comes through one ``SimpleQueue``, the end included, so that the end comes behind what was
put before it. Such a queue may be filled from a signal handler, a ``__del__`` or a thread that holds any lock, and
never blocks.

The queue is made when it is first used, and anew where its class has become another one meanwhile: gevent puts its own
in the place of the standard library's, and a greenlet that waited in a queue of before would stop the whole process.
"""

from __future__ import annotations

import enum
import queue
import sys
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")

AT_ONCE = 500
"""Things that one turn takes at most, so that what is due is sent in the midst of a storm as well."""

# Not a threading.local: one that was made before gevent came is the same for all greenlets, the program's included.
_inside: ContextVar[bool] = ContextVar("devinotify_logging_inside", default=False)


def is_sender() -> bool:
    """Whether the current thread (or greenlet) is at work for a handler: what it logs must not become an alert."""
    return _inside.get()


class _End(enum.IntEnum):
    """How far the end has come."""

    NOT_YET = 0
    ENDING = 1
    FINAL = 2


class Loop(Generic[Item]):
    """Calls ``turn(items, ending, final)`` in its thread; it returns in how many seconds it wants to be called again.

    ``None`` is for not before something is put. With ``ending`` the items are the last, unless something is put all
    the same, and ``None`` ends the thread; with ``final`` the interpreter ends as well, and nothing may be put off.
    ``ended`` is called when the thread ends, and then closes what it worked on. Neither should raise.
    """

    def __init__(
        self, name: str, turn: Callable[[Sequence[Item], bool, bool], float | None], ended: Callable[[], None]
    ) -> None:
        self._name = name
        self._turn = turn
        self._ended = ended
        self._queue: queue.SimpleQueue[Item | threading.Event | _End | None] | None = None
        self._queue_type: object = None
        # Held while somebody begins to work, and never while he works; entered again by what a __del__ logs.
        self._life = threading.RLock()
        self._thread: threading.Thread | None = None
        self._running = False
        self._end = _End.NOT_YET
        self.here: bool = False
        """Whether the caller of ``flush`` or ``finish`` does the work, since no thread can be started."""

    @property
    def _inbox(self) -> queue.SimpleQueue[Item | threading.Event | _End | None]:
        """The queue, of the class that this process waits in now."""
        made = self._queue
        if made is None or (self._queue_type is not queue.SimpleQueue and not self._running):
            made = self._renew()
        return made

    def _renew(self) -> queue.SimpleQueue[Item | threading.Event | _End | None]:
        """Make the queue, unless another thread just did; what is in the former one is taken along."""
        with self._life:
            former = self._queue
            if former is not None and self._queue_type is queue.SimpleQueue:
                return former
            made: queue.SimpleQueue[Item | threading.Event | _End | None] = queue.SimpleQueue()
            while former is not None and not former.empty():
                made.put(former.get_nowait())
            self._queue, self._queue_type = made, queue.SimpleQueue
            return made

    @property
    def running(self) -> bool:
        """Whether somebody is at work, or about to be: the thread as a rule."""
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
        self._inbox.put(ticket)
        if not self._start():
            self._work_here()
        return ticket.wait(0 if sys.is_finalizing() else timeout)  # no thread runs any more that could set it

    def end(self, *, final: bool = False) -> bool:
        """Let the thread end when what was put is done, and return at once: whether somebody sees to it.

        ``final`` says that the interpreter ends: what can be done is done, what would have to wait is given up.
        """
        end = _End.FINAL if final else _End.ENDING
        with self._life:
            idle = not self._running and self._inbox.empty()
            if idle:
                # No thread is started for nothing: for a moment the caller is in its place.
                self._running = True
                self._end = max(self._end, end)
            else:
                self._inbox.put(end)
        return (idle and not self._leave()) or self._start()

    def finish(self, timeout: float) -> bool:
        """End now, like ``end(final=True)``; return whether everything, ``ended`` too, was done within ``timeout``."""
        until = time.monotonic() + timeout
        if not self.end(final=True):
            self._work_here()
        thread = None if sys.is_finalizing() else self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, until - time.monotonic()))
        return not self._running

    def _claim(self) -> bool:
        """Return whether the caller is to work now, since nobody else does."""
        with self._life:
            if self._running:
                return False
            self._running = True
            return True

    def _start(self) -> bool:
        """Start the thread unless somebody is at work; return whether somebody is."""
        if sys.is_finalizing():
            return False  # Python 3.11 would wait for ever for a thread that cannot begin any more
        with self._life:
            if self._claim():
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # The interpreter is shutting down, or the system has no thread left: flush or finish will do it.
                    self._running = False
                    return False
                self._thread = thread
        return True

    def _run(self) -> None:
        _inside.set(True)
        self._work()

    def _work_here(self) -> None:
        """Do in the current thread what no thread could be started for, unless somebody else does it."""
        if sys.is_finalizing() or not self._claim():
            return  # or nothing can be imported any more, which a send may have to
        before, self.here = _inside.set(True), True
        try:
            self._work()
        finally:
            self.here = False
            _inside.reset(before)

    def _work(self) -> None:
        """Take turns until the end has come and nothing is left."""
        again = True
        while again:
            try:
                self._take_turns()
            except BaseException:
                self._leave()  # whoever puts something next begins anew
                raise
            again = self._leave() and self._claim()

    def _take_turns(self) -> None:
        pause: float | None = 0.0
        while True:
            items, tickets = self._take(pause)
            end = self._end
            if self.here and self._inbox.empty():
                end = _End.FINAL  # whoever works in the thread's place waits for nothing but the work itself
            pause = self._turn(items, end is not _End.NOT_YET, end is _End.FINAL)
            for ticket in tickets:
                ticket.set()
            if end is _End.FINAL or (end is _End.ENDING and pause is None):
                return

    def _leave(self) -> bool:
        """Close, and let others work; return whether something was put meanwhile."""
        try:
            self._ended()
        finally:
            self._running = False
        return not self._inbox.empty()

    def _take(self, pause: float | None) -> tuple[list[Item], list[threading.Event]]:
        """Return what is there, after waiting for the first thing for ``pause`` seconds, or for ever.

        What is put behind an end belongs to another turn.
        """
        items: list[Item] = []
        tickets: list[threading.Event] = []
        try:
            found = self._inbox.get(timeout=None if pause is None else max(0.0, pause))
            while True:
                if isinstance(found, _End):
                    self._end = max(self._end, found)
                    break
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
