"""The stream of changes."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Client
from devinotify.sandbox import Sandbox, events
from tests.sandbox.conftest import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stream:
    """An open stream, read an event at a time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._socket = socket.create_connection(("127.0.0.1", sandbox.port), timeout=10)
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
    for number in range(200):
        running.add_incoming(str(number), NUMBER)
    start = time.monotonic()
    count = 0
    while stream.event()["version"] < running._emulator.live.version:
        count += 1
    assert (True, True) == (count < 5, time.monotonic() - start < 5)


def test_silence_is_broken(monkeypatch: pytest.MonkeyPatch, running: Sandbox) -> None:
    """Where nothing happens, a comment keeps the stream open."""
    monkeypatch.setattr(events, "PING", 0.05)
    stream = Stream(running)
    assert b": still here" in (next(lines) for lines in [stream.lines()] for _ in range(9))
    stream.close()


def test_streams_are_capped(monkeypatch: pytest.MonkeyPatch, running: Sandbox, stream: Stream) -> None:
    """Past the cap a page is told so; one that leaves makes room."""
    monkeypatch.setattr(events, "MAX_STREAMS", 1)
    refused = Stream(running)
    refused.close()
    assert refused.head.startswith(b"HTTP/1.1 503")
    stream.close()
    deadline = time.monotonic() + 10
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
    assert (True, []) == (time.monotonic() - start < 1.5, [line for line in stream.lines() if line])
    stream.close()
