"""What becomes of a row, as values."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devinotify.models import Message
from devinotify.outbox import Row, RowState, StoredMessage
from devinotify.outbox.rules import minutes_left

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


@pytest.mark.parametrize(
    ("deadline", "retry_for", "expected"),
    [
        (None, 86400.0, None),
        (300.0, 86400.0, 4),
        (60.0 + 59.9, 86400.0, 1),
        (60.0 + 0.1, 86400.0, 0),
        (0.0, 86400.0, -1),
        (86399.0, 86400.0, 1439),
        (86400.0, 86400.0, None),  # as the outbox sets it after a try that failed
        (86400.0, None, 1439),  # it sets none
    ],
)
def test_minutes_left(deadline: float | None, retry_for: float | None, expected: int | None) -> None:
    """Whole minutes from now, ten seconds after it was stored, to a deadline that somebody has asked for."""
    until = None if deadline is None else START + deadline
    row = Row(1, 1, "+79161234567", "sms", RowState.CLAIMED, deadline=until)
    assert expected == minutes_left(row, STORED, START + 10, retry_for)
