"""Campaigns on a channel of two others: first steps by the run, later ones by the watch, nobody twice on either."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from devinotify import Fallback, Notifier, make_plugin_manager
from devinotify.bulk import Campaign, Category, End, Journal, Speed
from devinotify.bulk.deliveries import Deliveries
from devinotify.bulk.report import write_report
from devinotify.exceptions import Forbidden, InvalidInput
from devinotify.models import DeliveryStatus
from devinotify.outbox import Outbox, RowState
from tests.bulk.conftest import LOST, numbers
from tests.bulk.test_deliveries import due
from tests.delivery.test_fallback import Bringing, Line

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin, Write

pytestmark = pytest.mark.usefixtures("_one_is_lost")

WELL = numbers(3)
LIST = "phone,name\n" + "".join(f"{number},Ann\n" for number in (*WELL, LOST))


def on(gateway: Sandbox, channel: str) -> Counter[str]:
    """Return how often each number got a message on a channel."""
    return Counter(each.recipient for each in gateway.messages() if each.channel == channel)


def watch(gateway: Sandbox, path: Path) -> tuple[int, Counter[RowState]]:
    """Watch a journal to its end, every delivery due all the time; return who is left, and the recipients' states."""
    with Journal(path) as opened, Notifier(gateway.url) as notifier:
        left = Deliveries(notifier, opened, rate=None, nap=0.2, quiet=0.1).watch(lambda _: due(path))
        return left, Counter(row.state for row in opened.rows())


def test_patience_under_a_minute_is_said(
    gateway: Sandbox, write: Write, journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a campaign too, whose rows are in its journal."""
    url = f"{gateway.url}&patience=30"
    with Campaign(url, write(LIST), text="Hi", journal=journal, channel="sms-viber") as campaign:
        campaign.run()
    assert 1 == sum(each.startswith("patience is 30 s") for each in caplog.messages)


@pytest.mark.parametrize("words", [{"text": "Hi"}, {"template": "Hi {name}"}], ids=["one text", "personal texts"])
def test_whom_the_first_did_not_reach_the_second_does(
    begin: Begin, gateway: Sandbox, journal: Path, words: dict[str, str]
) -> None:
    """The run takes the first step for each; the watch takes the second for the one that was not delivered."""
    result = begin(LIST, channel="sms-viber", **words).run()
    assert (End.DONE, 4, 4, 0) == (result.end, result.tally.accepted, result.tally.rows, len(on(gateway, "viber")))
    assert (0, {RowState.DELIVERED: 4}) == watch(gateway, journal)
    assert (Counter([*WELL, LOST]), Counter([LOST])) == (on(gateway, "sms"), on(gateway, "viber"))


def test_the_report_has_a_line_for_each_recipient_with_its_final_outcome(
    begin: Begin, gateway: Sandbox, journal: Path, tmp_path: Path
) -> None:
    """It names the channel that the message came by; steps are no lines of their own."""
    begin(f"{LIST}{WELL[0]},Ann\nabc,Ann\n", channel="sms-viber").run()
    watch(gateway, journal)
    with Journal(journal) as opened:
        summary = write_report(opened, csv_file=tmp_path / "out.csv")
    lines = list(csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()))
    sms, viber = ("accepted", "delivered", "sms"), ("accepted", "delivered", "viber")
    assert [sms, sms, sms, sms, viber, ("invalid", "not_sent", "sms-viber")] == [
        (line["category"], line["state"], line["channel"]) for line in lines
    ]
    assert (6, 1, 5) == (summary.tally.rows, summary.tally.invalid, summary.tally.of(Category.ACCEPTED))


def test_a_refusal_at_once_goes_on_at_once(begin: Begin, gateway: Sandbox) -> None:
    """One that the second may not share: the run takes both steps, and both are in its cost."""
    gateway.add_fault("error", code=7, operation="Sms/SendBulk")
    gateway.add_fault("error", code=7, operation="Sms/Send")
    result = begin(LIST, channel="sms-viber", price=2, second_price="3.5").run()
    assert (4, Decimal(14), {*WELL, LOST}, 0) == (
        result.sent.accepted,
        result.cost,
        set(on(gateway, "viber")),
        len(on(gateway, "sms")),
    )


def test_the_cost_is_of_the_first_step_and_up_to_both(begin: Begin, gateway: Sandbox) -> None:
    """SMS by segments, Viber by messages; with one price there is no telling the most."""
    long = "x" * 200
    both = begin(LIST, text=long, channel="sms-viber", price=2, second_price="3.5", journal=None).plan()
    one = begin(LIST, text=long, channel="sms-viber", price=2, journal=None).plan()
    assert (Decimal(16), Decimal(30), "viber", 8, 1) == (
        both.cost,
        both.most,
        both.second,
        both.segments,
        both.requests,
    )
    assert (Decimal(16), None) == (one.cost, one.most)


def test_a_price_of_no_step_is_refused(begin: Begin) -> None:
    """It would be in no cost."""
    with pytest.raises(InvalidInput, match="sms has no second step"):
        begin(LIST, second_price=1)


def test_a_plan_opens_no_outbox(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written before the run, and then the journal alone."""
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "own.db"))
    campaign = begin(LIST, channel="sms-viber")
    campaign.plan()
    before = {path.name for path in tmp_path.iterdir()}
    campaign.run()
    assert ({"recipients.csv"}, False) == (before, (tmp_path / "own.db").exists())


