"""What goes wrong at night: the receiver is killed, the disk is full, the gateway's answer is lost."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from devinotify import Outbox, RowState

from tests.support import NUMBER, PATIENCE, alert, fetch, free_port, payload, served, until

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills are of POSIX")

ALERTS = payload(alert(summary="/ on web1 is 95% full"))

KILLED = """
import os, runpy, signal
from devinotify_webhook import durable
real, left = durable.sync, [int(os.environ["KILL_AT"])]
def sync(name):
    # What was stored is on the disk, and nobody was told: here it ends.
    real(name)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
durable.sync = sync
runpy.run_module("devinotify", run_name="__main__")
"""
"""The command, which kills itself between the commit and the answer."""


def toml(gateway: Sandbox, outbox: Path) -> str:
    """Return a configuration with one receiver."""
    return f'url = "{gateway.url}"\noutbox = "{outbox}"\n[receivers.oncall]\nto = "{NUMBER}"\n'


def test_killed_between_commit_and_answer(gateway: Sandbox, tmp_path: Path) -> None:
    """Whoever posts gets no answer and posts again to the next process: one SMS."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/alertmanager/oncall"
    (tmp_path / "hooks.toml").write_text(toml(gateway, tmp_path / "alerts.db"), "utf-8")
    command = ["webhook", "--config", "hooks.toml", "--listen", f"127.0.0.1:{port}", "--no-worker"]
    with (tmp_path / "killed.log").open("wb") as log:
        first = subprocess.Popen(
            [sys.executable, "-c", KILLED, *command],
            cwd=tmp_path,
            stdout=log,
            stderr=log,
            env={**os.environ, "KILL_AT": "1"},
        )
    try:
        until(lambda: answers(port))
        with pytest.raises(OSError, match=r"closed|reset|Remote end"):
            fetch(url, ALERTS)
        assert -signal.SIGKILL == first.wait(PATIENCE)
    finally:
        first.kill()
        first.wait(60)
    with served(tmp_path, toml(gateway, tmp_path / "alerts.db"), port=port):
        status, told = fetch(url, ALERTS)
        assert (200, True) == (status, '"known":true' in told)
        assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
        assert 200 == fetch(url, ALERTS)[0]
    assert 1 == len(gateway.messages())


def answers(port: int) -> bool:
    """Return whether something listens."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_the_gateways_answer_is_lost(gateway: Sandbox, tmp_path: Path) -> None:
    """The row is unknown, the post was answered 200, and however often it is posted there is one SMS."""
    gateway.add_fault("drop", accepts=True, operation="Sms/Send")
    port = free_port()
    with served(tmp_path, toml(gateway, tmp_path / "alerts.db"), port=port):
        url = f"http://127.0.0.1:{port}"
        assert 200 == fetch(f"{url}/alertmanager/oncall", ALERTS)[0]
        until(lambda: 'outbox_messages{state="unknown"} 1' in fetch(f"{url}/metrics")[1])
        assert 'sends_total{channel="sms",verdict="unknown"} 1' in fetch(f"{url}/metrics")[1]
        for _ in range(3):
            assert 200 == fetch(f"{url}/alertmanager/oncall", ALERTS)[0]
    with Outbox(tmp_path / "alerts.db") as outbox:
        assert [RowState.UNKNOWN] == [row.state for row in outbox.rows()]
    assert 1 == len(gateway.messages())


def can_mount() -> bool:
    """Return whether this process may make a small disk of its own."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="this machine lets nobody mount a small disk")
def test_a_full_disk(gateway: Sandbox, tmp_path: Path) -> None:
    """503 while nothing can be stored, and one SMS when there is room again."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "hooks.toml").write_text(toml(gateway, tmp_path / "disk" / "alerts.db"), "utf-8")
    port = free_port()
    # The disk is this process's own; a file in it, as large as the disk lets it be, leaves no room. SIGUSR1 removes it.
    # What is stored is sent when the server has ended: a worker beside it would make room, and take it, as it goes.
    script = (
        "mount -t tmpfs -o size=3m tmpfs disk\n"
        "trap 'rm disk/ballast' USR1; trap 'kill $!' TERM\n"
        f"{sys.executable} -m devinotify webhook --config hooks.toml --listen 127.0.0.1:{port} --no-worker &\n"
        "while ! test -e fill; do sleep 0.1; done\n"
        "cat /dev/zero >disk/ballast 2>/dev/null; touch full\n"
        "while kill -0 $! 2>/dev/null; do wait $!; done\n"
        f"exec {sys.executable} -m devinotify worker --once --outbox disk/alerts.db\n"
    )
    url = f"http://127.0.0.1:{port}/alertmanager/oncall"
    with (tmp_path / "disk.log").open("wb") as log:
        shell = subprocess.Popen(
            ["unshare", "--mount", "--map-root-user", "sh", "-c", script],
            cwd=tmp_path,
            stdout=log,
            stderr=log,
            env={**os.environ, "DEVINOTIFY_URL": gateway.url},
        )
    try:
        until(lambda: answers(port))
        (tmp_path / "fill").touch()
        until((tmp_path / "full").exists)
        # A little room may be left in pages that the file has already; then a large one finds none.
        until(lambda: 503 == fetch(url, payload(alert(summary="x" * 100), group="x"))[0] or fill(url))
        status, told = fetch(url, ALERTS)
        assert (503, True) == (status, "the disk is full" in told)
        shell.send_signal(signal.SIGUSR1)
        until(lambda: 200 == fetch(url, ALERTS)[0])
        assert '"known":true' in fetch(url, ALERTS)[1]
        shell.terminate()
        assert 0 == shell.wait(PATIENCE), (tmp_path / "disk.log").read_text("utf-8")
    finally:
        shell.terminate()
        shell.wait(PATIENCE)
    assert 1 == len(gateway.messages(text="/ on web1 is 95% full"))


_fillers = iter(range(10**6))


def fill(url: str) -> bool:
    """Post what takes room, another one each time; return whether there is none left."""
    return 503 == fetch(url, payload(alert(summary="x" * 200), group=f"{next(_fillers)}"))[0]


def test_ended_by_sigterm(gateway: Sandbox, tmp_path: Path) -> None:
    """It ends in order, with code 0, and what it was sending is written down."""
    port = free_port()
    with served(tmp_path, toml(gateway, tmp_path / "alerts.db"), port=port) as process:
        gateway.add_fault("latency", seconds=1.0, times=1)
        assert 200 == fetch(f"http://127.0.0.1:{port}/alertmanager/oncall", ALERTS)[0]
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(PATIENCE)
    with closing(Outbox(tmp_path / "alerts.db")) as outbox:
        counts = outbox.counts()
    assert 1 == counts[RowState.QUEUED] + counts[RowState.ACCEPTED] + counts[RowState.DELIVERED]


def test_a_connection_that_says_nothing(gateway: Sandbox, tmp_path: Path) -> None:
    """It is closed when its time is over, and a body that does not end is answered 408."""
    port = free_port()
    with (
        served(tmp_path, "timeout = 5\n" + toml(gateway, tmp_path / "alerts.db"), port=port),
        socket.create_connection(("127.0.0.1", port), PATIENCE) as silent,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as slow,
    ):
        slow.sendall(b"POST /sms/oncall HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\ntext")
        assert b"" == silent.recv(100)
        assert b"408" in slow.recv(1000).split(b"\r\n")[0]
