"""The worker of an app: it begins again where it broke off, and ends when it is told to."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from devinotify import Worker

from devinotify_webhook import sender
from tests.support import PATIENCE, alert, payload, until

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from devinotify.sandbox import Sandbox

    from tests.support import Hooks


def test_it_begins_again(
    hooks: Callable[..., Hooks], gateway: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that breaks off is told in the log, by ``/-/ready`` and the metrics; then it sends what was stored."""
    monkeypatch.setattr(sender, "AGAIN", 0.05)
    works, failed = threading.Event(), threading.Event()
    real = Worker.run

    def run(self: Worker) -> None:
        if not works.is_set():
            failed.set()
            raise RuntimeError("secret words")
        real(self)

    monkeypatch.setattr(Worker, "run", run)
    one = hooks(worker=True)
    with caplog.at_level(logging.ERROR):
        assert 200 == one.post("/alertmanager/oncall", payload(alert())).status_code
        assert failed.wait(PATIENCE)
        until(lambda: one.get("/-/ready").status_code == 503)
        works.set()
        assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
        until(lambda: one.get("/-/ready").status_code == 200)
    assert "the worker broke off: RuntimeError; it begins again" in caplog.text
    assert "secret" not in caplog.text
    assert "devinotify_webhook_worker_up 1\n" in one.get("/metrics").text
