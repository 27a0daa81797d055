"""Kill -9 at random moments, over and over: nobody twice, nobody lost, and little unknown."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.bulk import Campaign, End, Journal, Speed
from devinotify.bulk.journal import FIRST
from devinotify.bulk.table import FIRST_PAGE
from devinotify.outbox import RowState
from tests.bulk.conftest import numbers
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.once, pytest.mark.untraced]

RECIPIENTS = 20_000
KILLS = 10
SENDS = ("Sms/SendBulk", "Sms/Send")
LONGEST = 0.3
"""Seconds before a kill, at most. Ten come before the end: a run tells after a moment that it sends, and the
gateway alone takes 100 ms for each of 400 batches, four at a time."""
CONNECTIONS, BATCH = 4, RECIPIENTS // 400

RUN = """
import sys
from devinotify.bulk import Campaign, Speed
url, source, journal, connections, batch, *wait = sys.argv[1:]
def tell(progress):
    if progress.phase == "sending":
        print("sending", flush=True)
with Campaign(url, source, text="The shop is open", journal=journal) as campaign:
    print("begun", flush=True)
    if wait:
        sys.stdin.readline()
    result = campaign.run(Speed(connections=int(connections), batch=int(batch)), observe=tell)
    print(result.sent.done, result.end, flush=True)
"""


class Gateway:
    """A sandbox in a process of its own, which no kill of ours touches."""

    def __init__(self, process: subprocess.Popen[str], keys: dict[str, str]) -> None:
        self._process = process
        self.url = keys["url"]
        self._control = keys["control"]

    def arm(self, **fault: Any) -> None:  # noqa: ANN401 - the control API's own
        """Arm a fault."""
        body = json.dumps(fault).encode()
        request = urllib.request.Request(  # noqa: S310 - our own loopback server
            f"{self._control}/faults", data=body, headers={"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request).close()  # noqa: S310 - as above

    def held(self) -> int:
        """Return how many requests its faults have met."""
        with urllib.request.urlopen(f"{self._control}/faults") as answer:  # noqa: S310 - as above
            return sum(fault["hits"] for fault in json.load(answer)["faults"])

    def let_go(self) -> None:
        """Disarm all faults."""
        request = urllib.request.Request(f"{self._control}/faults", method="DELETE")  # noqa: S310 - as above
        urllib.request.urlopen(request).close()  # noqa: S310 - as above

    def stop(self) -> None:
        """Stop it gently, so that its file holds everything."""
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=60)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """Run a sandbox that keeps what arrives in a file."""
    command = [sys.executable, "-m", "devinotify", "sandbox", "--port", "0", "--json", "--keep", "1000000"]
    command += ["--balance", "100000000", "--db", str(tmp_path / "gateway.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        running = Gateway(process, json.loads(process.stdout.readline()))
        yield running
        process.kill()


def arrived(path: Path) -> Counter[str]:
    """Return how often each number got the message, from the gateway's own file."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        return Counter(number for (number,) in file.execute("SELECT recipient FROM message"))


@pytest.mark.long
@pytest.mark.parametrize(
    "faults",
    [
        (),
        (
            {"kind": "drop", "probability": 0.02, "seed": 1},
            {"kind": "reset", "probability": 0.02, "seed": 2},
            {"kind": "error", "code": 9, "probability": 0.02, "seed": 3},
            {"kind": "expired-session", "probability": 0.02, "seed": 4},
        ),
    ],
    ids=["no faults", "dropped replies, resets, expired sessions, 500s"],
)
def test_nobody_twice_and_nobody_lost(gateway: Gateway, tmp_path: Path, faults: tuple[dict[str, Any], ...]) -> None:
    """Ten kills at random moments of a run leave an exact account."""
    some = numbers(RECIPIENTS)
    source, journal = tmp_path / "recipients.txt", tmp_path / "campaign.db"
    source.write_text("\n".join(some))
    for fault in (*faults, {"kind": "latency", "seconds": 0.1}):
        for operation in SENDS:
            gateway.arm(operation=operation, **fault)
    chance = random.Random(7)
    kills, failed, ended = 0, 0, False
    command = [sys.executable, "-c", RUN, gateway.url, str(source), str(journal), str(CONNECTIONS), str(BATCH)]
    while not ended:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            if kills < KILLS:
                # The first and some others fall into the reading of the input, most into the sending.
                process.stdout.readline()
                if kills % 5:
                    process.stdout.readline()
                time.sleep(chance.uniform(0, LONGEST))
                assert process.poll() is None, "the run was over before it could be killed"
                process.kill()
                kills += 1
            told = process.communicate(timeout=300)[0].split()  # a whole campaign
            ended = "done" in told
            failed += "failing" in told
    gateway.stop()
    with Journal(journal) as opened:
        tally = opened.tally()
        by_state = {
            state: {row.recipient.removeprefix("+") for row in opened.outbox.rows(states={state})}
            for state in (RowState.ACCEPTED, RowState.UNKNOWN)
        }
    got = arrived(tmp_path / "gateway.db")
    assert (KILLS, {1}) == (kills, set(got.values()))
    assert RECIPIENTS == tally.rows == tally.accepted + tally.unknown
    assert by_state[RowState.ACCEPTED] <= {number.removeprefix("+") for number in got}
    assert {number.removeprefix("+") for number in got} <= by_state[RowState.ACCEPTED] | by_state[RowState.UNKNOWN]
    print(f"\n{RECIPIENTS} recipients, {kills} kills, {CONNECTIONS} x {BATCH}: {tally.unknown} unknown, {failed} stops")
    if not faults:
        assert tally.unknown <= kills * CONNECTIONS * BATCH


