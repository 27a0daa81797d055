"""How what runs is asked to stop: by threads, and by signals that may come at any moment."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from devinotify.delivery.stopping import Stopping, stopped_by_signals
from tests.tables import table
from tests.waiting import ended


def test_whoever_waits_is_woken() -> None:
    """All of them, at once."""
    stopping = Stopping()
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(stopping.wait(60))) for _ in range(3)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    stopping.ask()
    ended(*threads)
    assert ([True] * 3, True) == (found, time.monotonic() - began < 10)


def test_a_ring_asks_for_nothing() -> None:
    """It only wakes."""
    stopping = Stopping()
    stopping.ring()
    assert (False, False) == (stopping.wait(60), stopping.asked)


def test_a_wait_ends_by_itself() -> None:
    """Nobody asked."""
    assert not Stopping().wait(0.01)


def test_asking_is_safe_while_the_same_thread_waits() -> None:
    """A handler runs in the thread that it interrupts, in the middle of its wait."""
    stopping = Stopping()
    former = signal.signal(signal.SIGALRM, lambda *_: stopping.ask())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert stopping.wait(60)
    finally:
        signal.signal(signal.SIGALRM, former)


@table("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_gently_and_outside_the_handler(number: signal.Signals) -> None:
    """What is called may take a lock that the interrupted code holds, and print."""
    lock, stopped = threading.Lock(), threading.Event()
    said: list[str] = []

    def stop() -> None:
        with lock:
            stopped.set()

    with stopped_by_signals(stop, said.append) as came:
        with lock:
            signal.raise_signal(number)
            assert not stopped.is_set()
        assert stopped.wait(60)
    assert ([number], ["stopping after the requests under way; once more stops at once"]) == (came, said)


def test_a_second_signal_does_what_it_did_before() -> None:
    """After the first, the former handler is back."""
    with stopped_by_signals(lambda: None) as came:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signal.SIGINT] == came


def test_without_a_signal_nothing_is_called() -> None:
    """And the handlers are put back."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    asked: list[int] = []
    with stopped_by_signals(lambda: asked.append(1)) as came:
        pass
    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert ([], [], before) == (asked, came, after)


def test_in_another_thread_nothing_is_changed() -> None:
    """Which gets no signals, and may not ask for any."""
    before = signal.getsignal(signal.SIGTERM)

    def use() -> tuple[list[signal.Signals], object]:
        with stopped_by_signals(lambda: None) as came:
            return came, signal.getsignal(signal.SIGTERM)

    with ThreadPoolExecutor(1) as pool:
        assert ([], before) == pool.submit(use).result(60)
