"""Campaigns whose journals are in a PostgreSQL database: several in one, and several machines on each."""

from __future__ import annotations

import csv
import json
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from devinotify import Message, Notifier, Worker
from devinotify.bulk import Campaign, End, Journal, Speed
from devinotify.cli.app import cli
from devinotify.exceptions import InvalidInput
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.buckets import INCOMING
from devinotify.outbox.location import exists
from devinotify.sandbox import Sandbox
from tests.outbox.conftest import postgres_server
from tests.outbox.support import arrivals, numbers
from tests.postgres_server import PASSWORD, fresh, needs_server
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.once, needs_server]


@pytest.fixture
def gateway() -> Iterator[Sandbox]:
    """Give a running gateway."""
    with Sandbox() as found:
        yield found


@pytest.fixture
def database() -> str:
    """Give the URL of a schema that is not there yet; a campaign's is made of it."""
    return postgres_server().url(schema=fresh())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a list of 300 numbers, one of them twice, and a row that is no number."""
    path = tmp_path / "list.csv"
    path.write_text("\n".join(["phone", *numbers(300), numbers(1)[0], "12"]) + "\n")
    return path


def test_the_plan_keeps_the_pace_of_the_outbox_beside_it(gateway: Sandbox, database: str, source: Path) -> None:
    """From the first plan on, when there is no journal yet; and where there is no outbox, there is no pace."""
    with Campaign(gateway.url, source, text="Hi", journal=f"{database}&campaign=May") as campaign:
        before = campaign.plan(ask=False)
        with Outbox(database) as outbox:
            outbox.set_pace(10)
        after = campaign.plan(ask=False)
    assert (True, 300 // 10, 10) == (before.seconds < 2, int(after.seconds), after.batch)


def test_a_campaign_that_goes_on_with_another_account_takes_its_rows_along_alone(database: str) -> None:
    """The account that it was begun with keeps its pace, and what it knows of its incoming messages."""
    with Outbox(database) as outbox, Outbox(f"{database}&campaign=May") as journal:
        outbox.set_pace(7, "they@a.example")
        outbox.bucket(f"{INCOMING}they@a.example").put({"cursor": "2026-01-28T12:00:00+00:00"})
        journal.enqueue(Message("Hi", tuple(numbers(1))), account="they@a.example")
        assert 1 == journal.adopt("they@a.example", "me@a.example")
        assert (7, None) == (outbox.pace("they@a.example"), outbox.pace("me@a.example"))
        assert ["cursor"] == [key for key, _ in outbox.bucket(f"{INCOMING}they@a.example").items()]


def test_whom_a_campaign_in_the_database_has_reached_is_left_out_of_another(
    gateway: Sandbox, database: str, source: Path, tmp_path: Path
) -> None:
    """Of one in the same database, and of one in a file, by the journal's URL."""
    reached = tmp_path / "reached.csv"
    reached.write_text("\n".join(["phone", *numbers(100)]) + "\n")
    for journal, some, excluded in (
        (f"{database}&campaign=April", reached, []),
        (f"{database}&campaign=May", source, [f"{database}&campaign=April"]),
        (tmp_path / "June.db", source, [f"{database}&campaign=April", f"{database}&campaign=May"]),
    ):
        with Campaign(gateway.url, some, text="Hi", journal=journal, exclude_journals=excluded) as campaign:
            assert End.DONE is campaign.run().end
    assert Counter(numbers(300)) == arrivals(gateway)


