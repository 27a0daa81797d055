"""The first send of a process, which has much to read, holds up no event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest

from devinotify.gateway.aio import warmup
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

_WATCH = """
import asyncio, sys, threading
from devinotify import AsyncClient, AsyncNotifier
from devinotify.sandbox import Sandbox

class Watch:
    imports = []

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        cls.imports.append((threading.current_thread(), name))
"""

_FIRST = """
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

async def shaped(url):
    async with AsyncNotifier(f"{url}&transliterate=yes&max_segments=1") as notifier:
        sys.meta_path.insert(0, Watch)
        await notifier.notify("Привет " * 40, "79161234567", title="Всем")
        await notifier.notify("hello", "+49 1512 3456789")
        sys.meta_path.remove(Watch)

with Sandbox() as gateway:
    asyncio.run(globals()[sys.argv[1]](gateway.url))
print(
    "phonenumbers" in [name for _, name in Watch.imports],
    [name for thread, name in Watch.imports if thread is threading.main_thread()],
)
"""


def watched(script: str, *arguments: str) -> tuple[str, str]:
    """Run a script that watches who imports what, and return what it prints and what is wrong with it."""
    done = subprocess.run(
        [sys.executable, "-c", _WATCH + script, *arguments], timeout=60, capture_output=True, text=True, check=False
    )
    return done.stdout.strip(), done.stderr


@pytest.mark.once
@table("kind", ["client", "notifier", "shaped"])
def test_the_loops_thread_imports_nothing_for_a_first_send(kind: str) -> None:
    """The numbering plans, which take the longest, and all the rest are read in another thread."""
    assert ("True []", "") == watched(_FIRST, kind)


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
        assert go_on.wait(60)

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


_ABROAD = """
async def client(url):
    async with AsyncClient(url) as client:
        await client.sms.send("79161234567", "hello")
        sys.meta_path.insert(0, Watch)
        for number in sys.argv[1:]:
            await client.sms.send(number, "hello")
        await client.sms.send_bulk(sys.argv[1:], "hello")
        sys.meta_path.remove(Watch)

with Sandbox() as gateway:
    asyncio.run(client(gateway.url))
print(
    [name for thread, name in Watch.imports if thread is threading.main_thread()],
    sorted({name.rpartition("_")[2] for _, name in Watch.imports if "region_" in name}),
)
"""


@pytest.mark.once
def test_the_loops_thread_reads_no_plan_of_another_country() -> None:
    """Not for the first number of each, however it is written, nor for one of another country of the same code."""
    told = watched(_ABROAD, "+998 90 123-45-67", "810 49 1512 3456789", "+44 7781 123456")
    # The main country of a code stands beside those that share it.
    assert ("[] ['DE', 'GB', 'GG', 'IM', 'JE', 'UZ']", "") == told


@pytest.mark.usefixtures("_cold")
def test_the_plans_of_a_country_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many send to it at the same time, and nobody reads those of numbers that can be told without."""
    reads: list[int] = []
    monkeypatch.setattr(warmup, "read_country", reads.append)

    async def main() -> list[int]:
        await warmup.warm_up("RU")
        assert [] == warmup.cold_countries("79161234567", "RU")
        cold = warmup.cold_countries(["+998901234567", "+998901234568", "8 916 123-45-67", "nobody", 5.0], "RU")
        await asyncio.gather(*[warmup.warm_up(each) for each in cold * 3])
        return cold + warmup.cold_countries("+998901234569", "RU")

    assert ([998], [998]) == (asyncio.run(main()), reads)
