"""The client of an event loop: its connections, its login, its loop and its end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from devinotify import AsyncClient, Client, InvalidInput, InvalidURL, NotSent, OutcomeUnknown, Unauthorized, exceptions
from devinotify.gateway.aio.connection import Connection
from devinotify.gateway.http1 import Reply, ReplyParser
from devinotify.gateway.route import IDLE_LIMIT
from tests.faults.server import LOGIN, PASSWORD, FaultServer, answer
from tests.gateway.aio.conftest import LOOPS
from tests.gateway.test_frames import FAULTS, SECRETS, SENDS, frames_of
from tests.tables import table
from tests.waiting import collect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.certificates import Certificates
    from tests.gateway.aio.conftest import Run

    Make = Callable[..., AsyncClient]

TEXT = "hello"


def slowly(seconds: float) -> Any:  # noqa: ANN401 - an act of the server's
    """Return an act that answers well after so many seconds."""

    def act(exchange: Any) -> None:  # noqa: ANN401 - an exchange of the server's
        exchange.server.stopping.wait(seconds)
        answer(exchange)

    return act


@pytest.mark.once
def test_many_sends_share_few_connections(server: FaultServer, make: Make, run: Run) -> None:
    """Of 2,000 sends at once on 50 connections none is lost, none is sent twice, and one login serves all."""

    async def send() -> list[str]:
        async with make(server, max_connections=50, timeout=60) as client:
            receipts = await asyncio.gather(*[client.sms.send(f"7916{each:07d}", TEXT) for each in range(2000)])
            return [receipt.message_ids[0] for receipt in receipts]

    ids = run(send())
    sent = [request.params["destinationaddress"][0] for request in server.received("sms/send")]
    assert (2000, sorted(f"7916{each:07d}" for each in range(2000)), 1) == (len(set(ids)), sorted(sent), server.logins)
    assert server.connections <= 50


def test_who_waits_is_served_in_order(server: FaultServer, make: Make, run: Run) -> None:
    """One connection, and nobody overtakes."""

    async def send() -> None:
        async with make(server, max_connections=1) as client:
            await client.user.balance()
            await asyncio.gather(*[client.sms.send(f"7916{each:07d}", TEXT) for each in range(20)])

    run(send())
    sent = [request.params["destinationaddress"][0] for request in server.received("sms/send")]
    assert (sorted(sent), 1) == (sent, server.connections)


def test_who_waits_for_a_connection_too_long_is_not_sent(server: FaultServer, make: Make, run: Run) -> None:
    """Waiting is a part of the deadline, and provably before the first byte."""
    server.play_always("sms/send", slowly(2))

    async def send() -> list[object]:
        async with make(server, max_connections=1, timeout=0.3) as client:
            await client.user.balance()
            pool = client._here().transport.pool
            connection = await pool.take(asyncio.get_running_loop().time() + 60)
            try:
                return [*await asyncio.gather(client.sms.send("79161234567", TEXT), return_exceptions=True)]
            finally:
                pool.give_back(connection, reusable=True)

    [error] = run(send())
    assert (NotSent, True) == (type(error), "no connection" in str(error))
    assert [] == server.received("sms/send")


def test_who_is_cancelled_while_he_waits_keeps_no_connection_from_the_next(
    server: FaultServer, make: Make, run: Run
) -> None:
    """Of three who wait for the only one, the first is cancelled before it is his, the second as it becomes his."""

    async def take() -> None:
        async with make(server, max_connections=1) as client:
            await client.user.balance()
            pool, until = client._here().transport.pool, asyncio.get_running_loop().time() + 60
            connection = await pool.take(until)
            first, second, third = (asyncio.create_task(pool.take(until)) for _ in range(3))
            await asyncio.sleep(0)
            first.cancel()
            pool.give_back(connection, reusable=True)
            second.cancel()
            assert connection is await third
            assert (True, True) == (first.cancelled(), second.cancelled())
            assert pool.take_kept() is None
            pool.give_back(connection, reusable=True)
            assert connection is pool.take_kept()
            pool.give_back(connection, reusable=True)

    run(take())


def test_an_idle_connection_is_closed_after_four_seconds(server: FaultServer, make: Make, run: Run) -> None:
    """Nobody has to ask for that: no socket stays open for nothing."""

    async def idle() -> tuple[int, float]:
        async with make(server) as client:
            await client.user.balance()
            started = time.monotonic()
            pool = client._here().transport.pool
            (connection,) = pool._open
            await connection.lost
            return len(pool._idle), time.monotonic() - started

    left, seconds = run(idle())
    assert (0, True) == (left, IDLE_LIMIT - 0.5 < seconds < IDLE_LIMIT + 20)


@pytest.mark.once
@pytest.mark.parametrize("seconds", [1, 5])
def test_a_loop_that_lags_uses_no_connection_that_was_closed(
    server: FaultServer, make: Make, run: Run, seconds: float
) -> None:
    """A loop that was blocked has not heard of the server's close, and the socket is asked instead."""

    async def lag() -> None:
        async with make(server) as client:
            await client.user.balance()
            server.drop_connections()
            time.sleep(seconds)
            await client.sms.send("79161234567", TEXT)

    run(lag())
    assert (1, 2) == (len(server.received("sms/send")), server.connections)


