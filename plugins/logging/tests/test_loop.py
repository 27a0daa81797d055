"""The loop: a thread that begins when it is needed, ends when it is told to, and is done without where it must be."""

from __future__ import annotations

import queue
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from devinotify_logging.loop import AT_ONCE, Loop, is_sender

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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


def held(work: Work) -> tuple[Loop[int], threading.Event]:
    """Return a loop whose thread is in its first turn until the event is set."""
    begun, hold = threading.Event(), threading.Event()

    def turn(items: Sequence[int], ending: bool, final: bool) -> float | None:
        begun.set()
        hold.wait(60)
        return work.turn(items, ending, final)

    loop: Loop[int] = Loop("devinotify-logging-test", turn, work.end)
    loop.put(0)
    assert begun.wait(60)
    return loop, hold


def elsewhere(call: Callable[[], object]) -> None:
    """Call something in another thread, and wait for it."""
    other = threading.Thread(target=call)
    other.start()
    other.join(60)
    assert not other.is_alive()


def _refused(thread: threading.Thread) -> None:
    raise RuntimeError("can't create new thread at interpreter shutdown")


@pytest.fixture
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread start, as Python 3.12 and later do while the interpreter shuts down."""

    monkeypatch.setattr(threading.Thread, "start", _refused)


def test_in_order(loop: Loop[int], work: Work) -> None:
    """What is put is taken in its order, by a thread of the loop's own that knows that it is one."""
    for number in range(1000):
        loop.put(number)
    assert loop.flush(60)
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
    assert loop.finish(60)
    loop.put(2)
    assert loop.finish(60)
    assert ([1, 2], True) == (work.items, work.ended >= 1)


def test_ends_without_having_begun(loop: Loop[int], work: Work) -> None:
    """Told to end before anything was put, it ends at once, in the caller's thread."""
    loop.end()
    assert ([], 1, True) == (work.turns, work.ended, loop.finish(0))


def test_wakes(loop: Loop[int], work: Work) -> None:
    """``None`` is a turn with nothing in it."""
    loop.put(None)
    assert loop.flush(60)
    assert [] == work.items
    assert work.turns
    loop.end()


def test_finish_is_bounded() -> None:
    """A turn that takes its time is waited for no longer than asked."""
    hold = threading.Event()
    work = Work()

    def slow(items: Sequence[int], ending: bool, final: bool) -> None:
        hold.wait(60)

    loop: Loop[int] = Loop("devinotify-logging-test", slow, work.end)
    loop.put(1)
    assert not loop.flush(0.01)
    assert not loop.finish(0.01)
    hold.set()
    assert loop.finish(60)


@pytest.mark.parametrize("final", [False, True], ids=["ending", "final"])
def test_only_the_last_turn_is_the_end(work: Work, final: bool) -> None:
    """However much was put before the end, only the turn that takes the last of it is told that it is the end."""
    loop, hold = held(work)
    for number in range(1, 3 * AT_ONCE):
        loop.put(number)
    loop.end(final=final)
    hold.set()
    assert loop.finish(60)
    told = [(len(items), ending, last) for items, ending, last in work.turns if items]
    assert [(1, False, False), (AT_ONCE, False, False), (AT_ONCE, False, False), (AT_ONCE - 1, True, final)] == told
    assert list(range(3 * AT_ONCE)) == work.items


def test_put_behind_the_end(work: Work) -> None:
    """What is put while the thread works on its last turn is taken all the same."""
    loop, hold = held(work)
    loop.end()
    loop.put(1)
    hold.set()
    assert loop.finish(60)
    assert [0, 1] == work.items


@pytest.mark.parametrize("begun", [True, False], ids=["by the thread", "by the caller of end"])
def test_put_while_it_closes(work: Work, begun: bool) -> None:
    """What another thread puts at the very moment of the end is taken, by a thread of the loop's own."""
    late = [1]

    def ended() -> None:
        work.end()
        if late:
            number = late.pop()
            elsewhere(lambda: closing.put(number))

    closing: Loop[int] = Loop("devinotify-logging-test", work.turn, ended)
    if begun:
        closing.put(0)
    closing.end()
    assert closing.finish(60)
    assert ([0, 1] if begun else [1], {"devinotify-logging-test"}) == (work.items, work.threads)


