"""``devinotify worker`` against a real sandbox, in process and as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from devinotify import Message, Outbox
from tests import forked
from tests.cli.conftest import Run, document

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of an outbox with one message in it."""
    with Outbox(tmp_path / "outbox.db") as outbox:
        outbox.enqueue(Message("Hello", (NUMBER,)))
    return tmp_path / "outbox.db"


def test_once_sends_what_is_queued(account: Sandbox, run: Run, path: Path) -> None:
    """It ends when nothing is due, and tells what is in the outbox."""
    result = run("worker", "--once", "--outbox", str(path))
    assert (0, ["Hello"], "in the outbox: 1 accepted\n") == (
        result.exit_code,
        [message.text for message in account.messages()],
        result.stdout,
    )


def test_the_log_is_on_stderr_without_personal_data(account: Sandbox, run: Run, path: Path) -> None:
    """Each batch is a line; the handler is gone afterwards."""
    result = run("worker", "--once", "--outbox", str(path))
    lines = result.stderr.splitlines()
    assert (2, True, False) == (len(lines), lines[1].endswith("batch 1: 1 accepted"), "7916" in result.stderr)


def test_json_tells_the_counts(account: Sandbox, run: Run, path: Path) -> None:
    """One document on stdout."""
    found = document(run("worker", "--once", "--outbox", str(path), "--json"))
    assert (1, 1, 0) == (found["counts"]["accepted"], found["counts"]["total"], found["exit_code"])


def test_the_urls_outbox_is_the_default(account: Sandbox, run: Run, path: Path) -> None:
    """Without --outbox it is the URL's."""
    result = run("worker", "--once", url=f"{account.url}&outbox={path}")
    assert (0, 1) == (result.exit_code, len(account.messages()))


def test_the_environments_outbox_is_the_next(
    account: Sandbox, run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without that, DEVINOTIFY_OUTBOX."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(path))
    run("worker", "--once")
    assert 1 == len(account.messages())


def test_batch_is_the_size_of_a_request(account: Sandbox, run: Run, path: Path) -> None:
    """Three recipients, two at a time."""
    with Outbox(path) as outbox:
        outbox.forget(list(outbox))
        outbox.enqueue(Message("Hello", tuple(f"+7916123456{digit}" for digit in range(3))), watch=False)
    run("worker", "--once", "--batch", "2", "--outbox", str(path))
    sends = [item.operation for item in account.requests() if item.method == "POST"]
    assert ["Sms/SendBulk", "Sms/Send"] == sends


def test_without_an_account_it_is_a_usage_error(run: Run, path: Path) -> None:
    """It needs somebody to send as."""
    result = run("worker", "--once", "--outbox", str(path))
    assert (2, True) == (result.exit_code, "DEVINOTIFY_URL" in result.stderr)


def test_an_outbox_that_cannot_be_used_is_a_usage_error(account: Sandbox, run: Run, tmp_path: Path) -> None:
    """One line that names it."""
    result = run("worker", "--once", "--outbox", str(tmp_path / "no" / "outbox.db"))
    assert (2, 1, True) == (
        result.exit_code,
        len(result.stderr.splitlines()),
        "folder does not exist" in result.stderr,
    )


@pytest.mark.once
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_gently(account: Sandbox, path: Path, number: signal.Signals) -> None:
    """As a service does: it sends, waits for more, and ends with 0."""
    process = subprocess.Popen(
        [*forked.command(), "worker", "--outbox", str(path), "--json"],
        env={**os.environ, "DEVINOTIFY_URL": account.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert account.wait(lambda: bool(account.messages()), 60)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (0, True) == (process.returncode, '"exit_code": 0' in out)
