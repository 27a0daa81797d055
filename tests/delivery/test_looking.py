"""Looks at deliveries beside the sending: how many at a time, and what becomes of them in trouble."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Notifier, Outbox, make_plugin_manager
from devinotify.channels.batch import accepted
from devinotify.delivery.looking import MOST_FAILURES, Looks
from devinotify.exceptions import NotSent
from devinotify.models import DeliveryStatus, Message, Receipt, SmsState
from devinotify.outbox import RowState
from devinotify.outbox.memory import MemoryStore
from tests.plain_channel import PlainChannel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.models import Outcome

NUMBERS = tuple(f"+7916000{number:04}" for number in range(10))
URL = "devino://login:password@SENDER?gateway=http://127.0.0.1:9/rest"


class Pager(PlainChannel):
    """A channel whose looks fail as long as they are told to."""

    name = "pager"

    def __init__(self) -> None:
        self.looks: list[str] = []
        self.fails: list[bool] = []

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Accept all."""
        return [accepted(self.name, each, Receipt(each, ("1",), 1, self.name)) for each in message.recipients]

    def state(self, receipt: Receipt, client: object) -> SmsState:
        """Find it delivered, or fail."""
        self.looks.append(receipt.recipient)
        if self.fails and self.fails.pop(0):
            raise NotSent("out of reach")
        return SmsState(DeliveryStatus.DELIVERED, 0)


@pytest.fixture
def pager() -> Pager:
    """Give a channel."""
    return Pager()


@pytest.fixture
def outbox() -> Iterator[Outbox]:
    """Give an outbox with ten accepted messages, all due for a look."""
    with Outbox(MemoryStore(), poll=0.0) as made:
        made.enqueue(Message("hi", NUMBERS, channel="pager"))
        batch = made.claim()
        assert batch is not None
        made.settle(batch, Pager().send(batch.message, None))
        yield made


@pytest.fixture
def notifier(pager: Pager) -> Iterator[Notifier]:
    """Give a notifier with the channel."""
    with Notifier(URL, plugins=make_plugin_manager(pager, discover=False)) as made:
        yield made


def looks(notifier: Notifier, outbox: Outbox, **options: Any) -> Looks:  # noqa: ANN401 - those of Looks
    """Return what looks, by a clock for which every pause is over at once."""
    hours = itertools.count(0.0, 3600.0)
    return Looks(notifier.following(outbox), rate=None, clock=lambda: next(hours), **options)


def test_all_that_is_due_is_looked_at_some_at_a_time(notifier: Notifier, outbox: Outbox, pager: Pager) -> None:
    """A turn takes some, and says whether there were any."""
    some = looks(notifier, outbox, some=6)
    assert ([True, True, False], sorted(NUMBERS)) == ([some.turn() for _ in range(3)], sorted(pager.looks))
    assert {RowState.DELIVERED} == {row.state for row in outbox}


def test_once_stopped_nothing_is_looked_at(notifier: Notifier, outbox: Outbox, pager: Pager) -> None:
    """What is due stays so, for whoever comes next."""
    stopped = looks(notifier, outbox)
    stopped.stop()
    assert (False, [], 10) == (stopped.turn(), pager.looks, len(outbox.watch_due()))


def test_stopped_meanwhile_it_begins_no_other(
    notifier: Notifier, outbox: Outbox, pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look under way is the last."""
    some = looks(notifier, outbox)
    state = pager.state

    def stop(receipt: Receipt, client: object) -> SmsState:
        some.stop()
        return state(receipt, client)

    monkeypatch.setattr(pager, "state", stop)
    assert (True, 1) == (some.turn(), len(pager.looks))


def test_stopped_before_its_look_a_row_is_put_off(
    notifier: Notifier, outbox: Outbox, pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was let go already, and the others with it are told of as left for later."""
    put_off: list[str] = []
    some = looks(notifier, outbox, put_off=lambda rows: put_off.extend(row.recipient for row in rows))
    enter = some._pace.enter

    def enter_and_stop(size: int) -> bool:
        entered = enter(size)
        some.stop()
        return entered

    monkeypatch.setattr(some._pace, "enter", enter_and_stop)
    assert (True, [], sorted(NUMBERS)) == (some.turn(), pager.looks, sorted(put_off))


def test_a_gateway_that_is_away_ends_the_turn(notifier: Notifier, outbox: Outbox, pager: Pager) -> None:
    """After some that failed one after the other the rest is put off, and the next turn looks again."""
    pager.fails = [True] * MOST_FAILURES
    some = looks(notifier, outbox)
    assert (True, MOST_FAILURES) == (some.turn(), len(pager.looks))
    outbox.enqueue(Message("hi", NUMBERS[:1], channel="pager"))
    batch = outbox.claim()
    assert batch is not None
    outbox.settle(batch, pager.send(batch.message, None))
    assert (True, MOST_FAILURES + 1) == (some.turn(), len(pager.looks))


def test_the_impatient_end_there(notifier: Notifier, outbox: Outbox, pager: Pager) -> None:
    """A run that is to end does not wait for a gateway that is away."""
    pager.fails = [True] * MOST_FAILURES
    some = looks(notifier, outbox, patient=False)
    assert [True, False] == [some.turn(), some.turn()]
    assert MOST_FAILURES == len(pager.looks)


def test_a_look_that_goes_well_takes_the_failures_back(notifier: Notifier, outbox: Outbox, pager: Pager) -> None:
    """One that fails now and then holds nobody up."""
    pager.fails = [True, True, False, True, True, False]
    assert (True, 10) == (looks(notifier, outbox).turn(), len(pager.looks))


def test_connections_become_fewer_in_trouble(notifier: Notifier, outbox: Outbox, pager: Pager) -> None:
    """As with sending."""
    pager.fails = [True]
    some = looks(notifier, outbox, some=1)
    before = some._pace.allowed
    some.turn()
    assert (2, 1) == (before, some._pace.allowed)
