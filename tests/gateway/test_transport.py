"""The transport's own corners; how it meets a failing network is told in tests/faults."""

from __future__ import annotations

import itertools
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
import trustme

from devinotify.exceptions import InvalidURL, NotSent, OutcomeUnknown, TransportError, Verdict
from devinotify.gateway import connection
from devinotify.gateway.transport import Transport
from devinotify.gateway.wire import Request
from devinotify.url import DevinoURL
from tests.faults import acts
from tests.faults.server import Exchange, FaultServer, head
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GET = Request("GET", "/User/Balance?SessionID=x")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Run a gateway of this test's own."""
    with FaultServer() as running:
        yield running


def test_repr_names_the_host() -> None:
    """A transport shows where it leads and no more."""
    assert "<Transport to 127.0.0.1:9>" == repr(Transport("http://127.0.0.1:9/rest", timeout=1))


def test_an_ipv6_gateway() -> None:
    """An IPv6 address is connected to, and told as it is when nothing answers."""
    with pytest.raises(NotSent, match="refused"):
        Transport("http://[::1]:9/rest", timeout=1).exchange(GET)


def test_an_interrupt_while_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt closes the half-made connection and goes on as it is."""
    closed: list[bool] = []

    def interrupted(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(connection._PlainConnection, "connect", interrupted)
    monkeypatch.setattr(connection._PlainConnection, "close", lambda _: closed.append(True))
    with pytest.raises(KeyboardInterrupt):
        Transport("http://127.0.0.1:9/rest", timeout=1).exchange(GET)
    assert [True] == closed


@table("late", [1.0, 100.0], ids=["to the instant", "long ago"])
@table("looks", range(1, 14))
def test_time_may_run_out_at_any_moment(server: FaultServer, looks: int, late: float) -> None:
    """Wherever in an exchange the deadline passes, between two reads too, it is an error of ours or the reply."""
    server.play_always("user/balance", acts.drip(b"1.5", head(200, {"Content-Length": "3"}), 0.001))
    times = itertools.chain([0.0] * looks, itertools.repeat(late))
    made = Transport(server.base, timeout=1.0, clock=lambda: next(times))
    try:
        answer: object = made.exchange(GET).body
    except TransportError as error:
        answer = type(error)
    finally:
        made.close()
    assert answer in (b"1.5", NotSent, OutcomeUnknown)
    assert looks > 3 or answer is NotSent, "nothing had left"


def test_a_deadline_between_two_reads_is_told_as_such(server: FaultServer) -> None:
    """The reply had begun and time ran out: of unknown outcome, and the reason is the time."""
    answered = threading.Event()

    def half(exchange: Exchange) -> None:
        exchange.receive()
        answered.set()
        exchange.line.write(b"HTTP/1.1 200 OK\r\n")
        exchange.line.hold()

    server.play("user/balance", half)
    made = Transport(server.base, timeout=1.0, clock=lambda: 10.0 if answered.is_set() else 0.0)
    with pytest.raises(OutcomeUnknown, match="timed out"):
        made.exchange(GET)


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_bad_ca_is_named_at_once(tmp_path: Path, content: bytes | None) -> None:
    """A CA that is missing or no certificate is an error at construction."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidURL, match="bad value for ca"):
        Transport("https://gateway.example/rest", timeout=1, ca=str(path))


def test_a_folder_of_cas(tmp_path: Path) -> None:
    """A folder of CA certificates is taken as OpenSSL takes it."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    made = Transport("https://gateway.example/rest", timeout=1, ca=str(tmp_path))
    assert ssl.CERT_REQUIRED is made._pool.conn_kw["ssl_context"].verify_mode


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of another scheme is refused at construction, without showing its URL."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:secret@proxy.example:1080")
    with pytest.raises(InvalidURL, match="proxy") as caught:
        Transport("https://gateway.example/rest", timeout=1)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("target", ["/Sms/Sénd", "/\ud800"])
def test_what_cannot_be_written_is_not_sent(server: FaultServer, target: str) -> None:
    """A fault of our own before the first byte is told as that: nothing left, and trying again changes nothing."""
    with pytest.raises(NotSent, match="could not be made: UnicodeEncodeError") as caught:
        Transport(server.base, timeout=1).exchange(Request("GET", target))
    assert (False, Verdict.NOT_SENT, 0) == (caught.value.retryable, caught.value.verdict, server.connections)


def test_a_fault_while_connecting_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is raised before there is a connection, nothing was sent."""

    def broken(self: object) -> None:
        raise TypeError("a fault of a library")

    monkeypatch.setattr(connection._PlainConnection, "connect", broken)
    with pytest.raises(NotSent, match="TypeError"):
        Transport("http://127.0.0.1:9/rest", timeout=1).exchange(GET)


def test_a_gateway_with_letters_of_its_own_is_reached(server: FaultServer) -> None:
    """A path that is not ASCII is escaped, as browsers do."""
    gateway = DevinoURL("l", "p", "S", gateway=server.base + "/путь/a%20b").gateway
    server.play_always("%d0%bf%d1%83%d1%82%d1%8c/a%20b/user/balance", acts.reply("1.5"))
    made = Transport(gateway, timeout=5)
    assert b"1.5" == made.exchange(GET).body
    made.close()
