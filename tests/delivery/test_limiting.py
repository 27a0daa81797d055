"""Limits kept by whatever sends: notify, the worker, campaigns, fallbacks, and processes that race for what is left."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import AsyncNotifier, Message, Notifier, Outbox, Worker, hookimpl, make_plugin_manager
from devinotify.bulk import Campaign, End, Speed
from devinotify.channels import direct
from devinotify.channels.batch import accepted, failed
from devinotify.delivery import storage
from devinotify.delivery.limiting import SWEPT, Limiter
from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidURL, LimitExceeded, NotSent, Verdict
from devinotify.models import Receipt
from devinotify.outbox.buckets import LIMITS, PAGE, Bucket
from devinotify.url import DevinoURL
from tests.noon import noon
from tests.outbox.support import Clock, arrivals, finish, numbers, run_python
from tests.plain_channel import PlainChannel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify import LimitUsage, Outcome
    from devinotify.outbox import Batch
    from devinotify.sandbox import Sandbox
    from tests.outbox.conftest import Place

ONE, TWO, THREE = numbers(3, 79161234567)
NOON = datetime(2036, 1, 31, 12, tzinfo=UTC).timestamp()
DAY = 86400.0


@pytest.fixture
def clock() -> Clock:
    """Give a clock that shows noon on the last day of a month, UTC."""
    return Clock(NOON)


@pytest.fixture
def told() -> list[LimitUsage]:
    """Give what is told of limits that are nearly used up."""
    return []


Make = Callable[..., Notifier]


@pytest.fixture
def account(gateway: Sandbox) -> str:
    """Give the URL of an account, no period of whose limits ends within the test."""
    return f"{gateway.url}&limit_zone={noon()}"


@pytest.fixture
def limited(account: str, tmp_path: Path) -> Iterator[Make]:
    """Return what makes a Notifier with limits, whose outbox is the file of all that it makes."""
    made: list[Notifier] = []

    def make(*limits: str, plugin: object = None, **more: str) -> Notifier:
        query = "".join(f"&limit={limit}" for limit in limits) + "".join(f"&{key}={each}" for key, each in more.items())
        plugins = make_plugin_manager(*([] if plugin is None else [plugin]), discover=False)
        made.append(Notifier(f"{account}&outbox={tmp_path / 'outbox.db'}{query}", plugins=plugins))
        return made[-1]

    yield make
    for notifier in made:
        notifier.close()


def verdicts(outcomes: list[Outcome]) -> list[str]:
    """Return the verdicts, in order."""
    return [str(outcome.verdict) for outcome in outcomes]


@pytest.mark.parametrize(("most", "verdict", "used"), [("3.99", "not_sent", "0"), ("4", "accepted", "4")])
def test_where_the_gateway_resends_both_count(limited: Make, most: str, verdict: str, used: str) -> None:
    """Viber, and the SMS in its place: which of them is paid for is known only later."""
    notifier = limited(f"{most}RUB/day", price="2.50,viber:1.50", channel="viber-sms")
    assert [verdict] == verdicts(notifier.notify("Hi", [ONE]))
    assert [Decimal(used)] == [each.used for each in notifier.limits()]


def used(notifier: Notifier, to: str | None = None) -> list[Decimal]:
    """Return what is used of each limit."""
    return [usage.used for usage in notifier.limits(to)]


# --- the counts


def limiter_on(
    outbox: Outbox, told: list[LimitUsage], *limits: str, zone: str = "UTC", login: str = "login"
) -> Limiter:
    """Return what counts in an outbox against limits, each text as one segment a letter."""
    query = "&".join(f"limit={limit}" for limit in limits)
    url = DevinoURL.parse(f"devino://{login}:password@SENDER?{query}&limit_zone={zone}")
    return Limiter(lambda: outbox, url, segments=len, near=told.append)


def test_one_count_for_all(place: Place, told: list[LimitUsage]) -> None:
    """What one process has counted there is no room for in another; what it gives back there is."""
    mine, yours = (limiter_on(place.open(), told, "5/day", "2/month,recipient") for _ in range(2))
    message = Message("xy", (ONE, TWO, THREE))
    reserved = mine.reserve(message, direct.SMS)
    assert ((ONE, TWO), [THREE]) == (reserved.admitted, list(reserved.refused))
    assert () == yours.reserve(message, direct.SMS).admitted
    sent = [accepted("sms", ONE, Receipt(ONE, ("1",), 1)), failed("sms", TWO, NotSent("refused"))]
    mine.settle(reserved, sent, segmented=True)
    assert [Decimal(1), Decimal(1)] == [usage.used for usage in yours.usage(ONE)]
    assert [Decimal(1), Decimal(0)] == [usage.used for usage in yours.usage(TWO)]
    assert (ONE, TWO) == yours.reserve(message, direct.SMS).admitted


def test_what_an_account_has_used_counts_for_the_one_that_takes_over(place: Place, told: list[LimitUsage]) -> None:
    """All of it, be it more than a page of counts, beside what counts for that one already; the old one has none."""
    outbox, limits = place.open(), ("2000/month", "2/month,recipient")
    old, new = limiter_on(outbox, told, *limits), limiter_on(outbox, told, *limits, login="new")
    some = tuple(f"+7916{number:07d}" for number in range(PAGE + 1))
    old.reserve(Message("x", some), direct.SMS)
    new.reserve(Message("x", some[:3]), direct.SMS)
    outbox.adopt("login@integrationapi.net/rest", "new@integrationapi.net/rest")
    assert [[PAGE + 4, 2], [PAGE + 4, 1], [0, 0]] == [
        [int(usage.used) for usage in one.usage(to)] for one, to in ((new, some[0]), (new, some[3]), (old, some[0]))
    ]
    assert some[:3] == tuple(new.reserve(Message("x", some[:4]), direct.SMS).refused)


def test_a_new_day_has_new_room(place: Place, clock: Clock, told: list[LimitUsage]) -> None:
    """A day begins at midnight of the zone, a month on its first day; the other limit goes on as it was."""
    here = limiter_on(place.open(), told, "2/day", "3/month", zone="Europe/Moscow")
    message = Message("x", (ONE, TWO, THREE))
    assert 2 == len(here.reserve(message, direct.SMS).admitted)
    clock.now += 8.9 * 3600  # 23:54 in Moscow
    refused = here.reserve(message, direct.SMS).refused[ONE]
    assert "the limit 2 segments/day leaves no room before 00:00 on 2036-02-01 (Europe/Moscow)" == str(refused)
    assert (datetime(2036, 1, 31, 21, tzinfo=UTC), "2 segments/day") == (refused.resets_at, refused.limit)
    clock.now += 0.2 * 3600
    assert [Decimal(0), Decimal(0)] == [usage.used for usage in here.usage()]
    assert 2 == len(here.reserve(message, direct.SMS).admitted)
    clock.now += DAY
    assert [Decimal(0), Decimal(2)] == [usage.used for usage in here.usage()]
    assert (ONE,) == here.reserve(message, direct.SMS).admitted


def test_what_is_over_goes_away(place: Place, clock: Clock, told: list[LimitUsage]) -> None:
    """The counts of past days are removed, some with each message, once they are past in every zone."""
    outbox = place.open()
    here = limiter_on(outbox, told, "5000/day", "9/day,recipient")
    counts = outbox.bucket(f"{LIMITS}login@integrationapi.net/rest")
    for recipients in (numbers(SWEPT), numbers(SWEPT, 79170000000)):
        here.reserve(Message("x", recipients), direct.SMS)
    clock.now += DAY
    here.reserve(Message("x", (ONE,)), direct.SMS)
    assert 2 * SWEPT + 3 == sum(1 for _ in counts.items())
    clock.now += 2 * DAY
    for left in (SWEPT + 5, 5, 4):
        here.reserve(Message("x", (ONE,)), direct.SMS)
        assert left == sum(1 for _ in counts.items())


def test_four_fifths_are_told_by_one(place: Place, told: list[LimitUsage]) -> None:
    """Of all who share the outbox one is told, once."""
    two = [limiter_on(place.open(), told, "5/day", "1/day,recipient") for _ in range(2)]
    for number, recipient in enumerate(numbers(5)):
        two[number % 2].reserve(Message("x", (recipient,)), direct.SMS)
        assert (number >= 3) == bool(told)
    assert ["4 of 5 segments/day used, until 00:00 on 2036-02-01 (UTC)"] == list(map(str, told))


# --- notify


def test_what_is_over_is_not_sent(gateway: Sandbox, limited: Make) -> None:
    """The first ones get it, the others an error that says which limit, and until when."""
    outcomes = limited("2/day").notify("Hello", [ONE, TWO, THREE])
    assert ["accepted", "accepted", "not_sent"] == verdicts(outcomes)
    error = outcomes[2].error
    assert isinstance(error, LimitExceeded)
    assert "2 segments/day" == error.limit
    assert error.resets_at is not None
    assert timedelta(0) < error.resets_at - datetime.now(UTC) <= timedelta(days=1)
    assert {ONE: 1, TWO: 1} == dict(arrivals(gateway))


def test_each_recipient_has_so_many(gateway: Sandbox, limited: Make) -> None:
    """At most two a day to each; who has had them takes no room from others."""
    notifier = limited("2/day,recipient")
    for _ in range(2):
        notifier.notify("Hello", [ONE, TWO])
    assert ["not_sent", "accepted"] == verdicts(notifier.notify("Hello", [ONE, THREE]))
    assert ([Decimal(2)], [Decimal(1)], []) == (used(notifier, ONE), used(notifier, THREE), used(notifier))
    assert 2 == arrivals(gateway)[ONE]


@pytest.mark.parametrize(
    ("limit", "options", "room"),
    [
        ("2/day,tag:sale", {"tags": "sale"}, 2),
        ("2/day,tag:sale", {"tags": "news"}, 3),
        ("2/day,sender:DEVINO", {}, 2),
        ("2/day,sender:OTHER", {}, 3),
        ("6/day", {"title": "x" * 160}, 3),
        ("2/day", {"channel": "viber"}, 2),
        ("2/day", {"channel": "null"}, 2),
    ],
)
def test_a_limit_counts_what_it_is_on(limited: Make, limit: str, options: dict[str, Any], room: int) -> None:
    """A tag's, a sender's; a title costs too, and a message of a channel without segments is one."""
    outcomes = limited(limit).notify("Hello", [ONE, TWO, THREE], **options)
    assert ["accepted"] * room + ["not_sent"] * (3 - room) == verdicts(outcomes)


def test_money_takes_a_price_for_each_channel(limited: Make) -> None:
    """A message costs its segments by the channel's price."""
    notifier = limited("10RUB/month", price="2.50,viber:6")
    assert ["accepted", "not_sent"] == verdicts(notifier.notify("Hello", [ONE, TWO], channel="viber"))
    assert ["accepted", "not_sent"] == verdicts(notifier.notify("Hello", [ONE, TWO]))
    assert [Decimal("8.5")] == used(notifier)


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        ({"kind": "error", "code": 7}, 0),
        ({"kind": "drop"}, 1),
    ],
)
def test_what_may_have_been_sent_counts(gateway: Sandbox, limited: Make, fault: dict[str, Any], counted: int) -> None:
    """What was rejected is given back, what is unknown is not."""
    notifier = limited("5/day", "5/day,recipient")
    gateway.add_fault(operation="Sms/Send", **fault)
    notifier.notify("Hello", ONE)
    assert [Decimal(counted)] * 2 == used(notifier, ONE)


