"""Sending again what failed of a campaign: those alone, once more each time, and both tries are told of."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from devinotify import Notifier
from devinotify.bulk import Journal, Speed
from devinotify.bulk.deliveries import Deliveries
from devinotify.bulk.report import write_report
from devinotify.bulk.tries import Try, noted, read_tries
from devinotify.cli.app import cli
from devinotify.exceptions import InvalidInput
from devinotify.outbox import Row, RowState
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin

pytestmark = pytest.mark.once

SOME = numbers(5)
LIST = "phone\n" + "\n".join([*SOME, "12345"])


def got(gateway: Sandbox) -> Counter[str]:
    """Return how many messages were sent to each."""
    return Counter(message.recipient for message in gateway.messages())


@pytest.fixture
def settle(gateway: Sandbox, tmp_path: Path) -> Callable[[], None]:
    """Return what has all deliveries of the journal decided and looked at."""

    def look() -> None:
        path = tmp_path / "campaign.db"
        gateway.advance(60)
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("UPDATE rows SET next_poll_at = 0 WHERE next_poll_at IS NOT NULL")
        with Journal(path) as journal, Notifier(gateway.url) as notifier:
            Deliveries(notifier, journal).poll()

    return look


def test_what_failed_is_sent_again_and_nothing_else(
    begin: Begin, gateway: Sandbox, settle: Callable[[], None], tmp_path: Path
) -> None:
    """A second try is of what failed in the first, a third of what failed in the second; the report adds all up."""
    for number in SOME[:2]:
        gateway.set_fate(number, "expired")
    begin(LIST).run()
    settle()
    second = begin(LIST)
    plan = second.plan(retry=[RowState.FAILED], ask=False)
    assert (2, 2, 2, 1) == (plan.again, plan.left, plan.now, plan.requests)
    gateway.set_fate(SOME[1], "delivered")
    assert 2 == second.run(retry=[RowState.FAILED]).sent.accepted
    third = begin(LIST)
    open_, others = third.plan(retry=[RowState.FAILED], ask=False), third.plan(retry=[RowState.REJECTED], ask=False)
    assert (2, 0) == (open_.open, others.open)
    assert 0 == third.run(retry=[RowState.FAILED]).sent.done  # its deliveries are not known yet
    settle()
    assert 1 == begin(LIST).run(retry=[RowState.FAILED]).sent.done
    settle()
    assert Counter({SOME[0]: 3, SOME[1]: 2, **dict.fromkeys(SOME[2:], 1)}) == got(gateway)
    page = tmp_path / "report.html"
    with Journal(tmp_path / "campaign.db") as journal:
        summary = write_report(journal, html_file=page)
        assert [2, 1] == [each.recipients for each in journal.tries]
    assert (6, 5, 8, 8) == (summary.tally.rows, summary.recipients, summary.messages, summary.segments)
    assert (8, Decimal("20.00")) == (summary.priced, summary.cost)
    assert Decimal("12.50") == summary.listed  # what the CSV has: the last try of each
    assert {"delivered": 4, "failed": 1, "invalid": 1} == {str(part): n for part, n in summary.parts.items()}
    told = page.read_text("utf-8")
    assert "12.50 of it for the last tries, as in the CSV" in told
    table = re.findall(r"<tr>(.*?)</tr>", told[told.index("<h2>Tries</h2>") :].partition("</table>")[0])[1:]
    cells = [re.findall(r">([^<>]+)</t[dh]>", row) for row in table]
    assert [["5", "2", "3"], ["2", "1", "1"], ["1", "0", "1"]] == [row[1:] for row in cells]


def test_a_limit_leaves_the_rest_of_those_to_the_next_run(
    begin: Begin, gateway: Sandbox, settle: Callable[[], None]
) -> None:
    """They wait, and are sent to without being named again, once."""
    for number in SOME:
        gateway.set_fate(number, "expired")
    begin(LIST).run()
    settle()
    assert 1 == begin(LIST).run(Speed(limit=1, batch=1), retry=[RowState.FAILED]).sent.done
    assert 4 == begin(LIST).run().sent.done
    assert Counter(dict.fromkeys(SOME, 2)) == got(gateway)


def test_on_another_channel_they_are_a_campaign_of_their_own(
    begin: Begin, gateway: Sandbox, settle: Callable[[], None], tmp_path: Path
) -> None:
    """Without whom the first has reached, may have or is to reach: who failed there is none of them."""
    gateway.set_fate(SOME[3], "expired")
    begin(LIST).run()
    settle()
    second = begin(
        LIST, channel="viber", journal=tmp_path / "second.db", exclude_journals=[tmp_path / "campaign.db"]
    ).run()
    assert (1, 1) == (second.sent.accepted, second.tally.accepted)
    assert [SOME[3]] == [message.recipient for message in gateway.messages() if message.channel == "viber"]


def test_nobody_is_sent_to_again_who_may_have_got_it(begin: Begin) -> None:
    """Delivered, on the way, or unknown: these are no states to retry."""
    for state in (RowState.ACCEPTED, RowState.DELIVERED, RowState.UNKNOWN, RowState.QUEUED):
        with pytest.raises(InvalidInput, match="not retried"):
            begin(LIST).run(retry=[state])


def test_the_command_asks_before_it_sends_again(
    begin: Begin, gateway: Sandbox, settle: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And tells how many it would be, with what they cost; the outbox's own command does the same with its rows."""
    monkeypatch.setenv("DEVINOTIFY_URL", gateway.url)
    gateway.set_fate(SOME[0], "expired")
    campaign = begin(LIST)
    campaign.run()
    campaign.close()
    settle()
    journal = str(tmp_path / "campaign.db")
    command = ["bulk", str(tmp_path / "recipients.csv"), "--text", "The shop is open", "--journal", journal]

    def run(*options: str) -> str:
        return CliRunner().invoke(cli, [*command, "--retry", "failed", "--price", "2.50", *options]).output

    assert "nobody can be asked here" in run()
    planned = json.loads(run("--dry-run", "--json").splitlines()[0])
    assert (1, 1, "2.50") == (planned["again"], planned["now"], planned["cost"])
    assert "of them again" in run("--dry-run")
    ended = CliRunner().invoke(cli, ["outbox", "retry", "--outbox", journal, "--state", "failed", "--json"])
    assert 1 == json.loads(ended.output)["queued"]
    assert 1 == json.loads(run("--yes", "--json").splitlines()[-1])["accepted"] - 4
    assert 2 == got(gateway)[SOME[0]]


def test_tries_are_told_apart_by_when_they_were() -> None:
    """What one of them queues in several parts is one try."""
    row = Row(1, 1, SOME[0], "sms", RowState.FAILED, sent_at=1.0, segments=2, price=Decimal("5.0"))
    kept = noted(None, [row, row._replace(state=RowState.REJECTED, sent_at=None, price=None)], at=10.0, paid=True)
    kept = noted(kept, [row], at=10.0, paid=True)
    kept = noted(kept, [row], at=20.0, paid=False)
    assert [Try(10.0, 3, 2, 4, 2, Decimal("10.0")), Try(20.0, 1)] == read_tries(kept)
    assert [] == read_tries(None)
