"""Batches at the pace that is set in the outbox."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from devinotify.delivery.rate_limit import Pace, Speed
from devinotify.delivery.shared_pace import ASK_EVERY, SharedPace
from devinotify.delivery.worker import Worker
from devinotify.notifier import Notifier
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.memory import MemoryStore
from devinotify.sandbox import Sandbox
from tests.outbox.support import Clock, message, numbers
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "me@host/rest"


@pytest.fixture
def outbox() -> Iterator[Outbox]:
    """Give an outbox with two messages."""
    with Outbox(MemoryStore()) as found:
        found.enqueue(message(*numbers(2)))
        yield found


def test_a_batch_is_a_second_of_the_pace_at_most(outbox: Outbox) -> None:
    """So that it flows; a change is noticed while messages go out."""
    clock = Clock()
    shared = SharedPace(outbox, ACCOUNT, clock)
    assert 500 == shared.most(500)
    outbox.set_pace(100)
    assert 500 == shared.most(500)
    clock.now += ASK_EVERY
    assert (100, 20) == (shared.most(500), shared.most(20))
    outbox.set_pace(0.1, ACCOUNT)
    clock.now += ASK_EVERY
    assert 1 == shared.most(500)


def test_nothing_is_booked_where_nothing_is_due(outbox: Outbox) -> None:
    """An idle worker keeps nobody waiting."""
    outbox.set_pace(1)
    shared = SharedPace(outbox, ACCOUNT)
    shared.most(1)
    assert 0.0 == shared.book(2)
    outbox.forget_all((RowState.QUEUED,))
    assert None is shared.book(1)
    assert outbox.reserve(1) <= 2.0


def test_what_was_not_used_is_given_back(outbox: Outbox) -> None:
    """Where there is a pace at all."""
    shared = SharedPace(outbox, ACCOUNT)
    shared.most(1)
    shared.give_back(5)
    outbox.set_pace(1)
    shared = SharedPace(outbox, ACCOUNT)
    shared.most(1)
    shared.book(100)
    shared.give_back(100)
    assert outbox.reserve(1) < 50


def test_an_outbox_that_is_away_costs_no_batch() -> None:
    """What cannot be given back makes others wait, and nothing fails."""
    outbox = Outbox(MemoryStore())
    outbox.set_pace(1)
    shared = SharedPace(outbox, ACCOUNT)
    shared.most(1)
    outbox.close()
    shared.give_back(1)


def test_a_wait_is_broken_off_by_the_end() -> None:
    """Nobody waits out the pace of a run that is stopped."""
    pace = Pace(Speed())
    waiting = threading.Thread(target=lambda: found.append(pace.rest(600)))
    found: list[bool] = []
    waiting.start()
    pace.stop()
    ended(waiting)
    assert ([False], True) == (found, Pace(Speed()).rest(0))


def test_workers_keep_the_pace_together() -> None:
    """Two of them, with batches and connections that would be through at once."""
    store = MemoryStore()
    with Sandbox() as gateway, Notifier(str(gateway.url)) as notifier, Outbox(store) as outbox:
        outbox.enqueue(message(*numbers(40)))
        outbox.set_pace(20)
        workers = [Worker(notifier, Outbox(store.another()), batch=5) for _ in range(2)]
        begun = time.monotonic()
        threads = [threading.Thread(target=worker.run, kwargs={"once": True}) for worker in workers]
        for thread in threads:
            thread.start()
        ended(*threads)
        # The last batch begins when all others have had their time.
        assert time.monotonic() - begun >= (40 - 5) / 20
        assert 40 == outbox.counts().total - outbox.counts().queued
        for worker in workers:
            worker.outbox.close()
