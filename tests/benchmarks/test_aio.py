"""The figures of the client of an event loop: CPU beside general clients, rate beside threads, and the loop's gaps."""

from __future__ import annotations

import asyncio
import gc
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from resource import RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING

import aiohttp
import httpx
import pytest

from devinotify import AsyncClient, AsyncNotifier, Client, DevinoURL
from devinotify.plugins import make_plugin_manager
from tests.benchmarks.ratios import report, side_by_side
from tests.benchmarks.server import SESSION_ID, fast_gateway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

TEXT = "Привет, мир! Это проверка связи."
TASKS = 16
SENDS = 320


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[str, str]]:
    """Run the fast gateway over TLS for all figures of this module."""
    with fast_gateway() as (url, ca):
        assert ca is not None
        yield url, ca


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """Keep one loop, so that connections are kept from turn to turn."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _without_the_runners_heap() -> Iterator[None]:
    """Leave the test runner's own heap out of collections, each of which stops everything for a tenth of a second."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def _url(gateway: tuple[str, str]) -> DevinoURL:
    return DevinoURL(login="demo", password="demo", sender="TEST", gateway=gateway[0], ca=gateway[1])


def _form() -> dict[str, str]:
    return {
        "SessionID": SESSION_ID.decode(),
        "SourceAddress": "TEST",
        "DestinationAddress": "79161234567",
        "Data": TEXT,
    }


