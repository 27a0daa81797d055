"""The threads that work for event loops: what is begun is finished, what is not is not, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar, copy_context
from functools import partial
from typing import NoReturn

import pytest

from devinotify.executor import Executor
from tests.tables import table

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


@pytest.fixture
def executor() -> Iterator[Executor]:
    """Two threads at most, ended behind the test."""
    made = Executor(2, "hand")
    yield made
    made.close()


async def run(executor: Executor, work: Callable[[], object]) -> object:
    """Have it done in the context of the caller."""
    return await executor.run(copy_context(), work)


def test_work_is_done_in_the_callers_context(executor: Executor) -> None:
    """In a thread of the executor's, which sees the variables of the task that waits."""

    async def call(name: str) -> object:
        WHO.set(name)
        return await run(executor, lambda: (WHO.get(), threading.current_thread().name))

    async def main() -> list[object]:
        return [await call("first"), await call("second")]

    assert [("first", "hand_0"), ("second", "hand_0")] == asyncio.run(main())


def test_there_are_no_more_threads_than_were_asked_for(executor: Executor) -> None:
    """However many calls wait, they take turns."""
    names: set[str] = set()
    both = threading.Barrier(2, timeout=30)

    def work() -> None:
        names.add(threading.current_thread().name)
        both.wait(60)

    async def main() -> None:
        await asyncio.gather(*[run(executor, work) for _ in range(10)])

    asyncio.run(main())
    assert {"hand_0", "hand_1"} == names


def test_what_is_raised_is_raised(executor: Executor) -> None:
    """It reaches the caller, and the thread goes on."""

    def work() -> NoReturn:
        raise ValueError("no")

    async def main() -> object:
        with pytest.raises(ValueError, match="no"):
            await run(executor, work)
        return await run(executor, lambda: threading.current_thread().name)

    assert "hand_0" == asyncio.run(main())


def test_a_stop_iteration_ends_nobody_silently(executor: Executor) -> None:
    """A future takes none, and who waited for it would wait for ever."""

    async def main() -> None:
        await run(executor, lambda: next(iter(())))

    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(main())


def test_what_was_begun_is_finished_behind_a_cancelled_caller(executor: Executor) -> None:
    """And ``idle`` waits for it."""
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def work() -> None:
        begun.set()
        assert go_on.wait(60)
        done.append("finished")

    async def main() -> list[str]:
        task = asyncio.create_task(run(executor, work))
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        await asyncio.wait([task])
        assert [] == done
        go_on.set()
        await executor.idle()
        return done

    assert ["finished"] == asyncio.run(main())


def test_what_was_not_begun_is_not_done(executor: Executor) -> None:
    """A call that is cancelled while others are before it is left out."""
    go_on = threading.Event()
    done: list[int] = []

    async def main() -> None:
        busy = [asyncio.create_task(run(executor, lambda: go_on.wait(60))) for _ in range(2)]
        late = asyncio.create_task(run(executor, lambda: done.append(1)))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.wait([late])
        go_on.set()
        await asyncio.gather(*busy)
        await executor.idle()

    asyncio.run(main())
    assert [] == done


def test_a_loop_that_is_closed_meanwhile_costs_no_thread(executor: Executor) -> None:
    """The work is finished, nobody hears of it, and the next caller is served."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(60)

    loop = asyncio.new_event_loop()
    task = loop.create_task(run(executor, work))
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert begun.wait(60)
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))
    loop.close()
    go_on.set()
    assert "next" == asyncio.run(_next(executor))


async def _next(executor: Executor) -> object:
    return await run(executor, lambda: "next")


def test_it_may_be_used_again_after_it_was_closed(executor: Executor) -> None:
    """With threads that are begun anew."""
    assert ("next", True) == (asyncio.run(_next(executor)), executor.is_open)
    executor.close()
    assert not executor.is_open
    assert ("next", True) == (asyncio.run(_next(executor)), executor.is_open)


def test_what_is_to_be_last_comes_behind_all_that_was_given(executor: Executor) -> None:
    """Called once, when each thread has done what it had, and what waited for a thread is done, too."""
    go_on, over = threading.Event(), threading.Event()
    done: list[object] = []

    def work(name: int) -> None:
        assert go_on.wait(60)
        done.append(name)

    def last() -> None:
        done.append("last")
        over.set()

    async def main() -> None:
        tasks = [asyncio.create_task(run(executor, partial(work, each))) for each in range(5)]
        await asyncio.sleep(0)
        executor.close(last)
        executor.close()
        assert [] == done
        go_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert over.wait(60)
    assert (["last"], set(range(5))) == (done[5:], set(done[:5]))


def test_without_a_thread_the_last_is_done_at_once(executor: Executor) -> None:
    """There is nothing that it would have to wait for."""
    done: list[str] = []
    executor.close(lambda: done.append("last"))
    assert ["last"] == done


def test_nothing_of_a_call_is_held_once_it_is_done(executor: Executor) -> None:
    """A thread that waits for the next call keeps no message in memory."""
    gone = threading.Event()

    class Message:
        def __init__(self) -> None:
            weakref.finalize(self, gone.set)

        def send(self) -> None:
            """Do nothing."""

    async def main() -> None:
        await run(executor, Message().send)

    asyncio.run(main())
    assert gone.wait(60)


def test_without_a_thread_it_is_not_begun(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no more threads the caller is told, unless there is one that can do it."""
    assert "next" == asyncio.run(_next(executor))

    def none(self: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    go_on = threading.Event()

    async def two() -> list[object]:
        first = asyncio.create_task(run(executor, lambda: go_on.wait(60)))
        second = asyncio.create_task(_next(executor))
        await asyncio.sleep(0)
        go_on.set()
        return [await first, await second]

    assert [True, "next"] == asyncio.run(two())
    executor.close()
    with pytest.raises(RuntimeError, match="new thread"):
        asyncio.run(_next(executor))


_ENDING = """
import asyncio, contextvars, sys, time
from devinotify.executor import Executor

executor = Executor(1, "hand")

def work():
    time.sleep(0.3)
    print("finished")

async def main():
    task = asyncio.create_task(executor.run(contextvars.copy_context(), work))
    await asyncio.sleep(0.1)
    task.cancel()

asyncio.run(main())
print("over")
"""

_FORKING = """
import asyncio, contextvars, os, sys
from devinotify.executor import Executor

executor = Executor(1, "hand")

async def main():
    return await executor.run(contextvars.copy_context(), os.getpid)

assert asyncio.run(main()) == os.getpid()
child = os.fork()
assert asyncio.run(main()) == os.getpid()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


_MAKING = """
import atexit, threading
ended = threading.Event()
atexit.register(ended.set)  # before that of the executors, which is called first therefore

from devinotify.executor import Executor

kept = [Executor(1, "hand") for _ in range(20_000)]
making = threading.Event()

def make():
    while not ended.is_set():
        kept.append(Executor(1, "hand"))
        making.set()

threading.Thread(target=make, daemon=True).start()
making.wait()
"""


@pytest.mark.once
@table("script, told", [(_ENDING, ["over", "finished"]), (_FORKING, []), (_MAKING, [])])
def test_at_the_end_and_in_a_fork(script: str, told: list[str]) -> None:
    """A program finishes what was begun, whoever makes executors while it ends; a child has threads of its own."""
    # All warnings, and not the mode for developers: asyncio then tells of each step that a busy machine took 0.1 s for.
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script], timeout=60, capture_output=True, text=True, check=False
    )
    assert (0, told, "") == (done.returncode, done.stdout.split(), done.stderr)