def test_what_a_plugin_answers_takes_no_room(limited: Make) -> None:
    """What is not sent, as a plugin answers in its place, is not counted."""

    class Dry:
        """Answers in place of the send."""

        @hookimpl(tryfirst=True)
        def devinotify_send_message(self, message: Message) -> list[Outcome]:
            """Accept everything."""
            return [accepted("sms", to, Receipt(to, ("1",), 1)) for to in message.recipients]

    notifier = limited("1/day", plugin=Dry())
    assert ["accepted", "accepted"] == verdicts(notifier.notify("Hello", [ONE, TWO]))
    assert [Decimal(0)] == used(notifier)


def test_a_plugins_channel_is_limited_too(limited: Make) -> None:
    """A channel that a plugin brings keeps the limits, and so do its answers of the wrong kind."""

    class Odd(PlainChannel):
        """A channel that answers nonsense."""

        name = "odd"

        def send(self, message: Message, client: object) -> Any:  # noqa: ANN401 - nonsense
            """Answer nonsense."""
            return "nonsense"

    notifier = limited("1/day", plugin=Odd())
    assert ["unknown", "not_sent"] == verdicts(notifier.notify("Hello", [ONE, TWO], channel="odd"))
    assert [Decimal(1)] == used(notifier)


def test_limit_neared(limited: Make, caplog: pytest.LogCaptureFixture) -> None:
    """An observer is told at four fifths, and the log has a line; what is used up is one more line."""

    class Told:
        """Takes note."""

        def __init__(self) -> None:
            self.usages: list[LimitUsage] = []

        @hookimpl
        def devinotify_limit_neared(self, usage: LimitUsage) -> None:
            """Take note."""
            self.usages.append(usage)

    told = Told()
    notifier = limited("4/day", plugin=told)
    with caplog.at_level(logging.WARNING, "devinotify"):
        for to in numbers(6):
            notifier.notify("Hello", to)
    assert [(Decimal(4), Decimal(0))] == [(usage.used, usage.left) for usage in told.usages]
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("a limit is nearly used up: 4 of 4 segments/day used, until 00:00 on ")
    assert second.startswith("the limit 4 segments/day leaves no room before 00:00 on ")


