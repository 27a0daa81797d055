"""Whole campaigns over a real gateway: everybody once, and an account of every row."""

from __future__ import annotations

import io
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Notifier, hookimpl, make_plugin_manager, phones
from devinotify.bulk import Campaign, End, Journal, Progress, Result, Speed, Tally
from devinotify.bulk.sending import Sending
from devinotify.bulk.source import MAX_LINE
from devinotify.exceptions import (
    InvalidInput,
    InvalidPhoneNumber,
    InvalidSchedule,
    InvalidText,
    Unauthorized,
    Verdict,
)
from devinotify.instants import iso
from devinotify.models import Message
from devinotify.outbox import Outbox, RowState
from devinotify.retry import Backoff
from tests.bulk.conftest import numbers
from tests.waiting import ended

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin, Write

TEXT = "The shop is open"
SENDS = ("Sms/Send", "Sms/SendBulk")
LATER = datetime(2099, 1, 1)  # noqa: DTZ001 - a wall clock has no zone


def got(gateway: Sandbox) -> Counter[tuple[str, str]]:
    """Return how often each number got each text."""
    return Counter((message.recipient, message.text) for message in gateway.messages())


def once(some: list[str], text: str = TEXT) -> Counter[tuple[str, str]]:
    """Return each number once with the text."""
    return Counter((number.removeprefix("+"), text) for number in some)