def test_a_notifier_of_ones_own_has_its_outbox_back(gateway: Sandbox, write: Write, tmp_path: Path) -> None:
    """After the campaign the steps of others are written where they were before."""
    with Notifier(gateway.url, outbox=str(tmp_path / "own.db")) as notifier:
        with Campaign(notifier, write(LIST), text="Hi", journal=tmp_path / "c.db", channel="sms-viber") as campaign:
            campaign.run()
        notifier.notify("Hi", WELL[0], channel="sms-viber")
    with Outbox(tmp_path / "own.db") as own, Journal(tmp_path / "c.db") as opened:
        assert (1, 8) == (len(own), len(opened.outbox))


def test_a_look_alone_sends_nothing(begin: Begin, gateway: Sandbox, journal: Path) -> None:
    """What is due of the second step is told, and stays due."""
    begin(LIST, channel="sms-viber").run()
    due(journal)
    with Journal(journal) as opened, Notifier(gateway.url) as notifier:
        Deliveries(notifier, opened, rate=None).poll()
        assert (1, 0) == (opened.to_come(), len(on(gateway, "viber")))
    assert (0, {RowState.DELIVERED: 4}) == watch(gateway, journal)


def test_a_step_that_is_put_back_is_taken_by_the_watch(begin: Begin, gateway: Sandbox, journal: Path) -> None:
    """An account without credits refuses the second step once: it waits for its turn."""
    begin(LIST, channel="sms-viber").run()
    gateway.add_fault("error", code=5, operation="Viber/Send", times=1)
    gateway.add_fault("error", code=5, operation="Viber/SendBulk", times=1)
    assert (0, {RowState.DELIVERED: 4}) == watch(gateway, journal)
    assert Counter([LOST]) == on(gateway, "viber")


def test_the_watch_leaves_first_steps_to_the_run(begin: Begin, gateway: Sandbox, journal: Path) -> None:
    """Of a campaign that was stopped nobody is sent to by looking at it."""
    assert End.LIMIT is begin(LIST, channel="sms-viber").run(Speed(limit=2)).end
    left, states = watch(gateway, journal)
    assert (2, 2, 2) == (left, states[RowState.QUEUED], on(gateway, "sms").total())


def test_what_was_refused_is_sent_again_as_a_whole(begin: Begin, gateway: Sandbox) -> None:
    """And not its steps besides: each gets the message once."""
    for operation in ("Sms/SendBulk", "Sms/Send"):
        gateway.add_fault("error", code=2, operation=operation)
    first = begin(LIST, channel="sms-viber").run(Speed(connections=1))
    gateway.remove_fault()
    again = begin(LIST, channel="sms-viber").run(retry=[RowState.REJECTED])
    assert (4, 0, 4, 4) == (first.tally.rejected, first.to_come, again.tally.accepted, again.to_come)
    assert (Counter([*WELL, LOST]), 0) == (on(gateway, "sms"), len(on(gateway, "viber")))


def test_what_failed_on_both_takes_both_steps_again(
    begin: Begin, gateway: Sandbox, journal: Path, tmp_path: Path
) -> None:
    """Those of the first try are kept beside them, and what they cost is told once."""
    gateway.set_timeline("expired", sms=[(0.0, 46)], viber=[(0.0, 7)])
    begin(LIST, channel="sms-viber").run()
    assert (0, {RowState.DELIVERED: 3, RowState.FAILED: 1}) == watch(gateway, journal)
    gateway.set_timeline("expired", sms=[(0.0, 46)], viber=[(0.0, 2)])
    assert 1 == begin(LIST, channel="sms-viber").run(retry=[RowState.FAILED]).sent.accepted
    assert (0, {RowState.DELIVERED: 4}) == watch(gateway, journal)
    assert (Counter([*WELL, LOST, LOST]), Counter([LOST, LOST])) == (on(gateway, "sms"), on(gateway, "viber"))
    with Journal(journal) as opened:
        summary = write_report(opened, html_file=tmp_path / "x.html")
        prices = [row.price for row in opened.steps() if row.price is not None]
    assert (len(prices), sum(prices), 4, [1]) == (
        summary.priced,
        summary.cost,
        summary.recipients,
        [each.recipients for each in summary.tries],
    )