def _at_once(
    runner: asyncio.Runner, one: Callable[[], Awaitable[object]], *, tasks: int = TASKS, count: int = SENDS
) -> Callable[[], None]:
    """Return what does ``one`` so many times, in so many tasks."""

    async def several() -> None:
        for _ in range(count // tasks):
            await one()

    async def together() -> None:
        await asyncio.gather(*[several() for _ in range(tasks)])

    return lambda: runner.run(together())


def test_cpu_of_one_send(gateway: tuple[str, str], runner: asyncio.Runner) -> None:
    """A whole send costs a fraction of the CPU of a bare post of the same form by a general client."""
    url, ca = gateway
    context = ssl.create_default_context(cafile=ca)

    async def make() -> tuple[AsyncClient, aiohttp.ClientSession, httpx.AsyncClient]:
        connector = aiohttp.TCPConnector(ssl=context)
        return (
            AsyncClient(_url(gateway)),
            aiohttp.ClientSession(connector=connector),
            httpx.AsyncClient(verify=context),
        )

    client, session, general = runner.run(make())

    async def by_aiohttp() -> None:
        async with session.post(f"{url}/Sms/Send", data=_form()) as reply:
            await reply.json()

    async def by_httpx() -> None:
        (await general.post(f"{url}/Sms/Send", data=_form())).json()

    candidates = {
        "client": _at_once(runner, lambda: client.sms.send("79161234567", TEXT)),
        "aiohttp": _at_once(runner, by_aiohttp),
        "httpx": _at_once(runner, by_httpx),
    }
    medians = side_by_side(candidates, rounds=15)
    # What the kernel does for one request is the same for all, and on some machines most of the whole.
    outside = side_by_side(candidates, rounds=7, clock=lambda: getrusage(RUSAGE_SELF).ru_utime)

    async def close() -> None:
        await client.aclose()
        await session.close()
        await general.aclose()

    runner.run(close())
    for where, each in (("CPU", medians), ("CPU outside the kernel", outside)):
        print(f"  {where}:", {name: f"{taken / SENDS * 1e6:.0f} µs" for name, taken in each.items()})
    for other in ("aiohttp", "httpx"):
        print(f"  outside the kernel, against {other}: {outside['client'] / outside[other]:.2f}")
    ratio = medians["client"] / medians["aiohttp"]
    report("CPU of one awaited send / aiohttp session.post", ratio, "at most 0.6", ratio <= 0.6)
    ratio = medians["client"] / medians["httpx"]
    report("CPU of one awaited send / httpx.AsyncClient.post", ratio, "at most 0.1", ratio <= 0.1)
    assert ratio > 0


def test_rate(gateway: tuple[str, str], runner: asyncio.Runner) -> None:
    """A hundred tasks send more a second than sixteen threads do."""
    client = AsyncClient(_url(gateway))
    with Client(_url(gateway)) as blocking, ThreadPoolExecutor(16) as pool:
        medians = side_by_side(
            {
                "tasks": _at_once(runner, lambda: client.sms.send("79161234567", TEXT), tasks=100, count=1600),
                "threads": lambda: [*pool.map(lambda _: blocking.sms.send("79161234567", TEXT), range(1600))],
            },
            rounds=7,
            clock=time.perf_counter,
        )
    runner.run(client.aclose())
    ratio = medians["threads"] / medians["tasks"]
    report("sends/s at 100 tasks / of 16 threads", ratio, "at least 1.3", ratio >= 1.3)
    print({name: f"{1600 / each:.0f} a second" for name, each in medians.items()})
    assert ratio > 0


def test_what_the_notifier_adds(gateway: tuple[str, str], runner: asyncio.Runner) -> None:
    """Recipients, hooks and outcomes, beside the bare send; and a thread's turn, where it takes one."""
    client = AsyncClient(_url(gateway))
    # What plugins happen to be installed is not what is measured.
    notifier = AsyncNotifier(client.url, plugins=make_plugin_manager(discover=False))
    threaded = AsyncNotifier(client.url, plugins=make_plugin_manager(discover=False))  # not entered
    runner.run(notifier.__aenter__())
    medians = side_by_side(
        {
            "notify": _at_once(runner, lambda: notifier.notify(TEXT, "79161234567"), tasks=1, count=200),
            "in a thread": _at_once(runner, lambda: threaded.notify(TEXT, "79161234567"), tasks=1, count=200),
            "send": _at_once(runner, lambda: client.sms.send("79161234567", TEXT), tasks=1, count=200),
        }
    )
    runner.run(client.aclose())
    runner.run(notifier.aclose())
    runner.run(threaded.aclose())
    added = (medians["notify"] - medians["send"]) / 200 * 1e6
    report("CPU that AsyncNotifier.notify adds to AsyncClient.sms.send, µs", added, "at most 120", added <= 120)
    added = (medians["in a thread"] - medians["send"]) / 200 * 1e6
    print(f"  in a thread, as where a plugin has a hook on its way: {added:.0f} µs")
    assert medians["notify"] > 0


def test_gaps_of_the_loop(gateway: tuple[str, str], runner: asyncio.Runner, tmp_path: Path) -> None:
    """While a thousand messages are sent with an outbox the loop goes on turning."""
    url = _url(gateway).with_options(channel="sms-viber", outbox=str(tmp_path / "outbox.db"))
    notifier = AsyncNotifier(url, plugins=make_plugin_manager(discover=False))
    idle: list[float] = []
    gaps: list[float] = []

    async def turn(gaps: list[float]) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last - 0.001)
            last = now

    async def main() -> float:
        await notifier.notify(TEXT, "79161234567")
        turning = asyncio.create_task(turn(idle))
        await asyncio.sleep(2)
        turning.cancel()
        started = time.perf_counter()
        sends = [asyncio.create_task(notifier.notify(TEXT, f"7916{each:07d}")) for each in range(1000)]
        await asyncio.sleep(0)
        starting = time.perf_counter() - started  # asyncio's own part, whatever the tasks are about
        turning = asyncio.create_task(turn(gaps))
        await asyncio.gather(*sends)
        turning.cancel()
        await notifier.aclose()
        return starting

    starting = runner.run(main())
    largest = max(gaps) * 1000
    report("largest gap of the loop, ms", largest, "at most 20", largest <= 20)
    print(f"  the 99th of 100: {sorted(gaps)[len(gaps) * 99 // 100] * 1000:.1f} ms")
    print(f"  largest gap of the idle loop beside the machine's other work: {max(idle) * 1000:.1f} ms")
    print(f"  starting a thousand tasks at once: {starting * 1000:.1f} ms")
    assert gaps
