"""A server that forks its workers off while threads of the app are at work."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_FORKING = """
import os, signal, sys, threading
from devinotify_webhook import Webhook, load, metrics, webhook

app = Webhook(
    load({
        "url": "devino://login:password@Acme",
        "outbox": sys.argv[1],
        "receivers": {"oncall": {"to": ["+79161234567"]}},
    }),
    worker=False,
)
opening, counting, over = threading.Event(), threading.Event(), threading.Event()

def open_for_long():
    with webhook._opening:
        opening.set()
        over.wait(60)

def count_for_a_while():
    with metrics._counting:
        counting.set()
        over.wait(0.5)  # a fork waits for it

threads = [threading.Thread(target=each) for each in (open_for_long, count_for_a_while)]
for thread in threads:
    thread.start()
opening.wait(60)
counting.wait(60)
if not (child := os.fork()):
    signal.alarm(20)
    app.metrics.count("requests", "alertmanager", "oncall", "200")
    app.house.close()
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
over.set()
for thread in threads:
    thread.join()
app.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_while_threads_are_at_work(tmp_path: Path) -> None:
    """The child counts, and opens what is its own: it waits for no thread of its parent's."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FORKING, str(tmp_path / "o.db")],
        timeout=120,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("0\n", "") == (done.stdout, done.stderr)
