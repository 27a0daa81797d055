"""The figures of Notifier and worker: what hooks cost, and a queue drained beside the bare parsing of its numbers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import phonenumbers
import pytest

from devinotify import Client, Message, Notifier, Outbox
from devinotify.delivery.worker import Worker, rare_collections
from devinotify.plugins import BUILT_IN, make_plugin_manager
from tests.benchmarks.ratios import report, side_by_side
from tests.benchmarks.server import fast_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.plugins import PluginManager

TEXT = "Привет, мир! Это проверка связи."
SENDS = 300
QUEUED = 100_000


def manager(*, installed: bool) -> PluginManager:
    """Return a manager with the installed plugins, whose settings are the defaults, or without them."""
    found = make_plugin_manager(discover=installed)
    if installed and not outside(found):
        pytest.skip("no plugin is installed")
    return found


def outside(plugins: PluginManager) -> list[str]:
    """Return the names of the plugins that are not the core's own."""
    return [plugin.name for plugin in plugins.loaded() if plugin.origin != BUILT_IN]


@pytest.mark.parametrize("installed", [False, True], ids=["no plugins", "installed plugins"])
def test_notify_beside_send(tmp_path: Path, installed: bool) -> None:
    """A notify of one recipient costs little more CPU than the client's own send."""
    plugins = manager(installed=installed)
    with fast_gateway() as (gateway, ca):
        url = f"devino://demo:demo@TEST/79161234567?gateway={gateway}&ca={ca}&outbox={tmp_path / 'outbox.db'}"
        with Client(url) as client, Notifier(url, client=client, plugins=plugins) as notifier:

            def send() -> None:
                for _ in range(SENDS):
                    client.sms.send("79161234567", TEXT)

            def notify() -> None:
                for _ in range(SENDS):
                    notifier.notify(TEXT)

            medians = side_by_side({"send": send, "notify": notify}, rounds=25)
    added = (medians["notify"] - medians["send"]) / SENDS * 1e6
    what = f"CPU that notify adds to a send, in µs, with the plugins {outside(plugins)}"
    report(what, added, "at most 60", added <= 60)
    assert medians["notify"] > 0


def _parsed(numbers: list[str]) -> float:
    """Return the CPU that phonenumbers takes for them: asked before and after, as a busy machine changes its speed."""
    start = time.process_time()
    for number in numbers:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number, "RU"))
    return time.process_time() - start


@pytest.mark.parametrize("installed", [False, True], ids=["no plugins", "installed plugins"])
def test_worker_drains_the_outbox(tmp_path: Path, installed: bool) -> None:
    """A worker drains 100,000 messages of one text for less CPU than phonenumbers needs to parse their numbers."""
    plugins = manager(installed=installed)
    numbers = [f"+7916{number:07d}" for number in range(QUEUED)]
    with fast_gateway(tls=False) as (gateway, _), Outbox(tmp_path / "outbox.db") as outbox:
        url = f"devino://demo:demo@TEST?gateway={gateway}&outbox={tmp_path / 'outbox.db'}"
        outbox.enqueue(Message(TEXT, tuple(numbers), sender="TEST"), watch=False)
        parsed = _parsed(numbers)
        with Notifier(url, plugins=plugins) as notifier:
            worker = Worker(notifier, outbox)
            start = time.process_time()
            with rare_collections():  # as `devinotify worker` does
                worker.run(once=True)
            drained = time.process_time() - start
        assert QUEUED == outbox.counts().accepted
    parsed = (parsed + _parsed(numbers)) / 2
    ratio = drained / parsed
    what = f"CPU of draining 100,000 messages with the plugins {outside(plugins)} / of phonenumbers on their numbers"
    report(what, ratio, "at most 0.5", ratio <= 0.5)
    print(f"  drained in {drained:.2f} s, parsed in {parsed:.2f} s of CPU")
