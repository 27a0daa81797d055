"""The loop: a thread that begins when it is needed, ends when it is told to, and is done without where it must be."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from devinotify_logging.loop import AT_ONCE, Loop, is_sender

if TYPE_CHECKING:
    from collections.abc import Sequence


class Work:
    """What a loop does, written down."""

    def __init__(self) -> None:
        self.turns: list[tuple[list[int], bool, bool]] = []
        self.threads: set[str] = set()
        self.inside: set[bool] = set()
        self.ended = 0

    def turn(self, items: Sequence[int], ending: bool, final: bool) -> float | None:
        """Take a turn."""
        self.turns.append((list(items), ending, final))
        self.threads.add(threading.current_thread().name)
        self.inside.add(is_sender())
        return None

    def end(self) -> None:
        """End."""
        self.ended += 1

    @property
    def items(self) -> list[int]:
        """Everything that was taken, in order."""
        return [item for items, _, _ in self.turns for item in items]


@pytest.fixture
def work() -> Work:
    """Return nothing done yet."""
    return Work()


@pytest.fixture
def loop(work: Work) -> Loop[int]:
    """Return a loop that does it."""
    return Loop("devinotify-logging-test", work.turn, work.end)


@pytest.fixture
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread start, as Python 3.12 and later do while the interpreter shuts down."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_in_order(loop: Loop[int], work: Work) -> None:
    """What is put is taken in its order, by a thread of the loop's own that knows that it is one."""
    for number in range(1000):
        loop.put(number)
    assert loop.flush(10)
    assert (list(range(1000)), {"devinotify-logging-test"}, {True}) == (work.items, work.threads, work.inside)
    assert AT_ONCE >= max(len(items) for items, _, _ in work.turns)
    loop.end()
    assert not is_sender()


def test_nothing_to_flush(loop: Loop[int], work: Work) -> None:
    """A flush of nothing starts no thread."""
    assert (True, []) == (loop.flush(0), work.turns)


def test_ends(loop: Loop[int], work: Work) -> None:
    """Told to end, it takes what is there, and ends; put again, it begins again and ends again."""
    loop.put(1)
    loop.end()
    assert loop.finish(10)
    loop.put(2)
    assert loop.finish(10)
    assert ([1, 2], True) == (work.items, work.ended >= 1)


def test_ends_without_having_begun(loop: Loop[int], work: Work) -> None:
    """Told to end before anything was put, it ends at once, in the caller's thread."""
    loop.end()
    assert ([], 1, True) == (work.turns, work.ended, loop.finish(0))


def test_wakes(loop: Loop[int], work: Work) -> None:
    """``None`` is a turn with nothing in it."""
    loop.put(None)
    assert loop.flush(10)
    assert [] == work.items
    assert work.turns
    loop.end()


def test_finish_is_bounded() -> None:
    """A turn that takes its time is waited for no longer than asked."""
    hold = threading.Event()
    work = Work()

    def slow(items: Sequence[int], ending: bool, final: bool) -> None:
        hold.wait(20)

    loop: Loop[int] = Loop("devinotify-logging-test", slow, work.end)
    loop.put(1)
    assert not loop.flush(0.01)
    assert not loop.finish(0.01)
    hold.set()
    assert loop.finish(10)


@pytest.mark.usefixtures("_no_threads")
def test_flush_without_threads(loop: Loop[int], work: Work) -> None:
    """Where no thread can be started any more, flush does the work itself."""
    loop.put(1)
    assert [] == work.items
    assert loop.flush(10)
    assert ([1], {"MainThread"}, {True}, 1) == (work.items, work.threads, work.inside, work.ended)
    assert not is_sender()


@pytest.mark.usefixtures("_no_threads")
def test_finish_without_threads(loop: Loop[int], work: Work) -> None:
    """So does finish, and nothing is put off then."""
    loop.put(1)
    assert loop.finish(10)
    assert [([1], True, True)] == [turn for turn in work.turns if turn[0]]
