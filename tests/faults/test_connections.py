"""Kept connections: when they are used again, when they must not be, and whose they are after a fork."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.exceptions import DevinotifyError, NotSent, OutcomeUnknown, Verdict
from devinotify.gateway import transport
from devinotify.gateway.aio import connection as aio
from tests.faults import acts
from tests.faults.acts import IDS
from tests.faults.harness import NUMBER, TEXT, send_from_threads
from tests.faults.server import (
    LOGIN,
    PASSWORD,
    Act,
    Door,
    Exchange,
    FaultServer,
    answer,
    handshake,
    handshake_with,
    head,
)
from tests.tables import table

if TYPE_CHECKING:
    from tests.faults.certificates import Certificates
    from tests.faults.conftest import Anew, ClientMaker


def test_connections_are_kept(server: FaultServer, make_client: ClientMaker) -> None:
    """Ten sends one after the other need one connection."""
    client = make_client(server)
    for _ in range(10):
        client.sms.send(NUMBER, TEXT)
    assert (server.connections, server.logins) == (1, 1)


def test_a_connection_closed_while_idle_is_not_used(server: FaultServer, make_client: ClientMaker) -> None:
    """A connection that the server has closed meanwhile is noticed before anything is sent on it."""
    client = make_client(server)
    client.user.balance()
    server.drop_connections()
    # The end of the connection arrives in its own time; the server notices it no earlier than the client may.
    assert server.wait_for(lambda: not server.open_connections)
    receipt = client.sms.send(NUMBER, TEXT)
    assert (len(receipt.message_ids), server.connections, len(server.received("sms/send"))) == (1, 2, 1)


def test_a_connection_closed_right_after_its_reply_is_not_used(server: FaultServer, make_client: ClientMaker) -> None:
    """A server that says keep-alive and closes all the same costs nothing but a new connection."""
    server.play("sms/send", acts.closing)
    client = make_client(server)
    client.sms.send(NUMBER, TEXT)
    assert server.wait_for(lambda: not server.open_connections)
    receipt = client.sms.send(NUMBER, TEXT)
    assert (len(receipt.message_ids), server.connections, len(server.received("sms/send"))) == (1, 2, 2)


@table("end", [acts.close, acts.goodbye, acts.reset])
def test_a_kept_connection_that_dies_with_the_request_is_unknown(anew: Anew, end: acts.End) -> None:
    """The server read the request on the kept connection and closed: it may have sent the message."""
    with anew() as (server, make_client):
        client = make_client(server)
        client.sms.send(NUMBER, TEXT)
        server.play("sms/send", acts.unanswered(end))
        with pytest.raises(OutcomeUnknown) as caught:
            client.sms.send(NUMBER, TEXT)
        assert (caught.value.verdict, len(server.received("sms/send"))) == (Verdict.UNKNOWN, 2)


def test_a_connection_idle_for_more_than_four_seconds_is_retired(
    tls_server: FaultServer, make_client: ClientMaker
) -> None:
    """Servers close idle connections from five seconds on, so ours are not used after four."""
    client = make_client(tls_server)
    client.sms.send(NUMBER, TEXT)
    time.sleep(4.1)  # the rule is about real time on a real connection
    client.sms.send(NUMBER, TEXT)
    assert [request.connection for request in tls_server.received("sms/send")] == [1, 2]


OTHER = '["111111111111111111"]'
_WHOLE = head(200, {"Content-Length": str(len(IDS)), "Connection": "keep-alive"}) + IDS.encode()
LEFTOVERS: dict[str, Act] = {
    "more than declared": acts.raw(_WHOLE + b'"and more"', acts.stay),
    "a second reply at once": acts.raw(_WHOLE + head(200, {"Content-Length": "22"}) + OTHER.encode(), acts.stay),
    "a body after 204": acts.raw(head(204, {}) + head(200, {"Content-Length": "22"}) + OTHER.encode(), acts.stay),
    "a body after 304": acts.raw(head(304, {}) + head(200, {"Content-Length": "22"}) + OTHER.encode(), acts.stay),
    "more after the last chunk": acts.chunked(
        IDS, last=f"0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{OTHER}"
    ),
    "an interim reply between": acts.after_interim(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


@table("name", LEFTOVERS)
def test_what_is_left_over_never_answers_the_next_send(anew: Anew, name: str) -> None:
    """A message is never told the ids of another, or of a reply that nobody asked for."""
    with anew() as (server, make_client):
        server.play("sms/send", LEFTOVERS[name])
        client = make_client(server)
        with suppress(DevinotifyError):  # what the odd reply itself means is the table's affair
            client.sms.send(NUMBER, TEXT)
        (request_id,) = client.sms.send(NUMBER, TEXT).message_ids
        assert (False, 2) == (request_id in IDS + OTHER, len(server.received("sms/send")))


def test_a_reply_that_comes_too_late_never_answers_the_next_send(server: FaultServer, make_client: ClientMaker) -> None:
    """After a timeout the connection is thrown away, with whatever may still come on it."""

    def late(exchange: Exchange) -> None:
        exchange.receive()
        exchange.line.stopping.wait(0.5)
        exchange.reply(OTHER)

    server.play("sms/send", late)
    client = make_client(server, timeout=0.3)
    with pytest.raises(OutcomeUnknown):
        client.sms.send(NUMBER, TEXT)
    assert client.sms.send(NUMBER, TEXT).message_ids != (json.loads(OTHER)[0],)


def test_a_reply_before_the_request_never_answers_it(server: FaultServer, make_client: ClientMaker) -> None:
    """A reply that lies there before anything was asked belongs to no request of ours."""

    strayed = threading.Event()

    def answer_twice(exchange: Exchange) -> None:
        answer(exchange)
        exchange.line.stopping.wait(0.05)
        exchange.reply(OTHER)
        strayed.set()

    server.play("sms/send", answer_twice)
    client = make_client(server)
    client.sms.send(NUMBER, TEXT)
    assert strayed.wait(60)
    time.sleep(0.15)  # it has been written, and has to cross the loopback
    assert client.sms.send(NUMBER, TEXT).message_ids != (json.loads(OTHER)[0],)


@table("failures", [1, 2, 3])
def test_what_was_not_sent_is_tried_up_to_three_times_more(anew_over_tls: Anew, failures: int) -> None:
    """Handshakes that fail leave nothing sent: the message goes out when one succeeds, once."""
    with anew_over_tls() as (tls_server, make_client):
        tls_server.play("user/balance", lambda exchange: answer(exchange, close=True))
        client = make_client(tls_server)
        client.user.balance()
        tls_server.doors = [handshake, *[acts.door_reset] * failures, handshake]
        receipt = client.sms.send(NUMBER, TEXT)
        assert (1, 1, failures + 2) == (
            len(receipt.message_ids),
            len(tls_server.received("sms/send")),
            tls_server.connections,
        )


_ESTABLISHED = b"\x01"
"""The state of a TCP connection that neither side has ended, as Linux tells it."""


def look_late(monkeypatch: pytest.MonkeyPatch, leaving: int) -> None:
    """Look at the first so many new connections only when their end has come, the loop being blocked meanwhile."""
    has_ended, opened = transport._has_ended, aio._open
    left = [*range(leaving)]

    def wait_for_the_end(sock: socket.socket) -> None:
        if left:
            left.pop()
            while sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == _ESTABLISHED:
                time.sleep(0.001)

    def after(sock: socket.socket) -> bool:
        wait_for_the_end(sock)
        return has_ended(sock)

    async def after_that(*arguments: Any) -> aio.Connection:  # noqa: ANN401 - as what it stands for
        connection = await opened(*arguments)
        assert connection._transport is not None
        with socket.socket(fileno=os.dup(connection._transport.get_extra_info("socket").fileno())) as sock:
            wait_for_the_end(sock)
        return connection

    monkeypatch.setattr(transport, "_has_ended", after)
    monkeypatch.setattr(aio, "_open", after_that)


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="who asks the system when the end has come needs it")
@pytest.mark.parametrize("leaving", [1, 3])
def test_a_connection_that_ends_as_soon_as_it_is_made_is_not_sent_on(
    server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch, leaving: int
) -> None:
    """Nothing had begun to leave, so that the message goes out on the next connection that stays."""
    server.play("user/balance", lambda exchange: answer(exchange, close=True))
    client = make_client(server)
    client.user.balance()
    server.doors = [handshake, *[acts.door_left] * leaving, handshake]
    look_late(monkeypatch, leaving)
    receipt = client.sms.send(NUMBER, TEXT)
    assert (1, 1, leaving + 2) == (len(receipt.message_ids), len(server.received("sms/send")), server.connections)


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="as above")
def test_where_every_connection_ends_as_soon_as_it_is_made_nothing_is_sent(
    server: FaultServer, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender hears that, after four attempts, and may try again."""
    server.play("user/balance", lambda exchange: answer(exchange, close=True))
    client = make_client(server)
    client.user.balance()
    server.doors = [handshake, acts.door_left]
    look_late(monkeypatch, 4)
    with pytest.raises(NotSent, match="the connection was closed") as caught:
        client.sms.send(NUMBER, TEXT)
    assert (Verdict.NOT_SENT, True, 5) == (caught.value.verdict, caught.value.retryable, server.connections)


