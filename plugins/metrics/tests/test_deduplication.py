"""The deduplicator: nothing of a message is counted twice, and the memory is bounded."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal

import pytest
from devinotify import DeliveryStatus, Receipt, SmsState, ViberState

from devinotify_metrics.deduplication import Deduplicator, News, price_of

QUEUED, SENT, DELIVERED, READ = (
    DeliveryStatus.QUEUED,
    DeliveryStatus.SENT,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.READ,
)


def receipt(message_id: str = "1") -> Receipt:
    """Return the receipt of a message with this id."""
    return Receipt("+79161234567", (message_id,), 1)


def state(status: DeliveryStatus, price: str | None = None) -> SmsState:
    """Return a state with this price."""
    return SmsState(status, 0, price=None if price is None else Decimal(price))


def test_price_counts_once() -> None:
    """Each state repeats the price; only the first brings cost."""
    deduplicator = Deduplicator(10)
    costs = [deduplicator.enter(receipt(), state(status, "2.50")).cost for status in (QUEUED, SENT, DELIVERED)]
    assert [Decimal("2.50"), 0, 0] == costs


def test_growth_of_the_price_counts() -> None:
    """A price that comes late, grows or is taken back adds what is more, and never less than nothing."""
    deduplicator = Deduplicator(10)
    prices = (None, "1", "2.50", None, "2", "3")
    costs = [deduplicator.enter(receipt(), state(SENT, price)).cost for price in prices]
    assert [0, Decimal(1), Decimal("1.50"), 0, 0, Decimal("0.50")] == costs


def test_same_state_is_no_news() -> None:
    """A state that was seen already, by another watcher of the same message, is none."""
    deduplicator = Deduplicator(10)
    assert [QUEUED, None, SENT, None] == [
        deduplicator.enter(receipt(), state(status)).status for status in (QUEUED, QUEUED, SENT, SENT)
    ]


def test_delivery_is_decided_once() -> None:
    """A delivery that is read afterwards was decided when it was delivered."""
    deduplicator = Deduplicator(10)
    assert [False, True, False] == [
        deduplicator.enter(receipt(), state(status)).decided for status in (SENT, DELIVERED, READ)
    ]


def test_messages_are_apart() -> None:
    """Each message has its own page."""
    deduplicator = Deduplicator(10)
    news = News(DELIVERED, decided=True, cost=Decimal(2))
    assert [news, news] == [deduplicator.enter(receipt(one), state(DELIVERED, "2")) for one in ("1", "2")]


def test_without_ids() -> None:
    """Messages without ids, as the channel null has them, are not taken for one."""
    deduplicator = Deduplicator(10)
    nameless = Receipt("+79161234567", (), 1, "null")
    assert [DELIVERED, DELIVERED] == [deduplicator.enter(nameless, state(DELIVERED)).status for _ in range(2)]


@pytest.mark.parametrize(("again", "expected"), [("1", DELIVERED), ("2", None), ("3", None)])
def test_forgets_the_longest_unseen(again: str, expected: DeliveryStatus | None) -> None:
    """Past its bound it forgets the message that was seen longest ago, and no other."""
    deduplicator = Deduplicator(2)
    for message_id in ("2", "1", "2", "3"):
        deduplicator.enter(receipt(message_id), state(DELIVERED))
    assert expected is deduplicator.enter(receipt(again), state(DELIVERED)).status


def test_price_with_resent_sms() -> None:
    """A Viber message costs its own price and that of the SMS in its place."""
    resent = (state(SENT, "2.50"), state(SENT), state(SENT, "2.50"))
    whole = ViberState(DeliveryStatus.UNDELIVERED, 4, price=Decimal("1.50"), resent_sms=resent)
    assert Decimal("6.50") == price_of(whole)


_FORKING = """
import os, signal, sys, threading
from devinotify import DeliveryStatus, Receipt, SmsState
from devinotify_metrics.deduplication import Deduplicator

sys.setswitchinterval(1e-6)  # so that a fork finds the thread anywhere
deduplicator, over = Deduplicator(10), threading.Event()

def enter():
    deduplicator.enter(Receipt("+79161234567", ("1",), 1), SmsState(DeliveryStatus.SENT, 0))

def work():
    while not over.is_set():
        enter()

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
ends = set()
for _ in range(30):
    if not (child := os.fork()):
        signal.alarm(10)
        enter()
        os._exit(0)
    ends.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    if ends != {0}:
        break
over.set()
for thread in threads:
    thread.join()
print(ends)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_while_it_is_written_to() -> None:
    """A child that is forked while threads of its parent count goes on counting, and does not hang."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FORKING], timeout=120, capture_output=True, text=True, check=False
    )
    assert ("{0}\n", "") == (done.stdout, done.stderr)
