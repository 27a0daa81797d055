"""What a call leaves behind: nothing that stays until cyclic garbage is looked for, which a worker does rarely."""

from __future__ import annotations

import asyncio
import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from devinotify import AsyncClient, Client
from devinotify.gateway.http1 import ReplyParser
from devinotify.sandbox import Sandbox
from tests.tables import table
from tests.waiting import collect

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = [f"+7916123{number:04d}" for number in range(50)]


@contextmanager
def garbage() -> Iterator[list[str]]:
    """Give the names of our own types of which something is left that only the collector finds, at the end."""
    found: list[str] = []
    gc.disable()
    collect()  # from here on no other thread does
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        kinds = {type(each) for each in gc.garbage}
        found += [
            kind.__qualname__
            for kind in kinds
            # The sandbox runs in this process, and is no client.
            if kind.__module__.startswith("devinotify.") and not kind.__module__.startswith("devinotify.sandbox")
        ]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_a_call_leaves_nothing_to_collect() -> None:
    """A reply of a bulk is 20 kB: ten million messages would leave 200 MB of them."""
    with Sandbox() as gateway, Client(gateway.url) as client:
        client.sms.send(NUMBERS[0], "text")
        with garbage() as left:
            receipt = client.sms.send(NUMBERS[0], "text")
            client.sms.send_bulk(NUMBERS, "text")
            client.sms.state(receipt.message_ids[0])
        assert [] == left


def test_a_call_of_an_event_loop_leaves_nothing_to_collect() -> None:
    """Nor does the other client."""

    async def calls(url: str) -> list[str]:
        async with AsyncClient(url) as client:
            await client.sms.send(NUMBERS[0], "text")
            with garbage() as left:
                await client.sms.send_bulk(NUMBERS, "text")
            return left

    with Sandbox() as gateway:
        assert [] == asyncio.run(calls(gateway.url))


@table(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
    ids=["counted", "chunked", "bodiless", "cut"],
)
def test_a_reply_is_let_go_however_it_ends(reply: bytes) -> None:
    """Whole, without a body, or cut in its headers."""
    with garbage() as left:
        ReplyParser().feed(reply)
    assert [] == left