def test_a_fallback_of_a_plugins(gateway: Sandbox, write: Write, journal: Path) -> None:
    """Any two channels; where neither needs a Devino account, nobody logs in."""
    horn, drum = Line("horn"), Line("drum")
    horn.status = DeliveryStatus.UNDELIVERED
    drum.status = DeliveryStatus.DELIVERED

    def notifier() -> Notifier:
        plugins = make_plugin_manager(Bringing(Fallback("signal", horn, drum)), discover=False)
        return Notifier(f"{gateway.url}&channel=signal&outbox={journal.parent / 'own.db'}", plugins=plugins)

    with notifier() as sends, Campaign(sends, write(LIST), text="Hi", journal=journal) as campaign:
        campaign.run()
    with notifier() as looks, Journal(journal) as opened:
        left = Deliveries(looks, opened, rate=None, nap=0.2, quiet=0.1).watch(lambda _: due(journal))
        assert (0, 4) == (left, opened.tally().delivered)
    assert ([*WELL, LOST], [*WELL, LOST], []) == (horn.sent, sorted(drum.sent), gateway.requests())


def test_a_refusal_of_a_plugins_first_step(gateway: Sandbox, write: Write, journal: Path) -> None:
    """The policy holds in a campaign: what was refused here goes on at once."""
    horn, drum = Line("horn"), Line("drum")
    horn.error = Forbidden("no", code=7)
    plugins = make_plugin_manager(Bringing(Fallback("signal", horn, drum)), discover=False)
    url = f"{gateway.url}&channel=signal&outbox={journal.parent / 'own.db'}"
    with (
        Notifier(url, plugins=plugins) as notifier,
        Campaign(notifier, write(LIST), text="Hi", journal=journal) as campaign,
    ):
        result = campaign.run()
    assert (4, [*WELL, LOST]) == (result.tally.accepted, drum.sent)


KILLED = """
import os, signal, sys
from devinotify.bulk import Campaign, Speed
from devinotify.outbox import Outbox
url, source, journal = sys.argv[1:]
settle = Outbox.settle
def settled(self, batch, outcomes, **options):
    if batch.rows[0].channel == "sms":
        os.kill(os.getpid(), signal.SIGKILL)
    return settle(self, batch, outcomes, **options)
Outbox.settle = settled
with Campaign(url, source, text="Hi", journal=journal, channel="sms-viber") as campaign:
    campaign.run(Speed(connections=1, batch=2))
"""
"""Is killed between the first SMS and their being written down."""


@pytest.mark.once
def test_a_kill_sends_nothing_twice(begin: Begin, gateway: Sandbox, write: Write, journal: Path) -> None:
    """What was being sent is unknown, is not sent again on that channel, and goes on to the other one."""
    arguments = [gateway.url, str(write(LIST)), str(journal)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, check=False, timeout=120)
    assert -signal.SIGKILL == killed.returncode, killed.stderr
    # Whoever has a step to come is not sent to again, not even by those who would risk it.
    result = begin(LIST, text="Hi", channel="sms-viber").run(resend_unknown=True)
    assert (End.DONE, 2, 2, 2) == (result.end, result.recovered, result.tally.unknown, result.tally.accepted)
    assert (0, {RowState.DELIVERED: 4}) == watch(gateway, journal)
    assert (Counter([*WELL, LOST]), Counter([*WELL[:2], LOST])) == (on(gateway, "sms"), on(gateway, "viber"))


@pytest.mark.once
def test_who_has_a_step_to_come_has_not_failed(begin: Begin, gateway: Sandbox, write: Write, journal: Path) -> None:
    """A kill behind the SMS leaves its recipient unknown until the second step has told: none is sent to again."""
    gateway.set_fate(WELL[0], "expired")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED.replace('"sms"', '"sms-viber"'), gateway.url, str(write(LIST)), str(journal)],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert -signal.SIGKILL == killed.returncode, killed.stderr
    due(journal)
    with Journal(journal) as opened, Notifier(gateway.url) as notifier:
        opened.recover()
        due(journal)
        Deliveries(notifier, opened, rate=None).poll()
        assert [RowState.UNKNOWN] == [row.state for row in opened.rows() if row.recipient == WELL[0]]
    begin(LIST, text="Hi", channel="sms-viber").run(retry=[RowState.FAILED])
    assert (0, {RowState.DELIVERED: 4}) == watch(gateway, journal)
    assert (Counter([*WELL, LOST]), Counter([WELL[0], LOST])) == (on(gateway, "sms"), on(gateway, "viber"))
