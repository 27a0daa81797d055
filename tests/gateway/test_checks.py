"""What is refused before anything is sent: the documented limits, at both of their sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.exceptions import InvalidInput, InvalidSchedule, InvalidSender, InvalidText
from devinotify.gateway.checks import (
    SMS,
    VIBER,
    Constraints,
    check_incoming_period,
    check_instant,
    check_local_time,
    check_message_id,
    check_optionals,
    check_send_at,
    check_statistics_period,
)
from tests.strategies import words
from tests.tables import table

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
MOSCOW = timezone(timedelta(hours=3))
aware = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC) | st.just(MOSCOW))  # noqa: DTZ001 - bounds are naive


@table("sender", ["DEVINO", "A", "My Shop!", "a" * 11, "1", "7" * 15, "79161234567", "24-7"])
def test_an_sms_sender_within_the_rule_is_taken(sender: str) -> None:
    """At most 11 Latin characters or at most 15 digits."""
    assert sender == SMS.check_sender(sender)


@table("sender", ["", " ", "a" * 12, "7" * 16, "7" * 12 + "a", "Девино", "Devinö", "a\n", "a\tb", None, 79])
def test_an_sms_sender_beyond_the_rule_is_refused(sender: object) -> None:
    """Anything else is refused with the rule."""
    with pytest.raises(InvalidSender, match="at most 11 Latin characters, or at most 15 digits"):
        SMS.check_sender(sender)


@table("sender", ["DEVINO", "a" * 11, "1", "79161234567"])
def test_a_viber_sender_within_the_rule_is_taken(sender: str) -> None:
    """At most 11 Latin letters or digits."""
    assert sender == VIBER.check_sender(sender)


@table("sender", ["", "a" * 12, "7" * 12, "My Shop", "a-b", "Девино", "１", "a\n", None])
def test_a_viber_sender_beyond_the_rule_is_refused(sender: object) -> None:
    """Anything else is refused with the rule."""
    with pytest.raises(InvalidSender, match="at most 11 Latin letters or digits"):
        VIBER.check_sender(sender)


@table("constraints, most", [(SMS, 2000), (VIBER, 1000)])
@table("character", ["a", "ж", "😀"])
def test_a_text_may_be_as_long_as_documented(constraints: Constraints, most: int, character: str) -> None:
    """The longest text is taken, whatever it is written in."""
    assert character * most == constraints.check_text(character * most)


@table("constraints, most", [(SMS, 2000), (VIBER, 1000)])
@table("over", [1, 500])
def test_a_longer_text_is_refused(constraints: Constraints, most: int, over: int) -> None:
    """The error says how much is too much."""
    with pytest.raises(InvalidText, match=f"{most + over} characters, {over} more than the {most}"):
        constraints.check_text("a" * (most + over))


@table("text", ["", " ", "\n\t", "\xa0"])
@table("constraints", [SMS, VIBER])
def test_an_empty_text_is_refused(constraints: Constraints, text: str) -> None:
    """A text of nothing but space is empty."""
    with pytest.raises(InvalidText, match="empty"):
        constraints.check_text(text)


@table("text", [None, b"text", 5])
def test_what_is_not_a_text_is_refused(text: object) -> None:
    """Bytes and numbers are not texts."""
    with pytest.raises(InvalidText, match="must be a str"):
        SMS.check_text(text)


@table("text", ["ab\ud83dc", "\udc00", "\ude00\ud83d"])
def test_a_lone_surrogate_is_refused(text: str) -> None:
    """Half of a character cannot be sent; its place is named."""
    position = next(index for index, character in enumerate(text) if "\ud800" <= character <= "\udfff")
    with pytest.raises(InvalidText, match=f"lone surrogate at position {position}") as caught:
        SMS.check_text(text)
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)  # the encoding error holds the text


@given(text=words)
def test_no_refusal_quotes_the_text(text: str) -> None:
    """The error on a text that is too long or broken holds nothing of it."""
    for bad in (text * 300, text + "\ud800"):
        with pytest.raises(InvalidText) as caught:
            SMS.check_text(bad)
        assert text not in f"{caught.value!r}{vars(caught.value)}"


@table(
    "constraints, minutes",
    [(SMS, None), (SMS, 0), (SMS, 1), (SMS, 10080), (VIBER, None), (VIBER, 1), (VIBER, 1440)],
)
def test_a_validity_within_the_limits_is_taken(constraints: Constraints, minutes: int | None) -> None:
    """Minutes within the documented limits pass, and so does none."""
    assert minutes == constraints.check_validity(minutes)


@table(
    "constraints, minutes",
    [
        *((SMS, -1), (SMS, 10081), (SMS, 2**31 - 1), (SMS, True), (SMS, 1.5), (SMS, "60"), (SMS, timedelta(minutes=5))),
        *((VIBER, 0), (VIBER, 1441), (VIBER, 86400), (VIBER, False), (VIBER, -5)),
    ],
)
def test_a_validity_beyond_the_limits_is_refused(constraints: Constraints, minutes: object) -> None:
    """Other minutes, and what is not a whole number, are refused."""
    with pytest.raises(InvalidSchedule, match="validity"):
        constraints.check_validity(minutes)


@given(value=aware)
def test_an_instant_comes_back_in_utc(value: datetime) -> None:
    """An aware datetime is the same instant in UTC."""
    checked = check_instant(value, "send_at")
    assert (value, timedelta(0)) == (checked, checked.utcoffset())


@table(
    "value, words",
    [
        (datetime(2026, 5, 4), "send_at must be an aware datetime"),  # noqa: DTZ001 - naive is the point
        ("2026-05-04", "send_at must be a datetime"),
        (NOW.date(), "send_at must be a datetime"),
        (None, "send_at must be a datetime"),
        (1_700_000_000, "send_at must be a datetime"),
        (datetime.min.replace(tzinfo=MOSCOW), "send_at is out of range"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-3))), "send_at is out of range"),
    ],
)
def test_what_is_no_instant_is_refused(value: object, words: str) -> None:
    """A naive datetime could mean any zone, so it is refused; the error names the argument."""
    with pytest.raises(InvalidSchedule, match=words):
        check_instant(value, "send_at")


@given(value=st.datetimes())
def test_a_wall_clock_time_comes_back_as_it_is(value: datetime) -> None:
    """A naive datetime is what the recipient's clock shows."""
    assert value == check_local_time(value, datetime.min.replace(tzinfo=UTC) + timedelta(days=1))