def test_without_poll_the_close_is_noticed_too(
    server: FaultServer, make: Make, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every system has it, and gevent takes it away."""
    monkeypatch.delattr("select.poll")

    async def lag() -> None:
        async with make(server) as client:
            await client.user.balance()
            server.drop_connections()
            assert server.wait_for(lambda: not server.open_connections, 60)
            await client.sms.send("79161234567", TEXT)

    run(lag())
    assert (1, 2) == (len(server.received("sms/send")), server.connections)


def test_one_timer_serves_exchange_after_exchange(server: FaultServer, make: Make, run: Run) -> None:
    """It rings once for each deadline's time, and ends the exchange that is then under way only at its own."""

    async def send() -> tuple[int, float]:
        async with make(server, timeout=1.0) as client:
            for _ in range(12):
                await client.sms.send("79161234567", TEXT)
                await asyncio.sleep(0.1)
            server.play("sms/send", slowly(30))
            started = time.monotonic()
            with pytest.raises(OutcomeUnknown):
                await client.sms.send("79161234567", TEXT)
            return server.connections, time.monotonic() - started

    connections, seconds = run(send())
    assert (1, True) == (connections, seconds > 0.95)


def test_what_the_loop_was_late_to_read_is_still_a_reply(server: FaultServer, make: Make, run: Run) -> None:
    """A reply that lay in the socket before its deadline is taken, although the loop looks at it only later."""

    async def lag() -> None:
        async with make(server, timeout=2.0) as client:
            await client.user.balance()
            send = asyncio.create_task(client.sms.send("79161234567", TEXT))
            while not server.received("sms/send"):
                await asyncio.sleep(0)
            time.sleep(2.1)
            await send

    run(lag())
    assert 1 == len(server.received("sms/send"))


def test_cancelling_one_who_waits_for_the_login_fails_no_other(server: FaultServer, make: Make, run: Run) -> None:
    """The login is nobody's: whoever asked for it first may go."""
    begun, cancelled = threading.Event(), threading.Event()

    def held(exchange: Any) -> None:  # noqa: ANN401 - an exchange of the server's
        begun.set()
        cancelled.wait(60)
        answer(exchange)

    server.play("user/sessionid", held)

    async def send() -> int:
        async with make(server) as client:
            first, *others = (asyncio.create_task(client.sms.send(f"7916{each:07d}", TEXT)) for each in range(10))
            while not begun.is_set():
                await asyncio.sleep(0.01)
            first.cancel()
            cancelled.set()
            return len(await asyncio.gather(*others))

    assert (9, 1, 9) == (run(send()), server.logins, len(server.received("sms/send")))


def test_a_wrong_password_is_asked_about_once(server: FaultServer, make: Make, run: Run) -> None:
    """However many tasks wait for the login, each hears the refusal."""

    async def send() -> list[object]:
        async with make(server, password="wrong") as client:
            sends = [client.sms.send(f"7916{each:07d}", TEXT) for each in range(50)]
            return [*await asyncio.gather(*sends, return_exceptions=True)]

    assert ({Unauthorized}, 1) == ({type(error) for error in run(send())}, server.logins)


def test_one_beside_a_blocking_client_shares_its_session(server: FaultServer, make: Make, run: Run) -> None:
    """Whoever logs in first serves both, and closing one leaves the session to the blocking one."""
    with Client(make(server).url) as client:

        async def main() -> None:
            for _ in range(2):
                async with AsyncClient.beside(client) as beside:
                    await beside.user.balance()
                await asyncio.to_thread(client.user.balance)
            server.expire_sessions()
            async with AsyncClient.beside(client) as beside:
                await asyncio.to_thread(client.user.balance)
                await beside.user.balance()

        run(main())
        assert repr(client.url) == repr(make(server).url)
    assert 2 == server.logins


def test_closing_breaks_off_a_login(server: FaultServer, make: Make, run: Run) -> None:
    """Nobody waits for a login when the client is closed, and nothing is left of it."""
    server.play("user/sessionid", slowly(30))

    async def close() -> float:
        client = make(server)
        task = asyncio.create_task(client.user.balance())
        await asyncio.sleep(0.1)
        task.cancel()
        started = time.monotonic()
        await client.aclose()
        return time.monotonic() - started

    assert run(close()) < 20


@table("steps", range(1, 6))
def test_closing_tells_whoever_waits_for_a_login(server: FaultServer, make: Make, run: Run, steps: int) -> None:
    """However little of the login has been done: nothing was sent, and the client can be used again."""
    before = len(server.received("sms/send"))

    async def close() -> None:
        client = make(server)
        await client.sms.send("79161234567", TEXT)  # what a first send reads is read
        await client.aclose()
        server.play("user/sessionid", slowly(30))
        task = asyncio.create_task(client.sms.send("79161234567", TEXT))
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.aclose()
        async with asyncio.timeout(20):
            with pytest.raises(NotSent, match="closed while it logged in"):
                await task
        server.play("user/sessionid", answer)
        await client.sms.send("79161234567", TEXT)
        await client.aclose()

    run(close())
    assert 2 == len(server.received("sms/send")) - before


def test_a_connection_with_a_rest_to_write_carries_nothing_else(run: Run) -> None:
    """A server that answered early and reads no more would take what is left for the next request's beginning."""

    async def exchange() -> tuple[int, bool]:
        done, gone = asyncio.Event(), asyncio.Event()

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.write(b"HTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\nno")
            await writer.drain()
            writer.transport.pause_reading()  # type: ignore[attr-defined] # asyncio has it on all that read
            await done.wait()
            writer.close()
            gone.set()

        async with await asyncio.start_server(refuse, "127.0.0.1", 0, limit=1024) as listening:
            port = listening.sockets[0].getsockname()[1]
            loop = asyncio.get_running_loop()
            connection = Connection(loop, set())
            await loop.create_connection(lambda: connection, "127.0.0.1", port)
            form = b"POST / HTTP/1.1\r\n\r\n" + b"x" * 30_000_000
            outcome = await connection.begin(form, ReplyParser(), loop.time() + 30)
            connection.close()
            await connection.lost
            done.set()
            await gone.wait()
            await asyncio.sleep(0)  # for the server's task to end
            assert isinstance(outcome, Reply)
            return outcome.status, outcome.keep_alive

    assert (413, False) == run(exchange())


def test_what_is_refused_here_is_raised_when_it_is_awaited(make: Make, server: FaultServer, run: Run) -> None:
    """A bad number in one of many sends fails that one alone."""

    async def send() -> list[object]:
        async with make(server) as client:
            sends = [client.sms.send(number, TEXT) for number in ("79161234567", "nobody")]
            return [*await asyncio.gather(*sends, return_exceptions=True)]

    receipt, error = run(send())
    assert (1, exceptions.InvalidPhoneNumber) == (len(receipt.message_ids), type(error))


def test_another_loop_is_a_clear_error(server: FaultServer, make: Make, run: Run) -> None:
    """A client that is in use on one loop says so on another; closed, it may be used there."""
    client = make(server)

    async def other() -> None:
        await client.user.balance()

    async def use() -> None:
        await client.user.balance()
        with pytest.raises(InvalidInput, match="another event loop") as caught:
            await asyncio.to_thread(asyncio.run, other())
        assert isinstance(caught.value, RuntimeError)
        await client.aclose()

    async def use_again() -> None:
        await client.user.balance()
        await client.aclose()

    run(use())
    run(use_again())


def test_a_client_collected_open_warns(server: FaultServer, make: Make, run: Run) -> None:
    """As asyncio's own transports do; and its connections are closed."""

    async def forget() -> None:
        client = make(server)
        await client.user.balance()
        connections = list(client._here().transport.pool._open)
        del client
        with pytest.warns(ResourceWarning, match="unclosed <AsyncClient devino://acme:"):
            collect()
        await asyncio.gather(*[connection.lost for connection in connections])

    run(forget())
    assert server.wait_for(lambda: not server.open_connections)


def test_a_client_that_was_never_used_is_collected_silently(server: FaultServer, make: Make) -> None:
    """There is nothing to close."""
    make(server)
    collect()


def test_max_connections_is_checked(server: FaultServer, make: Make) -> None:
    """A client without connections would wait for ever."""
    with pytest.raises(InvalidURL, match="max_connections"):
        make(server, max_connections=0)


_FORKING = """
import asyncio, os, sys
import uvloop
from devinotify import AsyncClient, Client

loop, gateway, ca, login, password = sys.argv[1:]
new_loop = {"stock": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}[loop]
client = AsyncClient(login=login, password=password, sender="Acme", gateway=gateway, ca=ca, timeout=5)

async def send(number, text):
    for _ in range(3):
        await client.sms.send(number, text)

async def child():
    await send("79160000010", "child")
    await client.aclose()

async def main():
    await send("79160000020", "parent")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            asyncio.events._set_running_loop(None)
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(child())
            code = 0
        finally:
            os._exit(code)
    await send("79160000020", "parent")
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    await send("79160000020", "parent")
    await client.aclose()
    sys.exit(code)

with asyncio.Runner(loop_factory=new_loop) as runner:
    runner.run(main())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_fork_starts_afresh(server: FaultServer, certificates: Certificates, loop: str) -> None:
    """The child has connections of its own on a loop of its own, and the session is shared."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _FORKING, loop, server.base, str(certificates.ca), LOGIN, PASSWORD],
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )
    owners: dict[int, set[str]] = {}
    for request in server.received("sms/send"):
        owners.setdefault(request.connection, set()).add(request.params["data"][0])
    assert (0, "", [{"child"}, {"parent"}], 12, 1) == (
        done.returncode,
        done.stderr,
        sorted(owners.values(), key=sorted),
        len(server.received("sms/send")),
        server.logins,
    ), done.stderr


