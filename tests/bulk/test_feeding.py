"""A list that several processes could put into one journal: one does, and another goes on where that one was killed."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from devinotify.bulk import Campaign, End, Journal, Speed
from devinotify.bulk.journal import FEEDER
from devinotify.outbox import Outbox
from tests import forked
from tests.outbox.conftest import postgres_server
from tests.outbox.postgres.test_database import run
from tests.outbox.support import arrivals, finish, numbers, run_python
from tests.postgres_server import fresh, needs_server
from tests.waiting import ended

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.bulk import Progress, Result
    from devinotify.sandbox import Sandbox

pytestmark = pytest.mark.once

PEOPLE = 12_000
"""More than are written at once."""

HOLDER = """
import sys
from devinotify.outbox import Outbox
with Outbox(sys.argv[1], max_rows=None) as outbox:
    print(outbox.take_on("feeder"), flush=True)
    input()
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a long list."""
    path = tmp_path / "list.csv"
    path.write_text("\n".join(["phone", *numbers(PEOPLE)]) + "\n")
    return path


@pytest.fixture(params=["file", pytest.param("database", marks=needs_server)])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the place of a journal that is not there yet."""
    if request.param == "file":
        return str(tmp_path / "campaign.db")
    return f"{postgres_server().url(schema=fresh())}&campaign=May"


def bury(journal: str, pid: int) -> None:
    """Let a process have been heard of for the last time long ago: in a database it is dead after 90 seconds."""
    if journal.startswith("postgresql:"):
        run(journal, f"UPDATE ~workers SET seen_at = 0 WHERE pid = {pid}")  # noqa: S608 - a number


def test_who_does_not_feed_sends_and_takes_over(
    gateway: Sandbox, source: Path, journal: str, caplog: pytest.LogCaptureFixture
) -> None:
    """While the process that has the list lives, another waits for it; killed, the other goes on with its own list."""
    speed = Speed(connections=1, batch=1000, limit=None)
    with Campaign(gateway.url, source, text="Open", journal=journal) as campaign:
        with Campaign(gateway.url, source, text="Open", journal=journal) as before:
            before._intake.read()
            with Journal(journal) as opened:
                message = before._begin(opened)
                feed = opened.feed(before._intake.pages, message, personal=False)
                next(feed)  # the first part of the list, by a process that ends then
                del feed
                put = len(opened.outbox)
        holder = run_python(journal, HOLDER)
        assert holder.stdout is not None
        assert "True\n" == holder.stdout.readline()
        results: list[Result] = []
        sent = threading.Event()

        def observe(progress: Progress) -> None:
            if progress.accepted >= put:
                sent.set()

        sending = threading.Thread(target=lambda: results.append(campaign.run(speed, observe=observe)))
        with caplog.at_level(logging.WARNING):
            sending.start()
            assert sent.wait(120)
            holder.kill()
            finish(holder)
            bury(journal, holder.pid)
            ended(sending)
    assert ([End.DONE], True) == ([each.end for each in results], 0 < put < PEOPLE)
    assert Counter(numbers(PEOPLE)) == arrivals(gateway)
    assert 1 == sum("this one only sends" in each for each in caplog.messages)


def test_of_two_commands_one_feeds(gateway: Sandbox, source: Path, journal: str) -> None:
    """Two processes that were given the same list: nobody gets it twice, and one of them alone has put it in."""
    command = (
        *(*forked.command(), "bulk", str(source), "--text", "Open", "--journal", journal),
        *("--yes", "--json", "--connections", "1", "--url", gateway.url),
    )
    with Outbox(journal, max_rows=None) as third:
        assert third.take_on(FEEDER)
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
        ]
        told = [process.stderr for process in processes if process.stderr is not None]
        # A warning of the journal's password, which is typed here, comes first.
        said = [next(line for line in lines if "password" not in line) for lines in told]
        assert ([True] * 2, 0) == (["this one only sends" in line for line in said], len(third))
    ended = [process.communicate(timeout=120) for process in processes]
    events = [json.loads(out.splitlines()[-1]) for out, _ in ended]
    assert {"done", "elsewhere"} >= {event["end"] for event in events}
    assert Counter(numbers(PEOPLE)) == arrivals(gateway)