def norm(found: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Return the same with the numbers as digits."""
    return Counter({(number.removeprefix("+"), text): count for (number, text), count in found.items()})


def test_everybody_gets_it_once(begin: Begin, gateway: Sandbox) -> None:
    """Distinct numbers are sent to once; repeated and invalid ones are accounted for."""
    some = numbers(25)
    campaign = begin("phone\n" + "\n".join([*some, some[3], "12345", "", "8" + some[0][2:]]))
    plan = campaign.plan()
    assert (28, 25, 2, 1, {"invalid": 1}) == (
        plan.rows,
        plan.recipients,
        plan.duplicates,
        plan.invalid,
        {"invalid": sum(plan.reasons.values())},
    )
    result = campaign.run(Speed(batch=10, connections=3))
    assert (End.DONE, Tally(accepted=27, invalid=1, duplicates=2)) == (result.end, result.tally)
    assert once(some) == norm(got(gateway))


def test_the_plan_tells_the_cost(begin: Begin, gateway: Sandbox) -> None:
    """Segments, encoding and money are known before anything is sent."""
    gateway.balance = Decimal(7)
    plan = begin("\n".join(numbers(3)), name="a.txt", text="Привет! " * 10, price="2.5").plan()
    assert (6, {"UCS-2": 3}, Decimal("15.0"), Decimal(7), False, 3) == (
        plan.segments,
        plan.encodings,
        plan.cost,
        plan.balance,
        plan.affordable,
        plan.left,
    )
    assert [] == gateway.messages()
    assert "+7916" not in repr(plan)


def test_the_plan_estimates_the_time(begin: Begin, gateway: Sandbox) -> None:
    """The rate bounds the duration from below; without a gateway the plan is made all the same."""
    campaign = begin("\n".join(numbers(100)), name="a.txt")
    assert 10 <= campaign.plan(Speed(rate=10)).seconds < 20
    gateway.add_fault("error", code=8)
    plan = campaign.plan()
    assert (None, None, None) == (plan.balance, plan.cost, plan.affordable)


def test_personal_texts(begin: Begin, gateway: Sandbox) -> None:
    """Each gets its own text; of a repeated number the first row counts, and a text that is empty is not sent."""
    a, b, c = numbers(3)
    rows = f"phone,name\n{a},Ann\n{b},Bob\n{a},Eve\n{c},{'x' * 3000}\n{c},Cat\n"
    campaign = begin(rows, template="Hello {name}")
    plan = campaign.plan()
    assert (5, 3, 1, 1, "Hello Ann") == (plan.rows, plan.recipients, plan.duplicates, plan.unsendable, plan.sample)
    result = campaign.run()
    assert Tally(accepted=4, not_sent=1, duplicates=1) == result.tally
    assert once([a], "Hello Ann") + once([b], "Hello Bob") + once([c], "Hello Cat") == norm(got(gateway))


@pytest.mark.parametrize(
    ("rows", "template", "why"),
    [
        ("phone\n+79161234567\n", "Hi {name}", "needs the column 'name'"),
        ("phone,name\n+79161234567\n", "Hi {name}", "line 2: the row has no column 'name'"),
        ("phone\n+79161234567\n", "Hi {", "bad brace"),
    ],
)
def test_a_bad_template_stops_before_anything(
    begin: Begin, gateway: Sandbox, tmp_path: Path, rows: str, template: str, why: str
) -> None:
    """A missing column or a bad brace is an error with nothing sent and no journal begun."""
    with pytest.raises(InvalidText, match=why):
        begin(rows, template=template).run()
    assert ([], False) == (gateway.messages(), (tmp_path / "campaign.db").exists())


def test_a_template_without_columns_is_a_text(begin: Begin, gateway: Sandbox) -> None:
    """It goes through the bulk operation, its doubled braces single."""
    some = numbers(2)
    assert not begin("\n".join(some), name="a.txt", template="{{x}}").plan().personal
    begin("\n".join(some), name="a.txt", template="{{x}}").run()
    assert once(some, "{x}") == norm(got(gateway))


class Extensions:
    """A plugin that knows numbers by their extension, refuses one, and fails on another."""

    @hookimpl
    def devinotify_normalize_phone(self, raw: str, region: str) -> phones.PhoneNumber | None:
        """Read an extension."""
        if raw == "666":
            raise InvalidPhoneNumber("nobody is to be disturbed there")
        if raw == "13":
            raise RuntimeError("unlucky")
        return phones.normalize(numbers(1)[0]) if raw == "100" else None


@pytest.mark.parametrize("text", [{"text": "Hello Ann"}, {"template": "Hello {name}"}])
def test_plugins_read_the_numbers(gateway: Sandbox, write: Write, tmp_path: Path, text: dict[str, Any]) -> None:
    """What a plugin makes of a number counts for duplicates too; what it fails on is not sent to."""
    a, b = numbers(2)
    source = write("phone,name\n" + "".join(f"{raw},Ann\n" for raw in ("100", a, "666", "13", b, "12345")))
    notifier = Notifier(gateway.url, plugins=make_plugin_manager(Extensions()))
    with notifier, Campaign(notifier, source, journal=tmp_path / "campaign.db", column="phone", **text) as campaign:
        plan = campaign.plan()
        assert (6, 2, 1, 2, 1) == (plan.rows, plan.recipients, plan.duplicates, plan.invalid, plan.unsendable)
        assert Tally(accepted=3, invalid=2, not_sent=1, duplicates=1) == campaign.run().tally
    assert once([a, b], "Hello Ann") == norm(got(gateway))


def test_running_again_sends_nothing_again(begin: Begin, gateway: Sandbox) -> None:
    """A campaign that is done stays done, and its plan says so."""
    some = numbers(5)
    campaign = begin("\n".join(some), name="a.txt")
    campaign.run()
    plan = campaign.plan()
    assert (0, 5) == (plan.left, plan.done.accepted if plan.done else None)
    assert End.DONE is campaign.run().end
    assert once(some) == norm(got(gateway))


def test_a_limit_ends_the_run_and_the_next_goes_on(begin: Begin, gateway: Sandbox) -> None:
    """Exactly so many are sent, whatever the batches; the next run sends the rest."""
    some = numbers(30)
    campaign = begin("\n".join(some), name="a.txt")
    result = campaign.run(Speed(limit=17, batch=5, connections=4))
    assert (End.LIMIT, 17, 13) == (result.end, result.tally.accepted, result.tally.waiting)
    assert End.DONE is campaign.run(Speed(limit=13, batch=5)).end
    assert once(some) == norm(got(gateway))


def test_credits_run_out_and_come_back(begin: Begin, gateway: Sandbox) -> None:
    """The campaign stops with nothing rejected, and goes on after a top-up."""
    some = numbers(30)
    gateway.balance = Decimal(25)  # for ten
    campaign = begin("\n".join(some), name="a.txt", price="2.5")
    result = campaign.run(Speed(batch=5, connections=2))
    assert (End.CREDITS, 10, 0, 20, Decimal("25.0")) == (
        result.end,
        result.tally.accepted,
        result.tally.rejected,
        result.tally.waiting,
        result.cost,
    )
    gateway.balance = Decimal(1000)
    assert (End.DONE, 30) == ((again := campaign.run()).end, again.tally.accepted)
    assert once(some) == norm(got(gateway))


def test_a_culprit_is_found(begin: Begin, gateway: Sandbox) -> None:
    """Of a batch that is refused for one number, only that one is rejected."""
    some = numbers(20)
    gateway.add_fault("error", code=2, number=some[7], operation="Sms/SendBulk")
    gateway.add_fault("error", code=2, number=some[7], operation="Sms/Send")
    result = begin("\n".join(some), name="a.txt").run()
    assert Tally(accepted=19, rejected=1) == result.tally
    assert once([each for each in some if each != some[7]]) == norm(got(gateway))


def test_a_session_that_expires_is_renewed(begin: Begin, gateway: Sandbox) -> None:
    """Sessions that end in flight cost nobody a message."""
    some = numbers(40)
    gateway.add_fault("expired-session", times=3, operation="Sms/SendBulk")
    assert 40 == begin("\n".join(some), name="a.txt").run(Speed(batch=5)).tally.accepted
    assert once(some) == norm(got(gateway))


def test_too_many_requests_are_put_back(begin: Begin, gateway: Sandbox) -> None:
    """A 429 slows down, and what it refused is sent later."""
    some = numbers(10)
    gateway.add_fault("status", status=429, times=2, operation="Sms/SendBulk")
    result = begin("\n".join(some), name="a.txt").run(Speed(batch=5, connections=1))
    assert (End.DONE, 10) == (result.end, result.tally.accepted)
    assert result.seconds > 0.5
    assert once(some) == norm(got(gateway))


def test_server_errors_leave_unknown_and_slow_down(begin: Begin, gateway: Sandbox) -> None:
    """What a 500 met is unknown, not sent again by itself, and again where a person wants it."""
    some = numbers(10)
    gateway.add_fault("error", code=9, times=1, operation="Sms/SendBulk")
    campaign = begin("\n".join(some), name="a.txt")
    assert Tally(accepted=5, unknown=5) == campaign.run(Speed(batch=5)).tally
    assert 5 == campaign.run().tally.unknown
    assert Tally(accepted=10) == campaign.run(resend_unknown=True).tally
    assert once(some) == norm(got(gateway))


def test_a_gateway_that_keeps_failing_ends_the_run(
    begin: Begin, gateway: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many failures in a row it stops, and the rest waits."""
    monkeypatch.setattr("devinotify.bulk.campaign.Sending", partial(Sending, most_troubles=3))
    for operation in SENDS:
        gateway.add_fault("error", code=9, operation=operation)
    result = begin("\n".join(numbers(50)), name="a.txt").run(Speed(batch=5, connections=1))
    assert (End.FAILING, 5 + 1 + 1, 43, "InternalServerError") == (
        result.end,
        result.tally.unknown,
        result.tally.waiting,
        type(result.error).__name__,
    )


def test_a_gateway_that_fails_takes_one_batch_of_each_connection(
    begin: Begin, gateway: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was under way when the trouble began is unknown, and then one recipient at a time."""
    monkeypatch.setattr("devinotify.bulk.campaign.Sending", partial(Sending, most_troubles=3))
    for operation in SENDS:
        gateway.add_fault("error", code=9, operation=operation)
    result = begin("\n".join(numbers(1000)), name="a.txt").run(Speed(batch=50, connections=4))
    assert End.FAILING is result.end
    assert 50 < result.tally.unknown <= 4 * 50 + 2 * 4


def test_a_gateway_that_fails_on_bulks_ends_the_run(begin: Begin, gateway: Sandbox) -> None:
    """Where single messages get through and batches do not, few are unknown before it stops."""
    gateway.add_fault("error", code=9, operation="Sms/SendBulk")
    result = begin("\n".join(numbers(200)), name="a.txt").run(Speed(batch=50, connections=1))
    assert (End.FAILING, 50 + 7 * 2, 7) == (result.end, result.tally.unknown, result.tally.accepted)


@pytest.mark.parametrize("code", [6, 7])
@pytest.mark.parametrize("connections", [1, 4])
def test_an_account_that_is_refused_loses_nothing(begin: Begin, gateway: Sandbox, code: int, connections: int) -> None:
    """A sender that is not registered, or a right that is missing, ends the run; set right, it goes on with all."""
    some = numbers(50)
    for operation in SENDS:
        gateway.add_fault("error", code=code, operation=operation)
    campaign = begin("\n".join(some), name="a.txt")
    result = campaign.run(Speed(batch=5, connections=connections))
    assert (End.REFUSED, 0, 50) == (result.end, result.tally.rejected, result.tally.waiting)
    gateway.remove_fault()
    assert (End.DONE, 50) == ((again := campaign.run()).end, again.tally.accepted)
    assert once(some) == norm(got(gateway))


@pytest.mark.once(traced=True)
@pytest.mark.parametrize("code", [6, 7])
@pytest.mark.parametrize(("connections", "batch"), [(1, 50), (4, 5), (2, 1)])
@pytest.mark.parametrize("place", [0, 17, 39])
def test_a_number_that_the_account_may_not_send_to(
    begin: Begin,
    gateway: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    connections: int,
    batch: int,
    place: int,
) -> None:
    """A refusal that names no recipient is found to be about one, and only that one is rejected."""
    monkeypatch.setattr("devinotify.bulk.campaign.Sending", partial(Sending, put_back=0.1))
    some = numbers(40)
    for operation in SENDS:
        gateway.add_fault("error", code=code, number=some[place], operation=operation)
    result = begin("\n".join(some), name="a.txt").run(Speed(batch=batch, connections=connections))
    assert (End.DONE, Tally(accepted=39, rejected=1)) == (result.end, result.tally)
    assert once([each for each in some if each != some[place]]) == norm(got(gateway))


def test_a_wrong_password_loses_nothing(begin: Begin, gateway: Sandbox) -> None:
    """The run stops, and every recipient still waits."""
    wrong = gateway.url.replace("demo:demo", "demo:wrong")
    result = begin("\n".join(numbers(50)), name="a.txt", account=wrong).run(Speed(batch=5))
    assert (End.LOGIN, 50) == (result.end, result.tally.waiting)


def test_an_outage_is_waited_for(begin: Begin, gateway: Sandbox) -> None:
    """What provably did not leave is tried again after a while."""
    gateway.add_fault("status", status=503, times=1, operation="User/SessionID")
    result = begin("\n".join(numbers(5)), name="a.txt").run(Speed(batch=5))
    assert (End.DONE, 5) == (result.end, result.tally.accepted)


def test_stop_ends_after_the_batches_under_way(begin: Begin, gateway: Sandbox) -> None:
    """Whoever stops a campaign gets it back with what is done done, and can go on."""
    some = numbers(60)
    campaign = begin("\n".join(some), name="a.txt")

    def stop(progress: Progress) -> None:
        if progress.phase == "sending":
            campaign.stop()

    gateway.add_fault("latency", seconds=0.2, operation="Sms/SendBulk")
    result = campaign.run(Speed(batch=5, connections=1), observe=stop)
    assert (End.STOPPED, 60, 0) == (
        result.end,
        result.tally.accepted + result.tally.waiting,
        result.tally.unknown,
    )
    assert result.tally.waiting > 0
    gateway.remove_fault()
    again = begin("\n".join(some), name="a.txt")
    assert (End.DONE, 60) == ((final := again.run()).end, final.tally.accepted)
    assert once(some) == norm(got(gateway))


def test_stop_ends_the_reading_too(begin: Begin, gateway: Sandbox) -> None:
    """The journal is then not whole, nothing is sent, and the next run of the same campaign reads and sends it all."""
    campaign = begin("\n".join(numbers(20)), name="a.txt")
    result = campaign.run(observe=lambda _: campaign.stop())
    assert (End.STOPPED, 0, []) == (result.end, result.sent.done, gateway.messages())
    assert (End.DONE, 20) == ((again := campaign.run()).end, again.tally.accepted)


def test_a_limit_leaves_personal_texts_to_all_connections(
    begin: Begin, gateway: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection takes one at a time, so that none takes all that the limit allows."""
    claim, limits = Outbox.claim, []

    def spy(outbox: Outbox, limit: int = 500, **rows: Any) -> Any:  # noqa: ANN401 - the outbox's own
        limits.append(limit)
        return claim(outbox, limit, **rows)

    monkeypatch.setattr(Outbox, "claim", spy)
    rows = "phone,name\n" + "".join(f"{number},Ann\n" for number in numbers(20))
    assert 10 == begin(rows, template="Hi {name}").run(Speed(limit=10)).tally.accepted
    assert {1} == set(limits)


def test_the_plan_is_that_of_the_next_run(begin: Begin, gateway: Sandbox) -> None:
    """Its limit, and what is sent again, are in requests and cost; how the list is read is told."""
    campaign = begin("phone;name\n" + "".join(f"{number};Ann\n" for number in numbers(30)), price=2)
    plan = campaign.plan(Speed(limit=10, batch=5))
    assert (30, 10, 2, Decimal(20)) == (plan.left, plan.now, plan.requests, plan.cost)
    assert "CSV in utf-8, with a header, numbers in 'phone'" == plan.source
    gateway.add_fault("drop", times=1, operation="Sms/SendBulk")
    campaign.run(Speed(limit=10, batch=10, connections=1))
    assert (20, 30) == (campaign.plan().left, campaign.plan(resend_unknown=True).left)


def test_the_plan_tells_why_the_balance_is_not_known(begin: Begin, gateway: Sandbox) -> None:
    """A wrong password is seen before anything is sent."""
    wrong = gateway.url.replace("demo:demo", "demo:wrong")
    plan = begin("+79161234567", name="a.txt", account=wrong).plan()
    assert (None, Unauthorized) == (plan.balance, type(plan.trouble))


def test_a_list_that_changes_is_not_sent(begin: Begin, write: Write, gateway: Sandbox) -> None:
    """What was planned is what is sent, or nothing."""
    some = numbers(5)
    campaign = begin("\n".join(some), name="a.txt")
    campaign.plan()
    write("\n".join([*some, "+79031234567"]), "a.txt")
    with pytest.raises(InvalidInput, match="has changed"):
        campaign.run()
    assert [] == gateway.messages()


def test_progress_is_told(begin: Begin) -> None:
    """Reading and sending are both told, the last time with everything done."""
    seen: list[Progress] = []
    begin("\n".join(numbers(7)), name="a.txt", price=2).run(observe=seen.append)
    assert ("reading", 7, 7) == (seen[0].phase, seen[0].done, seen[0].total)
    last = seen[-1]
    assert ("sending", 7, 7, 7, 7, Decimal(14)) == (
        last.phase,
        last.done,
        last.total,
        last.accepted,
        last.segments,
        last.cost,
    )


def test_a_list_that_cannot_be_read_to_its_end_is_not_begun(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """Although its first numbers could be sent to long before: nobody gets it, and there is no journal."""
    campaign = begin("\n".join([*numbers(30_000), "7" * (MAX_LINE + 1)]), name="a.txt")
    with pytest.raises(InvalidInput, match="line 30001 has more than"):
        campaign.run()
    assert ([], False) == (gateway.messages(), (tmp_path / "campaign.db").exists())


def test_the_progress_of_a_new_campaign_counts_recipients(begin: Begin) -> None:
    """Rows that turn out to be none are no part of the total any more once the list is sorted out."""
    seen: list[Progress] = []
    some = numbers(7)
    begin("\n".join([*some, some[0], "nobody"]), name="a.txt").run(observe=seen.append)
    assert (("reading", 9), ("sending", 7, 7)) == (
        (seen[0].phase, seen[0].total),
        (seen[-1].phase, seen[-1].done, seen[-1].total),
    )


def test_an_observer_that_raises_stops_the_run(begin: Begin) -> None:
    """Its error comes out, and no thread sends on behind it."""
    campaign = begin("\n".join(numbers(50)), name="a.txt")

    def fail(progress: Progress) -> None:
        if progress.phase == "sending":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign.run(Speed(batch=1, connections=1), observe=fail)
    for left in threading.enumerate():
        if left.name.startswith("devinotify-bulk"):
            ended(left)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"text": "Another"}, "the text is another"),
        ({"rows": "+79161234567\n"}, "the input is another file"),
        ({"channel": "viber"}, "the channel is another"),
        ({"send_at": LATER}, "the time of sending is another"),
        ({"account": "devino://demo:demo@OTHER"}, "the sender is another"),
        ({"format": "csv"}, "another format"),
    ],
)
def test_a_journal_of_another_campaign(begin: Begin, gateway: Sandbox, change: dict[str, object], why: str) -> None:
    """Another text, file, channel or time is refused, and nothing is sent."""
    rows = "\n".join(numbers(3))
    begin(rows, name="a.txt").run()
    arrived = len(gateway.messages())
    with pytest.raises(InvalidInput, match=why):
        begin(str(change.pop("rows", rows)), name="a.txt", **change)
    assert arrived == len(gateway.messages())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"text": "It is {open}"}, {"template": "It is {{open}}"}),
        ({"template": "It is {{open}}"}, {"text": "It is {open}"}),
    ],
)
def test_the_same_words_are_the_same_campaign(
    begin: Begin, gateway: Sandbox, before: dict[str, str], after: dict[str, str]
) -> None:
    """What all are told is one text, whether it was given as one or as a template without columns."""
    some = numbers(3)
    begin("\n".join(some), name="a.txt", **before).run(Speed(limit=1))
    assert End.DONE is begin("\n".join(some), name="a.txt", **after).run().end
    assert once(some, "It is {open}") == norm(got(gateway))


