"""Every page does what it says: its commands and sessions are run in order, in a folder and on a sandbox of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from devinotify import exceptions
from devinotify.sandbox import Sandbox
from tests.cli import reference
from tests.docs.pages import ROOT, blocks, guides, language_of, name_of, pages
from tests.docs.reader import Reader, fits
from tests.forked import programs
from tests.tables import table
from tests.testing.sessions import run_pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.pages import Block

pytestmark = pytest.mark.once

_RUN = {"sh", "python"}
"""The languages that are run. A file that a block names is put into the folder, whatever its language."""

SHOWING = [page for page in pages() if any(block.kind in _RUN and not block.exempt for block in blocks(page))]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Run the gateway that a page's examples talk to."""
    with Sandbox() as gateway:
        yield gateway


@pytest.mark.parametrize("page", SHOWING)
def test_page(page: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every command ends well and every session gives what it shows, from the top to the end."""
    monkeypatch.setenv("DEVINOTIFY_URL", sandbox.url)
    monkeypatch.chdir(tmp_path)
    # The command line first, then what stands beside Python.
    path = os.pathsep.join([str(programs()), str(Path(sys.executable).parent), os.environ["PATH"]])
    reader = Reader(page, tmp_path, sandbox, PATH=path)
    try:
        for block in blocks(page):
            if not block.exempt and (block.kind in _RUN or block.file is not None):
                reader.do(block)
    finally:
        reader.close()


def _runs(mark: str, page: Path, block: Block) -> bool:
    """Return whether the test that a mark names is there, and takes the block from the page or has each line of it.

    A test that walks all pages takes what its mark is on, and a plugin's test its own README. A page in Russian is
    named by the test too, or has the block that it takes from the English one: ``test_russian.py`` holds them alike.
    """
    name, _, test = mark.removeprefix("run by: ").partition("::")
    source = (ROOT / name).read_text("utf-8") if (ROOT / name).is_file() else ""
    beside = [
        (ROOT / name).parent / f"{module}.py" for module in re.findall(r"^from tests\.(\w+) import", source, re.M)
    ]
    naming = source + "".join(path.read_text("utf-8") for path in beside if path.is_file())
    english = ROOT / name_of(page).replace("docs/ru/", "docs/")
    body = re.search(rf"^def {test}\(.*?(?=^\S|\Z)", source, re.MULTILINE | re.DOTALL)
    taken = (
        (body and "*pages()" in body[0])
        or name_of(page) in naming
        or (page.parent in (ROOT / name).parents and page.parent != ROOT and f'"{page.name}"' in naming)
        or (
            re.search(rf"\b{page.name}\b", naming)
            and any((block.kind, mark) == (each.kind, each.mark) for each in blocks(english))
        )
    )
    copied = all(line.strip() in source for line in block.code.splitlines())
    return bool(body and (taken or copied))


@table("page", [*pages(), *guides()])
def test_marks_lead_to_a_test(page: Path) -> None:
    """A block that this test leaves out names the test that runs it, or says why nothing does."""
    assert [] == [
        f"{name_of(page)}:{block.line}"
        for block in blocks(page)
        if block.mark.startswith("run by: ") and not _runs(block.mark, page, block)
    ]


@table("page", [*pages(), *guides()])
def test_every_block_is_accounted_for(page: Path) -> None:
    """It is run, is a file, is what a command prints, or has a mark; none is written so that no test sees it."""
    found = blocks(page)
    shown = {block.shown for block in found}
    # But for Sphinx's own, of which the pages of the API are made.
    text = re.sub(r"^```\{.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert text.count("```") == 2 * len(found)
    assert [] == [
        f"{name_of(page)}:{block.line}"
        for block in found
        if not (block.exempt or block.code in shown or (page in pages() and (block.kind in _RUN or block.file)))
    ]


@pytest.mark.parametrize("name", ["docs/tutorials/first-sms.md", "docs/ru/tutorials/first-sms.md"])
def test_the_sandbox_is_started(name: str, tmp_path: Path) -> None:
    """It says what is shown below the command that starts it, in the page's language, but for the port."""
    page = ROOT / name
    (block,) = (each for each in blocks(page) if each.code.startswith("devinotify sandbox\n"))
    assert block.shown is not None
    with subprocess.Popen(
        [sys.executable, "-m", *block.code.split(), "--port", "0"],
        env={**os.environ, "LANGUAGE": language_of(page), "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(8)]
        process.send_signal(signal.SIGTERM)
        said = "".join(first) + process.communicate(timeout=60)[0]
    assert fits(block.shown, re.sub(r"(?<=127\.0\.0\.1:)\d+", "8026", said)), said


_ITS_READER = """
from devinotify import Client

def remind(number, url):
    with Client(url) as client:
        client.sms.send(number, "TEXT")

"""


@pytest.mark.parametrize(
    ("page", "text"), [("docs/how-to/tests.md", "See you at 9"), ("docs/ru/how-to/tests.md", "Ждём вас в 9:00")]
)
def test_tests(page: str, text: str, tmp_path: Path) -> None:
    """The tests that are shown pass, run by pytest in a folder of their own."""
    (shown,) = (block.code for block in blocks(ROOT / page) if "def test_reminder" in block.code)
    (tmp_path / "test_shown.py").write_text(_ITS_READER.replace("TEXT", text) + shown, "utf-8")
    said = run_pytest(tmp_path, "test_shown.py").stdout
    assert "2 passed" in said, said


_ITS_SERVICE = """
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    app.state.url = os.environ["DEVINOTIFY_URL"]
    yield

app = FastAPI(lifespan=lifespan)
app.get("/url")(lambda: app.state.url)
"""
_ITS_TEST = """

def test_its_account(client, devino_url):
    assert client.get("/url").json() == devino_url
"""


@pytest.mark.parametrize("page", ["docs/how-to/tests.md", "docs/ru/how-to/tests.md"])
def test_a_program_that_a_fixture_starts(page: str, tmp_path: Path) -> None:
    """The fixture that is shown starts a service, and it has the sandbox as its account."""
    (shown,) = (block.code for block in blocks(ROOT / page) if "def client(" in block.code)
    (tmp_path / "app.py").write_text(_ITS_SERVICE, "utf-8")
    (tmp_path / "test_shown.py").write_text(shown + _ITS_TEST, "utf-8")
    said = run_pytest(tmp_path, "test_shown.py").stdout
    assert "1 passed" in said, said


@pytest.mark.parametrize("page", ["docs/how-to/asyncio.md", "docs/ru/how-to/asyncio.md"])
def test_the_service(page: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """The FastAPI service that is shown sends, and says what was refused here and what is not known; run as shown."""
    found = blocks(ROOT / page)
    (app,) = (block.code for block in found if "FastAPI(" in block.code)
    (start,) = (block.code for block in found if block.code.endswith("uvicorn app:app\n"))
    (tmp_path / "app.py").write_text(app, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as door:  # it listens before the service is there
        command = f"pip() {{ :; }}\n{start.rstrip()} --fd {door.fileno()}".replace("\nuvicorn", "\nexec uvicorn")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        service = subprocess.Popen(
            ["bash", "-euc", command],
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "DEVINOTIFY_URL": sandbox.url},
            pass_fds=[door.fileno()],
        )
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        try:
            good = requests.post(f"{url}/remind/89161234567", timeout=60)
            bad = requests.post(f"{url}/remind/12", timeout=60)
            sandbox.add_fault("drop", operation="Sms/Send", times=1)
            doubtful = requests.post(f"{url}/remind/89161234567", timeout=60)
        finally:
            service.terminate()
            service.wait(60)
    assert (200, 1) == (good.status_code, len(good.json()["ids"]))
    refusals = [(each.status_code, each.json()["detail"].partition(":")[0]) for each in (bad, doubtful)]
    assert [(422, "not_sent"), (502, "unknown")] == refusals


def test_commands_are_described_as_they_are() -> None:
    """docs/reference/commands.md is what the commands' own help says: ``python -m tests.cli.reference``."""
    described = (ROOT / "docs/reference/commands.md").read_text("utf-8")
    assert reference.markdown().strip() == described.partition("<!-- commands -->\n")[2].strip()


def test_exit_codes_are_described_as_they_are() -> None:
    """docs/reference/exit-codes.md has the table that the codes give: ``python -m tests.cli.reference exit-codes``."""
    described = (ROOT / "docs/reference/exit-codes.md").read_text("utf-8")
    (table,) = re.findall(r"(?:^\| .*\n|^\|---.*\n)+", described, re.MULTILINE)
    assert reference.exit_codes() == table.splitlines()


def test_ci_runs_the_commands_of_the_readme() -> None:
    """The two commands that CI takes from the README are there."""
    marks = [block.mark for block in blocks(ROOT / "README.md")]
    assert ["command: demo", "command: test"] == [mark for mark in marks if mark.startswith("command:")]


@table("name", ["README.md", "README.ru.md"])
def test_the_readme_is_a_landing_page(name: str) -> None:
    """At most 200 lines; the first screen says which API it speaks, how to tell, and shows what it looks like."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    screen = "\n".join(lines[:40])
    said = ["integrationapi.net", "docs.devino.online", "`Authorization: Key …`", "devinotify balance", "![", "](docs/"]
    assert [] == [each for each in said if each not in screen]
    assert len(lines) <= 200


@table(
    "name, heading, alerts, hosts",
    [
        ("README.md", "Three ways in", "Alerts", "Hosts"),
        ("README.ru.md", "Три способа подключиться", "Оповещения", "С чем работает"),
    ],
)
def test_the_readme_has_three_ways_in(name: str, heading: str, alerts: str, hosts: str) -> None:
    """Python, Apprise and alerts, each with a block to copy; then what it works with."""
    sections = dict(re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
    ways = re.split(r"^\*\*(\w+)\.\*\*", sections[heading], flags=re.MULTILINE)
    assert ["Python", "Apprise", alerts] == ways[1::2]
    assert [] == [way for way, text in zip(ways[1::2], ways[2::2], strict=True) if "```" not in text]
    assert "README.md#hosts" in sections[hosts] or "<!-- hosts -->" in sections[hosts]


def test_errors_are_drawn_as_they_are() -> None:
    """docs/reference/errors.md has the tree that the docstring of the errors draws."""
    drawn = textwrap.dedent((exceptions.__doc__ or "").partition("::\n\n")[2].partition("\n\n")[0])
    assert [drawn.strip()] == [block.code.strip() for block in blocks(ROOT / "docs/reference/errors.md")]