@table("seconds", [-30, -1, 0, 1, 86400])
def test_a_time_of_sending_is_now_or_to_come(seconds: int) -> None:
    """Half a minute ago is still now, since clocks differ and a call takes its time."""
    at = NOW + timedelta(seconds=seconds)
    assert (at, timedelta(0)) == (check_send_at(at.astimezone(MOSCOW), NOW), check_send_at(at, NOW).utcoffset())


@table("back", [timedelta(seconds=31), timedelta(hours=1), timedelta(days=2000)])
def test_a_time_of_sending_that_has_passed_is_refused(back: timedelta) -> None:
    """It would go out at once, which nobody asked for."""
    with pytest.raises(InvalidSchedule, match="send_at has passed"):
        check_send_at(NOW - back, NOW)


@table("hours, taken", [(0, True), (-12, True), (-12.1, False), (-24, False), (5, True)])
def test_a_wall_clock_time_is_past_when_the_last_clock_has_shown_it(hours: float, taken: bool) -> None:
    """The recipient's zone is not known here: what some clock has still to show may be to come."""
    local = NOW.replace(tzinfo=None) + timedelta(hours=hours)
    if taken:
        assert local == check_local_time(local, NOW)
    else:
        with pytest.raises(InvalidSchedule, match="passed everywhere"):
            check_local_time(local, NOW)


@table(
    "value, words",
    [(NOW, "must be a naive datetime"), ("2026-05-04T10:00", "must be a datetime"), (None, "datetime")],
)
def test_what_is_no_wall_clock_time_is_refused(value: object, words: str) -> None:
    """An aware datetime is an instant, and the recipient's clock is asked for."""
    with pytest.raises(InvalidSchedule, match=words):
        check_local_time(value, NOW)


@table("back", [timedelta(seconds=1), timedelta(days=1), timedelta(days=365)])
def test_incoming_messages_are_kept_a_year(back: timedelta) -> None:
    """A period that begins within the year is taken."""
    since = (NOW - back).astimezone(MOSCOW)
    assert (since, NOW) == check_incoming_period(since, NOW, NOW)


