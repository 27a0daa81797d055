"""Which of a host's addresses is connected to: the first that can be, with a head start for those before it."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from devinotify.gateway.aio import racing
from devinotify.gateway.aio.racing import alternating, connect_to_one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.gateway.resolution import Address
    from tests.gateway.aio.conftest import Run


def at(host: str, port: int, family: int = socket.AF_INET) -> Address:
    """Return an address as the look-up gives it."""
    return (family, socket.SOCK_STREAM, 6, (host, port))


@pytest.fixture
def listening() -> Iterator[int]:
    """Give a port where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def deaf() -> Iterator[int]:
    """Give a port where connecting hangs: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        plugs = [socket.socket() for _ in range(4)]
        for plug in plugs:
            plug.setblocking(False)  # noqa: FBT003 - it takes no keyword
            plug.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for plug in plugs:
            plug.close()


@pytest.fixture
def closed() -> int:
    """Give a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_families_take_turns() -> None:
    """Each in its own order, so that a broken family costs one head start."""
    six = [at("::1", port, socket.AF_INET6) for port in (1, 2, 3)]
    four = [at("127.0.0.1", port) for port in (4, 5)]
    assert [six[0], four[0], six[1], four[1], six[2]] == alternating([*six, *four])


def test_an_address_that_refuses_gives_way_at_once(run: Run, listening: int, closed: int) -> None:
    """Nobody waits for the head start of one that has failed."""

    async def connect() -> int:
        addresses = [at("127.0.0.1", closed), at("127.0.0.1", listening)]
        async with asyncio.timeout(30):
            sock = await connect_to_one(addresses, head_start=3600)
        with sock:
            port: int = sock.getpeername()[1]
            return port

    assert listening == run(connect())


def test_an_address_that_hangs_is_overtaken(run: Run, listening: int, deaf: int) -> None:
    """After its head start the next is tried beside it, and what comes too late is closed."""

    async def connect() -> int:
        async with asyncio.timeout(2):
            sock = await connect_to_one([at("127.0.0.1", deaf), at("127.0.0.1", listening)])
        with sock:
            port: int = sock.getpeername()[1]
            return port

    assert listening == run(connect())


def test_two_that_connect_at_once_leave_one(run: Run, listening: int) -> None:
    """The other one's socket is closed: warnings are errors."""

    async def connect() -> None:
        (await connect_to_one([at("127.0.0.1", listening)] * 5, head_start=0)).close()

    run(connect())


def test_without_any_that_connects_the_last_failure_is_raised(run: Run, closed: int) -> None:
    """And without any address at all, that there is none."""

    async def connect(addresses: list[Address]) -> None:
        await connect_to_one(addresses)

    with pytest.raises(ConnectionRefusedError):
        run(connect([at("127.0.0.1", closed)] * 2))
    with pytest.raises(socket.gaierror):
        run(connect([]))


def test_cancelled_it_leaves_no_socket(run: Run, deaf: int) -> None:
    """Warnings are errors, so a socket that was left open would show."""

    async def connect() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await connect_to_one([at("127.0.0.1", deaf)] * 3)

    run(connect())


def test_cancelled_with_one_connected_it_leaves_no_socket(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that connected has won, and whoever asked is cancelled while the others are broken off."""
    ours, theirs = socket.socketpair()

    async def connect() -> None:
        breaking_off = asyncio.Event()

        async def attempt(address: Address) -> socket.socket:
            if address[3][1] == 2:
                return ours
            try:
                await asyncio.sleep(3600)
            finally:
                breaking_off.set()
                await asyncio.sleep(0)
            raise AssertionError("nobody waits for so long")

        monkeypatch.setattr(racing, "_connect", attempt)
        task = asyncio.create_task(connect_to_one([at("127.0.0.1", 1), at("127.0.0.1", 2)], head_start=0))
        await breaking_off.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with theirs:
        run(connect())
        assert -1 == ours.fileno()