_SILENT = """
import asyncio, gc, sys
from devinotify import AsyncClient, Client

gateway, ca, login, password = sys.argv[1:]

async def main():
    settings = dict(login=login, password=password, sender="Acme", gateway=gateway, ca=ca, timeout=5)
    async with AsyncClient(**settings, max_connections=5) as client:
        await asyncio.gather(*[client.sms.send(f"7916{each:07d}", "hello") for each in range(50)])
        late = [asyncio.create_task(client.sms.send(f"7916{each:07d}", "hello")) for each in range(20)]
        await asyncio.sleep(0.01)
        for task in late:
            task.cancel()
        await asyncio.wait(late)

asyncio.run(main())
gc.collect()
"""


@pytest.mark.once
def test_development_mode_is_silent(server: FaultServer, certificates: Certificates) -> None:
    """With all of Python's and asyncio's own checks on, nothing is left open, unawaited or untaken."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", _SILENT, server.base, str(certificates.ca), LOGIN, PASSWORD],
        env={**os.environ, "PYTHONASYNCIODEBUG": "1"},
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )
    told = [
        line
        for line in done.stderr.splitlines()
        # What the log tells of abandoned sends is asked for; that a busy machine is slow is not ours.
        if "was cancelled after it had begun to leave" not in line and " took " not in line
    ]
    assert (0, []) == (done.returncode, told)


@table("act", ["reset", "silence", "a refusal that quotes"])
@table("operation", SENDS)
def test_no_frame_of_a_failed_send_shows_a_secret(
    server: FaultServer, make: Make, run: Run, act: str, operation: str
) -> None:
    """What debuggers and error trackers see of our variables holds no text, number or password."""
    server.play_always(operation, FAULTS[act])

    async def send() -> BaseException:
        async with make(server, timeout=0.5) as client:
            await client.user.balance()
            with pytest.raises(exceptions.DevinotifyError) as caught:
                await cast(Any, SENDS[operation](cast(Any, client)))
            return caught.value

    shown = [(place, value) for place, value in frames_of(run(send())) if any(secret in value for secret in SECRETS)]
    assert [] == shown
