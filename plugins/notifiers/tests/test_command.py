"""The library's own command line, run for real against a gateway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

NUMBER, OTHER = "+79161234567", "+79161234568"
COMMAND = str(Path(sys.executable).parent / "notifiers")


def run(*arguments: str, url: str = "", text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``notifiers`` with the URL in its variable."""
    return subprocess.run(
        [COMMAND, *arguments],
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        env={**os.environ, "NOTIFIERS_DEVINO_URL": url},
    )


def test_notify(gateway: Sandbox) -> None:
    """It sends to all that are named, and says so."""
    done = run("devino", "notify", "--to", NUMBER, "--to", OTHER, "--title", "Disk", "at 99 %", url=gateway.url)
    assert (0, "Succesfully sent a notification to devino!\n", "") == (done.returncode, done.stdout, done.stderr)
    assert [(NUMBER, "Disk\nat 99 %"), (OTHER, "Disk\nat 99 %")] == [
        (each.recipient, each.text) for each in gateway.messages()
    ]


def test_text_from_stdin(gateway: Sandbox) -> None:
    """Without an argument the text is what is piped to it."""
    assert 0 == run("devino", "notify", "--to", NUMBER, url=gateway.url, text="piped").returncode
    assert ["piped"] == [each.text for each in gateway.messages()]


def test_lost_answer(gateway: Sandbox) -> None:
    """A lost answer does not fail the command, which would be run again: a line on stderr tells of it."""
    gateway.add_fault("drop", number=NUMBER, accepts=True)
    done = run("devino", "notify", "--to", NUMBER, "text", url=gateway.url)
    assert (0, 1) == (done.returncode, len(gateway.messages()))
    assert done.stderr.startswith("the message to +7916***4567 may or may not have been sent: ")


@pytest.mark.parametrize(("to", "reason"), [(NUMBER, "was refused"), ("12345", "was not sent")])
def test_refused(gateway: Sandbox, to: str, reason: str) -> None:
    """Where nobody got it the command fails and says why."""
    gateway.add_fault("error", number=NUMBER, code=2)
    done = run("devino", "notify", "--to", to, "text", url=gateway.url)
    assert (1, []) == (done.returncode, gateway.messages())
    assert reason in done.stdout
    assert to[2:] not in done.stdout + done.stderr


def test_describes_itself() -> None:
    """It is among the providers, and tells what it takes."""
    assert "devino" in run("providers").stdout.strip().split(", ")
    assert {"required": ["message", "url"]} == json.loads(run("devino", "required").stdout)
    assert "--title" in run("devino", "notify", "--help").stdout
