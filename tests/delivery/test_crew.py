"""Threads that take turns at work: when they are done, when they are stopped, and what they raise."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from devinotify.delivery.crew import Crew
from devinotify.delivery.stopping import Stopping
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 30.0


def crew(
    turns: list[Callable[[], bool]], stopping: Stopping | None = None, *, forever: bool = False, nap: float = 0.01
) -> Crew:
    """Return threads for these turns."""
    return Crew(turns, stopping or Stopping(), forever=forever, nap=lambda: nap, name="test")


def test_it_is_done_when_nobody_finds_anything() -> None:
    """All work is done once, by whoever comes first."""
    left = list(range(100))
    done: list[int] = []

    def turn() -> bool:
        try:
            done.append(left.pop())
        except IndexError:
            return False
        return True

    crew([turn] * 4).run(lambda: None, LONG)
    assert list(range(100)) == sorted(done)


def test_what_one_brings_another_takes_up() -> None:
    """Whoever found nothing looks again when another has done something."""
    brought, taken = [1], threading.Event()
    queue: list[int] = []

    def bring() -> bool:
        if not brought:
            return False
        queue.append(brought.pop())
        return True

    def take() -> bool:
        if not queue:
            return False
        queue.pop()
        taken.set()
        return True

    stopping = Stopping()
    thread = threading.Thread(target=crew([bring, take], stopping, forever=True).run, args=(lambda: None, 0.01))
    thread.start()
    assert taken.wait(LONG)
    stopping.ask()
    ended(thread)


def test_a_stop_ends_it_and_wakes_what_waits() -> None:
    """Those that wait for their turn are woken, and no other turn begins."""
    stopping, halted = Stopping(), threading.Event()

    def turn() -> bool:
        stopping.ask()
        return halted.wait(LONG)

    crew([turn], stopping, forever=True).run(lambda: None, LONG, halt=halted.set)
    assert halted.is_set()


def test_a_failure_ends_the_others_and_is_raised() -> None:
    """The first one, once all have ended."""

    def fail() -> bool:
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        crew([fail, lambda: False], forever=True, nap=LONG).run(lambda: None, LONG)


def test_a_tick_that_fails_waits_for_the_turns_under_way() -> None:
    """What is being done is finished before its error comes out."""
    begun, go, done = threading.Event(), threading.Event(), []

    def turn() -> bool:
        begun.set()
        go.wait(LONG)
        done.append(1)
        return True

    def tick() -> None:
        begun.wait(LONG)
        go.set()
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it has no words
        crew([turn], forever=True).run(tick, 0.01)
    assert [1] == done


def test_an_interrupt_waits_for_nobody() -> None:
    """Whoever interrupts twice wants it to end now."""
    go = threading.Event()

    def tick() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crew([lambda: go.wait(LONG)], forever=True).run(tick, 0.01)
    go.set()
