"""Workers killed with -9 amid their requests: one message each at most, and each accounted for.

``DEVINOTIFY_SOAK=8`` kills 200 times in place of 25.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from devinotify_celery import notifiers, notify
from tests import brokers
from tests.conftest import NUMBER
from tests.workers import Shop, busy, client_of, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

KILLS = round(25 * float(os.environ.get("DEVINOTIFY_SOAK", "1")))
EACH = 2
"""Tasks for each kill."""
LATENCY = 0.3
"""Seconds that the gateway takes: most of a task's time is between request and reply."""


def account(shop: Any, results: dict[str, Any], gateway: Sandbox, seconds: float) -> Counter[str]:
    """Return how many tasks ended with each verdict, once all have; fail where a message is doubled or made up."""
    verdicts = {text: result.get(timeout=seconds)[0]["verdict"] for text, result in results.items()}
    arrived = Counter(each.text for each in gateway.messages())
    assert {} == {text: times for text, times in arrived.items() if times > 1}
    assert set(arrived) <= set(verdicts)
    assert [] == [text for text, verdict in verdicts.items() if verdict == "accepted" and not arrived[text]]
    assert {"accepted", "unknown"} >= set(verdicts.values())
    outbox = notifiers.get_notifier(app=shop).following().outbox
    counts = outbox.counts()
    assert (len(results), 0, 0) == (counts.total, counts.queued, counts.claimed)
    assert Counter(verdicts.values())["unknown"] == counts.unknown
    return Counter(verdicts.values())


def test_processes_of_the_pool(gateway: Sandbox, tmp_path: Path) -> None:
    """The worker gives a lost process's task back to Redis, and whoever has it next finds the row."""
    gateway.add_fault("latency", seconds=LATENCY)
    chance = random.Random(17)
    with brokers.Redis() as broker:
        shop = Shop(tmp_path, broker=broker.url, url=gateway.url, outbox=str(tmp_path / "sms.db"))
        with client_of(shop) as client:
            results = {f"task {number}": notify.delay(f"task {number}", NUMBER) for number in range(KILLS * EACH)}
            killed = 0
            with shop.worker(size=3) as worker:
                while killed < KILLS:
                    # One that has a request under way, and now and then any: before its claim, after its reply.
                    found = worker.children() if killed % 5 == 4 else wait_for(lambda: busy(client))
                    time.sleep(chance.uniform(0, LATENCY))  # the moment of the kill is what is tried
                    with suppress(ProcessLookupError, IndexError):
                        os.kill(chance.choice(found), signal.SIGKILL)
                        killed += 1
                ended = account(client, results, gateway, 120 + 2 * KILLS)
            assert ended["unknown"] >= KILLS // 5, "few kills fell between a request and its reply"


def test_a_whole_worker(gateway: Sandbox, tmp_path: Path) -> None:
    """RabbitMQ delivers again what the worker had, and the next one finds the rows."""
    gateway.add_fault("latency", seconds=1.0)
    with brokers.Rabbit() as broker:
        shop = Shop(tmp_path, broker=broker.url, url=gateway.url, outbox=str(tmp_path / "sms.db"))
        with client_of(shop) as client:
            results = {f"task {number}": notify.delay(f"task {number}", NUMBER) for number in range(6)}
            with shop.worker(size=2) as worker:
                wait_for(lambda: busy(client))
                os.killpg(worker.pid, signal.SIGKILL)
            with shop.worker(size=2):
                ended = account(client, results, gateway, 120)
            assert ended["unknown"] >= 1
