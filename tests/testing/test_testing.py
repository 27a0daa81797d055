"""The pytest plugin, in sessions of its own: what its fixtures give and what its failures say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.tables import table
from tests.testing.sessions import run_pytest

if TYPE_CHECKING:
    from pathlib import Path


def session(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Return a finished pytest session over one file of tests."""
    (folder / "test_it.py").write_text("from __future__ import annotations\nimport re, pytest\n" + source, "utf-8")
    return run_pytest(folder, *arguments, "test_it.py")


def outcome(folder: Path, source: str, *arguments: str) -> str:
    """Return the summary line of a session."""
    return session(folder, source, *arguments).stdout.strip().splitlines()[-1].partition(" in ")[0]


def test_the_fixtures(tmp_path: Path) -> None:
    """The four fixtures are there without an import, and hang together."""
    source = """
def test(devino_sandbox, devino_url, devino_client, devino_inbox):
    devino_client.sms.send("8 916 123-45-67", "Привет")
    assert devino_url == devino_sandbox.url
    message = devino_inbox.assert_sent(to="+7 (916) 123-45-67", text="Привет")
    assert (1, [message]) == (len(devino_inbox), list(devino_inbox))
    assert "1 messages" in repr(devino_inbox)
"""
    assert "1 passed" == outcome(tmp_path, source)


@pytest.mark.once
def test_nothing_is_left_for_the_next_test(tmp_path: Path) -> None:
    """Each test begins with nothing sent and nothing set, on one server for all of them."""
    source = """
ports = set()

@pytest.mark.parametrize("run", range(3))
def test(devino_sandbox, devino_client, devino_inbox, run):
    ports.add(devino_sandbox.port)
    devino_inbox.assert_nothing_sent()
    assert devino_sandbox.faults() == []
    devino_client.sms.send("79161234567", "x")
    devino_sandbox.add_fault("drop")
    devino_sandbox.advance(600)
    assert len(ports) == 1
"""
    assert "3 passed" == outcome(tmp_path, source)


@pytest.mark.once
def test_workers_have_servers_of_their_own(tmp_path: Path) -> None:
    """Under xdist no worker sees what another sent."""
    source = """
@pytest.mark.parametrize("run", range(8))
def test(devino_client, devino_inbox, run):
    for count in range(5):
        devino_client.sms.send("79161234567", f"{run}")
    devino_inbox.assert_sent(text=f"{run}", count=5)
    assert len(devino_inbox) == 5
"""
    assert "8 passed" == outcome(tmp_path, source, "-n", "2")


@pytest.mark.once
def test_the_options_are_overridden(tmp_path: Path) -> None:
    """A session makes its Sandbox with what it wants."""
    source = """
@pytest.fixture(scope="session")
def devino_sandbox_options():
    return {"login": "me", "balance": 7}

def test(devino_url, devino_client):
    assert devino_url.startswith("devino://me:")
    assert devino_client.user.balance() == 7
"""
    assert "1 passed" == outcome(tmp_path, source)


_ACCOUNT = {
    "DEVINOTIFY_URL": "devino://real:s3cret@SENDER",
    "DEVINOTIFY_URL_FILE": "url.txt",
    "DEVINOTIFY_PASSWORD": "s3cret",
    "DEVINOTIFY_PASSWORD_FILE": "password.txt",
    "DEVINOTIFY_PROFILE": "live",
    "DEVINOTIFY_CONFIG": "devinotify.toml",
}
"""Everywhere that the account of whoever runs the tests may come from."""


@pytest.fixture
def _real_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give the session an account that is not to be used."""
    (tmp_path / "devinotify.toml").write_text("[profiles.live]\nurl = 'devino://real:s3cret@SENDER'\n", "utf-8")
    for name, value in _ACCOUNT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.once
@pytest.mark.usefixtures("_real_account")
def test_a_program_finds_no_other_account(tmp_path: Path) -> None:
    """A test that uses a fixture has its program send to the gateway, wherever it looks for its account.

    What a test has set itself counts, and the next one without a fixture has the environment as it was.
    """
    fixtures = ("devino_sandbox", "devino_url", "devino_client", "devino_inbox")
    source = f"""
import os
from devinotify import Client, DevinoURL, InvalidURL

def sends(devino_sandbox):
    with Client(os.environ["DEVINOTIFY_URL"]) as client:
        client.sms.send("79161234567", "x")
    assert ["x"] == [message.text for message in devino_sandbox.messages()]
    assert os.environ["DEVINOTIFY_URL"] == DevinoURL.in_environment()
    with pytest.raises(InvalidURL):
        DevinoURL.from_profile()
    with pytest.raises(InvalidURL):
        DevinoURL.from_profile("live")
    assert {{"DEVINOTIFY_URL", "DEVINOTIFY_CONFIG"}} == set({list(_ACCOUNT)}) & set(os.environ)
"""
    source += "".join(
        f"""
def test_{fixture}({fixture}, _devino_server):
    sends(_devino_server)
"""
        for fixture in fixtures
    )
    source += f"""
@pytest.fixture
def begins(monkeypatch):
    monkeypatch.setenv("OTHER", "x")

def test_own(begins, devino_url, monkeypatch):
    monkeypatch.setenv("DEVINOTIFY_URL", devino_url + "&channel=viber")
    assert os.environ["DEVINOTIFY_URL"].endswith("&channel=viber")

def test_none(begins):
    assert {_ACCOUNT} == {{name: os.environ.get(name) for name in {list(_ACCOUNT)}}}
