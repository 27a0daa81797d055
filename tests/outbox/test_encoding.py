"""How values go into the file and come out of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from devinotify.models import Message
from devinotify.outbox import Row, RowState
from devinotify.outbox.encoding import (
    CHANGED,
    COLUMNS,
    decode_message,
    decode_row,
    encode_message,
    encode_recipient,
    encode_row,
)
from devinotify.outbox.records import NewMessage
from tests.tables import table


def back(message: Message) -> Message:
    """Return what comes back of a message."""
    return decode_message((1, *encode_message(NewMessage(message), 0.0, None))).message


def test_a_row_is_written_back_whole() -> None:
    """All of its columns but those that never change, each at its place."""
    fixed = {"id", "message", "recipient", "channel", "parent", "story"}
    assert set(CHANGED) | fixed == set(COLUMNS.split(", "))
    row = Row(1, 2, "+79161234567", "sms", RowState.ACCEPTED, 5, 6, 7, 8, ("a", "b"), 2, 11.0, "viber")
    row = row._replace(
        resends=True, next_poll_at=1.0, watch_until=2.0, patience_until=3.0, parent=4, stepped=True, story=9
    )
    written = dict(zip(CHANGED, encode_row(row), strict=False))
    kept = {"id": 1, "message": 2, "recipient": 79161234567, "channel": "sms", "parent": 4, "story": 9}
    assert row == decode_row([{**written, **kept}[name] for name in COLUMNS.split(", ")])


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_a_number_is_stored_as_an_integer(number: str) -> None:
    """E.164 comes back from the integer that it is stored as."""
    stored = encode_recipient(number)
    assert (int, number) == (type(stored), f"+{stored}")


@table("raw", ["", "+", "not a number", "89161234567", "+0123456789", "+123456", "+" + "1" * 16, "+٧٩١٦١٢٣٤٥٦٧"])
def test_what_is_no_number_is_stored_as_it_is(raw: str) -> None:
    """Anything but E.164 is kept to the letter."""
    assert raw == encode_recipient(raw)


@given(
    st.builds(
        Message,
        text=st.text(),
        recipients=st.just(()),
        title=st.none() | st.text(),
        sender=st.none() | st.text(),
        channel=st.sampled_from(["sms", "viber", "sms-viber"]),
        send_at=st.none()
        | st.datetimes()
        | st.datetimes(timezones=st.just(UTC))
        | st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(timezone(timedelta(hours=3)))),  # noqa: DTZ001 - bounds are naive
        validity=st.none() | st.integers(0, 2000),
        tags=st.frozensets(st.text(max_size=5)),
    )
)
def test_a_message_survives_its_storage(message: Message) -> None:
    """A stored message is the same: an aware time as the same instant, a naive one as the same wall clock."""
    assert message == back(message)


def test_what_belongs_to_a_message_survives_its_storage() -> None:
    """Key, original time, patience, the flags and the caller's own data come back."""
    moment = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    new = NewMessage(
        Message("a", ()), "k", moment.timestamp(), patience=5.0, watch=False, fallback=True, meta={"a": [1]}
    )
    *values, _, key, rest = encode_message(new, 10.0, 3)
    stored = decode_message((7, *values, "me@host/rest", key, rest))  # a name is read in place of its number
    expected = (7, "k", moment, 5.0, False, True, {"a": [1]}, datetime.fromtimestamp(10, UTC), "me@host/rest")
    assert expected == (
        stored.id,
        stored.key,
        stored.original_time,
        stored.patience,
        stored.watch,
        stored.fallback,
        stored.meta,
        stored.created_at,
        stored.account,
    )
