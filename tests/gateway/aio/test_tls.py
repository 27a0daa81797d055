"""TLS without I/O: between both sides in memory, and with a server of OpenSSL's that does what few servers do."""

from __future__ import annotations

import asyncio
import contextlib
import select
import shutil
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
import trustme

from devinotify.gateway.aio.connection import open_connection
from devinotify.gateway.aio.tls import TLS
from devinotify.gateway.route import Route, find_route
from tests.faults.server import FaultServer
from tests.waiting import LONGEST, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.certificates import Certificates

HOST = "127.0.0.1"
LONG = bytes(range(256)) * 2800  # 700 KB, as the longest bulk has


class Server:
    """The other side, by ``ssl`` alone: what is said to it is ``heard``, and ``say`` returns what to hand over."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._in, self._out, server_side=True)
        self.heard = b""
        self.alert = ""

    def take(self, data: bytes) -> bytes:
        """Take what was written, and return what it has to say of its own."""
        self._in.write(data)
        try:
            self._ssl.do_handshake()
            while True:
                self.heard += self._ssl.read(1 << 20)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.alert = self.alert or str(error)
        return self._out.read()

    def say(self, data: bytes) -> bytes:
        """Return what makes our side hear this."""
        while data:
            data = data[self._ssl.write(data) :]
        return self._out.read()

    def end(self) -> bytes:
        """Say that nothing more comes."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._ssl.unwrap()
        return self._out.read()


def context_of(certificates: Certificates) -> ssl.SSLContext:
    """Return the context of a client that trusts the CA."""
    context = find_route(f"https://{HOST}", str(certificates.ca)).tls
    assert context is not None
    return context


def agree(tls: TLS, server: Server) -> None:
    """Have both go through the handshake, as far as it goes."""
    said = tls.seal()
    while not tls.is_agreed and not tls.is_over:
        assert tls.open(server.take(said)) == b""
        said = tls.seal()
    tls.open(server.take(said))


@pytest.fixture
def pair(certificates: Certificates) -> tuple[TLS, Server]:
    """Both sides, once they have agreed."""
    tls, server = TLS(context_of(certificates), HOST), Server(certificates.good)
    agree(tls, server)
    assert (tls.is_agreed, tls.is_over, tls.fault, tls.has_to_say) == (True, False, None, False)
    return tls, server


@pytest.mark.parametrize("data", [b"x", LONG[:16384], LONG[:16385], LONG], ids=["byte", "record", "more", "long"])
def test_what_is_said_is_heard(pair: tuple[TLS, Server], data: bytes) -> None:
    """Whole and in order, both ways, however many records it takes."""
    tls, server = pair
    server.take(tls.seal(data))
    assert (data, data) == (server.heard, tls.open(server.say(data)))
    assert not tls.has_to_say


def test_a_record_in_parts_is_heard_once_it_is_whole(pair: tuple[TLS, Server]) -> None:
    """Byte by byte nothing is heard until the last, and a record's worth and a part of the next is heard at once."""
    tls, server = pair
    said = server.say(b"reply")
    assert [b""] * (len(said) - 1) + [b"reply"] == [tls.open(bytes([byte])) for byte in said]
    both = server.say(b"one") + server.say(b"two")
    assert (b"one", b"two") == (tls.open(both[:-1]), tls.open(both[-1:]))


def test_what_came_before_the_end_is_heard(pair: tuple[TLS, Server]) -> None:
    """A reply and the other side's goodbye in one: both are told."""
    tls, server = pair
    assert tls.open(server.say(b"reply") + server.end()) == b"reply"
    assert (True, None) == (tls.is_over, tls.fault)
    assert tls.seal(b"another") == b""


def test_what_came_before_a_damaged_record_is_heard(pair: tuple[TLS, Server]) -> None:
    """A whole reply is one, whatever is behind it; the fault is kept, and said to the other side."""
    tls, server = pair
    whole, damaged = server.say(b"reply"), bytearray(server.say(b"more"))
    damaged[-1] ^= 1
    assert tls.open(whole + bytes(damaged)) == b"reply"
    assert tls.is_over
    assert isinstance(tls.fault, ssl.SSLError)
    server.take(tls.seal(b"never sealed"))
    assert ("BAD_RECORD_MAC" in server.alert, server.heard) == (True, b"")


@pytest.mark.parametrize("wrong", ["stranger", "misnamed", "outdated"])
def test_a_certificate_that_is_wrong_ends_it(certificates: Certificates, wrong: str) -> None:
    """Nothing is sealed for who is not trusted, however often it is asked, and the first fault stays the reason."""
    tls, server = TLS(context_of(certificates), HOST), Server(getattr(certificates, wrong))
    agree(tls, server)
    assert isinstance(tls.fault, ssl.SSLCertVerificationError)
    server.take(tls.seal(b"secret") + tls.seal(b"secret"))
    assert (False, True, b"") == (tls.is_agreed, tls.is_over, server.heard)
    assert "ALERT" in server.alert


