"""Daily windows of campaigns: over a real gateway whose clock the tests move, and as a law."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from devinotify import Message, Notifier, PluginError, Verdict, make_plugin_manager
from devinotify.bulk import Campaign, Journal, Window
from hypothesis import given
from hypothesis import strategies as st

from devinotify_quiet_hours import FromEnvironment, Night, QuietHours
from devinotify_quiet_hours.night import is_open, opening

from .test_sandbox import ALSO_MOSCOW, MOSCOW, NEW_YORK, advance_to, now

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

WINDOW = Window(time(10), time(20))
NUMBERS = (MOSCOW, NEW_YORK, ALSO_MOSCOW)
TEXT = "Everything half price"


def campaign_at(gateway: Sandbox, folder: Path, hours: QuietHours | None = None, **options: Any) -> Campaign:  # noqa: ANN401 - the campaign's own
    """Return a campaign to all numbers whose plugin goes by the gateway's clock; it is closed with its notifier."""
    some = folder / "some.txt"
    some.write_text("\n".join(NUMBERS), "utf-8")
    plugin = QuietHours(clock=lambda: now(gateway)) if hours is None else hours
    account = Notifier(gateway.url, plugins=make_plugin_manager(plugin, discover=False))
    options = {"text": TEXT, "window": "10-20", "journal": folder / "some.db", **options}
    return Campaign(account, some, **options)


def shown(gateway: Sandbox) -> dict[str, str]:
    """Return by which operation who was sent to."""
    return {message.recipient: message.operation for message in gateway.messages()}


def test_who_is_out_of_the_window_waits_for_it(devino_sandbox: Sandbox, tmp_path: Path) -> None:
    """At 21:00 in Moscow New York is sent to at once, Moscow at 10:00 of its own clock; the plan and the end count."""
    evening = advance_to(devino_sandbox, "Europe/Moscow", time(21))
    with campaign_at(devino_sandbox, tmp_path) as campaign, campaign.notifier:
        plan, result = campaign.plan(), campaign.run()
    opens = datetime.combine(evening.date() + timedelta(days=1), time(10))
    bulk = "Sms/SendByTimeZoneToAddresses"
    assert {MOSCOW: bulk, ALSO_MOSCOW: bulk, NEW_YORK: "Sms/Send"} == shown(devino_sandbox)
    assert {opens} == {
        datetime.fromisoformat(message.send_at).astimezone(ZoneInfo("Europe/Moscow")).replace(tzinfo=None)
        for message in devino_sandbox.messages()
        if message.operation == bulk
    }
    assert (2, opens, 3, 2) == (plan.outside, plan.held, result.tally.accepted, result.held)
    with Journal(tmp_path / "some.db") as journal:
        assert 2 == journal.held


def test_in_the_window_all_goes_out(devino_sandbox: Sandbox, tmp_path: Path) -> None:
    """At 19:00 in Moscow it is late morning in New York: nobody waits."""
    advance_to(devino_sandbox, "Europe/Moscow", time(19))
    with campaign_at(devino_sandbox, tmp_path) as campaign, campaign.notifier:
        plan, result = campaign.plan(), campaign.run()
    assert (0, 0, 3) == (plan.outside, result.held, result.tally.accepted)
    assert {"Sms/SendBulk"} == set(shown(devino_sandbox).values())


def test_personal_texts_wait_alike(devino_sandbox: Sandbox, tmp_path: Path) -> None:
    """Each recipient has a request of its own, and a time of its own."""
    advance_to(devino_sandbox, "Europe/Moscow", time(21))
    options: dict[str, Any] = {"text": None, "template": "Hi {phone}", "format": "csv", "column": "phone"}
    some = tmp_path / "people.csv"
    some.write_text("phone\n" + "\n".join(NUMBERS), "utf-8")
    plugins = make_plugin_manager(QuietHours(clock=lambda: now(devino_sandbox)), discover=False)
    with (
        Notifier(devino_sandbox.url, plugins=plugins) as account,
        Campaign(account, some, journal=tmp_path / "p.db", window=WINDOW, **options) as campaign,
    ):
        outside, held = campaign.plan().outside, campaign.run().held
    assert (2, 2, "Sms/Send") == (outside, held, shown(devino_sandbox)[NEW_YORK])


