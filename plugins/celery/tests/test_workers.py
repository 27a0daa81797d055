"""Real workers on Redis and RabbitMQ, in each pool: one message a task, and nothing of it to be read anywhere."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from celery.result import allow_join_result
from devinotify import InvalidArgument, RowState
from devinotify.sandbox import Sandbox

from devinotify_celery import notifiers, notify, ring
from tests import brokers
from tests.brokers import PATIENCE
from tests.conftest import NUMBER
from tests.workers import Shop, busy, client_of, states, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = "Zx secret text"
POOLS = ("prefork", "threads", "gevent", "solo")
OFTEN = {"unacked_restore_interval": 1, "unacked_restore_throttle": 1}
"""Left to itself, kombu looks every 100 seconds for what Redis is to deliver again."""


@contextlib.contextmanager
def events(app: Any) -> Iterator[list[dict[str, Any]]]:
    """Give the events of the workers as they come, from when the first has come."""
    seen: list[dict[str, Any]] = []
    with app.connection() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": seen.append})
        thread = threading.Thread(target=receiver.capture, kwargs={"limit": None, "timeout": None})
        thread.start()
        try:
            wait_for(lambda: seen)
            yield seen
        finally:
            receiver.should_stop = True
            thread.join(PATIENCE)


def secrets_in(*told: str) -> list[str]:
    """Return what nobody should read; fail where one of these does not tell of the message at all."""
    assert all("+7916***4567" in each for each in told)
    return [part for each in told for part in (TEXT, NUMBER[2:], "demo:demo") if part in each]


def stored(folder: Path) -> str:
    """Return all that the result backend keeps."""
    return "".join(path.read_text("utf-8") for path in folder.glob("celery-task-meta-*"))


@contextlib.contextmanager
def held(processes: list[int]) -> Iterator[None]:
    """Stop processes for a while, and let them go on."""
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("pool", POOLS)
def test_each_pool_sends_each_message_once(shop: Shop, client: Any, gateway: Sandbox, pool: str) -> None:
    """Tasks, tasks of one's own, and what was enqueued."""
    with shop.worker(pool=pool):
        results = [notify.delay(f"task {number}", NUMBER) for number in range(8)]
        results.append(client.send_task("shop.remind", (1001, NUMBER)))
        notifiers.get_notifier(app=client).enqueue("enqueued", NUMBER)
        ring()
        for result in results:
            assert {"accepted"} == {each["verdict"] for each in result.get(timeout=PATIENCE)}
        assert gateway.wait(lambda: len(gateway.messages()) >= 11, PATIENCE)
    texts = [f"task {number}" for number in range(8)]
    texts += ["Order 1001 is ready", "Customer of 1001 was told", "enqueued"]
    assert sorted(texts) == sorted(each.text for each in gateway.messages())


def test_nothing_is_to_be_read(shop: Shop, client: Any, gateway: Sandbox, tmp_path: Path) -> None:
    """Neither in a worker's log at its most talkative, nor in events, inspections or results, whoever has sent it."""
    gateway.add_fault("latency", number=NUMBER, seconds=60.0, times=1)
    with shop.worker("--task-events", level="DEBUG") as worker, events(client) as seen:
        result = notify.delay(TEXT, NUMBER, title="Zx")
        # By somebody who has not our package.
        other = client.send_task("devinotify.send_sms", (TEXT,), {"to": [NUMBER, "12"]})
        wait_for(lambda: "task-started" in {each["type"] for each in seen})
        # It ends with the first answer: without a limit it would take its whole time, and the task end before it.
        inspect = client.control.inspect(timeout=5, limit=1)
        shown = wait_for(lambda: [each for each in (inspect.active() or {}).values() if each])
        asked = [shown, inspect.conf(), inspect.reserved(), inspect.registered()]
        gateway.remove_fault()
        assert "accepted" == result.get(timeout=PATIENCE)[0]["verdict"]
        with pytest.raises(Exception, match="digits are missing"):
            other.get(timeout=PATIENCE)
        wait_for(lambda: {"task-succeeded", "task-failed"} <= {each["type"] for each in seen})
        log = worker.written()
    assert [] == secrets_in(log, stored(tmp_path), str(seen), str(asked))


def test_an_outbox_in_a_file_is_told_as_the_worker_starts(shop: Shop, client: Any) -> None:
    """And every start says so."""
    with shop.worker(pool="solo") as worker:
        assert "safe as long as all workers" in worker.written()


def test_what_did_not_leave_is_tried_again(shop: Shop, client: Any, tmp_path: Path) -> None:
    """The gateway is away and comes back: the task is retried, succeeds with one message, and tells nothing of it."""
    with Sandbox() as gone:
        url, port = gone.url, gone.port
    shop.variables["SHOP_URL"] = url
    shop.variables["SHOP_SETTINGS"] = json.dumps({"task_send_sent_event": True})
    client.conf.task_send_sent_event = True
    with shop.worker(pool="solo", level="DEBUG") as worker, events(client) as seen:
        result = notify.delay(TEXT, NUMBER)
        wait_for(lambda: result.state == "RETRY")
        retried = stored(tmp_path)
        with Sandbox(port=port) as back:
            assert "accepted" == result.get(timeout=PATIENCE)[0]["verdict"]
            assert [TEXT] == [each.text for each in back.messages()]
        wait_for(lambda: "task-succeeded" in {each["type"] for each in seen})
        log = worker.written()
    sent = [each for each in seen if each["type"] == "task-sent"]
    assert {0, 1} <= {each["retries"] for each in sent}
    assert "task-retried" in {each["type"] for each in seen}
    assert [] == secrets_in(log, retried, stored(tmp_path), str(sent), str(seen))