def test_none_is_lost_between_two_ends(work: Work) -> None:
    """A loop that ends after each thing, told of the next by several threads meanwhile, takes them all."""
    loop: Loop[int] = Loop("devinotify-logging-test", work.turn, work.end)
    loop.end()

    def put(first: int) -> None:
        for number in range(first, first + 300):
            loop.put(number)

    threads = [threading.Thread(target=put, args=(first,)) for first in (0, 300, 600)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert loop.flush(60)
    assert loop.finish(60)
    assert list(range(900)) == sorted(work.items)


@pytest.mark.parametrize("again", ["end", "finish"])
def test_ended_is_not_started_again(loop: Loop[int], work: Work, again: str) -> None:
    """A thread that has ended is not started again to be told of its end."""
    loop.put(1)
    assert loop.finish(60)
    turns = len(work.turns)
    assert loop.end() if again == "end" else loop.finish(0)
    assert (turns, False) == (len(work.turns), loop.running)


def test_finish_waits_for_the_close(work: Work) -> None:
    """``finish`` waits until ``ended`` has closed what was worked on."""
    hold = threading.Event()

    def ended() -> None:
        hold.wait(60)
        work.end()

    loop: Loop[int] = Loop("devinotify-logging-test", work.turn, ended)
    loop.put(1)
    assert loop.flush(60)
    assert not loop.finish(0.01)
    assert 0 == work.ended
    hold.set()
    assert (True, 1) == (loop.finish(60), min(work.ended, 1))


def test_negative_pause() -> None:
    """A moment that is already over is a turn at once, and the thread takes what is put meanwhile."""
    turns: list[int] = []
    enough = threading.Event()

    def late(items: Sequence[int], ending: bool, final: bool) -> float | None:
        turns.extend(items)
        turns.append(-1)
        if turns.count(-1) == 3:
            enough.set()
        return None if enough.is_set() else -1.0

    loop: Loop[int] = Loop("devinotify-logging-test", late, lambda: None)
    loop.put(7)
    assert enough.wait(60)
    assert loop.flush(60)
    assert loop.finish(60)
    assert 7 in turns


def test_final_puts_nothing_off() -> None:
    """A turn that asks for another one although the interpreter ends is not asked again."""

    def later(items: Sequence[int], ending: bool, final: bool) -> float:
        return 3600.0

    loop: Loop[int] = Loop("devinotify-logging-test", later, lambda: None)
    loop.put(1)
    assert loop.finish(60)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_error_ends_the_thread_and_no_more(work: Work) -> None:
    """Should a turn raise, the thread closes and ends, and what is put next begins anew."""
    fatal = [True]

    def turn(items: Sequence[int], ending: bool, final: bool) -> None:
        if fatal and items:
            fatal.clear()
            raise SystemError
        work.turn(items, ending, final)

    loop: Loop[int] = Loop("devinotify-logging-test", turn, work.end)
    loop.put(1)
    loop.put(2)
    assert loop.finish(60)
    assert [2] == work.items


@pytest.mark.usefixtures("_no_threads")
def test_end_without_threads(loop: Loop[int], work: Work) -> None:
    """``end`` does nothing itself: it returns, and says that nobody sees to what is left."""
    loop.put(1)
    assert not loop.end()
    assert [] == work.turns


@pytest.mark.usefixtures("_no_threads")
def test_much_without_threads(loop: Loop[int], work: Work) -> None:
    """Without a thread as well only the last turn is final, and the loop says who does the work."""
    for number in range(2 * AT_ONCE):
        loop.put(number)
    assert loop.flush(60)
    assert {False: 1, True: 1} == {final: 1 for _, _, final in work.turns}
    assert [True] == [final for _, _, final in work.turns if final]
    assert (list(range(2 * AT_ONCE)), False) == (work.items, loop.here)


@pytest.mark.usefixtures("_no_threads")
def test_flush_without_threads(loop: Loop[int], work: Work) -> None:
    """Where no thread can be started any more, flush does the work itself."""
    loop.put(1)
    assert [] == work.items
    assert loop.flush(60)
    assert ([1], {"MainThread"}, {True}, 1) == (work.items, work.threads, work.inside, work.ended)
    assert not is_sender()


@pytest.mark.usefixtures("_no_threads")
def test_finish_without_threads(loop: Loop[int], work: Work) -> None:
    """So does finish, and nothing is put off then."""
    loop.put(1)
    assert loop.finish(60)
    assert [([1], True, True)] == [turn for turn in work.turns if turn[0]]


def test_nothing_begins_while_python_shuts_down(loop: Loop[int], work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread is started then and nobody works in its place, and neither flush nor finish waits."""
    monkeypatch.setattr(sys, "is_finalizing", lambda: True)
    loop.put(1)
    assert (False, False, False) == (loop.end(), loop.flush(20), loop.running)
    assert not work.turns
    monkeypatch.undo()
    assert loop.finish(60)
    assert [1] == work.items


def test_queue_of_another_class(loop: Loop[int], work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another class of queue has come, as gevent brings one, it is waited in, and nothing is lost."""

    class Patched(queue.SimpleQueue[object]):
        """What gevent's stands for."""

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _refused)
        loop.put(1)
    monkeypatch.setattr(queue, "SimpleQueue", Patched)
    loop.put(2)
    assert isinstance(loop._inbox, Patched)
    assert loop.finish(60)
    assert [1, 2] == work.items
