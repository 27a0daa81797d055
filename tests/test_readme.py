"""The README does what it says: its Python, its shell commands, and the parts that are generated."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from devinotify.sandbox import Sandbox
from tests.cli import reference
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
_BLOCK = re.compile(r"(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<kind>\w+)\n(?P<code>.*?)```", re.DOTALL)
BLOCKS = [match.groupdict() for match in _BLOCK.finditer(README)]
SHELL = [
    block["code"]
    for block in BLOCKS
    if block["kind"] == "sh" and not (block["mark"] or "").startswith(("command:", "not run"))
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Run the gateway that the README's examples talk to."""
    with Sandbox() as gateway:
        yield gateway


def test_python(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every Python session of the README gives what it shows."""
    monkeypatch.setenv("DEVINOTIFY_URL", sandbox.url)
    monkeypatch.chdir(tmp_path)
    code = "\n".join(block["code"] for block in BLOCKS if block["kind"] == "python")
    example = doctest.DocTestParser().get_doctest(code, {}, "README.md", "README.md", 0)
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(example, out=failures.append, clear_globs=False)
    client = example.globs.get("client")
    if client is not None:
        client.close()
    assert [] == failures
    assert runner.summarize(verbose=False).attempted > 20


_ITS_READER = """
import pytest
from devinotify import Client, OutcomeUnknown

def remind(number, url):
    with Client(url) as client:
        client.sms.send(number, "See you at 9")

"""


def test_tests(tmp_path: Path) -> None:
    """The tests that the README shows pass, run by pytest in a folder of their own."""
    (shown,) = (block["code"] for block in BLOCKS if "def test_reminder" in block["code"])
    (tmp_path / "test_shown.py").write_text(_ITS_READER + shown, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shown.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout


def test_the_service(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The FastAPI service that the README shows sends, and says what was refused here and what is not known."""
    (shown,) = (block["code"] for block in BLOCKS if "FastAPI(" in block["code"])
    monkeypatch.setenv("DEVINOTIFY_URL", sandbox.url)
    names: dict[str, Any] = {}
    exec(compile(shown, "README.md", "exec"), names)  # noqa: S102 - running it is what this is about
    with served(names["app"]) as url:
        good = requests.post(f"{url}/remind/89161234567", timeout=30)
        bad = requests.post(f"{url}/remind/12", timeout=30)
        sandbox.add_fault("drop", operation="Sms/Send", times=1)
        doubtful = requests.post(f"{url}/remind/89161234567", timeout=30)
    assert (200, 1) == (good.status_code, len(good.json()["ids"]))
    refusals = [(each.status_code, each.json()["detail"].partition(":")[0]) for each in (bad, doubtful)]
    assert [(422, "not_sent"), (502, "unknown")] == refusals


@pytest.mark.parametrize("code", SHELL, ids=lambda code: code.split("\n")[0][:40])
def test_shell(code: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Every command of the README ends well, against the sandbox in place of the one at port 8026."""
    origin = sandbox.gateway.removesuffix("/rest")
    environment = {
        **os.environ,
        "DEVINOTIFY_URL": sandbox.url,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code.replace("http://127.0.0.1:8026", origin)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 0 == done.returncode, done.stderr


def test_commands_are_described_as_they_are() -> None:
    """docs/commands.md is what the commands' own help says."""
    described = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert reference.markdown().strip() in described


def test_ci_runs_the_commands_of_the_readme() -> None:
    """The two commands that CI takes from the README are there."""
    marks = [block["mark"] for block in BLOCKS if block["mark"]]
    assert ["command: demo", "command: test"] == [mark for mark in marks if mark.startswith("command:")]
