"""Faults as clients meet them: ours by its verdicts, and a bare socket by what comes over it."""

from __future__ import annotations

import re
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import requests
import trustme

from devinotify import Client, exceptions
from devinotify.sandbox import Sandbox
from devinotify.sandbox.app import make_app
from tests.sandbox.conftest import NUMBER, Api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """Give a client that is logged in already."""
    with Client(sandbox.url) as made:
        made.user.balance()
        yield made


def request(sandbox: Sandbox) -> bytes:
    """Return the bytes of a valid Sms/Send, whose connection is kept."""
    with requests.Session() as session:
        session.trust_env = False
        query = {"login": "demo", "password": "demo"}
        login = session.get(f"{sandbox.gateway}/user/sessionid", params=query, timeout=60)
    form = urlencode(
        {"SessionID": login.json(), "SourceAddress": "DEVINO", "DestinationAddress": NUMBER, "Data": "test"}
    )
    return f"POST /rest/Sms/Send HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(form)}\r\n\r\n{form}".encode()


def received(sandbox: Sandbox, sent: bytes) -> bytes:
    """Return what comes back for some bytes until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=60) as connection:
        connection.sendall(sent)
        chunks = []
        while chunk := connection.recv(65536):
            chunks.append(chunk)
        return b"".join(chunks)


@pytest.mark.parametrize(
    ("fault", "error", "verdict", "arrived"),
    [
        ({"kind": "error", "code": 5}, exceptions.NotEnoughCredits, "rejected", 0),
        ({"kind": "error"}, exceptions.GatewayFailure, "unknown", 0),
        ({"kind": "error", "accepts": True}, exceptions.GatewayFailure, "unknown", 1),
        ({"kind": "status", "status": 404}, exceptions.UnexpectedResponse, "rejected", 0),
        ({"kind": "status"}, exceptions.UnexpectedResponse, "unknown", 0),
        ({"kind": "html"}, exceptions.UnexpectedResponse, "unknown", 0),
        ({"kind": "html", "accepts": True}, exceptions.UnexpectedResponse, "unknown", 1),
        ({"kind": "reset"}, exceptions.OutcomeUnknown, "unknown", 0),
        ({"kind": "drop"}, exceptions.OutcomeUnknown, "unknown", 1),
        ({"kind": "outage", "lasts": 60}, exceptions.OutcomeUnknown, "unknown", 0),
    ],
    ids=str,
)
def test_the_clients_verdict(
    sandbox: Sandbox, client: Client, fault: dict[str, Any], error: type[Exception], verdict: str, arrived: int
) -> None:
    """Each fault is the error that the client promises, and carries the request out or not."""
    sandbox.add_fault(operation="Sms/Send", **fault)
    with pytest.raises(error) as caught:
        client.sms.send(NUMBER, "test")
    assert (verdict, arrived) == (caught.value.verdict, len(sandbox.messages()))  # type: ignore[attr-defined]  # ours have it


def test_half_a_reply(sandbox: Sandbox, client: Client) -> None:
    """A reply that ends halfway leaves the outcome unknown, and the message has arrived."""
    sandbox.add_fault("half", operation="Sms/Send")
    with pytest.raises(exceptions.DevinotifyError) as caught:
        client.sms.send(NUMBER, "test")
    assert ("unknown", 1) == (caught.value.verdict, len(sandbox.messages()))


def test_an_expired_session_is_renewed(sandbox: Sandbox, client: Client) -> None:
    """A session that ends in the middle costs a login and nothing else."""
    sandbox.add_fault("expired-session", times=1)
    client.sms.send(NUMBER, "test")
    assert (1, ["User/SessionID", "User/Balance", "Sms/Send", "User/SessionID", "Sms/Send"]) == (
        len(sandbox.messages()),
        [request.operation for request in sandbox.requests()],
    )


def test_latency(sandbox: Sandbox, client: Client) -> None:
    """A latency delays the answer and changes nothing else; the log names it."""
    sandbox.add_fault("latency", operation="Sms/Send", seconds=0.3)
    start = time.monotonic()
    client.sms.send(NUMBER, "test")
    assert (True, "latency") == (time.monotonic() - start >= 0.3, sandbox.requests()[-1].fault)


def test_a_number_of_its_own(sandbox: Sandbox, client: Client) -> None:
    """A fault of one number strikes sends to it, bulks that hold it, and questions for its messages."""
    kept = client.sms.send(NUMBER, "test").message_ids[0]
    sandbox.add_fault("error", number="8 916 123-45-67", code=7)
    client.sms.send("79031234567", "test")
    for call in (
        lambda: client.sms.send(NUMBER, "test"),
        lambda: client.sms.send_bulk(["79031234567", NUMBER], "test"),
        lambda: client.sms.state(kept),
    ):
        with pytest.raises(exceptions.Forbidden):
            call()
    assert [3] == [fault.hits for fault in sandbox.faults()]


def test_an_outage_ends_with_the_clock(sandbox: Sandbox, client: Client) -> None:
    """An outage is over when the sandbox's clock says so."""
    number = sandbox.add_fault("outage", lasts=600)
    sandbox.advance(601)
    client.sms.send(NUMBER, "test")
    assert [(number, True, 0)] == [(fault.id, fault.over, fault.hits) for fault in sandbox.faults()]


def test_removed_faults_are_gone(sandbox: Sandbox, client: Client) -> None:
    """After a fault is disarmed all is well."""
    sandbox.remove_fault(sandbox.add_fault("reset"))
    sandbox.add_fault("drop")
    sandbox.remove_fault()
    client.sms.send(NUMBER, "test")
    with pytest.raises(LookupError, match="no such fault"):
        sandbox.remove_fault(99)


