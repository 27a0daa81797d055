"""An order and the steps of its fallback: marked as what they are, and one message wherever messages are counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import Forbidden, InvalidInput
from devinotify.models import Message
from devinotify.outbox import Role, RowState
from tests.outbox.support import NUMBER, START, Clock, claim, failed

if TYPE_CHECKING:
    from devinotify.models import Outcome
    from devinotify.outbox import Batch, Outbox

OTHER = "+79161234568"
ORDER, OTHER_ORDER, FIRST, SECOND = 1, 2, 3, 4
"""The rows that ``begun`` leaves: two orders, one of them with both its steps."""


def rejected(batch: Batch) -> list[Outcome]:
    """Return the outcomes of a batch that was refused."""
    return failed(batch, Forbidden("no", code=7))


@pytest.fixture
def begun(outbox: Outbox) -> Outbox:
    """Give an outbox with two orders, of which one has taken its first step, was refused, and goes on later."""
    outbox.enqueue(Message("hi", (NUMBER, OTHER), channel="sms-viber"), watch=False)
    claim(outbox)
    batch = outbox.begin(
        Message("hi", (NUMBER,), channel="sms-viber"), channel="sms", fallback=True, orders={NUMBER: ORDER}
    )
    assert batch is not None
    outbox.settle(batch, rejected(batch))
    later = datetime.fromtimestamp(START, UTC) + timedelta(hours=1)
    assert 1 == outbox.step_later([FIRST], "viber", not_before=later)
    return outbox


def test_each_row_says_what_it_is(begun: Outbox) -> None:
    """The order is told apart from what it has not ordered yet, and its steps name it."""
    expected = [(Role.ORDER, ORDER), (Role.MESSAGE, None), (Role.STEP, ORDER), (Role.STEP, ORDER)]
    assert expected == [(row.role, row.story) for row in begun]


def test_it_is_exported(begun: Outbox) -> None:
    """With the order beside each of its steps, for whoever counts messages."""
    expected = [("order", None), ("message", None), ("step", ORDER), ("step", ORDER)]
    assert expected == [(each["role"], each["order"]) for each in begun.export()]


def test_a_batch_says_it_too(begun: Outbox, clock: Clock) -> None:
    """What is claimed later is still the order's step."""
    clock.now += 3601
    assert [(Role.STEP, ORDER, FIRST)] == [(row.role, row.story, row.parent) for row in claim(begun).rows]


def test_a_message_is_counted_once(begun: Outbox) -> None:
    """Two messages were asked for; the steps stand apart, those that wait among them, and make up the total."""
    counts = begun.counts()
    assert (2, 2, 1, 4, 4) == (counts.claimed, counts.steps, counts.queued_steps, counts.total, counts.offered)
    assert [2, 0] == [sum(number for _, number in counts), counts.queued]


def test_steps_are_counted_by_their_channel(begun: Outbox) -> None:
    """Who asks for a channel asks for its rows, whatever they are of."""
    sms, viber = begun.counts(channel="sms"), begun.counts(channel="viber")
    assert (1, 1, 0, 1) == (sms.rejected, viber.queued, viber.steps, viber.total)


def test_a_message_is_listed_once(begun: Outbox) -> None:
    """Without the steps, and with them."""
    assert [[ORDER, OTHER_ORDER], [1, 2, 3, 4]] == [
        [row.id for row in begun.rows(steps=some)] for some in (False, True)
    ]


def test_the_steps_of_an_order_are_its_story(begun: Outbox) -> None:
    """Asked for the order, the steps are told with it; asked for a step, what follows it."""
    found = [[row.id for row in begun.steps(number)] for number in (ORDER, OTHER_ORDER, FIRST, SECOND)]
    assert [[ORDER, FIRST, SECOND], [OTHER_ORDER], [FIRST, SECOND], [SECOND]] == found


def test_a_fallback_without_an_order_is_as_it_was(outbox: Outbox) -> None:
    """Its first step is the message, and what follows is a step that stands for itself."""
    outbox.enqueue(Message("hi", (NUMBER,), channel="sms"), fallback=True)
    batch = claim(outbox)
    outbox.settle(batch, rejected(batch))
    assert outbox.go_on(batch.rows, "viber") is not None
    roles = [(row.role, row.story) for row in outbox]
    assert ([(Role.MESSAGE, None), (Role.STEP, None)], 0) == (roles, outbox.counts().steps)


def test_an_order_is_forgotten_with_its_steps(outbox: Outbox) -> None:
    """Nothing is left of it that would count as a message of its own, not while a step of it is being sent."""
    outbox.enqueue(Message("hi", (NUMBER,), channel="sms-viber"), watch=False)
    order = claim(outbox)
    step = outbox.begin(Message("hi", (NUMBER,), channel="sms-viber"), channel="sms", orders={NUMBER: ORDER})
    assert step is not None
    outbox.settle(order, rejected(order))
    with pytest.raises(InvalidInput, match="being sent"):
        outbox.forget([ORDER])
    outbox.settle(step, rejected(step))
    assert (2, 0) == (outbox.forget([ORDER]), len(outbox))


def test_what_is_forgotten_by_its_state_leaves_no_open_step(outbox: Outbox) -> None:
    """An order stays as long as a step of it waits, and takes its steps along when none does."""
    outbox.enqueue(Message("hi", (NUMBER,), channel="sms-viber"), watch=False)
    order = claim(outbox)
    step = outbox.begin(
        Message("hi", (NUMBER,), channel="sms-viber"), channel="sms", fallback=True, orders={NUMBER: ORDER}
    )
    assert step is not None
    outbox.settle(step, rejected(step))
    outbox.settle(order, rejected(order))
    assert (0, 2) == (outbox.forget_all(), len(outbox))
    outbox.close_watch(step.rows)
    assert (2, 0, 2) == (outbox.forget_all(), len(outbox), outbox.counts().forgotten)


def test_a_step_whose_order_is_gone_is_forgotten_alone(outbox: Outbox) -> None:
    """Nobody keeps it: its order made room."""
    batch = outbox.begin(Message("hi", (NUMBER,), channel="sms-viber"), channel="sms", orders={NUMBER: 99})
    assert batch is not None
    outbox.settle(batch, rejected(batch))
    assert (None, 1) == (batch.rows[0].story, outbox.forget_all())
    assert RowState.REJECTED not in [row.state for row in outbox]
