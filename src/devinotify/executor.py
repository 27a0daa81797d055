"""A few threads that work for event loops, at less than half of what one turn costs with ``concurrent.futures``.

That makes a future of its own for each call, with a lock and a condition, and ties it to the loop's: there is one
here, the loop's, and what is handed over is a tuple in a queue.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

R = TypeVar("R")


class Executor:
    """Calls functions in at most ``size`` threads, which are begun when they are needed; for any number of loops.

    What was begun is finished, also where the program ends meanwhile. After a fork the child has threads of its own.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._crew = _Crew()

    @property
    def is_open(self) -> bool:
        """Whether there are threads, of this process, that ``close`` would end."""
        return bool(self._crew.threads) and self._crew.is_ours

    async def run(self, context: Context, work: Callable[[], R]) -> R:
        """Return what ``work`` returns, or raise what it raises, called in ``context`` in one of the threads.

        Cancelled before a thread has taken it, it is not called; cancelled later, it is finished all the same.
        """
        if not self._crew.is_ours:
            self._start_afresh()
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._crew.take(_Job(result, context, work), self._size, self._name)
        del work  # which holds what is not to be shown, and this frame is seen where it raises
        return await result

    async def idle(self) -> None:
        """Return when nothing is under way, what was cancelled included."""
        crew, loop = self._crew, asyncio.get_running_loop()
        while crew.under_way and crew.is_ours:
            idle = loop.create_future()
            crew.watchers.add(idle)
            if crew.under_way:  # and has not ended before it was watched
                await idle

    def close(self, last: Callable[[], object] | None = None) -> None:
        """End the threads when they have done what they were given; a later call begins new ones.

        ``last`` is called when all of that is done, by whichever thread ends last; at once where there is none. What it
        raises nobody hears.
        """
        if self.is_open:
            with self._lock:
                crew = self._crew
                self._start_afresh()
            crew.end(last)
        elif last is not None:
            last()


class _Job:
    """One call: the ``result`` that its loop waits for, and ``work``, called in ``context``."""

    __slots__ = ("context", "result", "work")

    def __init__(self, result: asyncio.Future[Any], context: Context, work: Callable[[], object]) -> None:
        self.result = result
        self.context = context
        self.work = work


class _Crew:
    """What threads share, apart from their executor, so that it can be collected while they wait."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.threads: list[_Hand] = []
        self._left: int | None = None
        self._last: Callable[[], object] | None = None
        self._lock = threading.Lock()
        self.under_way: set[_Job] = set()
        self.watchers: set[asyncio.Future[None]] = set()

    @property
    def is_ours(self) -> bool:
        """Whether its threads are of this process, and not of the one that this is a fork of."""
        return self._pid == os.getpid()

    def take(self, job: _Job, size: int, name: str) -> None:
        """Put a job behind the others, for one thread more where each has one and there may be more."""
        if len(self.threads) < min(size, len(self.under_way) + 1):
            thread = _Hand(self, f"{name}_{len(self.threads)}")
            try:
                thread.start()
            except RuntimeError:  # the system has no more: those that there are do it in their turn
                if not self.threads:
                    raise
            else:
                self.threads.append(thread)
        self.under_way.add(job)
        self._jobs.put(job)

    def end(self, last: Callable[[], object] | None = None) -> None:
        """Let each thread end behind what is in the queue, and the one that ends last call ``last``; done once."""
        if self._left is not None:
            return
        self._left, self._last = len(self.threads), last
        for _ in self.threads:
            self._jobs.put(None)

    def work(self) -> None:
        """Do one job after the other, until the end is reached; what each of the threads does."""
        while (job := self._jobs.get()) is not None:
            self._do(job)
            del job  # which would be held until the next comes
            if self.watchers:
                self._tell_watchers()
        with self._lock:
            self._left = (self._left or 0) - 1
            is_last = not self._left
        if is_last and self._last is not None:
            self._last()

    def _tell_watchers(self) -> None:
        with contextlib.suppress(KeyError):  # none is left, or another thread has told the last one
            while not self.under_way:
                _tell(self.watchers.pop(), None, None)

    def _do(self, job: _Job) -> None:
        try:
            value = None if job.result.cancelled() else job.context.run(job.work)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            self.under_way.discard(job)  # before it is told: the next may come at once, and needs no thread more
            _tell(job.result, None, error)
        else:
            self.under_way.discard(job)
            _tell(job.result, value, None)


class _Hand(threading.Thread):
    """One thread of a crew, by which those that are at work are found when the program ends: no list has to be kept.

    A daemon: Python waits for others before it tells that it ends, and they wait for work. See ``_finish``.
    """

    def __init__(self, crew: _Crew, name: str) -> None:
        super().__init__(target=crew.work, name=name, daemon=True)
        self.crew = ref(crew)


def _tell(future: asyncio.Future[Any], value: object, error: BaseException | None) -> None:
    try:  # noqa: SIM105 - each call comes by here, and contextlib takes longer than the rest
        future.get_loop().call_soon_threadsafe(_settle, future, value, error)
    except RuntimeError:  # the loop was closed meanwhile: nobody waits any more
        pass


def _settle(future: asyncio.Future[Any], value: object, error: BaseException | None) -> None:
    if future.done():  # cancelled
        return
    if error is None:
        future.set_result(value)
    elif isinstance(error, StopIteration):  # which would end whoever awaits it, without a word
        future.set_exception(RuntimeError("StopIteration was raised"))
    else:
        future.set_exception(error)


@atexit.register
def _finish() -> None:
    """Wait for what was begun, as Python does for threads that are not daemons."""
    crews = {thread.crew() for thread in threading.enumerate() if isinstance(thread, _Hand)}
    for crew in crews:
        if crew is not None and crew.is_ours:
            crew.end()
            for thread in crew.threads:
                thread.join()
