"""The stream of changes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Client
from devinotify.sandbox import Sandbox, events
from devinotify.sandbox.app import make_app
from devinotify.sandbox.events import Closing
from tests.sandbox.conftest import NUMBER, Api

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stream:
    """An open stream, read an event at a time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._socket = socket.create_connection(("127.0.0.1", sandbox.port), timeout=60)
        self._socket.sendall(b"GET /sandbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self._file = self._socket.makefile("rb")
        self.head = b"".join(iter(self._file.readline, b"\r\n"))

    def lines(self) -> Iterator[bytes]:
        """Return the lines as they come, without those of the chunked encoding, until the stream ends."""
        while size := int(self._file.readline() or b"0", 16):
            chunk = self._file.read(size + 2)
            yield from chunk.rstrip().splitlines()

    def event(self) -> Any:  # noqa: ANN401 - any JSON document
        """Return the next event's data."""
        return json.loads(next(line for line in self.lines() if line.startswith(b"data: "))[6:])

    def close(self) -> None:
        """Leave."""
        self._file.close()
        self._socket.close()


@pytest.fixture
def running() -> Iterator[Sandbox]:
    """Give a sandbox of the test's own, whose clock runs."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def stream(running: Sandbox) -> Iterator[Stream]:
    """Give an open stream whose first event has been read."""
    made = Stream(running)
    made.event()
    yield made
    made.close()


def test_its_head(stream: Stream) -> None:
    """It is a stream of server-sent events that nobody stores."""
    assert stream.head.startswith(b"HTTP/1.1 200")
    assert [True, True] == [words in stream.head for words in (b"text/event-stream", b"no-store")]


def test_a_message_is_an_event(running: Sandbox, stream: Stream) -> None:
    """What arrives is told, and so is what time makes of it."""
    with Client(running.url) as client:
        client.sms.send(NUMBER, "test")
    versions = [stream.event()["version"]]
    while running.messages()[0].status != "delivered":
        versions.append(stream.event()["version"])
    assert (True, True) == (len(versions) >= 2, versions == sorted(versions))


def test_changes_come_bundled(running: Sandbox, stream: Stream) -> None:
    """Many changes at once are few events."""
    before = stream.event if running.add_incoming("0", NUMBER) else None
    assert before is not None
    start = time.monotonic()
    for number in range(200):
        running.add_incoming(str(number), NUMBER)
    count = 0
    while stream.event()["version"] < running._emulator.live.version:
        count += 1
    assert count <= (time.monotonic() - start) / events.PAUSE + 2


def test_silence_is_broken(api: Api) -> None:
    """Where nothing happens, a comment keeps the stream open."""

    async def first_two() -> list[bytes]:
        async with contextlib.aclosing(events.changes(api.emulator, Closing(), ping=0.01)) as stream:
            return [await anext(stream), await anext(stream)]

    event, comment = asyncio.run(first_two())
    assert (True, b": still here\n\n") == (b"event: change" in event, comment)


def test_streams_are_capped(api: Api) -> None:
    """Past the cap a page is told so."""
    sent: list[Any] = []

    async def ask() -> None:
        async def send(message: Any) -> None:  # noqa: ANN401 - any of ASGI's messages
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/sandbox/events",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "scheme": "http",
            "server": ("localhost", 80),
        }
        await make_app(api.emulator, most_streams=1)(scope, receive, send)

    with api.emulator.live.woken(lambda: None):
        asyncio.run(ask())
    assert (503, True) == (sent[0]["status"], b"more than 1 pages are open" in sent[1]["body"])


def test_a_page_that_leaves_makes_room(running: Sandbox, stream: Stream) -> None:
    """A stream whose client is gone is not counted any more."""
    assert 1 == running._emulator.live.watchers
    stream.close()
    deadline = time.monotonic() + 60
    while running._emulator.live.watchers and time.monotonic() < deadline:
        running.add_incoming("anything", NUMBER)  # The server notices that nobody is there when it next writes.
        running.wait(lambda: not running._emulator.live.watchers, 0.1)
    assert 0 == running._emulator.live.watchers


def test_stopping_ends_it() -> None:
    """A server that is stopped waits for no open page."""
    sandbox = Sandbox().start()
    stream = Stream(sandbox)
    stream.event()
    start = time.monotonic()
    sandbox.stop()
    assert (True, []) == (time.monotonic() - start < events.PING - 3, [line for line in stream.lines() if line])
    stream.close()


LEFT = """
import gc
import socket
import time

from devinotify.sandbox import Sandbox

sandbox = Sandbox().start()
with socket.create_connection(("127.0.0.1", sandbox.port), timeout=60) as looker:
    looker.sendall(b"GET /sandbox/events HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    with looker.makefile("rb") as lines:
        while b"data: " not in lines.readline():
            pass
    time.sleep({longer})
deadline = time.monotonic() + 60
while sandbox._emulator.live.watchers and time.monotonic() < deadline:
    time.sleep(0.01)
gc.collect()
sandbox.stop()
"""


@pytest.mark.once
def test_a_page_that_leaves_is_not_told_of() -> None:
    """A page that is closed while nothing happens leaves nothing behind that is told of on stderr."""
    script = LEFT.format(longer=2 * events.PAUSE)  # the stream waits for the next change by then
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert (0, "") == (ended.returncode, ended.stderr)
