"""The rule: nobody is woken, nobody lost, nobody written to twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from devinotify import InvalidInput, Message
from hypothesis import example, given
from hypothesis import strategies as st

from devinotify_quiet_hours import Night, QuietHours
from devinotify_quiet_hours.zones import zones_of

MOSCOW, ALSO_MOSCOW, NEW_YORK, ALMATY = "+79161234567", "+79031234567", "+12125550123", "+77011234567"
TWO_ZONES, AUSTRALIA, SATELLITE = "+12083305678", "+61412345678", "+8816123456789"
LONDON, NEW_ZEALAND = "+447912345678", "+64211234567"
EVENING = datetime(2026, 1, 15, 20, tzinfo=UTC)  # 23:00 in Moscow, 01:00 in Almaty, 15:00 in New York
NOON = datetime(2026, 1, 15, 9, tzinfo=UTC)  # 12:00 in Moscow
SALE = Message("Sale", (MOSCOW,))


def at(moment: datetime, **settings: object) -> QuietHours:
    """Return quiet hours to which it is ``moment``."""
    return replace(QuietHours(clock=lambda: moment), **settings)  # type: ignore[arg-type]  # the tests' own settings


def wall(written: str) -> datetime:
    """Return a wall-clock time."""
    return datetime.fromisoformat(written)


def test_puts_off_to_the_morning() -> None:
    """What would arrive at night has the recipient's morning as its send_at, and nothing else changes."""
    assert [replace(SALE, send_at=wall("2026-01-16T08:00"))] == at(EVENING).apply([SALE])


def test_leaves_the_day_alone() -> None:
    """What arrives by day is the very message that came."""
    assert SALE is at(NOON).apply([SALE])[0]


def test_leaves_urgent_alone() -> None:
    """What is tagged urgent is the very message that came."""
    urgent = replace(SALE, tags=frozenset({"urgent", "fire"}))
    assert urgent is at(EVENING).apply([urgent])[0]


def test_splits_by_the_recipients_own_clocks() -> None:
    """Those whose night it is are put off together, by morning; the others are sent at once, in their order."""
    message = Message("Sale", (NEW_YORK, MOSCOW, TWO_ZONES, ALMATY, ALSO_MOSCOW))
    parts = at(EVENING).apply([message])
    morning = wall("2026-01-16T08:00")
    assert [(None, (NEW_YORK, TWO_ZONES)), (morning, (MOSCOW, ALMATY, ALSO_MOSCOW))] == [
        (part.send_at, part.recipients) for part in parts
    ]


def test_mornings_of_different_days_are_apart() -> None:
    """It is 23:00 in Sydney and still before dawn in the west of America: the one's morning is tomorrow's."""
    parts = at(datetime(2026, 1, 15, 12, tzinfo=UTC)).apply([Message("Sale", (AUSTRALIA, TWO_ZONES, MOSCOW))])
    assert [
        (wall("2026-01-16T08:00"), (AUSTRALIA,)),
        (wall("2026-01-15T08:00"), (TWO_ZONES,)),
        (None, (MOSCOW,)),
    ] == [(part.send_at, part.recipients) for part in parts]


def test_several_messages_are_judged_apart() -> None:
    """Each message that other plugins made of one is judged by its own tags and time."""
    urgent, later = replace(SALE, tags=frozenset({"urgent"})), replace(SALE, recipients=(ALSO_MOSCOW,))
    assert [urgent, replace(later, send_at=wall("2026-01-16T08:00"))] == at(EVENING).apply([urgent, later])


@pytest.mark.parametrize(
    ("send_at", "expected"),
    [
        (datetime(2026, 1, 15, 20, tzinfo=UTC), "2026-01-16T08:00"),
        (datetime(2026, 1, 16, 0, tzinfo=ZoneInfo("Europe/Moscow")), "2026-01-16T08:00"),
        (datetime(2026, 1, 16, 23, tzinfo=ZoneInfo("Europe/Moscow")), "2026-01-17T08:00"),
        (wall("2026-01-15T23:00"), "2026-01-16T08:00"),
        (wall("2026-01-16T07:59:59"), "2026-01-16T08:00"),
    ],
)
def test_scheduled_into_the_night(send_at: datetime, expected: str) -> None:
    """An instant that is night at the recipient, and a wall-clock time of the night, are put off."""
    parts = at(NOON).apply([replace(SALE, send_at=send_at)])
    assert [wall(expected)] == [part.send_at for part in parts]


