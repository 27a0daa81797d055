"""Names within a time: a resolver that hangs keeps nobody longer than the timeout."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import AsyncClient, Client
from devinotify.exceptions import NotSent
from devinotify.gateway import resolution
from devinotify.gateway.resolution import resolve
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLACK = 6.0
"""Seconds that a busy machine may add."""


class Hanging:
    """A resolver that answers when it is let go, and counts how often it was asked."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked = 0
        self.names: set[object] = set()

    def __call__(self, name: object, *_: object) -> list[object]:
        """Wait, then answer one address."""
        self.asked += 1
        self.names.add(name)
        assert self.let_go.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    """Put a resolver that hangs in the place of the system's; let it go at the end."""
    resolver = Hanging()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    yield resolver
    resolver.let_go.set()
    # One that still runs would be joined by whoever asks for the same name next.
    for left in list(resolution._under_way.values()):
        left.wait(60)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_an_address_is_found(host: str) -> None:
    """What the system knows at once is told at once."""
    try:
        expected = {address for *_, address in socket.getaddrinfo(host, 80, 0, socket.SOCK_STREAM)}
    except OSError:
        pytest.skip(f"this system has no {host}")
    assert expected == {address for *_, address in resolve(host, 80, 5)}


@table("host", ["a" * 64 + ".example", "a..example"])
def test_a_malformed_name_has_no_address(host: str) -> None:
    """A name that DNS cannot carry is an error like that of a name that is nobody's."""
    with pytest.raises(OSError):  # noqa: PT011 - the words are the system's
        resolve(host, 80, 5)


def test_waiting_ends_with_the_time(hanging: Hanging) -> None:
    """The look-up goes on by itself, and the caller does not."""
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        resolve("slow.example", 80, 0.2)
    assert 0.2 <= time.monotonic() - started < 0.2 + SLACK


def test_a_resolver_that_hangs_costs_one_thread(hanging: Hanging) -> None:
    """However many callers wait for a name, and however often, it is asked for once."""

    def late(_: int) -> bool:
        try:
            resolve("slow.example", 80, 0.1)
        except TimeoutError:
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert [True] * 16 == list(pool.map(late, range(16)))
    assert hanging.asked == 1


def test_a_look_up_that_was_left_behind_is_forgotten(hanging: Hanging) -> None:
    """When it has come to its end, the next caller asks anew."""
    with pytest.raises(TimeoutError):
        resolve("slow.example", 80, 0.01)
    (left,) = [each for each in resolution._under_way.values() if each._key[1] == "slow.example"]
    hanging.let_go.set()
    assert ("127.0.0.1", 9) == left.wait(60)[0][-1]
    assert ("127.0.0.1", 9) == resolve("slow.example", 80, 30)[0][-1]
    assert hanging.asked == 2


def test_a_failure_is_each_callers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two callers of one look-up get equal errors, not one object."""
    failure = socket.gaierror(-2, "Name or service not known")
    looked_up = resolution._LookUp((0, "nobody.example", 80))

    def fail(*_: object) -> list[object]:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    looked_up.run()
    errors = []
    for _ in range(2):
        with pytest.raises(socket.gaierror) as caught:
            looked_up.wait(1)
        errors.append(caught.value)
    assert ([failure.args] * 2, 3) == ([error.args for error in errors], len({*map(id, errors), id(failure)}))


def test_without_a_thread_the_name_is_looked_up_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that shuts down starts no threads: a last alert still finds its gateway."""

    def refused(self: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert resolve("127.0.0.1", 80, 5)


SETTINGS: dict[str, Any] = {
    "login": "l",
    "password": "p",
    "sender": "S",
    "gateway": "https://slow.example/rest",
    "timeout": 0.2,
}


def send() -> None:
    """Send by a client."""
    with Client(**SETTINGS) as client:
        client.sms.send("79161234567", "hi")


def send_on_a_loop() -> None:
    """Send by a client of an event loop."""

    async def main() -> None:
        async with AsyncClient(**SETTINGS) as client:
            await client.sms.send("79161234567", "hi")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("proxy", "name"),
    [(None, "slow.example"), ("http://proxy.example:3128", "proxy.example")],
    ids=["directly", "through a proxy"],
)
@pytest.mark.parametrize("by", [send, send_on_a_loop])
def test_a_client_keeps_its_timeout(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch, by: Callable[[], None], proxy: str | None, name: str
) -> None:
    """Four attempts within their timeouts, with their pauses: not sent, and a second where it was twelve."""
    if proxy is not None:
        monkeypatch.setenv("https_proxy", proxy)
    started = time.monotonic()
    with pytest.raises(NotSent, match="timed out"):
        by()
    assert time.monotonic() - started < 4 * 0.2 + 0.7 + SLACK
    assert {name} == hanging.names


SLOW_RESOLVER = """
import fcntl, socket, struct, subprocess, sys, time
lo = struct.pack("16sh14x", b"lo", 1)  # up
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, lo)
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", 53))
with open(sys.argv[1], "w") as settings:
    settings.write("nameserver 127.0.0.1\\noptions timeout:30 attempts:2\\n")
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
print("ready", flush=True)
from devinotify import Client
from devinotify.exceptions import NotSent
started = time.monotonic()
try:
    settings = {"login": "l", "password": "p", "sender": "S", "gateway": "https://slow.example/rest", "timeout": 0.3}
    Client(**settings).sms.send("79161234567", "hi")
except NotSent as error:
    print(f"{time.monotonic() - started:.2f} {error.verdict} {silent.recv(512, socket.MSG_DONTWAIT) != b''}")
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="the system has no network of its own for a process")
def test_a_real_resolver_that_is_silent(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The system's own resolver asks a server that never answers, for a minute: the client does not wait for it."""
    settings = tmp_path_factory.mktemp("resolver") / "resolv.conf"
    began = time.monotonic()
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "--net", sys.executable, "-c", SLOW_RESOLVER, str(settings)],
        timeout=120,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout.startswith("ready"):
        pytest.skip(f"no namespaces here: {done.stderr[-200:]}")
    seconds, verdict, asked = done.stdout.split()[1:]
    assert ("not_sent", "True", True) == (verdict, asked, float(seconds) < 4 * 0.3 + 0.7 + SLACK)
    # The threads that were left behind keep no process from its end.
    assert time.monotonic() - began < 25