def test_urgent_passes(devino_sandbox: Sandbox, tmp_path: Path) -> None:
    """The tag urgent of a campaign sends to all at once."""
    advance_to(devino_sandbox, "Europe/Moscow", time(3))
    with campaign_at(devino_sandbox, tmp_path, tags=["urgent"]) as campaign, campaign.notifier:
        result = campaign.run()
    assert (3, 0) == (result.tally.accepted, result.held)
    assert not any("TimeZone" in operation for operation in shown(devino_sandbox).values())


def test_the_window_is_the_campaigns_alone(devino_sandbox: Sandbox, tmp_path: Path) -> None:
    """What else the notifier sends meanwhile, and a test of the text, goes out at 21:00."""
    advance_to(devino_sandbox, "Europe/Moscow", time(21))
    with campaign_at(devino_sandbox, tmp_path) as campaign, campaign.notifier as account:
        account.notify(TEXT, MOSCOW)
        outcome = campaign.test(ALSO_MOSCOW)
    assert Verdict.ACCEPTED is outcome.verdict
    assert {MOSCOW: "Sms/Send", ALSO_MOSCOW: "Sms/Send"} == shown(devino_sandbox)


def test_viber_out_of_the_window_is_not_sent(devino_sandbox: Sandbox, tmp_path: Path) -> None:
    """It cannot be scheduled, though it may go out by night: the plan says so, and nobody is written to."""
    advance_to(devino_sandbox, "Europe/Moscow", time(21))
    hours = QuietHours(channels={"viber": "now"}, clock=lambda: now(devino_sandbox))
    with campaign_at(devino_sandbox, tmp_path, hours, channel="viber") as campaign, campaign.notifier:
        refused, result = campaign.plan().refused, campaign.run()
    assert refused is not None
    assert (2, 1, [NEW_YORK]) == (result.tally.not_sent, result.tally.accepted, list(shown(devino_sandbox)))


def test_a_window_in_the_night_sends_nothing(devino_sandbox: Sandbox, tmp_path: Path) -> None:
    """No time is left between the two: all are not sent, and the plan says why."""
    with campaign_at(devino_sandbox, tmp_path, window="2-6") as campaign, campaign.notifier:
        refused, result = campaign.plan().refused, campaign.run()
    assert isinstance(refused, PluginError)
    assert "the window 02:00-06:00 lies in the night" in str(refused)
    assert (3, []) == (result.tally.not_sent, devino_sandbox.messages())


def at(moment: datetime, **settings: str) -> FromEnvironment:
    """Return the installed plugin with these variables, at a time."""
    return FromEnvironment(settings, QuietHours(clock=lambda: moment))


EVENING = datetime(2036, 1, 15, 20, tzinfo=UTC)  # 23:00 in Moscow
MESSAGE = Message(TEXT, (MOSCOW,))


def test_quiet_hours_that_are_off_keep_windows() -> None:
    """The window holds by its own hours, the night no more: 6:00 is in the night of before."""
    (held,) = at(EVENING, DEVINOTIFY_QUIET_HOURS="off").devinotify_fit_window(MESSAGE, Window(time(6), time(9)))
    assert datetime(2036, 1, 16, 6) == held.send_at  # noqa: DTZ001 - the recipient's clock
    (held,) = at(EVENING).devinotify_fit_window(MESSAGE, Window(time(6), time(9)))
    assert datetime(2036, 1, 16, 8) == held.send_at  # noqa: DTZ001 - the recipient's clock


