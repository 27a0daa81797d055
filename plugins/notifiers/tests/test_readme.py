"""The README: what it shows is what happens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import devinotify_notifiers
from devinotify_notifiers import Devino, verdicts

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")
ENCODED = {**os.environ, "PYTHONIOENCODING": "utf-8"}


def test_prints_what_it_says() -> None:
    """The example, run as it stands in a process of its own, prints the block that follows it."""
    ((code, output),) = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False, timeout=60, env=ENCODED
    )
    assert (output, "", 0) == (done.stdout, done.stderr, done.returncode)
    assert 1 == README.count("```python")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to run it in")
def test_command_runs(gateway: Sandbox) -> None:
    """The command, run as it stands but for the gateway, sends."""
    (commands,) = re.findall(r"```sh\n(export .*?)```", README, re.DOTALL)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands.replace("devino://login:password@SENDER", f"'{gateway.url}'")],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert [("+79161234567", "The server room is on fire")] == [
        (each.recipient, each.text) for each in gateway.messages()
    ]


def test_names_every_argument_and_status() -> None:
    """The tables have what there is."""
    assert [*Devino().arguments, "status"] == re.findall(r"^\| `([a-z]+)` \|", README, re.MULTILINE)
    assert [verdicts.SUCCESS, verdicts.UNKNOWN, verdicts.PARTIAL, verdicts.FAILURE] == re.findall(
        r"^\| `([A-Z][a-z]+)` \|", README, re.MULTILINE
    )


def test_public_names() -> None:
    """The package's names are what they are."""
    assert ["Devino"] == devinotify_notifiers.__all__
