"""The first send of a process, which has much to read, holds up no event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest

from devinotify.gateway.aio import warmup

if TYPE_CHECKING:
    from collections.abc import Iterator

_WATCHED = """
import asyncio, sys, threading
from devinotify import AsyncClient, AsyncNotifier
from devinotify.sandbox import Sandbox

class Watch:
    imports = []

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        cls.imports.append((threading.current_thread(), name))

async def client(url):
    async with AsyncClient(url) as client:
        sys.meta_path.insert(0, Watch)
        await asyncio.gather(*[client.sms.send(f"7916{each:07d}", "hello") for each in range(3)])
        sys.meta_path.remove(Watch)

async def notifier(url):
    async with AsyncNotifier(url) as notifier:
        sys.meta_path.insert(0, Watch)
        await notifier.notify("hello", "79161234567")
        sys.meta_path.remove(Watch)

with Sandbox() as gateway:
    asyncio.run(globals()[sys.argv[1]](gateway.url))
print(
    "phonenumbers" in [name for _, name in Watch.imports],
    [name for thread, name in Watch.imports if thread is threading.main_thread()],
)
"""


@pytest.mark.once
@pytest.mark.parametrize("kind", ["client", "notifier"])
def test_the_loops_thread_imports_nothing_for_a_first_send(kind: str) -> None:
    """The numbering plans, which take the longest, and all the rest are read in another thread."""
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, kind], timeout=60, capture_output=True, text=True, check=False
    )
    assert ("True []", "") == (done.stdout.strip(), done.stderr)


@pytest.fixture
def _cold(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has sent nothing yet, as far as the warm-up knows."""
    monkeypatch.setattr(warmup, "_warm", set())
    yield
    assert {} == warmup._under_way


@pytest.mark.usefixtures("_cold")
def test_who_is_cancelled_while_it_warms_up_ends_it_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread reads for all, and goes on without whoever came first."""
    go_on, reads = threading.Event(), []

    def read(region: str) -> None:
        reads.append(region)
        assert go_on.wait(30)

    monkeypatch.setattr(warmup, "read_plans", read)

    async def main() -> list[object]:
        first, *others = (asyncio.create_task(warmup.warm_up("RU")) for _ in range(5))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        go_on.set()
        return [first.cancelled(), *await asyncio.gather(*others)]

    assert ([True, None, None, None, None], ["RU"], True) == (asyncio.run(main()), reads, warmup.is_warm("RU"))


@pytest.mark.usefixtures("_cold")
def test_an_unknown_region_is_told_with_the_number() -> None:
    """The warm-up itself fails nobody."""
    asyncio.run(warmup.warm_up("XX"))
    assert warmup.is_warm("XX")


@pytest.mark.usefixtures("_cold")
def test_without_another_thread_it_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may start no more threads sends all the same."""

    def none(self: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)

    async def main() -> None:
        await warmup.warm_up("RU")

    with asyncio.Runner() as runner:
        runner.run(main())
    assert warmup.is_warm("RU")