def test_a_handshake_that_cannot_begin_is_a_fault() -> None:
    """Told at once: no answer would come to what was never said."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2
    tls = TLS(context, HOST)
    tls.seal()
    assert isinstance(tls.fault, ssl.SSLError)
    with FaultServer() as server:
        route = Route(HOST, server.port, HOST, context)
        with pytest.raises(ssl.SSLError):
            asyncio.run(asyncio.wait_for(open_connection(route, set()), LONGEST))


def test_one_within_another(pair: tuple[TLS, Server], certificates: Certificates) -> None:
    """Through a proxy that is spoken to in TLS: what leaves is the proxy's, and what is heard the gateway's."""
    outer, proxy = pair
    inner, gateway = TLS(context_of(certificates), HOST, outer), Server(certificates.good)

    def through(said: bytes) -> bytes:
        proxy.heard = b""
        proxy.take(said)
        answer = gateway.take(proxy.heard)
        return proxy.say(answer) if answer else b""

    said = inner.seal()
    while not inner.is_agreed:
        assert inner.open(through(said)) == b""
        said = inner.seal()
    inner.open(through(said))
    assert through(inner.seal(LONG)) == b""
    assert LONG == gateway.heard
    assert inner.open(proxy.say(gateway.say(LONG))) == LONG
    assert not inner.has_to_say
    # The end of the outer one is the end of what is in it.
    assert inner.open(proxy.say(gateway.say(b"last")) + proxy.end()) == b"last"
    assert (True, None) == (inner.is_over, inner.fault)


def test_a_fault_of_the_outer_one_is_one_of_the_inner(pair: tuple[TLS, Server], certificates: Certificates) -> None:
    """Whoever waits for the gateway's handshake hears what ended the proxy's."""
    outer, proxy = pair
    inner = TLS(context_of(certificates), HOST, outer)
    proxy.take(inner.seal())
    damaged = bytearray(proxy.say(b"something"))
    damaged[-1] ^= 1
    assert inner.open(bytes(damaged)) == b""
    assert (True, outer.fault) == (inner.is_over, inner.fault)
    assert inner.fault is not None


# A server of OpenSSL's, told by its standard input what to do


class Told:
    """``openssl s_server`` with one connection, of which we are the other side."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, ca: Path, port: int) -> None:
        context = find_route(f"https://{HOST}:{port}", str(ca)).tls
        assert context is not None
        self._process = process
        self._log = log
        self._sock = socket.create_connection((HOST, port), LONGEST)
        self.tls = TLS(context, HOST)
        self.heard = b""
        self._sock.sendall(self.tls.seal())
        while not self.tls.is_agreed:
            self.read()

    def tell(self, what: bytes) -> None:
        """Have it do what this letter stands for, or say something."""
        assert self._process.stdin is not None
        self._process.stdin.write(what)
        self._process.stdin.flush()

    def receive(self) -> bytes:
        """Return what has come, as it came."""
        return self._sock.recv(1 << 16)

    def write(self, data: bytes) -> None:
        """Write what is said."""
        self._sock.sendall(data)

    def read(self) -> None:
        """Hear what has come, and answer what is to be answered."""
        self.heard += self.tls.open(self.receive())
        assert self.tls.fault is None
        if self.tls.has_to_say:
            self.write(self.tls.seal())

    def has_heard(self, what: bytes) -> None:
        """Wait until it has, and go on with what it asks for meanwhile."""

        def look() -> bool:
            if select.select([self._sock], [], [], 0)[0]:
                self.read()
            return what in self._log.read_bytes()

        wait_until(look)

    def close(self) -> None:
        """Leave."""
        self._sock.close()


@pytest.fixture
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    """Run it with one version of TLS, and connect to it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    log = tmp_path / "log"
    command = ["openssl", "s_server", request.param, "-accept", f"{HOST}:0", "-cert", tmp_path / "server.pem"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: b"ACCEPT" in log.read_bytes() and log.read_bytes().endswith(b"\n"))
        port = int(log.read_bytes().partition(b"ACCEPT")[2].split()[0].rpartition(b":")[2])
        server = Told(process, log, tmp_path / "ca.pem", port)
        yield server
        server.close()
    finally:
        process.kill()
        process.communicate(timeout=LONGEST)


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the command of OpenSSL is not installed")


@needs_openssl
@pytest.mark.once
@pytest.mark.parametrize("told", ["-tls1_2"], indirect=True)
def test_a_new_handshake_holds_up_what_is_said_and_no_more(told: Told) -> None:
    """TLS 1.2 lets a server ask for one at any time: what is said meanwhile leaves once, when it is over."""
    told.tell(b"r\n")
    assert told.tls.open(told.receive()) == b""
    assert told.tls.has_to_say
    told.write(told.tls.seal(b"said meanwhile\n"))
    assert told.tls.has_to_say  # it waits for the other side
    told.has_heard(b"said meanwhile\n")
    told.tell(b"hello\n")
    while told.heard != b"hello\n":
        told.read()
    told.write(told.tls.seal(b"said after\n"))
    told.has_heard(b"said meanwhile\nsaid after\n")
    assert not told.tls.has_to_say


@needs_openssl
@pytest.mark.once
@pytest.mark.parametrize("told", ["-tls1_3"], indirect=True)
def test_a_new_key_is_taken_and_answered(told: Told) -> None:
    """TLS 1.3 lets a server change its key and ask for another of ours, which is TLS' own affair."""
    told.tell(b"K\n")
    told.read()
    assert told.heard == b""
    told.write(told.tls.seal(b"with another key\n"))
    told.has_heard(b"with another key\n")
    told.tell(b"hello\n")
    while told.heard != b"hello\n":
        told.read()
    assert not told.tls.has_to_say