def test_a_campaign_is_kept_in_a_database(
    gateway: Sandbox, database: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent, asked about, told of, and gone on with, by the same commands; the password is shown nowhere."""
    monkeypatch.setenv("DEVINOTIFY_URL", gateway.url)
    journal = f"{database}&campaign=May"
    report = tmp_path / "report.csv"
    page = tmp_path / "report.html"

    def run(*arguments: str) -> str:
        ended = CliRunner().invoke(cli, ["bulk", *arguments])
        assert (False, True) == (PASSWORD in ended.output, ended.exit_code in (0, 4)), ended.output
        return ended.output

    command = (str(source), "--text", "The shop is open", "--journal", journal, "--yes", "--json")
    first = json.loads(run(*command).splitlines()[-1])
    again = json.loads(run(*command).splitlines()[-1])
    status = json.loads(run("status", journal, "--no-poll", "--json").splitlines()[-1])
    run("report", journal, "--csv", str(report), "--html", str(page))
    with report.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert Counter(numbers(300)) == arrivals(gateway)
    assert ("done", 302, 301, 1, 1) == tuple(
        first[each] for each in ("end", "rows", "accepted", "invalid", "duplicates")
    )
    assert [first[each] for each in ("accepted", "rows")] == [again[each] for each in ("accepted", "rows")]
    assert (True, 301, 302, True) == (
        status["complete"],
        status["accepted"],
        len(rows),
        "May" in page.read_text("utf-8"),
    )


def test_campaigns_in_one_database_are_apart(gateway: Sandbox, database: str, source: Path) -> None:
    """Each has its own rows, and the outbox beside them none of theirs."""
    with Outbox(database) as outbox:
        for name in ("May", "June"):
            with Campaign(
                gateway.url, source, text=f"Open in {name}", journal=f"{database}&campaign={name}"
            ) as campaign:
                assert End.DONE is campaign.run().end
        assert 0 == len(outbox)
    assert 2 * Counter(numbers(300)).total() == arrivals(gateway).total()


def test_a_campaign_in_a_database_has_a_name(gateway: Sandbox, database: str, source: Path) -> None:
    """The outbox beside it is no campaign's, and is not made one; nothing is made by a question."""
    with pytest.raises(InvalidInput, match=r"add \?campaign=NAME"):
        Campaign(gateway.url, source, text="x", journal=database)
    for name, told in ((database, "has a name"), (f"{database}&campaign=May", "there is no journal May")):
        with pytest.raises(InvalidInput, match=told):
            Journal(name, create=False)
    assert [False, False] == [exists(database), exists(f"{database}&campaign=May")]


def test_a_campaign_is_another_ones(gateway: Sandbox, database: str, source: Path) -> None:
    """By its text, as with a file."""
    journal = f"{database}&campaign=May"
    with Campaign(gateway.url, source, text="one", journal=journal) as campaign:
        campaign.run(Speed(limit=1))
    with pytest.raises(InvalidInput, match="May is the journal of another campaign: the text is another"):
        Campaign(gateway.url, source, text="two", journal=journal)


@pytest.mark.parametrize("state", [RowState.UNKNOWN, RowState.REJECTED])
def test_what_ended_badly_is_sent_again_where_it_is_wished(
    gateway: Sandbox, database: str, source: Path, state: RowState
) -> None:
    """What is unknown only by a word of its own."""
    journal = f"{database}&campaign=May"
    if state is RowState.UNKNOWN:
        gateway.add_fault("status", operation="Sms/SendBulk", status=500, times=1)
    else:
        gateway.add_fault("error", number=numbers(1)[0], code=2)
    with Campaign(gateway.url, source, text="Open", journal=journal) as campaign:
        assert 0 < campaign.run(Speed(connections=1, batch=100)).tally.accepted < 301
    gateway.remove_fault()
    with Campaign(gateway.url, source, text="Open", journal=journal) as campaign:
        result = campaign.run(resend_unknown=state is RowState.UNKNOWN, retry=[RowState.REJECTED])
    assert (301, set(numbers(300))) == (result.tally.accepted, set(arrivals(gateway)))


def test_several_machines_work_on_one_that_one_of_them_feeds(gateway: Sandbox, database: str, tmp_path: Path) -> None:
    """One reads the list, another was given the same command, and a worker the journal alone: nobody gets it twice."""
    journal = f"{database}&campaign=May"
    source = tmp_path / "list.csv"
    source.write_text("\n".join(["phone", *numbers(3000)]) + "\n")
    speed = Speed(connections=2, batch=20)
    with (
        Notifier(gateway.url, outbox=journal) as notifier,
        Campaign(gateway.url, source, text="Open", journal=journal) as one,
        Campaign(gateway.url, source, text="Open", journal=journal) as other,
    ):
        worker = Worker(notifier, batch=20, connections=1, nap=0.02)
        threads = [threading.Thread(target=work) for work in (worker.run, lambda: other.run(speed))]
        for thread in threads:
            thread.start()
        result = one.run(speed)
        ended(threads[1])
        worker.stop()
        ended(threads[0])
    with Journal(journal, create=False) as opened:
        tally = opened.tally()
    assert Counter(numbers(3000)) == arrivals(gateway)
    assert (True, 3000) == (result.end in (End.DONE, End.ELSEWHERE), tally.accepted)


def test_a_worker_gives_up_nothing_of_a_campaign(gateway: Sandbox, database: str) -> None:
    """It waits for as long as it takes, whoever works on it; the outbox beside it keeps its day."""
    with Outbox(f"{database}&campaign=May") as campaign, Outbox(database) as outbox:
        assert ("May", None, None, False) == (
            campaign.campaign,
            outbox.campaign,
            campaign._retry_for,
            outbox._retry_for is None,
        )
