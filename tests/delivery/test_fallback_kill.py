"""A process is killed amid a fallback over two channels of a plugin's: another one goes on, and repeats nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from devinotify import Outbox
from tests.waiting import LONGEST

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

NUMBER = "+79161234567"

SIGNAL = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from devinotify import (
    Attempt, DeliveryStatus, Fallback, Notifier, Outcome, Receipt, SmsState, Verdict, Worker, hookimpl,
    make_plugin_manager,
)

folder, act, dies_on = Path(sys.argv[1]), *sys.argv[2:]

class Line:
    max_length, segmented, schedulable = 100, False, False

    def __init__(self, name):
        self.name = name

    def check_sender(self, sender):
        pass

    def send(self, message, client):
        (to,) = message.recipients
        with (folder / "sent").open("a") as sent:
            print(self.name, to, file=sent)
        if self.name == dies_on:
            os.kill(os.getpid(), signal.SIGKILL)
        receipt = Receipt(to, (self.name,), 1, self.name, sent_at=datetime.now(UTC))
        attempts = (Attempt(self.name, Verdict.ACCEPTED, receipt),)
        return [Outcome(to, Verdict.ACCEPTED, self.name, receipt, attempts=attempts)]

    def state(self, receipt, client):
        print("looked", flush=True)
        (name,) = receipt.message_ids
        return SmsState(DeliveryStatus((folder / name).read_text()), 0)

class Plugin:
    @hookimpl
    def devinotify_register_channels(self):
        return [Fallback("signal", Line("horn"), Line("drum"))]

url = f"devino://demo:demo@DEVINO?gateway=http://127.0.0.1:9/rest&channel=signal&outbox={folder}/signal.db"
with Notifier(url, plugins=make_plugin_manager(Plugin(), discover=False), poll=0.02) as notifier:
    if act == "wait":
        notifier.wait(notifier.notify("hi", "+79161234567"), 60)
    else:
        worker = Worker(notifier)
        while not any(row.channel == "drum" and row.state.verdict is not None for row in worker.outbox):
            worker.turn()
        worker.run(once=True)
"""
"""Two channels of a plugin's and what is done with them: ``horn`` and ``drum`` are in files the states they tell."""


def rows(folder: Path) -> list[tuple[str, str]]:
    """Return channel and state of each step, as they are stored."""
    with Outbox(folder / "signal.db") as outbox:
        return [(row.channel, str(row.state)) for row in outbox]


@pytest.mark.parametrize("dies_on", ["", "drum"])
def test_another_process_goes_on_where_one_was_killed(tmp_path: Path, dies_on: str) -> None:
    """Killed while it waits for the first step, or right after it has taken the second: each is taken once."""
    (tmp_path / "horn").write_text("undelivered" if dies_on else "sent")
    (tmp_path / "drum").write_text("sent")
    command = [sys.executable, "-c", SIGNAL, str(tmp_path)]
    with subprocess.Popen([*command, "wait", dies_on], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "looked\n" == process.stdout.readline()
        if not dies_on:
            process.kill()
        assert -signal.SIGKILL == process.wait(LONGEST)
    left = [("horn", "failed"), ("drum", "claimed")] if dies_on else [("horn", "accepted")]
    assert left == rows(tmp_path)
    (tmp_path / "horn").write_text("undelivered")
    subprocess.run([*command, "work", ""], stdout=subprocess.DEVNULL, check=True, timeout=LONGEST)
    assert [f"horn {NUMBER}", f"drum {NUMBER}"] == (tmp_path / "sent").read_text().splitlines()
    assert [("horn", "failed"), ("drum", "unknown" if dies_on else "accepted")] == rows(tmp_path)