def test_settings_that_cannot_be_understood_send_nothing_but_urgent_messages() -> None:
    """The error names the variable and the hook."""
    plugin = at(EVENING, DEVINOTIFY_QUIET_ZONE="RU")
    with pytest.raises(PluginError, match="DEVINOTIFY_QUIET_ZONE") as raised:
        plugin.devinotify_fit_window(MESSAGE, WINDOW)
    assert "devinotify_fit_window" == raised.value.hook
    urgent = replace(MESSAGE, tags=frozenset({"urgent"}))
    assert [urgent] == plugin.devinotify_fit_window(urgent, WINDOW)


MINUTES = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))
WINDOWS = st.tuples(MINUTES, MINUTES).filter(lambda ends: ends[0] < ends[1]).map(lambda ends: Window(*ends))
HOMES = st.sampled_from(["Europe/Moscow", "Asia/Kamchatka", "America/New_York", "Europe/London", "Australia/Lord_Howe"])
NIGHT = Night(time(22), time(8))


@given(
    window=WINDOWS,
    home=HOMES,
    moment=st.datetimes(datetime(2035, 1, 1), datetime(2036, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - as hypothesis has it
    asked=st.none() | st.datetimes(datetime(2035, 1, 1), datetime(2036, 12, 31)),  # noqa: DTZ001 - the recipient's clock
)
def test_whatever_the_hour_and_the_zone_it_arrives_in_the_window(
    window: Window, home: str, moment: datetime, asked: datetime | None
) -> None:
    """The law: by the recipient's clock the time of sending lies in the window and not in the night; nobody is lost."""
    hours = QuietHours(NIGHT, zone_of=lambda _: home, clock=lambda: moment)
    message = replace(MESSAGE, send_at=asked)
    if not is_open(Night.outside(window), NIGHT):
        with pytest.raises(PluginError):
            hours.fit(message, window)
        return
    (part,) = hours.fit(message, window)
    zone = ZoneInfo(home)
    wall = None if part.send_at is None else part.send_at.replace(tzinfo=zone).astimezone(UTC)
    arrival = (moment if wall is None else max(moment, wall)).astimezone(zone)
    assert arrival.time() in window
    assert arrival.replace(tzinfo=None) not in NIGHT
    assert message.recipients == part.recipients
    # What was put off is so no longer than it has to be, but for a day on which the clocks are changed.
    assert arrival.astimezone(UTC) - max(moment, wall_of(asked, zone, moment)) <= timedelta(days=2, hours=1)


def wall_of(asked: datetime | None, zone: ZoneInfo, moment: datetime) -> datetime:
    """Return the instant that was asked for."""
    return moment if asked is None else asked.replace(tzinfo=zone).astimezone(UTC)


def test_the_opening_is_out_of_both_spans() -> None:
    """A window that opens in the night opens in the morning."""
    shut = (Night(time(20), time(6)), NIGHT)
    assert datetime(2036, 1, 16, 8) == opening(datetime(2036, 1, 15, 21), shut)  # noqa: DTZ001 - a wall clock


@pytest.mark.parametrize(("window", "minutes"), [("10-20", 0), ("10-20:30", 30), ("9-21", 120)])
def test_in_any_zone_of_russia_only_a_wide_window_is_ever_open(window: str, minutes: int) -> None:
    """Its zones lie ten hours apart: what cannot wait for the recipient's own clock goes out in what that leaves."""
    message = Message(TEXT, (MOSCOW,), channel="viber")
    midnight = datetime(2026, 1, 15, tzinfo=UTC)
    out = []
    for minute in range(0, 24 * 60, 10):
        hours = at(midnight + timedelta(minutes=minute), DEVINOTIFY_QUIET_ZONE="RU=any")
        (part,) = hours.devinotify_fit_window(message, Window.parse(window))
        out += [] if part.send_at else [minute]
    assert minutes == 10 * len(out)
