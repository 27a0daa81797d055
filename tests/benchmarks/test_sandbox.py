"""The sandbox's figures, over a real socket with a process of its own for the load, printed and not asserted."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import time
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import pytest

from devinotify.sandbox import Sandbox
from tests.benchmarks.ratios import report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

STORED = 10_000
CONNECTIONS = 8


def opened(url: str) -> bytes:
    """Return what a URL answers, past any proxy."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as reply:
        return bytes(reply.read())


def request(session: str) -> bytes:
    """Return the bytes of one Sms/Send."""
    form = urlencode(
        {
            "SessionID": session,
            "SourceAddress": "DEVINO",
            "DestinationAddress": "79161234567",
            "Data": "Ваш заказ собран",
        }
    )
    head = "POST /rest/Sms/Send HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(form)}\r\n\r\n{form}".encode()


async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> None:
    """Send one message on a kept connection and read its answer."""
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head)
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))


async def flood(port: int, sent: bytes, total: int) -> float:
    """Return the sends a second that a few busy connections reach."""

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(total // CONNECTIONS):
            await send(reader, writer, sent)
        writer.close()
        await writer.wait_closed()

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    return total / (time.perf_counter() - start)


async def pace(port: int, sent: bytes, rate: int, seconds: float) -> list[float]:
    """Return the seconds from when each send was due to its answer, at a steady rate."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS * 4):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    start = time.perf_counter() + 0.1
    took = []

    async def one(index: int) -> None:
        due = start + index / rate
        await asyncio.sleep(due - time.perf_counter())
        connection = await free.get()
        await send(*connection, sent)
        took.append(time.perf_counter() - due)
        free.put_nowait(connection)

    await asyncio.gather(*(one(index) for index in range(int(rate * seconds))))
    while not free.empty():
        _, writer = free.get_nowait()
        writer.close()
        await writer.wait_closed()
    return took


def serve(pipe: Connection, db: Path | None) -> None:
    """Run a sandbox with its messages stored until the other end speaks."""
    with Sandbox(keep=STORED, balance=10**9, db=db) as sandbox:
        session = json.loads(opened(f"{sandbox.gateway}/user/sessionid?login=demo&password=demo"))
        numbers = [("DestinationAddresses", f"7916{number:07}") for number in range(STORED)]
        form = urlencode([("SessionID", session), ("SourceAddress", "DEVINO"), ("Data", "Привет, мир"), *numbers])
        reply = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{sandbox.gateway}/Sms/SendBulk", form.encode(), timeout=60
        )
        reply.close()
        pipe.send((sandbox.port, session))
        pipe.recv()


@pytest.fixture(params=["memory", "SQLite"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, int, str]]:
    """Give the kind of store, the port and a session of a full sandbox in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    db = tmp_path / "inbox.db" if request.param == "SQLite" else None
    process = context.Process(target=serve, args=(theirs, db))
    process.start()
    port, session = ours.recv()
    yield request.param, port, session
    ours.send("stop")
    process.join()


def test_sends_a_second(stored: tuple[str, int, str]) -> None:
    """How many Sms/Send a second one worker takes with 10,000 messages stored."""
    kind, port, session = stored
    sent = request(session)
    rates = [asyncio.run(flood(port, sent, 4000)) for _ in range(3)]
    rate = statistics.median(rates)
    report(f"Sms/Send a second, {kind}, {STORED} stored", rate, ">= 1500", rate >= 1500)


def test_the_slowest_of_a_hundred(stored: tuple[str, int, str]) -> None:
    """The 99th percentile at 500 sends a second."""
    kind, port, session = stored
    took = asyncio.run(pace(port, request(session), 500, 6.0))
    slowest = sorted(took)[int(len(took) * 0.99)] * 1000
    report(f"p99 in ms at 500 a second, {kind}, {STORED} stored", slowest, "< 25", slowest < 25)


@pytest.mark.parametrize("query", ["", "search=мир", "search=916000", "status=delivered", "offset=9900"])
def test_a_page_of_the_list(stored: tuple[str, int, str], query: str) -> None:
    """How long a page of the list takes with 10,000 messages, for each kind of filter."""
    kind, port, _ = stored
    url = f"http://127.0.0.1:{port}/sandbox/messages?limit=50&{quote(query, safe='=')}"
    taken = []
    for _ in range(15):
        start = time.perf_counter()
        opened(url)
        taken.append(time.perf_counter() - start)
    median = statistics.median(taken) * 1000
    report(f"ms for a page of the list, {kind}, {query or 'unfiltered'}", median, "< 100", median < 100)
