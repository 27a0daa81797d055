"""What becomes of a row, as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from devinotify.models import ONE_TIME, Message
from devinotify.outbox import Row, RowState, StoredMessage
from devinotify.outbox.rules import minutes_left
from tests.tables import table

START = 1_800_000_000.0
STORED = StoredMessage(
    1,
    Message("hi", ("+79161234567",)),
    created_at=datetime.fromtimestamp(START, UTC),
    key=None,
    original_time=None,
    patience=None,
    watch=True,
    fallback=False,
    meta={},
)


@table(
    "deadline, own, expected",
    [
        (None, False, None),
        (300.0, False, 4),
        (60.0 + 59.9, False, 1),
        (60.0 + 0.1, False, 0),
        (0.0, False, -1),
        (200_000.0, False, 3333),
        (300.0, True, None),
    ],
)
def test_minutes_left(deadline: float | None, own: bool, expected: int | None) -> None:
    """Whole minutes from now, ten seconds after it was stored, to a deadline that somebody has asked for."""
    until = None if deadline is None else START + deadline
    row = Row(1, 1, "+79161234567", "sms", RowState.CLAIMED, deadline=until, own_deadline=own)
    assert expected == minutes_left(row, STORED, START + 10)


def test_a_one_time_code_has_any_deadline() -> None:
    """Nobody wants it after the one that the outbox has set either."""
    code = replace(STORED, message=Message("12", ("+79161234567",), tags=frozenset({ONE_TIME})))
    row = Row(1, 1, "+79161234567", "sms", RowState.CLAIMED, deadline=START + 310, own_deadline=True)
    assert 5 == minutes_left(row, code, START + 10)
