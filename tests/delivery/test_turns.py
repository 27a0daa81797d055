"""Turns at asking the gateway: no more of them than the rate allows, whoever takes them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from devinotify import Notifier
from devinotify.delivery.turns import Turns

if TYPE_CHECKING:
    import pytest


def test_ten_in_any_second() -> None:
    """The first ten go at once, the next when a second is over since they began."""
    turns = Turns(10)
    taken = [turns.take(1, 50.0) for _ in range(25)]
    assert ([0.0] * 10 + [1.0] * 10 + [2.0] * 5, 2.0) == (taken, turns.ahead(50.0))
    assert [0.0, 0.0] == [turns.take(5, 150.0), turns.take(5, 150.5)]
    assert 0.75 == turns.take(1, 150.25)


def test_a_look_of_several_requests_waits_for_the_last_of_them() -> None:
    """So that none of them begins too early."""
    turns = Turns(10)
    assert [0.0, 1.0] == [turns.take(9, 50.0), turns.take(2, 50.0)]


def test_threads_share_them() -> None:
    """No turn is handed out twice."""
    turns = Turns(10)
    with ThreadPoolExecutor(8) as pool:
        taken = sorted(pool.map(lambda _: turns.take(1, 0.0), range(200)))
    assert [float(place // 10) for place in range(200)] == taken


def test_a_child_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that was held when the process forked is not waited for."""
    turns = Turns(10)
    turns.take(100, 0.0)
    turns._lock.acquire()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert 0.0 == turns.take(1, 0.0)


def test_all_who_wait_through_one_notifier_share_them() -> None:
    """A thousand tasks that wait are no reason to ask more often."""
    with Notifier("devino://demo:demo@S") as notifier:
        assert notifier._waiting()._turns is notifier._waiting()._turns
