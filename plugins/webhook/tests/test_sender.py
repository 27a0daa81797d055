"""The worker of an app: it begins again where it broke off, and ends when it is told to."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from devinotify import Notifier, Worker

from devinotify_webhook.sender import Sender
from tests.support import NUMBER, PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    import pytest
    from devinotify.sandbox import Sandbox

    from tests.support import Hooks


class Breaking(Worker):
    """Breaks off as often as it is run, until it is told to work."""

    def __init__(self, *given: Any) -> None:  # noqa: ANN401 - a worker's own
        super().__init__(*given)
        self.works = threading.Event()

    def run(self, **options: Any) -> None:  # noqa: ANN401 - as above
        """Work, or not."""
        if not self.works.is_set():
            raise RuntimeError("secret words")
        super().run(**options)


def test_it_begins_again(gateway: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that breaks off is told in the log, and is not up; then it sends what was stored."""
    with Notifier(f"{gateway.url}&outbox={tmp_path / 'alerts.db'}") as notifier:
        notifier.enqueue("Hello", NUMBER)
        worker = Breaking(notifier)
        with caplog.at_level(logging.ERROR):
            sender = Sender(worker, again=0.05)
            until(lambda: not sender.is_up)
            worker.works.set()
            assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
            until(lambda: sender.is_up)
        sender.close()
    assert "the worker broke off: RuntimeError; it begins again in 0.05 seconds" in caplog.text
    assert "secret" not in caplog.text


def test_an_app_tells_that_its_worker_broke_off(hooks: Callable[..., Hooks], monkeypatch: pytest.MonkeyPatch) -> None:
    """By ``/-/ready`` and by the metrics, which say otherwise while it is at work."""
    breaks, broke = threading.Event(), threading.Event()

    def run(_: Worker) -> None:
        assert breaks.wait(PATIENCE)
        broke.set()
        raise RuntimeError

    monkeypatch.setattr(Worker, "run", run)
    one = hooks(worker=True)
    assert 200 == one.get("/-/ready").status_code
    assert "devinotify_webhook_worker_up 1\n" in one.get("/metrics").text
    breaks.set()
    assert broke.wait(PATIENCE)
    until(lambda: one.get("/-/ready").status_code == 503)
    assert "devinotify_webhook_worker_up 0\n" in one.get("/metrics").text
