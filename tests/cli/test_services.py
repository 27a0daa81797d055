"""``worker`` and ``sandbox`` as services: what a real process tells its manager, and when it stops telling."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from devinotify import Message, Outbox
from tests import forked
from tests.distributions import install
from tests.supervisors import PATIENCE, Manager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets"),
]

HANGING = """
import threading
from devinotify import hookimpl

@hookimpl
def devinotify_send_message(message, channel):
    threading.Event().wait(600)
"""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Give a manager that listens at a path."""
    with Manager(tmp_path / "notify") as found:
        yield found


@contextlib.contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command as a process of its own; it has ended after the block."""
    process = subprocess.Popen(
        [*forked.command(), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)


def test_a_worker_tells_its_life(account: Sandbox, tmp_path: Path, manager: Manager) -> None:
    """It is ready when it holds the outbox, lives for longer than the watchdog waits, and says that it ends."""
    with running("worker", "--outbox", str(tmp_path / "outbox.db"), **manager.environment(watchdog=1.0)) as process:
        ready = manager.until("READY")
        signs = [manager.until("WATCHDOG") for _ in range(8)]  # two seconds of them
        process.send_signal(signal.SIGTERM)
        ending = manager.until("STOPPING")
        assert 0 == process.wait(PATIENCE)
    assert {"READY": "1", "STATUS": "sending what is due"} == ready
    assert [{"WATCHDOG": "1"}] * 8 == signs
    assert "ending after what is under way" == ending["STATUS"]


def test_a_worker_tells_what_keeps_it(account: Sandbox, tmp_path: Path, manager: Manager) -> None:
    """What the gateway says is its status; who was to be sent to, and what, is not."""
    account.balance = "0"
    with Outbox(tmp_path / "outbox.db") as outbox:
        outbox.enqueue(Message("Hello", (NUMBER,)))
    with running("worker", "--outbox", str(tmp_path / "outbox.db"), **manager.environment()):
        manager.until("READY")
        told = manager.until("STATUS")["STATUS"]
    assert told.startswith("in trouble since the last batch: ")
    assert [] == [secret for secret in ("7916", "Hello", account.url) if secret in told]


def test_a_worker_that_is_not_ready_says_nothing(tmp_path: Path, manager: Manager, account: Sandbox) -> None:
    """An outbox that cannot be opened is the end of it, and no service."""
    with running("worker", "--outbox", str(tmp_path / "no" / "outbox.db"), **manager.environment(1.0)) as process:
        assert 2 == process.wait(PATIENCE)
    assert manager.told(0.01) is None


def test_a_worker_that_hangs_gives_no_sign(
    account: Sandbox, tmp_path: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of its four connections never returns from a hook: the others, and the thread that looks on, are no sign."""
    install(tmp_path / "site", "hanging", HANGING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    with Outbox(tmp_path / "outbox.db") as outbox:
        outbox.enqueue(Message("Hello", (NUMBER,)))
    with running("worker", "--outbox", str(tmp_path / "outbox.db"), **manager.environment(watchdog=2.0)) as process:
        manager.until("READY")
        assert manager.falls_silent(5.0)
        assert process.poll() is None


def test_a_sandbox_tells_its_life(manager: Manager) -> None:
    """Its signs are given by the loop that serves."""
    with running("sandbox", "--port", "0", **manager.environment(watchdog=1.0)) as process:
        ready = manager.until("READY")
        signs = [manager.until("WATCHDOG") for _ in range(8)]
        process.send_signal(signal.SIGTERM)
        ending = manager.until("STOPPING")
        assert 0 == process.wait(PATIENCE)
    assert ({"READY": "1", "STATUS": "serving"}, [{"WATCHDOG": "1"}] * 8) == (ready, signs)
    assert "STOPPING" in ending


def test_a_sandbox_whose_loop_hangs_gives_no_sign(manager: Manager) -> None:
    """The thread that waits for signals still runs then."""
    hanging = (
        "import threading\n"
        "from devinotify.cli.sandbox import command\n"
        "from devinotify.sandbox import Sandbox\n"
        "real = Sandbox.start\n"
        "def start(self):\n"
        "    real(self)\n"
        "    threading.Timer(1.0, self.soon, [lambda: threading.Event().wait(600)]).start()\n"
        "Sandbox.start = start\n"
        "command(['--port', '0'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", hanging],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **manager.environment(watchdog=2.0)},
    )
    try:
        manager.until("WATCHDOG")
        assert manager.falls_silent(5.0)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait(PATIENCE)
