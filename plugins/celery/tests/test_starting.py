"""What a worker says as it starts, and what it hides."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from devinotify_celery import notifiers, starting
from tests.workers import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def begin(app: Any) -> None:
    """Let a worker of this app start."""
    starting.begin("worker", SimpleNamespace(app=app))


def test_a_file_is_said_to_be_one_machines(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """With its path, so that somebody sees which; and nothing is left open for the processes that follow."""
    begin(app)
    (said,) = [record for record in caplog.records if record.name == starting.log.name]
    assert (logging.WARNING, True) == (said.levelno, "one machine" in said.getMessage())
    assert app.conf.devinotify_url.outbox in said.getMessage()
    assert {} == notifiers.shared._kept


def test_a_wrong_account_is_said_before_the_first_task(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The worker starts all the same: it may have other tasks."""
    app.conf.devinotify_url = "devino://login:s3cret@"
    begin(app)
    (said,) = [record.getMessage() for record in caplog.records if record.name == starting.log.name]
    assert "nothing can be sent" in said
    assert "s3cret" not in said


def test_a_report_shows_no_password(tmp_path: Path) -> None:
    """Celery asks for it in reports of bugs."""
    variables = {
        "SHOP_BROKER": "memory://",
        "SHOP_URL": "devino://login:s3cret@SENDER",
        "SHOP_OUTBOX": "postgresql://shop:pgs3cret@db/shop",
    }
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "tests.shop", "report"],
        cwd=FOLDER, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "login:***@SENDER" in done.stdout
    assert "s3cret" not in done.stdout


def test_settings_show_no_password_once_it_has_started(app: Any) -> None:
    """Monitors print the settings of a worker."""
    begin(app)
    assert "demo:***" in str(app.conf.table())
    assert "demo:demo" not in str(app.conf.table())
