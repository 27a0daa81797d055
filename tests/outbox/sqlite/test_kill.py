"""Processes killed with SIGKILL, by chance and at every step: nothing is sent twice, and nothing is lost."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from devinotify import Message, Notifier, Outbox
from devinotify.delivery.fallback import LEASE
from devinotify.delivery.worker import CONNECTIONS, Worker
from devinotify.outbox import RowState
from devinotify.sandbox import Sandbox
from tests.outbox.support import NUMBER, finish, numbers, run_python
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.once, pytest.mark.untraced]

MESSAGES = 10_000
KILLS = 10
BATCH = 100

_GATEWAY = """
import json, sys
from devinotify.sandbox import Sandbox
with Sandbox(keep=100_000) as gateway:
    gateway.add_fault("latency", seconds=0.02)  # however fast the machine, there is something left to kill
    print(gateway.url, flush=True)
    sys.stdin.readline()
    print(json.dumps([message.recipient for message in gateway.messages()]), flush=True)
    sys.stdin.readline()
"""


@contextmanager
def worker_process(path: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``devinotify worker --once`` as a process of its own, killed in the end if need be."""
    process = subprocess.Popen(
        [sys.executable, "-m", "devinotify", "worker", "--once", "--outbox", str(path), "--batch", str(BATCH)],
        env={**os.environ, "DEVINOTIFY_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)


def test_ten_thousand_messages_and_ten_kills(tmp_path: Path) -> None:
    """Nobody is sent to twice, the states add up, and a kill leaves at most a batch a connection unknown."""
    path = tmp_path / "outbox.db"
    chance = random.Random(4)
    kills = queued = 0
    gateway = run_python(path, _GATEWAY)
    assert gateway.stdin is not None
    assert gateway.stdout is not None
    url = gateway.stdout.readline().strip()
    try:
        with Outbox(path) as outbox:
            stored = 0
            while kills < KILLS:
                # For the first, and where this process stood still and another came to the end of the queue.
                while stored < MESSAGES or not queued:
                    outbox.enqueue(Message("disk full", numbers(1000, 79160000000 + stored)), watch=False)
                    stored, queued = stored + 1000, outbox.counts().queued
                with worker_process(path, url) as process:
                    wait_until(lambda queued=queued: outbox.counts().queued != queued)  # type: ignore[misc]
                    time.sleep(chance.uniform(0.0, 0.15))
                    kills += process.poll() is None
                    process.kill()
                queued = outbox.counts().queued
            with worker_process(path, url) as process:
                assert 0 == process.wait(60)
            counts = outbox.counts()
        gateway.stdin.write("\n")
        gateway.stdin.flush()
        arrived: list[str] = json.loads(gateway.stdout.readline())
    finally:
        gateway.kill()
        gateway.wait(60)
        gateway.stdin.close()
        gateway.stdout.close()
    assert (len(arrived), stored, 0, 0) == (len(set(arrived)), counts.total, counts.queued, counts.claimed)
    assert stored == counts.accepted + counts.unknown
    assert counts.unknown <= KILLS * BATCH * CONNECTIONS
    assert counts.accepted <= len(arrived) <= counts.accepted + counts.unknown


# --- at every step of a fallback


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Give one running gateway to all the tests here."""
    with Sandbox() as gateway:
        yield gateway


@pytest.fixture
def gateway(running: Sandbox) -> Sandbox:
    """Give the gateway as new; Viber is delivered at once."""
    running.reset()
    running.set_timeline("delivered", viber=[(0.0, 2)])
    return running


# Kills its own process just before or after one call: "Outbox.settle#2:after" is the second settlement.
_DIE = """
import os, signal, sys
from devinotify import Notifier, Outbox
from devinotify.gateway.client import Sms, Viber
name, count, when = sys.argv[3].replace("#", ":").split(":")
owner, method = name.split(".")
kind = {"Outbox": Outbox, "Sms": Sms, "Viber": Viber}[owner]
original = getattr(kind, method)
calls = 0
def dying(*arguments, **options):
    global calls
    calls += 1
    if calls == int(count) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*arguments, **options)
    if calls == int(count) and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(kind, method, dying)
"""
_NOTIFY = (
    _DIE
    + """
with Notifier(sys.argv[2] + "&channel=sms-viber&outbox=" + sys.argv[1], poll=0.02) as notifier:
    notifier.wait(notifier.notify("hi", sys.argv[4]), 20)
"""
)


def die(path: Path, url: str, where: str) -> None:
    """Let a process notify and wait, and die there."""
    assert -signal.SIGKILL == finish(run_python(path, _NOTIFY, url, where, NUMBER))


def resume(path: Path, url: str, *, later: float = LEASE + 1) -> list[tuple[str, str]]:
    """Let a worker go on ``later`` seconds after, until nothing is due; return channel and state of every row."""
    with (
        Outbox(path, poll=0.01, clock=lambda: time.time() + later) as outbox,
        Notifier(url) as notifier,
    ):
        for _ in range(5):
            Worker(notifier, outbox).run(once=True)
            due = outbox.next_due()
            if due is None:
                break
            time.sleep(min(0.05, max(0.0, due - time.time() - later)))
        return [(row.channel, str(row.state)) for row in outbox]


def posted(gateway: Sandbox) -> list[str]:
    """Return the sends that the gateway was asked for, in order."""
    return [re.sub("Bulk$", "", str(request.operation)) for request in gateway.requests() if request.method == "POST"]


@pytest.mark.parametrize(
    ("where", "sends", "rows"),
    [
        # Nothing was written down, so nothing was sent: the message is the caller's.
        ("Outbox.begin#1:before", [], []),
        # The SMS may have gone out: unknown, and Viber follows.
        ("Outbox.begin#1:after", ["Viber/Send"], ["unknown", "delivered"]),
        ("Sms.send#1:before", ["Viber/Send"], ["unknown", "delivered"]),
        ("Outbox.settle#1:before", ["Sms/Send", "Viber/Send"], ["unknown", "delivered"]),
        # It is known to have been refused.
        ("Outbox.settle#1:after", ["Sms/Send", "Viber/Send"], ["rejected", "delivered"]),
        ("Outbox.go_on#1:before", ["Sms/Send", "Viber/Send"], ["rejected", "delivered"]),
        # Viber may have gone out: it is not sent again.
        ("Outbox.go_on#1:after", ["Sms/Send"], ["rejected", "unknown"]),
        ("Viber.send#1:before", ["Sms/Send"], ["rejected", "unknown"]),
        ("Viber.send#1:after", ["Sms/Send", "Viber/Send"], ["rejected", "unknown"]),
        ("Outbox.settle#2:before", ["Sms/Send", "Viber/Send"], ["rejected", "unknown"]),
        ("Outbox.settle#2:after", ["Sms/Send", "Viber/Send"], ["rejected", "delivered"]),
    ],
)
def test_a_refused_sms_whose_process_dies(
    gateway: Sandbox, tmp_path: Path, where: str, sends: list[str], rows: list[str]
) -> None:
    """The worker takes the step that is left, once, and repeats none that may have been taken."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    path = tmp_path / "outbox.db"
    die(path, gateway.url, where)
    found = resume(path, gateway.url)
    again = resume(path, gateway.url)
    assert (sends, [*zip(("sms", "viber"), rows, strict=False)]) == (posted(gateway), found)
    assert found == again


@pytest.mark.parametrize(
    ("where", "sends", "rows"),
    [
        ("Outbox.settle#1:before", ["Sms/Send", "Viber/Send"], ["unknown", "delivered"]),
        ("Outbox.settle#1:after", ["Sms/Send", "Viber/Send"], ["failed", "delivered"]),
        ("Outbox.record_state#1:before", ["Sms/Send", "Viber/Send"], ["failed", "delivered"]),
        ("Outbox.record_state#1:after", ["Sms/Send", "Viber/Send"], ["failed", "delivered"]),
        ("Outbox.go_on#1:before", ["Sms/Send", "Viber/Send"], ["failed", "delivered"]),
        ("Outbox.go_on#1:after", ["Sms/Send"], ["failed", "unknown"]),
        ("Viber.send#1:after", ["Sms/Send", "Viber/Send"], ["failed", "unknown"]),
        ("Outbox.settle#2:after", ["Sms/Send", "Viber/Send"], ["failed", "delivered"]),
    ],
)
def test_a_lost_sms_whose_process_dies(
    gateway: Sandbox, tmp_path: Path, where: str, sends: list[str], rows: list[str]
) -> None:
    """The watch survives in the outbox, and a worker resumes it."""
    gateway.set_timeline("delivered", sms=[(0.0, 69)], viber=[(0.0, 2)])
    path = tmp_path / "outbox.db"
    die(path, gateway.url, where)
    found = resume(path, gateway.url)
    assert (sends, [*zip(("sms", "viber"), rows, strict=False)], found) == (
        posted(gateway),
        found,
        resume(path, gateway.url),
    )


_WORK = (
    _DIE
    + """
from devinotify.delivery.worker import Worker
with Notifier(sys.argv[2] + "&outbox=" + sys.argv[1]) as notifier:
    Worker(notifier).run(once=True)
"""
)


@pytest.mark.parametrize(
    ("where", "sends", "first"),
    [
        ("Outbox.claim#1:before", ["Viber/Send"], RowState.DELIVERED),
        ("Outbox.claim#1:after", [], RowState.UNKNOWN),
        ("Viber.send#1:after", ["Viber/Send"], RowState.UNKNOWN),
        ("Outbox.settle#1:before", ["Viber/Send"], RowState.UNKNOWN),
        ("Outbox.settle#1:after", ["Viber/Send"], RowState.DELIVERED),
    ],
)
def test_a_worker_that_dies(gateway: Sandbox, tmp_path: Path, where: str, sends: list[str], first: RowState) -> None:
    """What it had claimed is unknown, what it had not is sent by the next one."""
    path = tmp_path / "outbox.db"
    with Outbox(path) as outbox:
        outbox.enqueue(Message("hi", (NUMBER,), channel="viber"))
    assert -signal.SIGKILL == finish(run_python(path, _WORK, gateway.url, where))
    found = resume(path, gateway.url)
    assert (sends, [("viber", str(first))]) == (posted(gateway), found)
