"""Ids that no row has, and limits beyond all rows: however high they are, a store is asked for what it can have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import InvalidInput, Verdict
from devinotify.models import DeliveryStatus, Outcome
from devinotify.outbox import Outbox, RowState
from tests.outbox.support import NUMBER, claim, message, not_sent, numbers, state
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.outbox.conftest import Places

BEYOND = [0, -1, 2**63 - 1, 2**63, -(2**63) - 1, 10**30]
"""What no row has for its id, some of it more than a store can be asked for."""


@table("number", BEYOND)
def test_what_is_asked_of_an_id_that_no_row_has(places: Places, number: int) -> None:
    """There is none, however many digits it has."""
    outbox = places().open()
    (row,) = outbox.enqueue(message())
    assert (None, [row], [], None) == (
        outbox.get(number),
        outbox.get_all([number, row.id]),
        outbox.steps(number),
        outbox.message(number),
    )
    assert ([], []) == (list(outbox.rows(message_id=number)), outbox.latest(message_id=number))
    below, above = ([row], []) if number > row.id else ([], [row])
    assert (below, above) == (outbox.latest(before=number), list(outbox.rows(after=number)))


@table("number", BEYOND)
def test_what_is_done_to_an_id_that_no_row_has(places: Places, number: int) -> None:
    """It is refused as one that is not there, or passed over, and nothing is changed."""
    outbox = places().open()
    (row,) = outbox.enqueue(message())
    outcome = Outcome(NUMBER, Verdict.ACCEPTED, "sms")
    of_rows: list[Callable[[], object]] = [
        lambda: outbox.retry([row, number]),
        lambda: outbox.go_on([number], "viber"),
        lambda: outbox.step_later([number], "viber", not_before=datetime.now(UTC)),
        lambda: outbox.record_state(number, state(DeliveryStatus.DELIVERED)),
        lambda: outbox.conclude(number, outcome),
    ]
    for work in of_rows:
        with pytest.raises(InvalidInput, match=f"there is no row {number}$"):
            work()
    of_messages: list[Callable[[], object]] = [
        lambda: outbox.extend(number, [NUMBER]),
        lambda: outbox.extend(number, [NUMBER], channel="sms"),
        lambda: outbox.refuse(number, [(NUMBER, not_sent())]),
    ]
    for work in of_messages:
        with pytest.raises(InvalidInput, match=f"there is no message {number}$"):
            work()
    outbox.close_watch([number])
    assert (0, 0, 0, None) == (
        outbox.forget([number]),
        outbox.forget_all([RowState.QUEUED], message_id=number),
        outbox.retry_all(RowState.REJECTED, message_id=number),
        outbox.claim(rows=[number]),
    )
    assert [row] == list(outbox)
    batch = outbox.claim(rows=[number, row])
    assert batch is not None
    assert (row.id,) == tuple(each.id for each in batch.rows)
    begun = outbox.begin(message(text="another"), orders={NUMBER: number})
    assert begun is not None
    assert {None} == {each.story for each in begun.rows}


def test_all_rows_may_be_asked_for(outbox: Outbox) -> None:
    """By a limit of more than there can be."""
    rows = outbox.enqueue(message(*numbers(3)))
    assert rows[::-1] == outbox.latest(limit=2**64)
    assert [] == outbox.watch_due(2**64)
    assert [row.id for row in rows] == [row.id for row in claim(outbox, 2**64).rows]
