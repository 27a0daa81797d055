"""The command as a service: what it tells systemd, and whoever asks for its health."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from devinotify import Worker

from devinotify_webhook import sender
from tests.support import NUMBER, PATIENCE, fetch, free_port, running, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

    from tests.support import Hooks


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Give the socket of a service manager, at ``notify`` in the folder."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(PATIENCE)
        yield found


def told(manager: socket.socket, word: str) -> str:
    """Return the first thing that the manager is told which begins with a word."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        words = manager.recv(4096).decode()
        if words.startswith(word):
            return words
    raise AssertionError(f"no {word} was told")


def test_its_life(gateway: Sandbox, tmp_path: Path, manager: socket.socket) -> None:
    """It is ready when it answers, gives signs for longer than the watchdog waits, and says that it ends."""
    port = free_port()
    command = [sys.executable, "-m", "devinotify", "webhook", "--to", NUMBER, "--listen", f"127.0.0.1:{port}"]
    environment = {
        "DEVINOTIFY_URL": gateway.url,
        "DEVINOTIFY_OUTBOX": str(tmp_path / "alerts.db"),
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "1000000",
    }
    with running(command, tmp_path, "webhook", environment) as process:
        assert "READY=1\nSTATUS=serving" == told(manager, "READY")
        assert (200, "healthy\n") == fetch(f"http://127.0.0.1:{port}/healthz")
        for _ in range(8):
            told(manager, "WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        told(manager, "STOPPING=1")
        assert 0 == process.wait(PATIENCE)


def test_a_worker_that_hangs(hooks: Callable[..., Hooks], gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no longer healthy: whoever asks restarts it. One that waits for its turn is."""
    begun, over, steps = threading.Event(), threading.Event(), [0.0]

    def run(self: Worker) -> None:
        begun.set()
        over.wait(PATIENCE)

    monkeypatch.setattr(Worker, "run", run)
    monkeypatch.setattr(Worker, "longest", property(lambda _: steps[0]))
    one = hooks(worker=True)
    assert 200 == one.get("/-/ready").status_code
    assert begun.wait(PATIENCE)
    waiting = [one.get(path).status_code for path in ("/healthz", "/-/healthy")]
    steps[0] = sender.HANGS + 1
    hanging = [one.get(path) for path in ("/healthz", "/-/healthy")]
    over.set()
    until(lambda: one.get("/-/ready").status_code == 503)  # it has ended, as far as it could
    assert [200, 200] == waiting
    assert [(503, "the worker hangs\n")] * 2 == [(reply.status_code, reply.text) for reply in hanging]