@pytest.mark.parametrize("wrong", ["stranger", "misnamed", "outdated"])
def test_a_certificate_that_is_wrong_stays_wrong(
    tls_server: FaultServer, make_client: ClientMaker, certificates: Certificates, wrong: str
) -> None:
    """A certificate that is not trusted is told as such, and is no reason to try again."""
    tls_server.doors = [handshake_with(getattr(certificates, wrong))]
    with pytest.raises(NotSent, match="certificate is not trusted") as caught:
        make_client(tls_server).sms.send(NUMBER, TEXT)
    assert (Verdict.NOT_SENT, False, 1) == (caught.value.verdict, caught.value.retryable, tls_server.connections)


@table("door", [acts.door_closed, acts.door_reset, acts.door_plaintext])
def test_a_handshake_that_fails_otherwise_may_be_tried_again(anew_over_tls: Anew, door: Door) -> None:
    """What is wrong with a connection may be right with the next."""
    with anew_over_tls() as (tls_server, make_client):
        tls_server.doors = [door]
        with pytest.raises(NotSent) as caught:
            make_client(tls_server).sms.send(NUMBER, TEXT)
        assert (Verdict.NOT_SENT, True, 4) == (caught.value.verdict, caught.value.retryable, tls_server.connections)


def test_threads_share_no_connection_at_the_same_time(server: FaultServer, make_client: ClientMaker) -> None:
    """Every thread of 32 hears the answer to its own message."""
    client = make_client(server, timeout=10)
    verdicts = send_from_threads(client, 32)
    assert ({Verdict.ACCEPTED}, 32) == (
        set(verdicts),
        len({request.params["destinationaddress"][0] for request in server.received("sms/send")}),
    )


