"""Turns at asking the gateway: no more of them than the rate allows, whoever takes them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from devinotify import Notifier
from devinotify.delivery.turns import Turns


def test_turns_come_one_after_the_other() -> None:
    """Each begins when the one before it is over, and time that nobody used is not saved up."""
    now = [50.0]
    turns = Turns(10.0, lambda: now[0])
    taken = [turns.take(requests) for requests in (1, 2, 1)]
    assert [0.0, 0.1, 0.3] == pytest.approx(taken)
    assert turns.ahead() == pytest.approx(0.4)
    now[0] += 100
    assert [0.0, 0.5] == pytest.approx([turns.take(5), turns.take(1)])


def test_threads_share_them() -> None:
    """No turn is handed out twice."""
    turns = Turns(10.0, lambda: 0.0)
    with ThreadPoolExecutor(8) as pool:
        taken = sorted(pool.map(turns.take, [1] * 200))
    assert [place / 10 for place in range(200)] == pytest.approx(taken)


def test_a_child_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that was held when the process forked is not waited for."""
    turns = Turns(10.0)
    turns.take(100)
    turns._lock.acquire()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert 0.0 == turns.take(1)


def test_all_who_wait_through_one_notifier_share_them() -> None:
    """A thousand tasks that wait are no reason to ask more often."""
    with Notifier("devino://demo:demo@S") as notifier:
        assert notifier._waiting()._turns is notifier._waiting()._turns
