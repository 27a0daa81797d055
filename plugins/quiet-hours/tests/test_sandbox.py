"""Quiet hours at work: a Notifier, a real HTTP request, and a gateway whose clock the tests move."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from devinotify import DeliveryStatus, InvalidSchedule, Notifier, Verdict, make_plugin_manager

from devinotify_quiet_hours import Night, QuietHours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinotify.sandbox import Sandbox

MOSCOW, ALSO_MOSCOW, NEW_YORK = "+79161234567", "+79031234567", "+12125550123"
TEXT = "Everything half price"
NIGHT = Night(time(22), time(8))


@pytest.fixture
def gateway(devino_sandbox: Sandbox) -> Sandbox:
    """Return the gateway as it is at its start: that of devinotify's own pytest plugin."""
    return devino_sandbox


def now(gateway: Sandbox) -> datetime:
    """Return the gateway's time."""
    return datetime.fromtimestamp(gateway.now, UTC)


def advance_to(gateway: Sandbox, zone: str, clock: time) -> datetime:
    """Move the gateway's clock on until clocks in ``zone`` show ``clock``, and return what they show, naive."""
    local = now(gateway).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    there = datetime.combine(local.date(), clock)
    there += timedelta(days=there <= local)
    there = there.replace(tzinfo=ZoneInfo(zone))
    gateway.advance(there.timestamp() - gateway.now)
    return there.replace(tzinfo=None)


def notifier_at(gateway: Sandbox, **settings: Mapping[str, str]) -> Notifier:
    """Return a notifier whose quiet hours go by the gateway's clock."""
    hours = QuietHours(NIGHT, clock=lambda: now(gateway), **settings)  # type: ignore[arg-type]  # zones and channels
    return Notifier(gateway.url, plugins=make_plugin_manager(hours, discover=False))


def test_goes_out_in_the_morning(gateway: Sandbox) -> None:
    """At 23:00 in Moscow the gateway is asked to send at 8:00 by the recipient's clock, and does."""
    evening = advance_to(gateway, "Europe/Moscow", time(23))
    with notifier_at(gateway) as notifier:
        (outcome,) = notifier.notify(TEXT, MOSCOW)
        (message,) = gateway.messages()
        morning = datetime.combine(evening.date() + timedelta(days=1), time(8), ZoneInfo("Europe/Moscow"))
        assert (Verdict.ACCEPTED, "Sms/SendByTimeZone") == (outcome.verdict, message.operation)
        assert morning == datetime.fromisoformat(message.send_at)
        assert outcome.receipt is not None
        message_id = outcome.receipt.message_ids[0]
        gateway.advance(8.9 * 3600)
        assert DeliveryStatus.QUEUED is notifier.client.sms.state(message_id).status
        gateway.advance(0.2 * 3600)
        assert DeliveryStatus.DELIVERED is notifier.client.sms.state(message_id).status


def test_splits_a_bulk(gateway: Sandbox) -> None:
    """Those by day get it at once, those at night in one bulk by time zone, and each has one outcome."""
    advance_to(gateway, "Europe/Moscow", time(23))  # 15:00 or 16:00 in New York
    with notifier_at(gateway) as notifier:
        outcomes = notifier.notify(TEXT, [MOSCOW, NEW_YORK, ALSO_MOSCOW])
    sent = {message.recipient: message.operation for message in gateway.messages()}
    assert [(MOSCOW, "accepted"), (NEW_YORK, "accepted"), (ALSO_MOSCOW, "accepted")] == [
        (outcome.recipient, outcome.verdict) for outcome in outcomes
    ]
    bulk = "Sms/SendByTimeZoneToAddresses"
    assert ({MOSCOW: bulk, NEW_YORK: "Sms/Send", ALSO_MOSCOW: bulk}, 3) == (sent, len(gateway.messages()))


def test_urgent_goes_out_at_night(gateway: Sandbox) -> None:
    """The tag urgent sends at once."""
    advance_to(gateway, "Europe/Moscow", time(3))
    with notifier_at(gateway) as notifier:
        notifier.notify(TEXT, MOSCOW, tags=["urgent"])
    assert ["Sms/Send"] == [message.operation for message in gateway.messages()]


def test_viber_is_refused_at_night(gateway: Sandbox) -> None:
    """Viber cannot be scheduled: nobody is woken, and the outcome says what was not sent and why."""
    advance_to(gateway, "Europe/Moscow", time(3))
    with notifier_at(gateway) as notifier:
        (outcome,) = notifier.notify(TEXT, MOSCOW, channel="viber")
    assert (Verdict.NOT_SENT, InvalidSchedule, []) == (outcome.verdict, type(outcome.error), gateway.messages())


def test_viber_by_sms_in_the_morning(gateway: Sandbox) -> None:
    """Where it is set so, what Viber cannot hold goes out as an SMS."""
    advance_to(gateway, "Europe/Moscow", time(3))
    with notifier_at(gateway, channels={"viber": "sms"}) as notifier:
        (outcome,) = notifier.notify(TEXT, MOSCOW, channel="viber")
    assert [("sms", "Sms/SendByTimeZone")] == [(one.channel, one.operation) for one in gateway.messages()]
    assert (Verdict.ACCEPTED, "sms") == (outcome.verdict, outcome.channel)


def test_held_through_the_fallback_channel(gateway: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The SMS of ``sms-viber`` is put off like any other, and no Viber message goes out meanwhile."""
    advance_to(gateway, "Europe/Moscow", time(23))
    outbox = tmp_path_factory.mktemp("outbox") / "outbox.db"
    hours = QuietHours(NIGHT, clock=lambda: now(gateway))
    plugins = make_plugin_manager(hours, discover=False)
    with Notifier(f"{gateway.url}&outbox={outbox}", plugins=plugins) as notifier:
        (outcome,) = notifier.notify(TEXT, MOSCOW, channel="sms-viber")
    assert [("sms", "Sms/SendByTimeZone")] == [(one.channel, one.operation) for one in gateway.messages()]
    assert Verdict.ACCEPTED is outcome.verdict


def test_nobody_is_woken_at_any_hour_wherever_they_are(gateway: Sandbox) -> None:
    """With ``any``, a message every hour of two days reaches Russians from Kaliningrad to Kamchatka by day."""
    homes = {f"+7916123450{index}": zone for index, zone in enumerate(["Europe/Moscow", "Asia/Omsk", "Asia/Kamchatka"])}
    for number, zone in homes.items():
        gateway.set_time_zone(number, zone)
    with notifier_at(gateway, zones={"RU": "any"}) as notifier:
        for _ in range(48):
            gateway.advance(3600)
            notifier.notify(TEXT, list(homes))
    arrivals = [
        datetime.fromisoformat(message.send_at).astimezone(ZoneInfo(homes[message.recipient]))
        for message in gateway.messages()
    ]
    assert (144, []) == (len(arrivals), [shown for shown in arrivals if shown in NIGHT])
