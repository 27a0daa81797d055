"""What was claimed leaves only as long as it is this process's to send."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, cast

import pytest

from devinotify import Notifier, hookimpl, make_plugin_manager
from devinotify import url as urls
from devinotify.channels.batch import accepted, failed
from devinotify.channels.protocol import check_channel
from devinotify.delivery.fallback import Fallback
from devinotify.delivery.holding import OLDEST, Holding
from devinotify.delivery.storage import Storage
from devinotify.delivery.worker import Worker
from devinotify.exceptions import DevinotifyError, NotSent, Verdict
from devinotify.gateway.departure import departing, require_departure
from devinotify.models import Message, Receipt
from devinotify.outbox import Batch, Outbox, RowState
from devinotify.outbox.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.gateway.client import Client
    from devinotify.models import Outcome, SmsState

NUMBER = "+79161234567"
URL = "devino://login:password@SENDER?gateway=http://127.0.0.1:9/rest"


@pytest.fixture
def store() -> MemoryStore:
    """Give a store that others may open, too."""
    return MemoryStore()


@pytest.fixture
def outbox(store: MemoryStore) -> Iterator[Outbox]:
    """Give this process's outbox."""
    with Outbox(store) as made:
        yield made


def give_up(store: MemoryStore) -> Outbox:
    """Take the process for dead, as another that looks after the same outbox does; return that one's."""
    store._data.alive.clear()
    other = Outbox(store.another())
    assert 1 == other.recover()
    return other


def claimed(outbox: Outbox) -> Batch:
    """Return a claimed message."""
    outbox.enqueue(Message("hi", (NUMBER,), channel="sms"))
    batch = outbox.claim()
    assert batch is not None
    return batch


def refusal(holding: Holding) -> DevinotifyError | None:
    """Return why the batch may not leave, or nothing."""
    try:
        holding()
    except NotSent as error:
        return error
    return None


def test_a_claim_knows_when_it_was_made(outbox: Outbox) -> None:
    """By the monotonic clock, so that nobody who sets the time makes it older or younger."""
    before = time.monotonic()
    batches = [claimed(outbox), outbox.begin(Message("hi", (NUMBER,), channel="sms"))]
    times = [before, *(batch.since for batch in batches if batch is not None), time.monotonic()]
    assert (4, True) == (len(times), times == sorted(times))


@pytest.mark.parametrize(("age", "leaves"), [(0.0, True), (OLDEST - 1, True), (OLDEST + 1, False)])
def test_an_old_claim_does_not_leave(outbox: Outbox, age: float, leaves: bool) -> None:
    """It is put back to be claimed anew: nobody has sent it."""
    batch = claimed(outbox)
    holding = Holding(outbox, batch, clock=lambda: batch.since + age)
    error = refusal(holding)
    assert (leaves, False) == (error is None, holding.lost)
    assert error is None or (error.verdict, error.retryable) == (Verdict.NOT_SENT, True)


def test_a_batch_made_by_hand_has_no_age(outbox: Outbox) -> None:
    """Who has not claimed it through an outbox has not stood still since."""
    batch = claimed(outbox)
    by_hand = Batch(batch.claim, batch.stored, batch.rows)
    assert (math.inf, None) == (by_hand.since, refusal(Holding(outbox, by_hand)))


def test_what_was_given_up_does_not_leave(outbox: Outbox, store: MemoryStore) -> None:
    """It is others' to go on with, and this process does not try it again."""
    holding = Holding(outbox, claimed(outbox))
    with give_up(store):
        error = refusal(holding)
    assert error is not None
    assert (True, Verdict.NOT_SENT, False) == (holding.lost, error.verdict, error.retryable)


def test_both_of_two_holders_are_asked() -> None:
    """The steps of an order leave only as long as the order itself is held."""
    asked: list[str] = []

    def refuse() -> None:
        asked.append("inner")
        raise NotSent("no")

    with departing(lambda: asked.append("outer")), departing(refuse), pytest.raises(NotSent, match="no"):
        require_departure()
    require_departure()
    assert ["outer", "inner"] == asked