HOLD = """
import os, signal
from devinotify.bulk.journal import Journal
put = Journal._put
def held(*args, **options):
    for number, part in enumerate(put(*args, **options), 1):
        yield part
        if number == 2 and sum(len(page.numbers) for page in args[1]) > 2 * args[3]:
            while not any(state in ("accepted", "claimed") and count for state, count in args[0].outbox.counts()):
                pass
            os.kill(os.getpid(), signal.SIGKILL)
Journal._put = held
"""
"""Kills the process once two of three parts of a page are in the journal, and of what is in it some has been sent."""
PUT = (1 + 2 + 4) * FIRST_PAGE + 2 * FIRST
"""Recipients that are in by then: all of three pages, and of the fourth, the first one of more than two parts, two."""


def test_a_kill_between_two_parts_of_the_input(gateway: Gateway, tmp_path: Path) -> None:
    """Sent to while it is still being fed, a journal goes on where it was: nobody twice, nobody left out."""
    some = numbers(30_000)
    source, journal = tmp_path / "recipients.txt", tmp_path / "campaign.db"
    source.write_text("\n".join(some))
    arguments = [gateway.url, str(source), str(journal), str(CONNECTIONS), str(BATCH)]
    killed = subprocess.run(
        [sys.executable, "-c", HOLD + RUN, *arguments], capture_output=True, check=False, timeout=60
    )
    assert -signal.SIGKILL == killed.returncode, killed.stderr
    with Journal(journal) as opened:
        half = opened.tally()
        assert (None, PUT, True) == (opened.fed, half.rows, half.waiting < PUT)
    with Campaign(gateway.url, source, text="The shop is open", journal=journal) as campaign:
        plan = campaign.plan()
        assert (30_000, plan.done) == (plan.recipients, plan.done and replace(plan.done, waiting=plan.left))
        assert plan.left == half.waiting + 30_000 - PUT
        result = campaign.run(Speed(connections=CONNECTIONS, batch=BATCH))
    gateway.stop()
    got = arrived(tmp_path / "gateway.db")
    assert (End.DONE, 30_000, {1}) == (result.end, result.tally.rows, set(got.values()))
    assert 30_000 == result.tally.accepted + result.tally.unknown
    assert result.tally.accepted <= len(got) <= 30_000
    assert result.tally.unknown <= CONNECTIONS * BATCH


def test_two_processes_share_a_journal(gateway: Gateway, tmp_path: Path) -> None:
    """Begun at once on one journal, both send of it, and everybody gets it once."""
    some = numbers(2000)
    source, journal = tmp_path / "recipients.txt", tmp_path / "campaign.db"
    source.write_text("\n".join(some))
    gateway.arm(kind="latency", seconds=60, operation="Sms/SendBulk")
    command = [sys.executable, "-c", RUN, gateway.url, str(source), str(journal), "2", "20", "wait"]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert "begun\n" == process.stdout.readline()
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
    wait_until(lambda: gateway.held() == 4)  # two connections of each
    gateway.let_go()
    told = [process.communicate(timeout=60)[0].split() for process in both]
    gateway.stop()
    # Whoever is first to find nothing left says that the other is still sending.
    assert {"done"} <= {words[-1] for words in told} <= {"done", "elsewhere"}
    done = [int(words[-2]) for words in told]
    assert (2000, True) == (sum(done), min(done) >= 2 * 20), done
    assert Counter(number.removeprefix("+") for number in some) == Counter(
        {number.removeprefix("+"): count for number, count in arrived(tmp_path / "gateway.db").items()}
    )
    with contextlib.closing(sqlite3.connect(journal)) as file:
        assert {2000} == {count for (count,) in file.execute("SELECT count(*) FROM rows WHERE attempts = 1")}
    with Journal(journal) as opened:
        assert 2000 == opened.tally().accepted
