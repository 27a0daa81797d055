"""Notifying: what arrives, what is told of each verdict, and that no event loop is held up."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from devinotify import Notifier, Worker
from devinotify.sandbox import Sandbox
from prefect.blocks.abstract import NotificationError
from pydantic import SecretStr

from devinotify_prefect import DevinoNotification
from devinotify_prefect.notifiers import shared
from tests.servers import PATIENCE
from tests.support import ONE, TWO, arrived, block_of, sends

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOGGER = "prefect.DevinoNotification"
each_way = pytest.mark.parametrize("way", ["called", "awaited"])


def notify(way: str, block: DevinoNotification, body: str = "text", subject: str | None = None) -> None:
    """Notify as a program without an event loop does, or as one with a loop."""
    if way == "called":
        block.notify(body, subject)
        return

    async def main() -> None:
        awaited = block.notify(body, subject)
        assert awaited is not None
        await awaited

    asyncio.run(main())


@each_way
def test_what_arrives(way: str, gateway: Sandbox) -> None:
    """The body arrives, with the subject as its first line; an empty subject is none."""
    for subject in ("nightly", "", None):
        notify(way, block_of(gateway), "failed", subject)
    assert [(ONE, "nightly\nfailed"), (ONE, "failed"), (ONE, "failed")] == arrived(gateway)


def _lost(gateway: Sandbox) -> DevinoNotification:
    gateway.add_fault("drop", operation="Sms/Send", accepts=True)
    return block_of(gateway)


def _refused(gateway: Sandbox) -> DevinoNotification:
    gateway.add_fault("error", operation="Sms/Send", code=5)
    return block_of(gateway)


def _refused_for_one(gateway: Sandbox) -> DevinoNotification:
    return block_of(gateway, to=["12345", ONE])


def _unreachable(gateway: Sandbox) -> DevinoNotification:
    with Sandbox() as gone:
        return block_of(gone)


# What goes wrong: how, the verdict that is told, requests that were made, whether it raises for whoever has not asked.
FAILURES: dict[str, tuple[Callable[[Sandbox], DevinoNotification], str, int, bool]] = {
    "the answer is lost": (_lost, "+7916***4567: unknown, it may have been sent: ", 1, False),
    "the gateway refuses": (_refused, "+7916***4567: rejected: Sms/Send: Not enough credits", 1, True),
    "one is no number": (_refused_for_one, "***: not_sent: ", 1, False),
    "nothing listens": (_unreachable, "+7916***4567: not_sent: ", 0, True),
}
each_failure = pytest.mark.parametrize(("fail", "told", "requests", "raises"), FAILURES.values(), ids=FAILURES)


@each_way
@each_failure
def test_an_automation_is_told(
    way: str, fail: Callable[[Sandbox], DevinoNotification], told: str, requests: int, raises: bool, gateway: Sandbox
) -> None:
    """Whoever asked for it, as an automation does, gets each failure with its verdict, and nothing is sent twice."""
    block = fail(gateway)
    with pytest.raises(NotificationError) as caught, block.raise_on_failure():
        notify(way, block)
    assert caught.value.log.startswith(told)
    assert requests == sends(gateway)


@each_way
@each_failure
def test_a_flow_is_told(
    way: str,
    fail: Callable[[Sandbox], DevinoNotification],
    told: str,
    requests: int,
    raises: bool,
    gateway: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever has not asked gets what nobody can have got as an error, and the rest as a warning in the log."""
    block = fail(gateway)
    raised = False
    try:
        notify(way, block)
    except NotificationError:
        raised = True
    assert (raises, requests) == (raised, sends(gateway))
    (record,) = (record for record in caplog.records if record.name == LOGGER)
    assert ("WARNING", True) == (record.levelname, record.getMessage().startswith(told))


def test_what_was_accepted_is_told_to_the_log(gateway: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """The log has a line of what was accepted, which shows neither number nor text."""
    caplog.set_level(logging.INFO, logger=LOGGER)
    block_of(gateway, to=[ONE, TWO]).notify("db1 is full")
    told = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == LOGGER]
    assert [("INFO", "+7916***4567, +7916***4568: accepted")] == told


@each_way
def test_any_other_error(way: str, gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong is a NotificationError for an automation, which repeats everything else; its words stay."""

    def fail(settings: object) -> object:
        raise RuntimeError(f"could not send 'text' to {ONE}")

    block = block_of(gateway)
    monkeypatch.setattr(shared, "get", fail)
    with pytest.raises(NotificationError) as caught, block.raise_on_failure():
        notify(way, block)
    assert ("unknown, it may have been sent: RuntimeError", None) == (caught.value.log, caught.value.__cause__)
    notify(way, block)


@each_way
def test_a_block_that_was_not_checked(way: str) -> None:
    """A block that Prefect read without checking it, as it does when asked to, cannot send: told as any failure."""
    with pytest.raises(NotificationError, match="not_sent: the URL must begin with devino://"):
        notify(way, DevinoNotification.model_construct(url=SecretStr("sms"), to=ONE, channel=None))


def test_the_loop_goes_on(gateway: Sandbox) -> None:
    """While a gateway takes its time, the event loop turns."""
    gateway.add_fault("latency", operation="Sms/Send", seconds=60)

    async def main() -> int:
        sending = asyncio.create_task(block_of(gateway).anotify("text"))
        turns = 0
        while not sending.done() and turns < 20:
            await asyncio.sleep(0.01)
            turns += not sending.done()
        gateway.remove_fault()
        await sending
        return turns

    assert 20 == asyncio.run(main())
    assert [(ONE, "text")] == arrived(gateway)


def test_within_a_loop_and_called_all_the_same(gateway: Sandbox) -> None:
    """Prefect's ``_sync`` says which way is meant, and ``aio`` is the one that is awaited."""

    async def main() -> None:
        block = block_of(gateway)
        assert block.notify("called", _sync=True) is None  # type: ignore[call-arg]  # Prefect's own argument
        await DevinoNotification.notify.aio(block, "awaited")  # type: ignore[attr-defined]  # as Prefect adds it

    asyncio.run(main())
    assert [(ONE, "called"), (ONE, "awaited")] == arrived(gateway)


def test_a_worker_takes_the_later_step_of_a_fallback(gateway: Sandbox, tmp_path: Path) -> None:
    """The block sends the SMS; a worker with the same outbox sends the Viber message where that is not delivered."""
    gateway.set_timeline("delivered", sms=[(0.0, 69)], viber=[(0.0, 2)])
    url = f"{gateway.url}&poll=10ms&outbox={quote(str(tmp_path / 'sms.db'))}"
    DevinoNotification(url=url, to=ONE, channel="sms-viber").notify("text")
    assert ["sms"] == [message.channel for message in gateway.messages()]
    with Notifier(url) as notifier:
        worker = Worker(notifier)
        working = threading.Thread(target=worker.run)
        working.start()
        assert gateway.wait(lambda: len(gateway.messages()) == 2, PATIENCE)
        worker.stop()
        working.join(PATIENCE)
    assert ["sms", "viber"] == [message.channel for message in gateway.messages()]
