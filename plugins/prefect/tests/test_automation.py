"""A real server with the README's block, automation and flow: who is called, how often, and what is told of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from devinotify.sandbox import Sandbox

from tests.conftest import without_settings
from tests.servers import PATIENCE, Server
from tests.support import ONE, arrived, example, sends

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "gehe1m-w0rt"
FAILS = """
from prefect import flow

@flow(name="{name}", flow_run_name="run-1")
def fails():
    raise ValueError("no rows")

fails()
"""
LOADS = """
import asyncio
from prefect.blocks.core import Block
from devinotify_prefect import DevinoNotification

DevinoNotification.load("on-call").notify("by its class")

async def main():
    block = await Block.aload("devino-notification/on-call")
    await block.notify("by its slug")

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def house() -> Iterator[Sandbox]:
    """A gateway for as long as the server runs, with a password that nothing else is called by."""
    with Sandbox(login="login", password=PASSWORD) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def server(house: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which the README's block and automation were saved, by a process of their own."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        without_settings(monkeypatch)
        with Server(tmp_path_factory.mktemp("prefect")) as running:
            known = ask(running, "block_types/slug/devino-notification")
            assert "Devino Notification" == known["name"], "it is not there before anybody has saved one"
            done = running.run(example("setup", house))
            assert (0, "") == (done.returncode, done.stderr)
            yield running


@pytest.fixture
def gateway(house: Sandbox, server: Server) -> Sandbox:
    """The gateway of the server's block without messages and faults; a reset would end the server's session, too."""
    house.delete()
    house.remove_fault()
    return house


def ask(server: Server, path: str, body: object = None) -> Any:  # noqa: ANN401 - whatever JSON there is
    """Return what the server's API answers."""
    method = "GET" if body is None else "POST"
    answer = httpx.request(method, f"{server.address}/api/{path}", json=body, timeout=PATIENCE, trust_env=False)
    return answer.raise_for_status().json()


def events(server: Server, name: str, count: int) -> list[dict[str, Any]]:
    """Return the payloads of the events of this name, as soon as there are so many; the server tells nobody of them."""
    over = time.monotonic() + PATIENCE
    while True:
        found = ask(server, "events/filter", {"filter": {"event": {"name": [name]}}})["events"]
        if len(found) >= count:
            return [event["payload"] for event in found]
        assert time.monotonic() < over, server.log.read_text("utf-8")
        time.sleep(0.1)


def test_a_failed_flow_calls_its_owner_once(server: Server, gateway: Sandbox) -> None:
    """A flow fails, the automation fires, the server sends one message and says that it has."""
    executed, sent = len(events(server, "prefect.automation.action.executed", 0)), sends(gateway)
    assert server.run(FAILS.format(name="nightly")).returncode
    assert gateway.wait(lambda: len(gateway.messages()) > 0, PATIENCE)
    events(server, "prefect.automation.action.executed", executed + 1)
    assert ([(ONE, "nightly\nrun-1: Failed")], sent + 1) == (arrived(gateway), sends(gateway))


def test_a_lost_answer_is_told_and_not_repeated(server: Server, gateway: Sandbox) -> None:
    """The gateway takes the message and its answer is lost: one message, and an action that failed with the verdict."""
    sent = sends(gateway)
    gateway.add_fault("drop", number=ONE, accepts=True)
    assert server.run(FAILS.format(name="unlucky")).returncode
    (payload,) = events(server, "prefect.automation.action.failed", 1)
    assert payload["notification_log"].startswith("+7916***4567: unknown, it may have been sent: ")
    assert ([(ONE, "unlucky\nrun-1: Failed")], sent + 1) == (arrived(gateway), sends(gateway))
    log = server.log.read_text("utf-8")
    assert "Action failed: 'Notification failed'" in log
    assert [] == [shown for shown in (PASSWORD, ONE[2:], "run-1: Failed") if shown in log]


def test_a_hook_calls_as_well(server: Server, gateway: Sandbox) -> None:
    """The README's flow calls by its hook, from its own process, and by the automation."""
    assert server.run(example("flow", gateway)).returncode
    assert gateway.wait(lambda: len(gateway.messages()) == 2, PATIENCE)
    first, second = sorted(text for _, text in arrived(gateway))
    assert (True, True) == (first.startswith("nightly\n"), second.startswith("nightly\n"))
    assert "nightly\nFlow run encountered an exception: ValueError: no rows today" in (first, second)


def test_loads_in_another_process(server: Server, gateway: Sandbox) -> None:
    """Another process loads the block by its class, and by its name alone where nothing of ours is imported."""
    done = server.run(LOADS)
    assert (0, [(ONE, "by its class"), (ONE, "by its slug")]) == (done.returncode, arrived(gateway)), done.stderr


def test_the_url_is_kept_secret(server: Server, gateway: Sandbox) -> None:
    """The server shows the URL to nobody who does not ask for secrets, and no file of its has the password."""
    path = "block_types/slug/devino-notification/block_documents/name/on-call"
    assert PASSWORD in ask(server, f"{path}?include_secrets=true")["data"]["url"]
    assert {"*"} == set(ask(server, path)["data"]["url"])
    files = [file for file in server.folder.rglob("*") if file.is_file()]
    assert [] == [file.name for file in files if PASSWORD.encode() in file.read_bytes()]
    assert "prefect.db" in [file.name for file in files]
