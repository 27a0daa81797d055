"""A wall clock that is set while a process runs."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from devinotify import AsyncNotifier, Message, Notifier, Outbox, hookimpl, make_plugin_manager
from devinotify.delivery.worker import Worker
from devinotify.outbox.clock import NOTICED, WallClock
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.models import Receipt, SmsState
    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"


@table("step", [600.0, -3 * 86400.0])
def test_a_step_is_noticed_once(step: float) -> None:
    """Forward or back, by how much, and not again."""
    now = [1000.0, 5.0]
    clock = WallClock(lambda: now[0], lambda: now[1])
    found = [clock.stepped()]
    now[:] = [1000.0 + 60 + step, 65.0]
    found += [clock.stepped(), clock.stepped()]
    assert [0.0, step, 0.0] == found


def test_a_clock_that_is_kept_in_time_is_not_noticed() -> None:
    """A slow correction adds up to no step."""
    now = [1000.0, 5.0]
    clock = WallClock(lambda: now[0], lambda: now[1])
    found = []
    for _ in range(20):
        now[:] = [now[0] + 60 + NOTICED / 2, now[1] + 60]
        found.append(clock.stepped())
    assert [0.0] * 20 == found


def test_a_worker_says_that_the_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In its log, with the direction."""
    caplog.set_level(logging.WARNING)
    with (
        Outbox(tmp_path / "o.db") as outbox,
        Notifier("devino://a:b@DEVINO", plugins=make_plugin_manager(discover=False)) as notifier,
    ):
        worker = Worker(notifier, outbox, nap=0.01)
        real = time.time
        ahead = iter([0.0, 3600.0])
        # The worker's own clock alone: the outbox goes on by the real one.
        monkeypatch.setattr(worker, "_clock", WallClock(lambda: real() + next(ahead, 3600.0)))

        def told(record: logging.LogRecord) -> bool:
            if "the clock was set forward by 3600 seconds" in record.getMessage():
                worker.stop()
            return True

        caplog.handler.addFilter(told)
        worker.run()
        caplog.handler.removeFilter(told)
    assert 1 == sum("the clock was set" in record.message for record in caplog.records)


def test_a_step_is_noticed_once_by_all_who_look() -> None:
    """A worker's threads share the clock: twice as much would make everybody wait for so much longer."""
    lookers, real = 4, time.time
    ahead, both = [0.0], threading.Barrier(lookers)

    def slow() -> float:
        found = real() + ahead[0]
        time.sleep(0.001)  # so that the others come between two looks of one
        return found

    clock = WallClock(slow)
    since = real() - 60  # what was read a moment apart is a moment off
    ahead[0] = 600.0

    def look(_: int) -> float:
        both.wait(60)
        return clock.gained(since)

    with ThreadPoolExecutor(lookers) as pool:
        assert [600] * lookers == [round(found) for found in pool.map(look, range(lookers))]


# --- patience beside a clock that is set forward


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give by how many seconds the machine's clock was set forward; what was sent is under way for as long as asked."""
    real, seconds = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + seconds[0])
    return seconds


@pytest.fixture
def url(gateway: Sandbox, tmp_path: Path) -> str:
    """Give the URL of an account on sms-viber where nothing is delivered."""
    gateway.set_timeline("delivered", sms=[(0.0, -1)], viber=[(0.0, 2)])
    return f"{gateway.url}&channel=sms-viber&patience=300&poll=20ms&outbox={tmp_path / 'o.db'}"


def sent(gateway: Sandbox) -> list[str]:
    """Return the channels of what the gateway took, in order."""
    return [message.channel for message in gateway.messages()]


class Setting:
    """A plugin that sets the clock forward at the first news of a delivery."""

    def __init__(self, ahead: list[float]) -> None:
        self._ahead = ahead

    @hookimpl
    def devinotify_status_changed(self, receipt: Receipt, state: SmsState) -> None:
        """Set it."""
        self._ahead[0] = 600.0


@pytest.mark.parametrize("waited", [False, True], ids=["before a wait", "between two"])
def test_nobody_waits_for_less_long(ahead: list[float], gateway: Sandbox, url: str, *, waited: bool) -> None:
    """An SMS that is a second old is not overdue because the clock says so."""
    with Notifier(url, plugins=make_plugin_manager(discover=False)) as notifier:
        outcomes = notifier.notify("hi", NUMBER)
        if waited:
            outcomes = notifier.wait(outcomes, 0.1)
        ahead[0] = 600.0
        notifier.wait(outcomes, 0.2)
    assert ["sms"] == sent(gateway)


def test_nobody_waits_for_less_long_amid_a_wait(ahead: list[float], gateway: Sandbox, url: str) -> None:
    """The clock is set between two looks of one wait."""
    with Notifier(url, plugins=make_plugin_manager(Setting(ahead), discover=False)) as notifier:
        notifier.wait(notifier.notify("hi", NUMBER), 0.3)
    assert ([600.0], ["sms"]) == (ahead, sent(gateway))


@pytest.mark.parametrize("amid", [False, True], ids=["between", "amid"])
def test_nobody_waits_for_less_long_on_an_event_loop(
    ahead: list[float], gateway: Sandbox, url: str, *, amid: bool
) -> None:
    """Each look is taken by another thread."""
    plugins = make_plugin_manager(*([Setting(ahead)] if amid else []), discover=False)

    async def main() -> None:
        async with AsyncNotifier(url, plugins=plugins) as notifier:
            outcomes = await notifier.notify("hi", NUMBER)
            if not amid:
                ahead[0] = 600.0
            await notifier.wait(outcomes, 0.3)

    asyncio.run(main())
    assert ([600.0], ["sms"]) == (ahead, sent(gateway))


def test_nobody_waits_for_less_long_where_workers_take_turns(
    ahead: list[float], gateway: Sandbox, url: str, tmp_path: Path
) -> None:
    """A worker for each task, as Celery's are, on one outbox: the second has not seen the clock being set."""
    with (
        Outbox(tmp_path / "o.db", poll=0.02) as outbox,
        Notifier(url, plugins=make_plugin_manager(discover=False)) as notifier,
    ):
        outbox.enqueue(Message("hi", (NUMBER,), channel="sms-viber"))
        Worker(notifier, outbox).run(once=True)
        ahead[0] = 600.0
        before = [row.next_poll_at for row in outbox if row.channel == "sms"]
        Worker(notifier, outbox).run(once=True)
        after = [row.next_poll_at for row in outbox if row.channel == "sms"]
    assert (True, ["sms"]) == (before < after, sent(gateway))
