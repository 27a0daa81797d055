"""The fault server itself: what it counts and how it breaks, seen by plain sockets and http.client."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

import pytest

from tests.faults import acts
from tests.faults.server import BALANCE, LOGIN, PASSWORD, FaultServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.certificates import Certificates

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def plain() -> Iterator[FaultServer]:
    """A plain server."""
    with FaultServer() as server:
        yield server


def connect(server: FaultServer) -> http.client.HTTPConnection:
    """Return a client that belongs to nobody we test."""
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)


def log_in(connection: http.client.HTTPConnection, password: str = PASSWORD) -> tuple[int, str]:
    """Return status and body of a login."""
    connection.request("GET", f"/rest/User/SessionID?Login={LOGIN}&Password={quote_plus(password)}")
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


def post(connection: http.client.HTTPConnection, session: str) -> tuple[int, str]:
    """Return status and body of a send."""
    form = urlencode(
        {"SessionID": session, "DestinationAddress": "79161234567", "Data": "Привет", "SourceAddress": "A"}
    )
    connection.request("POST", "/rest/Sms/Send", form, FORM)
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


def test_login_gives_a_session_of_36_characters(plain: FaultServer) -> None:
    """The default login is the gateway's."""
    with closing(connect(plain)) as connection:
        status, body = log_in(connection)
    assert (status, len(json.loads(body))) == (200, 36)


def test_wrong_password_is_refused(plain: FaultServer) -> None:
    """Wrong credentials hear the documented code 4."""
    with closing(connect(plain)) as connection:
        status, body = log_in(connection, "wrong")
    assert (status, json.loads(body)["Code"]) == (401, 4)


def test_a_send_on_the_kept_connection_is_counted_with_its_parameters(plain: FaultServer) -> None:
    """What was fully received is recorded, decoded, and names its connection."""
    with closing(connect(plain)) as connection:
        session = json.loads(log_in(connection)[1])
        status, body = post(connection, session)
    (request,) = plain.received("sms/send")
    assert (200, 1, ["Привет"], 1, session) == (
        status,
        len(json.loads(body)),
        request.params["data"],
        request.connection,
        request.session,
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [(FaultServer.expire_sessions, (401, 4)), (FaultServer.forget_sessions, (400, 3))],
    ids=["expired", "forgotten"],
)
def test_an_ended_session_is_refused(plain: FaultServer, change: object, expected: tuple[int, int]) -> None:
    """An expired session hears code 4, an unknown one code 3."""
    assert callable(change)
    with closing(connect(plain)) as connection:
        session = json.loads(log_in(connection)[1])
        change(plain)
        status, body = post(connection, session)
    assert expected == (status, json.loads(body)["Code"])


def test_a_post_of_which_part_was_read_is_counted_apart(plain: FaultServer) -> None:
    """Half a body is no fully received request."""
    plain.play("sms/send", acts.partly_read(5, acts.reset))
    with closing(connect(plain)) as connection, pytest.raises((ConnectionError, http.client.HTTPException)):
        post(connection, "S")
    assert (plain.received("sms/send"), plain.partly) == ([], 1)


def test_a_post_whose_body_never_comes_is_not_counted(plain: FaultServer) -> None:
    """Headers alone are no fully received request."""
    with socket.create_connection(("127.0.0.1", plain.port)) as sock:
        sock.sendall(b"POST /rest/Sms/Send HTTP/1.1\r\nContent-Length: 50\r\n\r\nData=1")
        sock.shutdown(socket.SHUT_WR)
        end = sock.recv(1)
    assert (end, plain.requests) == (b"", [])


def test_the_script_runs_out_and_the_default_returns(plain: FaultServer) -> None:
    """A request that is repeated after a scripted fault succeeds, so that a wrong repetition shows."""
    with closing(connect(plain)) as connection:
        session = json.loads(log_in(connection)[1])
        plain.play("sms/send", acts.html(500))
        statuses = [post(connection, session)[0] for _ in range(2)]
    assert statuses == [500, 200]


def test_refused_means_refused(plain: FaultServer) -> None:
    """A closed port refuses connections."""
    plain.stop_listening()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", plain.port), timeout=1)


def test_jammed_means_that_connecting_times_out(plain: FaultServer) -> None:
    """A full queue before an open port lets a connection wait for ever, without leaving loopback."""
    plain.jam()
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", plain.port), timeout=0.2)


@pytest.mark.parametrize(
    ("context", "trusted"), [("good", True), ("stranger", False), ("misnamed", False), ("outdated", False)]
)
def test_certificates_are_what_they_are_called(certificates: Certificates, context: str, trusted: bool) -> None:
    """The good certificate verifies against the CA and the loopback address; the others do not."""
    client = ssl.create_default_context(cafile=str(certificates.ca))
    with FaultServer(getattr(certificates, context)) as server:
        try:
            with (
                socket.create_connection(("127.0.0.1", server.port), timeout=60) as sock,
                client.wrap_socket(sock, server_hostname="127.0.0.1") as wrapped,
            ):
                verified = bool(wrapped.getpeercert())
        except ssl.SSLCertVerificationError:
            verified = False
    assert trusted == verified


def test_tls_carries_the_same_gateway(tls_server: FaultServer, certificates: Certificates) -> None:
    """Over TLS the server answers as over plain HTTP."""
    context = ssl.create_default_context(cafile=str(certificates.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", tls_server.port, timeout=60, context=context)
    with closing(connection):
        session = json.loads(log_in(connection)[1])
        connection.request("GET", f"/rest/User/Balance?SessionID={session}")
        body = connection.getresponse().read().decode()
    assert body == BALANCE


def test_a_cut_number_really_goes_out_without_a_length(plain: FaultServer) -> None:
    """The reply that a lenient reader takes for the number 12 is on the wire as meant."""
    plain.play("user/balance", acts.framed("12", acts.goodbye))
    with closing(connect(plain)) as connection:
        connection.request("GET", "/rest/User/Balance?SessionID=x")
        reply = connection.getresponse()
        seen = (reply.status, reply.length, reply.read())
    assert seen == (200, None, b"12")


def test_tls_garbage_reaches_the_client_as_garbage(tls_server: FaultServer, certificates: Certificates) -> None:
    """Bytes past the encryption are a TLS error at the client."""
    tls_server.play("user/balance", acts.beneath_tls(b"\x17\x03\x03\x00\x20" + b"\xaa" * 32))
    context = ssl.create_default_context(cafile=str(certificates.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", tls_server.port, timeout=60, context=context)
    with closing(connection):
        connection.request("GET", "/rest/User/Balance?SessionID=x")
        with pytest.raises(ssl.SSLError):
            connection.getresponse()