@pytest.mark.parametrize(
    "send_at",
    [datetime(2026, 1, 16, 9, tzinfo=UTC), datetime(2026, 1, 16, 5, tzinfo=UTC), wall("2026-01-16T08:00")],
)
def test_scheduled_into_the_day(send_at: datetime) -> None:
    """What is scheduled for the recipient's day stays, though it is their night now."""
    message = replace(SALE, send_at=send_at)
    assert message is at(EVENING).apply([message])[0]


@pytest.mark.parametrize("send_at", [NOON, wall("2026-01-15T12:00")])
def test_schedule_that_is_past(send_at: datetime) -> None:
    """It would go out at once, so it is judged by the recipient's clock of now."""
    assert [wall("2026-01-16T08:00")] == [part.send_at for part in at(EVENING).apply([replace(SALE, send_at=send_at)])]


def test_of_unknown_zone() -> None:
    """A number that tells no zone is not held, since nobody knows its night."""
    message = Message("Sale", (SATELLITE,))
    assert message is at(EVENING).apply([message])[0]


@pytest.mark.parametrize(("clock", "expected"), [("23:00", "2026-01-16T08:00"), ("21:00", "2026-01-15T21:00")])
def test_wall_clock_of_unknown_zone(clock: str, expected: str) -> None:
    """A wall-clock time of the night is put off wherever the recipient is."""
    message = Message("Sale", (SATELLITE,), send_at=wall(f"2026-01-15T{clock}"))
    assert [wall(expected)] == [part.send_at for part in at(EVENING).apply([message])]


@pytest.mark.parametrize("instant", [EVENING, datetime(2026, 1, 15, 23, tzinfo=UTC)])
def test_instant_of_unknown_zone(instant: datetime) -> None:
    """An instant says nothing of the clock that nobody knows, whatever hour it shows in its own zone."""
    message = Message("Sale", (SATELLITE,), send_at=instant)
    assert message is at(NOON).apply([message])[0]


def test_any_zone_puts_off_while_it_is_night_somewhere() -> None:
    """At noon in Moscow it is 21:00 in Kamchatka, an hour later it is night there."""
    strict = at(NOON + timedelta(hours=1), zones={"RU": "any"})
    assert [wall("2026-01-16T08:00")] == [part.send_at for part in strict.apply([SALE])]


def test_any_zone_leaves_the_common_day() -> None:
    """At 10:00 in Moscow it is day from Kaliningrad to Kamchatka."""
    strict = at(NOON - timedelta(hours=2), zones={"*": "any"})
    assert SALE is strict.apply([SALE])[0]


def test_known_homes_come_first() -> None:
    """Who knows where a recipient lives need not go by the number; ``None`` leaves it to the number."""
    hours = at(NOON, zone_of={MOSCOW: "Pacific/Honolulu"}.get)
    parts = hours.apply([Message("Sale", (MOSCOW, ALSO_MOSCOW))])
    assert [(wall("2026-01-15T08:00"), (MOSCOW,)), (None, (ALSO_MOSCOW,))] == [
        (part.send_at, part.recipients) for part in parts
    ]


def test_unknown_home() -> None:
    """A home in a zone that does not exist is an error, not a guess."""
    with pytest.raises(InvalidInput, match="'Moscow' is not a time zone"):
        at(EVENING, zone_of={MOSCOW: "Moscow"}.get).apply([SALE])


def test_changes_the_channel_of_what_is_held() -> None:
    """Only what is put off goes by another channel."""
    hours = at(EVENING, channels={"viber": "sms"})
    parts = hours.apply([Message("Sale", (MOSCOW, NEW_YORK), channel="viber")])
    assert [("sms", (MOSCOW,)), ("viber", (NEW_YORK,))] == [(part.channel, part.recipients) for part in parts]


def test_leaves_a_channel_that_wakes_nobody() -> None:
    """A channel that is set to ``now`` is left alone."""
    message = replace(SALE, channel="viber")
    assert message is at(EVENING, channels={"viber": "now"}).apply([message])[0]


def test_default_clock_is_now() -> None:
    """Without a clock it is judged by the real time."""
    now = QuietHours().clock()
    assert (True, timedelta(0)) == (abs(datetime.now(UTC) - now) < timedelta(minutes=1), now.utcoffset())


# --- the law