class Step:
    """A channel that does something between the claim and the request, and notes what left."""

    max_length = 100
    segmented = False
    schedulable = False

    def __init__(self, name: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.name = name
        self.sent: list[str] = []
        self._meanwhile = meanwhile
        check_channel(self)

    def check_sender(self, sender: str) -> None:
        """Take any."""

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Send, unless it may not leave any more."""
        self._meanwhile()
        try:
            require_departure()
        except NotSent as error:
            return [failed(self.name, each, error) for each in message.recipients]
        self.sent += message.recipients
        return [accepted(self.name, each, Receipt(each, ("1",), 1, self.name)) for each in message.recipients]

    def state(self, receipt: Receipt, client: object) -> SmsState:
        """Never be asked."""
        raise NotImplementedError


def test_a_step_that_others_have_gone_on_from_does_not_leave(outbox: Outbox, store: MemoryStore) -> None:
    """Stopped between the record of the first step and its request: the recipient gets one message, told as it is."""

    def others_go_on() -> None:
        with give_up(store) as other:
            (row,) = other.watch_due()
            batch = other.go_on([row], "b")
            assert batch is not None
            other.settle(batch, [accepted("b", NUMBER, Receipt(NUMBER, ("2",), 1, "b"))])

    first, second = Step("a", others_go_on), Step("b")
    settings = urls.parse(URL)
    fallback = Fallback("a-b", first, second).bound(Storage(lambda: settings, outbox))
    (outcome,) = fallback.send(Message("hi", (NUMBER,), channel="a-b"), cast("Client", None))
    assert ([], [], Verdict.ACCEPTED) == (first.sent, second.sent, outcome.verdict)
    assert [RowState.NOT_SENT, RowState.ACCEPTED] == [row.state for row in outbox]


class Pager:
    """Sends by itself, as a channel of its own or in place of the one that the message names, and notes whom to."""

    name = "pager"
    max_length = 100
    segmented = False
    schedulable = False

    def __init__(self) -> None:
        self.sent: list[str] = []

    def check_sender(self, sender: str) -> None:
        """Take any."""

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Send without asking anybody: who wrote it knows of no claims."""
        self.sent += message.recipients
        return [accepted(self.name, each, Receipt(each, ("1",), 1, self.name)) for each in message.recipients]

    def state(self, receipt: Receipt, client: object) -> SmsState:
        """Never be asked."""
        raise NotImplementedError


class PagerAsChannel(Pager):
    """Brings itself as a channel."""

    @hookimpl
    def devinotify_register_channels(self) -> list[Pager]:
        """Bring itself."""
        return [self]


class PagerAsHook(Pager):
    """Sends whatever is sent."""

    @hookimpl
    def devinotify_send_message(self, message: Message) -> list[Outcome]:
        """Send it all."""
        return self.send(message, None)


@pytest.mark.parametrize(("pager", "channel"), [(PagerAsChannel, "pager"), (PagerAsHook, "sms")])
@pytest.mark.parametrize("given_up", [False, True])
def test_a_plugin_does_not_send_what_was_given_up(
    outbox: Outbox, store: MemoryStore, pager: type[Pager], channel: str, given_up: bool
) -> None:
    """It is asked for it before the plugin begins, which need not know of that."""

    class Meanwhile:
        @hookimpl
        def devinotify_prepare_message(self, message: Message) -> list[Message]:
            if given_up:
                give_up(store).close()
            return [message]

    sending = pager()
    outbox.enqueue(Message("hi", (NUMBER,), channel=channel), watch=False)
    with Notifier(URL, plugins=make_plugin_manager(sending, Meanwhile(), discover=False)) as notifier:
        Worker(notifier, outbox).run(once=True)
    (row,) = outbox
    expected = ([], RowState.NOT_SENT) if given_up else ([NUMBER], RowState.ACCEPTED)
    assert expected == (sending.sent, row.state)