"""
    assert "6 passed" == outcome(tmp_path, source)


@pytest.mark.once
@pytest.mark.usefixtures("_real_account")
def test_the_environment_is_left_alone(tmp_path: Path) -> None:
    """By an option of pytest's configuration."""
    source = f"""
import os

def test(devino_url):
    assert {_ACCOUNT} == {{name: os.environ.get(name) for name in {list(_ACCOUNT)}}}
"""
    assert "1 passed" == outcome(tmp_path, source, "-o", "devino_environment=false")


PASSES = (
    "assert_sent()",
    "assert_sent(text=re.compile('wor'))",
    "assert_sent(sender='DEVINO', channel='viber', count=1)",
    "assert_sent(count=2)",
    "assert_nothing_sent(to='79031234567')",
    "assert_segments(1)",
    "wait_for(channel='sms', status='delivered')",
    "wait_for(count=2)",
)


_WAITING = """
import threading, time

def test_waiting(devino_client, devino_inbox):
    thread = threading.Timer(0.3, lambda: devino_client.sms.send("79161234567", "late"))
    thread.start()
    start = time.monotonic()
    devino_inbox.wait_for(text="late", timeout=30)
    assert time.monotonic() - start < 25
    thread.join()
"""
"""A message from another thread is noticed at once, not at the end of the wait."""


def test_what_passes(tmp_path: Path) -> None:
    """Each assertion holds where what it says is so, and a wait is over once it is."""
    bodies = _WAITING + "".join(
        f"""
def test_{index}(devino_client, devino_inbox):
    devino_client.sms.send("79161234567", "Hello world")
    devino_client.viber.send("79161234567", "Hi")
    devino_inbox.{call}
"""
        for index, call in enumerate(PASSES)
    )
    assert f"{len(PASSES) + 1} passed" == outcome(tmp_path, bodies)


SEND = 'devino_client.sms.send("79161234567", {!r}); devino_inbox.'.format

FAILS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        'devino_inbox.assert_sent(to="79161234567", text="Hello")',
        ("expected a message to '79161234567' with text 'Hello', but none did.", "Nothing has arrived at all."),
    ),
    (
        SEND("Helo") + 'assert_sent(to="79161234567", text="Hello")',
        ("1 message arrived:", "1. sms   DEVINO -> +79161234567  ", "1 segment  'Helo'   <- differs in: text"),
    ),
    (SEND("x") + "assert_sent(count=2)", ("expected 2 messages, but 1 did.", "1 message arrived:")),
    (
        SEND("x") + 'assert_sent(text=re.compile("y+"), sender="ME", channel="viber")',
        ("a message with text matching 'y+' from 'ME' by 'viber'", "<- differs in: text, from, by"),
    ),
    (SEND("x") + "assert_nothing_sent()", ("expected no message.", "-> +79161234567  ", "1 segment  'x'")),
    (
        SEND("a" * 70 + "—") + "assert_segments(1)",
        ("expected 1 segment.", "took 2: UCS-2, 71 units, 63 left; forced by '—' (EM DASH) at 70"),
    ),
    (SEND("я" * 9) + "assert_segments(2)", ("forced by 'я' (CYRILLIC", "and 4 more")),
    (SEND("a") + "assert_segments(2)", ("took 1: GSM-7, 1 units, 159 left\n",)),
    ("devino_inbox.assert_segments(1)", ("expected a message by 'sms', but none did.",)),
    (
        SEND("x") + 'wait_for(text="y", timeout=0.1)',
        ("waited 0.1 s for a message with text 'y', but none arrived.", "<- differs in: text"),
    ),
    ("devino_inbox.wait_for(count=3, timeout=0)", ("waited 0 s for 3 messages, but none arrived.",)),
    ('devino_inbox.assert_sent(to="x")', ("InvalidPhoneNumber",)),
    (
        '[devino_client.sms.send("79161234567", "y") for _ in range(25)]; devino_inbox.assert_sent(text="x")',
        ("25 messages arrived:", "… 5 earlier ones"),
    ),
)


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Give what a session prints for each of the failing lines."""
    source = "".join(
        f"\ndef test_{index}(devino_client, devino_inbox):\n    {lines}\n" for index, (lines, _) in enumerate(FAILS)
    )
    done = session(tmp_path_factory.mktemp("failing"), source, "--tb=short")
    return re.split(r"\n_+ test_\d+ _+\n", re.sub(r"\nE   ?", "\n", done.stdout))[1:]


@pytest.mark.once
@table("index", range(len(FAILS)))
def test_what_failures_say(failures: list[str], index: int) -> None:
    """A failure names what was expected, shows what did arrive, and what kept it from fitting."""
    assert len(FAILS) == len(failures)
    assert [] == [words for words in FAILS[index][1] if words not in failures[index]], failures[index]


COST = """
import json, sys, time
start = time.process_time()
import pytest
middle, before = time.process_time(), set(sys.modules)
import devinotify.testing
took = time.process_time() - middle
print(json.dumps([took / (middle - start), sorted(set(sys.modules) - before)]))
"""


@pytest.mark.once
def test_importing_it_costs_nothing() -> None:
    """A session that does not use it pays for three small modules, and less than a twentieth of what pytest takes."""
    # Measured as users run it: coverage, where it is on, would be most of what is measured.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-c", COST]
    runs = [
        json.loads(subprocess.check_output(command, text=True, encoding="utf-8", env=plain, timeout=60))
        for _ in range(4)
    ]
    assert ["devinotify", "devinotify.testing", "devinotify.words"] == runs[0][1]
    assert min(share for share, _ in runs) < 0.05  # the least: whatever else runs here only adds to it
