"""A server that answers while the request is still being written, and reads no more of it.

Proxies refuse a form that is too long so, and gateways a session that has ended: the reply is whole, and what was
refused was not even read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import NotEnoughCredits, OutcomeUnknown, UnexpectedResponse, Verdict
from devinotify.gateway.serialiser import Serialiser
from devinotify.redact import SecretBytes
from tests.faults import acts
from tests.faults.harness import NUMBER, TEXT
from tests.faults.server import Act, Exchange, FaultServer, error_body, head
from tests.tables import table

if TYPE_CHECKING:
    from devinotify.gateway.wire import Request
    from tests.faults.conftest import Anew, ClientMaker

pytestmark = pytest.mark.once

MANY = [f"79{number:09d}" for number in range(160_000_000, 160_020_000)]
"""So many that the form is not written at once, nor fits what is read before the reply."""

ENDS = {"closed": acts.close, "closed politely": acts.goodbye, "reset": acts.reset}


def early(status: int, body: str, end: acts.End) -> Act:
    """Return an act that reads the beginning of a form, answers, and ends so."""

    def act(exchange: Exchange) -> None:
        exchange.receive_part(10)
        exchange.reply(body, status)
        end(exchange.line)

    return act


@table("end", ENDS)
def test_a_refusal_while_the_form_is_written_is_a_refusal(anew: Anew, end: str) -> None:
    """Its status says that nothing was done, however the connection ends behind it."""
    with anew() as (server, make_client):
        client = make_client(server, timeout=10.0)
        client.user.balance()
        server.play("sms/sendbulk", early(413, acts.HTML, ENDS[end]))
        with pytest.raises(UnexpectedResponse) as caught:
            client.sms.send_bulk(MANY, "text")
        assert (Verdict.REJECTED, 413, 1) == (caught.value.verdict, caught.value.http_status, server.partly)
        assert [] == server.received("sms/sendbulk")


@pytest.fixture
def _endless_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make forms so long that no system takes one from us before it is read."""
    serialise = Serialiser.__call__
    rest = b"x" * 30_000_000

    def longer(self: Serialiser, request: Request) -> SecretBytes:
        written = serialise(self, request)
        return SecretBytes(written + rest) if request.method == "POST" else written

    monkeypatch.setattr(Serialiser, "__call__", longer)


@pytest.mark.usefixtures("_endless_forms")
def test_a_refusal_by_a_server_that_neither_reads_on_nor_closes_is_a_refusal(
    server: FaultServer, make_client: ClientMaker
) -> None:
    """It is heard while there is something left to write, and nothing else is asked on that connection."""
    refused: list[int] = []

    def act(exchange: Exchange) -> None:
        refused.append(exchange.line.number)
        early(413, acts.HTML, acts.ignore)(exchange)

    client = make_client(server)
    client.user.balance()
    server.play("sms/send", act)
    with pytest.raises(UnexpectedResponse) as caught:
        client.sms.send(NUMBER, TEXT)
    assert (Verdict.REJECTED, 413, 1) == (caught.value.verdict, caught.value.http_status, server.partly)
    client.user.balance()
    assert [] == server.received("sms/send")
    assert refused != [server.received("user/balance")[-1].connection]


@pytest.mark.usefixtures("_endless_forms")
def test_a_server_that_neither_reads_on_nor_answers_leaves_it_unknown(
    server: FaultServer, make_client: ClientMaker
) -> None:
    """The deadline ends an exchange that stands still while it writes, as any other."""
    client = make_client(server, timeout=3.0)
    client.user.balance()
    server.play("sms/send", acts.partly_read(10, acts.ignore))
    with pytest.raises(OutcomeUnknown, match="timed out"):
        client.sms.send(NUMBER, TEXT)


@pytest.mark.usefixtures("_endless_forms")
def test_a_reply_in_parts_while_the_form_is_written_is_read_whole(
    server: FaultServer, make_client: ClientMaker
) -> None:
    """Each part may come when nothing can be written, and when something can."""

    def act(exchange: Exchange) -> None:
        exchange.receive_part(10)
        body = error_body(5, "Not enough credits").encode()
        for part in (head(402, {"Content-Length": str(len(body))}), body[:7], body[7:]):
            exchange.line.write(part)
            exchange.line.sock.recv(1024 * 1024)
        acts.ignore(exchange.line)

    client = make_client(server)
    client.user.balance()
    server.play("sms/send", act)
    with pytest.raises(NotEnoughCredits):
        client.sms.send(NUMBER, TEXT)


def test_a_code_while_the_form_is_written_is_that_code(server: FaultServer, make_client: ClientMaker) -> None:
    """A refusal in the gateway's own words is read as one that comes later."""
    client = make_client(server, timeout=10.0)
    client.user.balance()
    server.play("sms/sendbulk", early(402, error_body(5, "Not enough credits"), acts.close))
    with pytest.raises(NotEnoughCredits) as caught:
        client.sms.send_bulk(MANY, "text")
    assert Verdict.REJECTED == caught.value.verdict


def test_a_session_refused_while_the_form_is_written_is_renewed(server: FaultServer, make_client: ClientMaker) -> None:
    """What was refused for its session is sent after a new login, once, on a connection of its own."""
    client = make_client(server, timeout=10.0)
    client.user.balance()
    server.play("sms/sendbulk", early(401, error_body(4, "SessionID expired"), acts.close))
    receipt = client.sms.send_bulk(MANY, "text")
    assert (len(MANY), 2, 1, 1) == (
        len(receipt.message_ids),
        server.logins,
        server.partly,
        len(server.received("sms/sendbulk")),
    )


@table("status", [408, 502])
def test_a_failure_while_the_form_is_written_is_unknown(anew: Anew, status: int) -> None:
    """A status that refuses nothing refuses nothing when it comes early."""
    with anew() as (server, make_client):
        client = make_client(server, timeout=10.0)
        client.user.balance()
        server.play("sms/sendbulk", early(status, acts.HTML, acts.close))
        with pytest.raises(UnexpectedResponse) as caught:
            client.sms.send_bulk(MANY, "text")
        assert Verdict.UNKNOWN == caught.value.verdict


def test_a_connection_that_ends_while_the_form_is_written_is_unknown(
    server: FaultServer, make_client: ClientMaker
) -> None:
    """Without a reply nothing is known of a request that had begun to leave."""
    client = make_client(server, timeout=10.0)
    client.user.balance()
    server.play("sms/sendbulk", acts.partly_read(10, acts.close))
    with pytest.raises(OutcomeUnknown) as caught:
        client.sms.send_bulk(MANY, "text")
    assert Verdict.UNKNOWN == caught.value.verdict