def test_a_closed_client_leaves_no_connection(server: FaultServer, make_client: ClientMaker) -> None:
    """Closing ends the idle connections, and using the client again opens new ones."""
    client = make_client(server)
    client.sms.send(NUMBER, TEXT)
    client.close()
    assert server.wait_for(lambda: not server.open_connections)
    client.sms.send(NUMBER, TEXT)
    assert server.connections == 2


_FORKING = """
import os, sys
from devinotify import Client

gateway, ca, login, password = sys.argv[1:]
client = Client(login=login, password=password, sender="Acme", gateway=gateway, ca=ca, timeout=5)
client.sms.send("79160000000", "before")
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        try:
            for _ in range(3):
                client.sms.send(f"7916000001{number}", "child")
        except BaseException:
            os._exit(1)
        os._exit(0)
    children.append(pid)
for _ in range(3):
    client.sms.send("79160000020", "parent")
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
client.sms.send("79160000020", "parent")
sys.exit(any(codes))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_shares_no_connection(server: FaultServer, certificates: Certificates) -> None:
    """Parent and children send at the same time, each on connections of its own, and the session is shared."""
    done = subprocess.run(
        [sys.executable, "-c", _FORKING, server.base, str(certificates.ca), LOGIN, PASSWORD],
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )
    owners: dict[int, set[str]] = {}
    for request in server.received("sms/send"):
        owner = "parent" if request.params["data"] != ["child"] else request.params["destinationaddress"][0]
        owners.setdefault(request.connection, set()).add(owner)
    assert (
        done.returncode,
        [len(names) for names in owners.values()],
        len(server.received("sms/send")),
        server.logins,
    ) == (0, [1] * 4, 14, 1), done.stderr
