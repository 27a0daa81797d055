"""The figures, as ratios of one run: ``pytest -s tests/benchmarks``.

What two processes of a worker drain by the bell, against the naive task that posts each message with ``requests``; and
what ``notify.delay`` adds to the caller against a bare ``delay``.
"""

from __future__ import annotations

import statistics
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests
from celery import Celery

from devinotify_celery import get_notifier, notify, ring

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

    from tests.workers import Shop

NAIVE, DRAINED, CALLS, ROUNDS = 600, 6000, 300, 5
FIRST = 79160000000
PRICE = Decimal("2.50")
"""What the sandbox takes for a segment."""
RICH = 10**6


def report(what: str, value: float, target: str, met: bool) -> None:
    """Print one line of the figures."""
    print(f"\n{what}: {value:.3g} (target {target}; {'met' if met else 'NOT met'})")


def rate(gateway: Sandbox, number: int, begin: Callable[[], None]) -> float:
    """Return the messages a second from when the first is handed over until the last has arrived.

    By the account's balance: to count what is in an inbox takes longer the more there is.
    """
    gateway.balance = RICH
    left = RICH - PRICE * number
    begun = time.perf_counter()
    begin()
    assert gateway.wait(lambda: gateway.balance <= left, 500)
    return number / (time.perf_counter() - begun)


@pytest.mark.parametrize("texts", ["one text", "a text each"])
def test_drain(shop: Shop, client: Any, gateway: Sandbox, texts: str) -> None:
    """Two processes that are rung drain at least five times what the naive task sends."""
    login = {"Login": "demo", "Password": "demo"}
    session = requests.get(f"{gateway.gateway}/user/sessionid", params=login, timeout=10).json()

    def text(number: int) -> str:
        return "Everything half price" if texts == "one text" else f"Order {number} is ready"

    def post() -> None:
        for number in range(NAIVE):
            client.send_task("shop.post", (gateway.gateway, session, text(number), str(FIRST + number)))

    def enqueue() -> None:
        notifier = get_notifier(app=client)
        if texts == "one text":
            notifier.enqueue(text(0), [f"+{FIRST + number}" for number in range(DRAINED)])
        else:
            for number in range(NAIVE):
                notifier.enqueue(text(number), f"+{FIRST + number}")
        ring()
        ring()

    with shop.worker("--include", "tests.benchmarks.naive", size=2):
        for _ in range(4):  # both processes know the account, before anything is measured
            notify.delay("Hello", f"+{FIRST}").get(timeout=120)
        naive = rate(gateway, NAIVE, post)
        ours = rate(gateway, DRAINED if texts == "one text" else NAIVE, enqueue)
    told = f"{texts}: messages a second, drained / posted [{ours:.0f} / {naive:.0f}]"
    report(told, ours / naive, ">= 5", ours / naive >= 5)


def test_delay(client: Any) -> None:
    """What the caller of ``notify.delay`` waits, against a bare ``delay``; the target is one committed insert more."""
    bare: Any = Celery("bare", broker=client.conf.broker_url, set_as_current=False)

    @bare.task(name="devinotify.bare")
    def nothing(text: str, to: str) -> None:
        """Do nothing."""

    notifier = get_notifier(app=client)
    timed: dict[str, list[float]] = {"bare": [], "ours": [], "insert": []}
    for turn in range(ROUNDS + 1):
        for name, call in (
            ("bare", lambda: nothing.delay("Hello", f"+{FIRST}")),
            ("ours", lambda: notify.delay("Hello", f"+{FIRST}")),
            ("insert", lambda: notifier.enqueue("Hello", f"+{FIRST}")),
        ):
            begun = time.perf_counter()
            for _ in range(CALLS):
                call()
            if turn:  # the first is a warm-up
                timed[name].append((time.perf_counter() - begun) / CALLS * 1e6)
    bare.close()
    microseconds = {name: statistics.median(taken) for name, taken in timed.items()}
    added = microseconds["ours"] - microseconds["bare"]
    share = added / microseconds["insert"]
    report(f"notify.delay adds [{added:.0f} us to {microseconds['bare']:.0f}], in inserts", share, "<= 1", share <= 1)