def test_a_message_that_never_fits_is_refused_for_good(limited: Make) -> None:
    """There is no period in which a limit of one segment has room for three."""
    (outcome,) = limited("1/day").notify("x" * 400, ONE)
    assert "the limit 1 segments/day never has room for a message of 3 segments" == str(outcome.error)
    assert isinstance(outcome.error, LimitExceeded)
    assert None is outcome.error.resets_at


def test_an_outbox_that_cannot_be_used_is_an_error_at_construction(gateway: Sandbox, tmp_path: Path) -> None:
    """Without it nobody could count."""
    with pytest.raises(InvalidInput):
        Notifier(f"{gateway.url}&limit=1/day&outbox={tmp_path}")


def test_a_zone_that_does_not_exist_is_an_error_at_construction(gateway: Sandbox, tmp_path: Path) -> None:
    """It is told before anything is sent."""
    with pytest.raises(InvalidURL, match="bad value for limit_zone: 'Europe' is not a time zone"):
        Notifier(f"{gateway.url}&limit=1/day&outbox={tmp_path / 'outbox.db'}&limit_zone=Europe")


def test_an_outbox_that_fails_sends_nothing(gateway: Sandbox, limited: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be counted is not sent; what cannot be given back stays counted."""
    notifier = limited("5/day")
    change, failing = Bucket.change, [True]

    def broken(self: Bucket, keys: Any, decide: Any) -> Any:  # noqa: ANN401 - those of change
        if failing.pop(0):
            raise NotSent("the disk is full")
        return change(self, keys, decide)

    monkeypatch.setattr(Bucket, "change", broken)
    assert ["not_sent"] == verdicts(notifier.notify("Hello", ONE))
    failing += [False, True]
    gateway.add_fault("error", operation="Sms/Send", code=7)
    assert ["rejected"] == verdicts(notifier.notify("Hello", ONE))
    assert [Decimal(1)] == used(notifier)


def test_a_count_in_doubt_is_no_send_in_doubt(gateway: Sandbox, limited: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that was lost while it counted leaves the message not sent, and not unknown."""
    notifier = limited("5/day")

    def lost(*_: object) -> None:
        raise DevinotifyError("whether the change was made is not known", verdict=Verdict.UNKNOWN)

    monkeypatch.setattr(Bucket, "change", lost)
    assert (["not_sent"], []) == (verdicts(notifier.notify("Hello", ONE)), gateway.messages())


def test_what_cannot_be_swept_keeps_nothing_from_going_out(limited: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has been counted, so it is sent."""
    notifier = limited("5/day")

    def locked(_: Bucket) -> None:
        raise DevinotifyError("the outbox is locked", verdict=Verdict.NOT_SENT, retryable=True)

    monkeypatch.setattr(Bucket, "items", locked)
    assert (["accepted"], [Decimal(1)]) == (verdicts(notifier.notify("Hello", ONE)), used(notifier))


def test_a_notifier_without_limits_opens_no_outbox(gateway: Sandbox, tmp_path: Path) -> None:
    """Nothing changes without a limit."""
    plugins = make_plugin_manager(discover=False)
    with Notifier(f"{gateway.url}&outbox={tmp_path / 'outbox.db'}", plugins=plugins) as notifier:
        notifier.notify("Hello", ONE)
        assert ([], False) == (notifier.limits(ONE), (tmp_path / "outbox.db").exists())


def test_an_async_notifier_keeps_limits(account: str, tmp_path: Path) -> None:
    """The same for asyncio."""

    async def work() -> list[Outcome]:
        async with AsyncNotifier(f"{account}&limit=1/day&outbox={tmp_path / 'outbox.db'}") as notifier:
            return [outcome for to in (ONE, TWO) for outcome in await notifier.notify("Hello", to)]

    assert ["accepted", "not_sent"] == verdicts(asyncio.run(work()))


# --- fallbacks


def test_the_steps_of_a_fallback_count_when_they_are_sent(gateway: Sandbox, limited: Make) -> None:
    """An SMS, and the Viber message that follows where it is refused; the SMS that was refused is given back."""
    notifier = limited("5/day", "9RUB/day", price="1,viber:3")
    (outcome,) = notifier.notify("Hello", ONE, channel="sms-viber")
    assert ("accepted", [Decimal(1), Decimal(1)]) == (outcome.verdict, used(notifier))
    gateway.add_fault("error", operation="Sms/Send", code=6)
    (outcome,) = notifier.notify("Hello", ONE, channel="sms-viber")
    assert ("accepted", [Decimal(2), Decimal(4)]) == (outcome.verdict, used(notifier))


def test_no_step_of_a_fallback_goes_past_a_limit(gateway: Sandbox, limited: Make) -> None:
    """Neither the first, whose refusal no other channel makes up for, nor the second."""
    notifier = limited("5/day", "3RUB/day", price="1,viber:3")
    gateway.add_fault("error", operation="Sms/Send", code=6)
    for to, steps in ((ONE, ["sms", "viber"]), (TWO, ["sms"])):
        (outcome,) = notifier.notify("Hello", to, channel="sms-viber")
        assert steps == [attempt.channel for attempt in outcome.attempts]
    assert isinstance(outcome.error, LimitExceeded)
    assert [Decimal(1), Decimal(3)] == used(notifier)
    assert ["viber"] == [message.channel for message in gateway.messages()]


# --- what is queued


class Ahead(Clock):
    """The real clock, and a little more where a test asks for it."""

    by = 0.0

    def __call__(self) -> float:
        """Return the seconds since the epoch."""
        return time.time() + self.by


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    """Give the clock of all outboxes that a Notifier opens."""
    clock = Ahead()
    monkeypatch.setattr(storage, "open_outbox", lambda given, **options: Outbox(given, clock=clock, **options))
    return clock


def rows(outbox: Outbox) -> list[tuple[str, str | None]]:
    """Return state and error of every row."""
    return [(str(row.state), row.error) for row in outbox]


def test_what_is_queued_waits_for_the_next_period(gateway: Sandbox, limited: Make, ahead: Ahead) -> None:
    """The worker holds what is over until there is room, says so, and loses nobody."""
    notifier = limited("2/day")
    notifier.enqueue("Hello", [ONE, TWO, THREE])
    worker = Worker(notifier)
    worker.run(once=True)
    assert [("accepted", None)] * 2 + [("queued", "LimitExceeded")] == rows(worker.outbox)
    waiting = list(worker.outbox)[2]
    assert (0, None) == (waiting.attempts, worker.cause)
    assert waiting.next_attempt_at is not None
    assert 0 == waiting.next_attempt_at % 3600  # midnight there
    ahead.by = waiting.next_attempt_at - time.time() + 1
    worker.run(once=True)
    assert [("accepted", None)] * 3 == rows(worker.outbox)
    assert {ONE: 1, TWO: 1, THREE: 1} == dict(arrivals(gateway))


class Claimed(Outbox):
    """An outbox that counts what is claimed from it, and bears with no busy loop."""

    claims = 0

    def claim(self, *arguments: Any, **options: Any) -> Batch | None:  # noqa: ANN401 - as the outbox's own
        """Claim a batch; those who look and find none do no harm."""
        batch = super().claim(*arguments, **options)
        self.claims += batch is not None
        assert self.claims < 20, "it is claimed and put back, again and again"
        return batch


@pytest.mark.parametrize("limit", ["1/month", "1/month,recipient"])
def test_a_queue_whose_clock_is_ahead_waits_for_the_clock_that_counts(
    limited: Make, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Where limits are counted in another store, their period is not over before its own clock says so."""
    monkeypatch.setattr(storage, "open_outbox", lambda given, **options: Outbox(given, clock=clock, **options))
    notifier, ahead = limited(limit), Clock(NOON + 40 * DAY)
    notifier.notify("Hello", ONE)
    left = notifier.limits(ONE)[0].resets_at.timestamp() - NOON
    with Claimed(tmp_path / "queue.db", clock=ahead) as outbox:
        outbox.enqueue(Message("Hello", (ONE,)))
        Worker(notifier, outbox).run(once=True)
        (waiting,) = outbox
        assert ("queued", 0, ahead() + left) == (waiting.state, waiting.attempts, waiting.next_attempt_at)


def test_a_limit_keeps_nobody_elses_messages(gateway: Sandbox, limited: Make) -> None:
    """What is queued beside it goes out: a tag's limit is that tag's alone."""
    notifier = limited("1/day,tag:sale")
    for to in (ONE, TWO):
        notifier.enqueue("Half price", to, tags="sale")
    notifier.enqueue("The server is on fire", THREE)
    worker = Worker(notifier)
    worker.run(once=True)
    assert ["accepted", "queued", "accepted"] == [state for state, _ in rows(worker.outbox)]


def test_what_would_come_too_late_is_refused(limited: Make) -> None:
    """A row whose deadline comes before there is room again is not kept for nothing."""
    notifier = limited("1/month")
    soon = datetime.now(UTC) + timedelta(minutes=2)
    notifier.enqueue("Hello", [ONE, TWO], deadline=soon)
    worker = Worker(notifier)
    worker.run(once=True)
    assert [("accepted", None), ("not_sent", "LimitExceeded")] == rows(worker.outbox)


def test_who_has_failed_once_waits_as_long_as_the_others(limited: Make, ahead: Ahead, gateway: Sandbox) -> None:
    """The deadline that ends the tries after a failure is nobody's wish: no limit makes it final."""
    notifier = limited("1/month")
    notifier.enqueue("Hello", TWO)
    worker = Worker(notifier)
    batch = worker.outbox.claim()
    assert batch is not None
    worker.outbox.settle(batch, [failed("sms", TWO, NotSent("gone", retryable=True))])
    assert [True] == [row.deadline is not None for row in worker.outbox]
    notifier.notify("Hello", ONE)
    ahead.by = 60
    worker.run(once=True)
    (waiting,) = [row for row in worker.outbox if row.recipient == TWO]
    assert ("queued", "LimitExceeded", None) == (waiting.state, waiting.error, waiting.deadline)
    assert waiting.next_attempt_at is not None
    ahead.by = waiting.next_attempt_at - time.time() + 1
    worker.run(once=True)
    assert {ONE: 1, TWO: 1} == dict(arrivals(gateway))


@pytest.mark.parametrize("hours", [2, 60])
def test_a_deadline_that_was_asked_for_stays_after_a_failure(limited: Make, ahead: Ahead, hours: int) -> None:
    """It is refused, and not kept for longer than anybody wants it, however far ahead that was."""
    # A month that does not end meanwhile.
    start = datetime.now(UTC).replace(day=1) + timedelta(days=40)
    ahead.by = start.timestamp() - time.time()
    notifier = limited("1/month")
    notifier.notify("Hello", ONE)
    notifier.enqueue("Hello", TWO, deadline=start + timedelta(hours=hours))
    worker = Worker(notifier)
    batch = worker.outbox.claim()
    assert batch is not None
    worker.outbox.settle(batch, [failed("sms", TWO, NotSent("gone", retryable=True))])
    ahead.by += (hours - 1) * 3600
    worker.run(once=True)
    assert [("not_sent", "LimitExceeded")] == rows(worker.outbox)


def test_an_account_that_is_refused_costs_nobody_whom_a_limit_leaves_room_for(gateway: Sandbox, limited: Make) -> None:
    """Those beside them in the batch who have no room have not passed: everybody waits, and goes out afterwards."""
    for operation in ("Sms/Send", "Sms/SendBulk"):
        gateway.add_fault("error", code=7, operation=operation)
    notifier = limited("2/day")
    notifier.enqueue("Hello", [ONE, TWO, THREE])
    worker = Worker(notifier)
    worker.turn()
    assert [("queued", None)] * 2 + [("queued", "LimitExceeded")] == rows(worker.outbox)
    assert [Decimal(0)] == used(notifier)


def test_a_raised_limit_holds_at_once(gateway: Sandbox, limited: Make) -> None:
    """A worker that is started asks again for what waited, so that nobody has to wait for midnight."""
    for limit, expected in (("1/day", "queued"), ("2/day", "accepted")):
        notifier = limited(limit)
        if limit == "1/day":
            notifier.enqueue("Hello", [ONE, TWO])
        worker = Worker(notifier)
        worker.run(once=True)
        assert ["accepted", expected] == [state for state, _ in rows(worker.outbox)]
    assert 0 == worker.outbox.hurry()


def test_what_was_claimed_or_is_due_is_not_hurried(place: Place, clock: Clock) -> None:
    """Only what waits for a limit is made due, and only once."""
    outbox = place.open()
    outbox.enqueue(Message("Hello", (ONE, TWO, THREE)))
    batch = outbox.claim()
    assert batch is not None
    later = datetime.fromtimestamp(clock.now + 900, UTC)
    outbox.wait_for_room(batch, [failed("sms", ONE, LimitExceeded("full", resets_at=later))], later)
    outbox.release(batch, batch.rows[1:2], not_before=later)
    assert None is outbox.claim()
    assert (1, 0) == (outbox.hurry(), outbox.hurry())
    hurried = outbox.claim()
    assert hurried is not None
    assert [ONE] == [row.recipient for row in hurried.rows]


# --- campaigns


def campaign(account: str, path: Path, recipients: int, **query: str) -> Campaign:
    """Return a campaign over so many numbers, with limits."""
    source = path / "list.csv"
    source.write_text("phone\n" + "\n".join(numbers(recipients)), "utf-8")
    url = f"{account}&outbox={path / 'outbox.db'}" + "".join(f"&{key}={each}" for key, each in query.items())
    return Campaign(url, source, text="Half price", journal=path / "campaign.db")


def test_a_campaign_stops_at_a_limit_and_goes_on(gateway: Sandbox, account: str, tmp_path: Path) -> None:
    """It says so; nobody is lost, and with more room the same command goes on: each gets it once."""
    with campaign(account, tmp_path, 50, limit="20/day") as first:
        result = first.run(Speed(connections=4, batch=7))
    assert (End.OVER_LIMIT, 20, 30) == (result.end, result.tally.accepted, result.tally.waiting)
    assert isinstance(result.error, LimitExceeded)
    with campaign(account, tmp_path, 50, limit="21/day") as second:
        result = second.run(Speed(batch=7))
    assert (End.OVER_LIMIT, 21, 29) == (result.end, result.tally.accepted, result.tally.waiting)
    with campaign(account, tmp_path, 50, limit="60/day") as third:
        result = third.run(Speed(batch=7))
    assert (End.DONE, 50, 0) == (result.end, result.tally.accepted, result.tally.waiting)
    assert dict.fromkeys(numbers(50), 1) == dict(arrivals(gateway))


def test_a_campaign_leaves_those_who_have_had_enough(account: str, tmp_path: Path, limited: Make) -> None:
    """The others get it; who has had enough for today waits, and the run ends and says so."""
    for to in numbers(3):
        limited("1/day,recipient").notify("Hello", to)
    with campaign(account, tmp_path, 20, limit="1/day,recipient") as first:
        result = first.run(Speed(batch=7))
    assert (End.OVER_LIMIT, 17, 3) == (result.end, result.tally.accepted, result.tally.waiting)
    assert "the limit 1 messages/day recipient leaves no room" in str(result.error)
    with campaign(account, tmp_path, 20, limit="2/day,recipient") as second:
        assert End.DONE is second.run().end


def test_a_campaign_with_a_fallback_stops_at_a_limit(gateway: Sandbox, account: str, tmp_path: Path) -> None:
    """The same where each recipient has steps: none of those that wait is left behind in the journal."""
    for limit, count in (("5/day", 5), ("9/day", 8)):
        with campaign(account, tmp_path, 8, limit=limit, channel="sms-viber") as run:
            result = run.run(Speed(connections=1, batch=3))
        assert (count, 8 - count) == (result.tally.accepted, result.tally.waiting)
    assert dict.fromkeys(numbers(8), 1) == dict(arrivals(gateway))


# --- processes

RACE = """
import sys
from devinotify import Notifier
path, url, first, count = sys.argv[1:]
with Notifier(f"{url}&outbox={path}&limit=50/day&limit=80RUB/day&price=2&limit=2/day,recipient") as notifier:
    print("ready", flush=True)
    sys.stdin.readline()
    sent = 0
    for number in range(int(first), int(first) + int(count)):
        sent += notifier.notify("Hello", f"+{number}")[0].verdict == "accepted"
    print(sent, flush=True)
"""


@pytest.mark.once
def test_processes_race_for_the_last_segments(gateway: Sandbox, account: str, tmp_path: Path) -> None:
    """Two processes that send at once never pass a limit together, and use all of it."""
    started = [
        run_python(tmp_path / "outbox.db", RACE, account, str(79160000000 + 100 * number), "35") for number in range(2)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert "ready" == process.stdout.readline().strip()
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        sent = [int(process.communicate(timeout=60)[0]) for process in started]
    finally:
        for process in started:
            process.kill()
            finish(process)
    assert (40, 40) == (sum(sent), len(gateway.messages()))


KILLED = """
import os, signal, sys
from devinotify import Notifier, make_plugin_manager
from devinotify.channels import direct
from devinotify.channels.batch import accepted, failed
from devinotify.channels.built_in import Brings
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
direct.SmsChannel.outcomes = die
path, url = sys.argv[1:]
with Notifier(f"{url}&outbox={path}&limit=5/day", plugins=make_plugin_manager(discover=False)) as notifier:
    notifier.notify("Hello", ["+79161234567", "+79161234568"])
"""


@pytest.mark.once
def test_a_kill_between_count_and_send_leaves_the_count(
    gateway: Sandbox, account: str, tmp_path: Path, limited: Make
) -> None:
    """What may have been sent counts: nobody can say that it was not."""
    process = run_python(tmp_path / "outbox.db", KILLED, account)
    assert -9 == process.wait(60)
    process.communicate(timeout=60)
    assert [Decimal(2)] == used(limited("5/day"))
    assert [] == gateway.messages()