def test_a_template_is_another_text_than_its_words(begin: Begin) -> None:
    """A text for all is not a template, though both are written alike, where one has columns to fill in."""
    rows = "phone,name\n+79161234567,Anna\n"
    begin(rows, template="Hi {name}").run()
    with pytest.raises(InvalidInput, match="the text is another"):
        begin(rows, text="Hi {name}")


def test_a_file_that_is_no_journal(begin: Begin, tmp_path: Path) -> None:
    """An outbox of something else, and a file of anything else, are refused and left alone."""
    with Outbox(tmp_path / "campaign.db") as outbox:
        outbox.enqueue(Message("hello", ("+79161234567",)))
    with pytest.raises(InvalidInput, match=r"campaign\.db is not a journal"):
        begin("+79161234567", name="a.txt")
    with pytest.raises(InvalidInput, match="no journal absent"):
        Journal(tmp_path / "absent.db", create=False)
    with pytest.raises(InvalidInput, match=r"campaign\.db is not a journal"):
        Journal(tmp_path / "campaign.db", create=False)


def test_an_instant_and_a_wall_clock(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """An aware time goes with the bulk operation, a naive one with the time-zone operation."""
    some = "\n".join(numbers(3))
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    begin(some, name="a.txt", send_at=tomorrow, journal=tmp_path / "at.db").run()
    begin(some, name="a.txt", send_at=tomorrow.replace(tzinfo=None), journal=tmp_path / "local.db").run()
    in_moscow = tomorrow - timedelta(hours=3)
    assert {
        ("Sms/SendBulk", iso(tomorrow, "milliseconds")),
        ("Sms/SendByTimeZoneToAddresses", iso(in_moscow, "milliseconds")),
    } == {(each.operation, each.send_at) for each in gateway.messages()}


@pytest.mark.parametrize("channel", ["viber", "viber-sms"])
def test_viber(begin: Begin, gateway: Sandbox, channel: str) -> None:
    """Viber goes in bulk too, has a price a message, and no time of sending."""
    campaign = begin("\n".join(numbers(3)), name="a.txt", channel=channel, price=2)
    assert (3, Decimal(6)) == (campaign.run().tally.accepted, campaign.plan(Speed()).cost or Decimal(6))
    assert {"viber"} == {each.channel for each in gateway.messages()}
    with pytest.raises(InvalidSchedule, match="cannot send later"):
        begin("+79161234567", name="a.txt", channel=channel, send_at=LATER)


def test_transliteration_is_the_urls(begin: Begin, gateway: Sandbox) -> None:
    """The plan counts the text that is really sent."""
    campaign = begin("+79161234567", name="a.txt", text="Привет", account=f"{gateway.url}&transliterate=yes")
    assert ("Privet", {"GSM-7": 1}) == (campaign.plan().sample, campaign.plan().encodings)
    campaign.run()
    assert ["Privet"] == [each.text for each in gateway.messages()]


def test_try_it_on_one_number(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """The first text goes to one number alone, and no journal is begun."""
    campaign = begin("phone,name\n+79161234567,Ann\n", template="Hi {name}")
    assert Verdict.ACCEPTED is campaign.test("+79031234567").verdict
    assert once(["+79031234567"], "Hi Ann") == norm(got(gateway))
    assert not (tmp_path / "campaign.db").exists()
    with pytest.raises(InvalidInput, match="no text to try"):
        begin("phone,name\nx,Ann\n", template="Hi {name}").test("+79031234567")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"text": "x", "template": "y"}, "either a text or a template"),
        ({"channel": "pigeon"}, "no channel 'pigeon'"),
        ({"text": " "}, "empty"),
        ({"send_at": datetime(2020, 1, 1, tzinfo=UTC)}, "has passed"),
        ({"send_at": datetime(2020, 1, 1)}, "has passed"),  # noqa: DTZ001 - a wall clock has no zone
        ({"price": "dear"}, "price"),
    ],
)
def test_what_makes_no_campaign(begin: Begin, options: dict[str, object], why: str) -> None:
    """Settings that cannot be meant are refused at once."""
    with pytest.raises(ValueError, match=why):
        begin("+79161234567", name="a.txt", **options)