wall_clocks = st.datetimes(datetime(2025, 12, 1), datetime(2027, 1, 31))  # noqa: DTZ001 - a wall clock
instants = wall_clocks.map(lambda moment: moment.replace(tzinfo=UTC))
minutes = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
nights = st.tuples(minutes, minutes).filter(lambda ends: ends[0] != ends[1]).map(lambda ends: Night(*ends))
numbers = st.sampled_from(
    [MOSCOW, ALSO_MOSCOW, NEW_YORK, ALMATY, TWO_ZONES, AUSTRALIA, "+447912345678", "+64211234567"]
)
choices = st.sampled_from([{}, {"*": "any"}, {"RU": "any"}, {"RU": "Asia/Kamchatka"}, {"AU": "Australia/Lord_Howe"}])
tags = st.sets(st.sampled_from(["urgent", "sale"])).map(frozenset)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Draw a message to some people, with and without a schedule of either kind."""
    recipients = draw(st.lists(numbers, min_size=1, unique=True))
    send_at = draw(st.none() | wall_clocks | instants)
    return Message("Sale", tuple(recipients), send_at=send_at, tags=draw(tags))


def shown_on_arrival(message: Message, zone: ZoneInfo, now: datetime) -> datetime:
    """Return what a clock in ``zone`` shows when the gateway sends the message, as the API says it does."""
    if message.send_at is None:
        due = now
    elif message.send_at.tzinfo is None:
        due = message.send_at.replace(tzinfo=zone).astimezone(UTC)
    else:
        due = message.send_at
    return max(now, due).astimezone(zone)


@pytest.mark.parametrize("recipient", [TWO_ZONES, AUSTRALIA, LONDON, NEW_ZEALAND, ALMATY])
def test_examples_have_zones(recipient: str) -> None:
    """The numbers of the law's examples tell where they may be, so that it says something."""
    assert 1 < len(zones_of(recipient, {"*": "any"}))


@given(messages(), instants, nights, choices)
@example(  # The night ends within the hour that London's clocks show twice.
    Message("Sale", (LONDON,)), datetime(2026, 10, 25, 1, 10, tzinfo=UTC), Night(time(22), time(1, 30)), {}
)
@example(  # The night ends within the hour that London's clocks never show.
    Message("Sale", (LONDON,)), datetime(2026, 3, 29, 0, 50, tzinfo=UTC), Night(time(22), time(1, 30)), {}
)
@example(  # The day is shorter than the hour that is left out.
    Message("Sale", (LONDON,)), datetime(2026, 3, 29, 0, 50, tzinfo=UTC), Night(time(2), time(1, 30)), {}
)
def test_nobody_is_woken(message: Message, now: datetime, night: Night, chosen: dict[str, str]) -> None:
    """No message without the tag urgent arrives while the recipient's clock shows night."""
    woken = [
        (recipient, zone)
        for part in QuietHours(night, chosen, clock=lambda: now).apply([message])
        for recipient in part.recipients
        for zone in zones_of(recipient, chosen)
        if "urgent" not in part.tags and shown_on_arrival(part, ZoneInfo(zone), now) in night
    ]
    assert [] == woken


@given(st.lists(messages(), max_size=2), instants, nights, choices)
def test_nobody_is_lost_or_written_to_twice(
    given_messages: list[Message], now: datetime, night: Night, chosen: dict[str, str]
) -> None:
    """Each recipient of each message is in exactly one of the parts, and only the schedule differs."""
    hours = QuietHours(night, chosen, clock=lambda: now)
    for message in given_messages:
        parts = hours.apply([message])
        assert sorted(message.recipients) == sorted(recipient for part in parts for recipient in part.recipients)
        assert [message] * len(parts) == [
            replace(part, recipients=message.recipients, send_at=message.send_at) for part in parts
        ]
        assert len(parts) == len({part.send_at for part in parts})


@given(messages(), instants, nights, choices)
def test_nothing_is_put_off_without_need(message: Message, now: datetime, night: Night, chosen: dict[str, str]) -> None:
    """A recipient whose message is put off would have been woken, by one of the clocks."""
    for part in QuietHours(night, chosen, clock=lambda: now).apply([message]):
        for recipient in part.recipients if part.send_at != message.send_at else ():
            clocks = [shown_on_arrival(message, ZoneInfo(zone), now) for zone in zones_of(recipient, chosen)]
            assert any(shown in night for shown in clocks)


@given(messages(), instants, nights, choices)
def test_urgent_is_untouched(message: Message, now: datetime, night: Night, chosen: dict[str, str]) -> None:
    """An urgent message comes back as it is."""
    urgent = replace(message, tags=message.tags | {"urgent"})
    assert [urgent] == QuietHours(night, chosen, clock=lambda: now).apply([urgent])


@given(messages(), instants, nights, choices)
def test_what_is_put_off_stays_so(message: Message, now: datetime, night: Night, chosen: dict[str, str]) -> None:
    """Applied once more, as by a second plugin with the same settings, it changes nothing."""
    hours = QuietHours(night, chosen, clock=lambda: now)
    once = hours.apply([message])
    assert once == hours.apply(once)