def test_what_the_gateway_refuses_fails_the_task(shop: Shop, client: Any, gateway: Sandbox) -> None:
    """It fails with the gateway's error after one request, and no retry: what is refused would be refused again."""
    gateway.add_fault("error", number=NUMBER, code=2)
    with shop.worker(pool="solo"), events(client) as seen:
        result = notify.delay(TEXT, NUMBER)
        ended = wait_for(lambda: {each["type"] for each in seen} & {"task-succeeded", "task-failed", "task-retried"})
        assert {"task-failed"} == ended
        with pytest.raises(InvalidArgument):
            result.get(timeout=PATIENCE)
    # No worker is at anything any more.
    assert "FAILURE" == result.state
    assert (["rejected"], []) == (states(client), gateway.messages())
    assert [1] == [fault.hits for fault in gateway.faults()]


def test_a_slow_gateway_behind_a_short_visibility_timeout(
    redis: brokers.Redis, gateway: Sandbox, tmp_path: Path
) -> None:
    """Redis delivers the task again while it is at work: one message, and both deliveries are told of it."""
    redis.flush()
    gateway.add_fault("latency", number=NUMBER, seconds=5.0)
    shop = Shop(
        tmp_path, broker=redis.url, url=gateway.url, outbox=str(tmp_path / "sms.db"),
        broker_transport_options={"visibility_timeout": 2, **OFTEN},
    )  # fmt: skip
    with client_of(shop) as client:
        with shop.worker(size=2), shop.worker(size=2), events(client) as seen:
            result = notify.delay("Hello", NUMBER)

            def told(kind: str, **about: int) -> int:
                wanted = {"type": kind, "uuid": result.id, **about}
                return sum(wanted.items() <= each.items() for each in seen)

            wait_for(lambda: gateway.faults()[0].hits)
            with held(busy(client)):  # so that the reply is not faster than Redis, however slow the machine
                # What a task sends itself to look again is no delivery of Redis's: it counts as a retry.
                wait_for(lambda: told("task-received", retries=0) >= 2)
            wait_for(lambda: told("task-succeeded") >= told("task-received", retries=0))
            assert "accepted" == result.get(timeout=PATIENCE)[0]["verdict"]
        # No worker is at anything any more.
        assert ["Hello"] == [each.text for each in gateway.messages()]


def test_two_beats_ring_twice_for_one_message(shop: Shop, client: Any, gateway: Sandbox) -> None:
    """Doubled bells change nothing; deliveries are looked at."""
    gateway.set_timeline("delivered", sms=[(0.0, 0)])
    shop.variables["SHOP_URL"] = f"{gateway.url}&poll=1ms"  # each is due as soon as it was sent
    notifier = notifiers.get_notifier(app=client)
    with shop.worker(size=2), shop.beat(), shop.beat():
        for number in range(20):
            notifier.enqueue(f"enqueued {number}", NUMBER)
        assert gateway.wait(lambda: len(gateway.messages()) >= 20, PATIENCE)
        wait_for(lambda: ["delivered"] * 20 == states(client))
    assert sorted(f"enqueued {number}" for number in range(20)) == sorted(each.text for each in gateway.messages())


def test_a_broker_that_forgets_all_loses_nothing_enqueued(
    shop: Shop, client: Any, gateway: Sandbox, redis: brokers.Redis
) -> None:
    """Its bells are gone, and the next one sends all."""
    notifier = notifiers.get_notifier(app=client)
    for number in range(5):
        notifier.enqueue(f"enqueued {number}", NUMBER)
        ring()
    redis.flush()
    with shop.worker(pool="solo"):
        assert ["queued"] * 5 == states(client)
        ring()
        assert gateway.wait(lambda: len(gateway.messages()) >= 5, PATIENCE)
        wait_for(lambda: [str(RowState.ACCEPTED)] * 5 == states(client))


@pytest.mark.long
@pytest.mark.parametrize("name", list(brokers.BROKERS))
def test_a_broker_that_is_killed_amid_the_run(name: str, gateway: Sandbox, tmp_path: Path) -> None:
    """Killed and started again, it may deliver again what was done: no message twice, none lost."""
    with brokers.running(name) as broker:
        # What was on its way to the worker is the broker's to deliver again: Redis does so after this time.
        options = {"visibility_timeout": 10, **OFTEN} if name == "redis" else {}
        shop = Shop(
            tmp_path, broker=broker.url, url=gateway.url, outbox=str(tmp_path / "sms.db"),
            broker_transport_options=options,
        )  # fmt: skip
        with client_of(shop) as client:
            gateway.add_fault("latency", seconds=0.3)
            with shop.worker(size=2):
                sent = [notify.delay(f"task {number}", NUMBER) for number in range(12)]
                notifiers.get_notifier(app=client).enqueue("enqueued", NUMBER)
                assert gateway.wait(lambda: len(gateway.messages()) >= 3, PATIENCE)
                broker.kill()
                broker.start()
                with shop.beat():
                    assert gateway.wait(lambda: any(m.text == "enqueued" for m in gateway.messages()), PATIENCE)
                    with allow_join_result():
                        for result in sent:
                            assert "accepted" == result.get(timeout=PATIENCE)[0]["verdict"]
            texts = [each.text for each in gateway.messages()]
            assert sorted(set(texts)) == sorted(texts)
            assert 13 == len(texts)