def test_without_a_journal_nothing_is_sent(begin: Begin, gateway: Sandbox) -> None:
    """It can be planned, not run."""
    campaign = begin("+79161234567", name="a.txt", journal=None)
    assert (1, None) == (campaign.plan().recipients, campaign.tally())
    with pytest.raises(InvalidInput, match="without a journal"):
        campaign.run()


def test_a_pipe_and_a_notifier_of_ones_own(gateway: Sandbox, tmp_path: Path) -> None:
    """The input may come from a stream, and the notifier stays open."""
    some = numbers(3)
    with Notifier(gateway.url) as notifier:
        with Campaign(notifier, io.BytesIO("\n".join(some).encode()), text=TEXT, journal=tmp_path / "c.db") as campaign:
            result: Result = campaign.run()
            assert "<Campaign sms text>" == repr(campaign)
        assert notifier.client.user.balance() > 0
    assert (3, 3) == (result.sent.done, result.tally.rows)


@pytest.mark.once
def test_a_crash_while_reading_loses_and_doubles_nothing(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """A journal that was fed in part is fed again from the start: the same account as in one go."""
    some = numbers(25_000)
    rows = "\n".join([*some, some[0], "x", "x", some[24_999]])
    campaign = begin(rows, name="a.txt")

    def die(progress: Progress) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        campaign.run(observe=die)
    assert (None, None) == (campaign.tally(), campaign.plan().done)
    assert Tally(accepted=25_002, invalid=2, duplicates=2) == campaign.run(Speed(batch=1000)).tally


def test_what_a_killed_run_claimed_is_unknown(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """Rows claimed and never settled are unknown to the next run, which sends the others."""
    some = numbers(10)
    campaign = begin("\n".join(some), name="a.txt")
    campaign.run(Speed(limit=2))
    with Journal(tmp_path / "campaign.db") as journal:
        assert (2, 8) == ((found := journal.tally()).accepted, found.waiting)
        batch = journal.outbox.claim(3)
        assert batch is not None
        assert 3 == journal.tally().in_flight
        assert f"<Journal {tmp_path / 'campaign.db'}>" == repr(journal)
    result = campaign.run()
    assert Tally(accepted=7, unknown=3) == result.tally
    with Journal(tmp_path / "campaign.db") as journal:
        assert {row.recipient for row in batch.rows} == {
            row.recipient for row in journal.outbox.rows(states={RowState.UNKNOWN})
        }


def test_a_journal_that_cannot_be_written_stops_the_run(
    begin: Begin, gateway: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent is written down again and again; where that never works, its error comes out."""
    from devinotify.exceptions import DevinotifyError

    again = Backoff(0.0, tries=4)
    monkeypatch.setattr("devinotify.bulk.campaign.Sending", partial(Sending, written_again=again))
    tries = []

    def fail(*_: object) -> None:
        tries.append(1)
        raise DevinotifyError("disk full", retryable=True)

    campaign = begin("\n".join(numbers(10)), name="a.txt")
    monkeypatch.setattr(Outbox, "settle", fail)
    with pytest.raises(DevinotifyError, match=r"10 recipients may have been sent to.*disk full") as caught:
        campaign.run(Speed(batch=10))
    assert Verdict.UNKNOWN is caught.value.verdict
    monkeypatch.undo()
    assert (5, 10) == (len(tries), campaign.run().tally.unknown)


def test_the_input_may_be_cp1251(write: Write, begin: Begin, gateway: Sandbox) -> None:
    """A file as Excel saves it is read as it is meant."""
    a, b = numbers(2)
    begin(f"Имя;Телефон\r\nИван;8{a[2:]}\r\nОльга;8{b[2:]}\r\n".encode("cp1251"), template="{Имя}, ждём вас").run()
    assert once([a], "Иван, ждём вас") + once([b], "Ольга, ждём вас") == norm(got(gateway))


@pytest.mark.parametrize("what", ["the input", "the notifier"])
def test_a_close_that_fails_replaces_no_error(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """The error under way comes out of the block, and the other one is logged; without one it is raised."""
    campaign = begin("\n".join(numbers(3)), name="a.txt")

    def fail() -> None:
        raise OSError("+79161234567")

    monkeypatch.setattr(campaign._source if what == "the input" else campaign.notifier, "close", fail)
    with pytest.raises(KeyError, match="under way"), campaign:
        raise KeyError("under way")
    assert ["the campaign could not be closed: OSError"] == [record.getMessage() for record in caplog.records]
    with pytest.raises(OSError, match="7916"):
        campaign.close()
    monkeypatch.undo()
