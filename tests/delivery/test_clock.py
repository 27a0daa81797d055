"""A wall clock that is set while a process runs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from devinotify import Notifier, Outbox, make_plugin_manager
from devinotify.delivery.clock import NOTICED, WallClock
from devinotify.delivery.worker import Worker
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
