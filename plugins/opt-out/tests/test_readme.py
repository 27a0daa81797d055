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
from devinotify import Outbox

import devinotify_opt_out
from devinotify_opt_out import StopList, settings

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")
ENCODED = {"PYTHONIOENCODING": "utf-8"}


def test_prints_what_it_says() -> None:
    """The example, run as it stands in a process of its own, prints the block that follows it."""
    ((code, output),) = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        env={**os.environ, **ENCODED},
    )
    assert (output, "", 0) == (done.stdout, done.stderr, done.returncode)
    assert 1 == README.count("```python")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to run it in")
def test_commands_run(tmp_path: Path) -> None:
    """Those that work by hand, one after the other."""
    (commands,) = re.findall(r"```sh\n(devinotify opt-out .*?)```", README, re.DOTALL)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert "+79161234567" in (tmp_path / "stop.csv").read_text("utf-8")


def test_the_worker_hears(gateway: Sandbox) -> None:
    """The command, which goes on until it is stopped, puts who writes STOP on the list; here it ends after one look."""
    gateway.advance(1)
    gateway.add_incoming("STOP", "+79161234567")
    (command,) = re.findall(r"```sh\ndevinotify (worker .*?)\n```", README)
    done = subprocess.run(
        [sys.executable, "-m", "devinotify", *command.split(), "--once"],
        env={**os.environ, "DEVINOTIFY_URL": gateway.url},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert 0 == done.returncode, done.stderr
    with Outbox.named() as outbox:
        assert ["+79161234567"] == [number for number, _ in StopList(outbox)]


def test_names_every_variable() -> None:
    """The table has those that there are, and devinotify's own."""
    own = [settings.STOP_WORDS, settings.START_WORDS, settings.CONFIRMATION, settings.PASSES]
    assert [*own, "DEVINOTIFY_DISABLE_PLUGINS"] == re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)


def test_public_names() -> None:
    """The package's names are what they are."""
    assert sorted(devinotify_opt_out.__all__) == devinotify_opt_out.__all__
    assert all(hasattr(devinotify_opt_out, name) for name in devinotify_opt_out.__all__)