@table(
    "since, until, words",
    [
        (NOW, NOW, "until must be later than since"),
        (NOW, NOW - timedelta(seconds=1), "until must be later than since"),
        (NOW - timedelta(days=367), NOW, "more than a year"),
        (datetime(2026, 5, 4), NOW, "since must be an aware"),  # noqa: DTZ001 - naive is the point
        (NOW, None, "until must be a datetime"),
    ],
)
def test_a_period_of_incoming_messages_has_its_limits(since: object, until: object, words: str) -> None:
    """A reversed, empty or too early period is refused."""
    with pytest.raises(InvalidSchedule, match=words):
        check_incoming_period(since, until, NOW)


MOMENTS = st.integers(0, 2_000_000)
"""Microseconds."""


@given(start=MOMENTS, length=st.integers(1, 2_000_000))
def test_a_period_within_a_second_is_a_second(start: int, length: int) -> None:
    """Requests are written in whole seconds: those that the period touches are asked for, one at least."""
    since = NOW - timedelta(hours=1) + timedelta(microseconds=start)
    until = since + timedelta(microseconds=length)
    for first, last in (check_incoming_period(since, until, NOW), check_statistics_period(since, until)):
        assert (first.microsecond, last.microsecond) == (0, 0)
        assert first <= since < until <= last
        assert timedelta(seconds=1) <= last - first < until - since + timedelta(seconds=2)


@table("start", [0, 1, 999_999])
def test_whole_seconds_are_not_more_than_ninety_days(start: int) -> None:
    """A period of exactly 90 days that begins within a second is no longer for being rounded."""
    since = NOW + timedelta(microseconds=start)
    first, last = check_statistics_period(since, since + timedelta(days=90))
    assert timedelta(days=90) == last - first


@table("length", [timedelta(0), timedelta(days=1), timedelta(days=90)])
def test_statistics_reach_over_ninety_days(length: timedelta) -> None:
    """A period of up to 90 days is taken."""
    assert (NOW, NOW + length) == check_statistics_period(NOW, (NOW + length).astimezone(MOSCOW))


@table(
    "start, end, words",
    [
        (NOW, NOW - timedelta(seconds=1), "end must not be earlier than start"),
        (NOW, NOW + timedelta(days=90, seconds=1), "longer than 90 days"),
        (datetime(2026, 5, 4), NOW, "start must be an aware"),  # noqa: DTZ001 - naive is the point
        (NOW, "today", "end must be a datetime"),
    ],
)
def test_a_period_of_statistics_has_its_limits(start: object, end: object, words: str) -> None:
    """A reversed or longer period is refused."""
    with pytest.raises(InvalidSchedule, match=words):
        check_statistics_period(start, end)


@table("message_id", ["579700854169272358", "SAR-W+84333", "GW0261BBD6B3"])
def test_a_message_id_is_any_text(message_id: str) -> None:
    """An id is taken as the gateway gave it."""
    assert message_id == check_message_id(message_id)


@table("message_id", ["", " ", None, 579700854169272358])
def test_an_empty_message_id_is_refused(message_id: object) -> None:
    """Nothing is asked about a message without an id."""
    with pytest.raises(InvalidInput, match="message id"):
        check_message_id(message_id)


@table("optionals", [["a", "b"], ("a", "b")])
def test_there_is_one_optional_for_each_recipient(optionals: list[str]) -> None:
    """As many free parameters as recipients are taken."""
    assert ["a", "b"] == list(check_optionals(optionals, 2))


@table("optionals, words", [([], "0 optionals for 2"), (["a"] * 3, "3 optionals"), ("ab", "list")])
def test_another_number_of_optionals_is_refused(optionals: list[str], words: str) -> None:
    """More, fewer, or one str in place of a list are refused."""
    with pytest.raises(InvalidInput, match=words):
        check_optionals(optionals, 2)


@table(
    "refuse",
    [
        lambda: SMS.check_sender(""),
        lambda: SMS.check_text(""),
        lambda: VIBER.check_validity(0),
        lambda: check_local_time(NOW, NOW),
        lambda: check_send_at(NOW - timedelta(days=1), NOW),
        lambda: check_message_id(""),
        lambda: check_optionals([], 1),
    ],
)
def test_what_is_refused_here_was_not_sent(refuse: Callable[[], object]) -> None:
    """Our own refusals have the verdict ``not_sent`` and are not worth repeating."""
    with pytest.raises(InvalidInput) as caught:
        refuse()
    assert (caught.value.verdict, caught.value.retryable) == ("not_sent", False)