def test_a_reset_is_one(sandbox: Sandbox) -> None:
    """The client's socket sees ECONNRESET."""
    sent = request(sandbox)
    sandbox.add_fault("reset")
    with pytest.raises(ConnectionResetError):
        received(sandbox, sent)


def test_a_dropped_reply_is_an_end_without_a_byte(sandbox: Sandbox) -> None:
    """The client's socket sees the end and nothing before it."""
    sent = request(sandbox)
    sandbox.add_fault("drop")
    assert (b"", 1) == (received(sandbox, sent), len(sandbox.messages()))


def test_half_a_reply_promises_the_whole(sandbox: Sandbox) -> None:
    """The head names the full length, and the connection ends after half of it."""
    sent = request(sandbox)
    sandbox.add_fault("half")
    head, _, body = received(sandbox, sent).partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: ([0-9]+)", head)
    assert length is not None
    assert (b'["', int(length[1]) // 2) == (body[:2], len(body))


def test_an_html_page(sandbox: Sandbox) -> None:
    """A page is HTML with its status; an undocumented status has a page too."""
    sandbox.add_fault("html", status=599, times=1)
    sandbox.add_fault("html")
    with requests.Session() as session:
        session.trust_env = False
        shown = [session.get(f"{sandbox.gateway}/User/Balance", timeout=60) for _ in range(2)]
    assert [(599, "599 Error"), (502, "502 Bad Gateway")] == [
        (reply.status_code, reply.text.partition("<h1>")[2].partition("</h1>")[0]) for reply in shown
    ]


def test_a_request_too_large_to_read_has_its_fault(sandbox: Sandbox) -> None:
    """A request past the limits is struck as well, by what needs neither its numbers nor its session."""
    sandbox.add_fault("drop", number=NUMBER)
    sandbox.add_fault("expired-session")
    with requests.Session() as session:
        session.trust_env = False
        reply = session.post(f"{sandbox.gateway}/Sms/Send", data=b"a" * 1100000, timeout=60)
    assert (401, "SessionID expired") == (reply.status_code, reply.json()["Desc"])


def test_faults_under_tls(tmp_path: Path) -> None:
    """The connections of an HTTPS server are cut as well."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    ca, pem = tmp_path / "ca.pem", tmp_path / "server.pem"
    authority.cert_pem.write_to_path(str(ca))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(pem))
    with Sandbox(ssl_certfile=pem, ssl_keyfile=pem, ca=ca) as sandbox, Client(sandbox.url) as client:
        client.user.balance()
        for kind in ("reset", "drop", "half"):
            sandbox.add_fault(kind, operation="Sms/Send", times=1)
            with pytest.raises(exceptions.DevinotifyError) as caught:
                client.sms.send(NUMBER, kind)
            assert "unknown" == caught.value.verdict
        client.sms.send(NUMBER, "well")
        assert ["drop", "half", "well"] == [message.text for message in sandbox.messages()]


def test_a_latency_does_not_hold_up_the_end() -> None:
    """A server that is stopped waits for no latency."""
    with Sandbox() as sandbox:
        sandbox.add_fault("latency", seconds=60)
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", sandbox.port), timeout=60) as connection:
            connection.sendall(b"GET /rest/User/Balance HTTP/1.1\r\nHost: localhost\r\n\r\n")
            # Whatever answers the page came in after the request above was read.
            with requests.Session() as session:
                session.trust_env = False
                session.get(f"{sandbox.origin}/sandbox/clock", timeout=60)
            sandbox.stop()
    assert time.monotonic() - start < 30


def test_a_latency_that_is_removed_lets_go(sandbox: Sandbox, client: Client) -> None:
    """Whoever it holds is answered at once: a test waits for the request, looks, and lets it go on."""
    first = sandbox.add_fault("latency", operation="Sms/Send", seconds=25, times=1)
    sandbox.add_fault("latency", operation="Sms/Send", seconds=25)
    start = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(client.sms.send, NUMBER, "held")
        assert sandbox.wait(lambda: [1, 1] == [fault.hits for fault in sandbox.faults()], 60)
        assert [] == sandbox.messages()
        sandbox.remove_fault(first)
        sandbox.remove_fault()
        assert 1 == len(sent.result(60).message_ids)
    assert time.monotonic() - start < 25


@pytest.mark.parametrize("kind", ["reset", "drop", "half"])
def test_the_client_may_be_gone_already(sandbox: Sandbox, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    """A cut of a connection that its client has reset harms nothing, and is not an error of the server's."""
    sandbox.add_fault("latency", seconds=0.1)
    sandbox.add_fault(kind, times=1)
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=60) as connection:
        connection.sendall(b"GET /rest/User/Balance HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert sandbox.wait(lambda: sandbox.requests()[-1:] != [], 60)
    with requests.Session() as session:
        session.trust_env = False
        assert 400 == session.get(f"{sandbox.gateway}/User/Balance", timeout=60).status_code
    assert [] == [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_without_a_server_a_cut_is_an_error(api: Api, anyio_backend: str) -> None:
    """Where the application runs in a server that keeps no connections, a cut is an error of its own."""
    from devinotify.sandbox.faults import Fault

    api.emulator.add_fault(Fault("reset"))

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(_: object) -> None:
        """Nothing is sent."""

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/rest/User/Balance",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    with pytest.raises(ConnectionAbortedError, match="a fault ends the connection"):
        await make_app(api.emulator)(scope, receive, send)
