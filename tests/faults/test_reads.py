"""Reads: repeated after a passing fault, and never given a number that was cut."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import (
    DevinotifyError,
    GatewayError,
    InternalServerError,
    NotSent,
    OutcomeUnknown,
    TransportError,
    UnexpectedResponse,
)
from devinotify.models import DeliveryStatus
from tests.faults import acts
from tests.faults.harness import everything_about, logs, secrets_of
from tests.faults.server import BALANCE, Act, FaultServer, head
from tests.tables import table

if TYPE_CHECKING:
    from tests.faults.conftest import Anew, ClientMaker

PASSING: dict[str, Act] = {
    "500 and a page": acts.html(500),
    "503 with Retry-After": acts.html(503, {"Retry-After": "0"}),
    "429": acts.html(429),
    "408": acts.html(408),
    "code 8": acts.code(8, 500),
    "code 9": acts.code(9, 500),
    "closed": acts.unanswered(acts.close),
    "reset": acts.unanswered(acts.reset),
    "silence": acts.unanswered(acts.hold),
    "half the headers": acts.raw("HTTP/1.1 200 OK\r\nContent-Le"),
    "half the body": acts.framed("12", headers={"Content-Length": "7"}),
    "a cut number": acts.framed("12", acts.goodbye),
    "a cut number without a goodbye": acts.framed("12", acts.close),
    "a page": acts.html(200),
    "an empty body": acts.reply(""),
    "an empty body without a length": acts.framed("", acts.goodbye),
    "garbage": acts.raw(b"\x00\xff garbage"),
    "bad gzip": acts.reply(b"\x1f\x8b\x08garbage", headers={"Content-Encoding": "gzip"}),
    "NaN": acts.reply("NaN"),
}
LASTING: dict[str, tuple[Act, type[DevinotifyError]]] = {
    "code 2": (acts.code(2, 400), GatewayError),
    "code 7": (acts.code(7, 403), GatewayError),
    "404 and a page": (acts.html(404), UnexpectedResponse),
    "302": (acts.redirect(302), UnexpectedResponse),
}
FEW = 4
"""Requests that one read may cost at most."""


@table("name", PASSING)
def test_a_passing_fault_is_overcome(anew: Anew, name: str) -> None:
    """One bad reply does not keep the balance from the caller, and no part of it is taken for the whole."""
    with anew() as (server, make_client):
        server.play("user/balance", PASSING[name])
        client = make_client(server, timeout=0.5)
        assert (Decimal(BALANCE), 2) == (client.user.balance(), len(server.received("user/balance")))


@table("name", PASSING)
def test_a_fault_that_stays_is_told_after_a_few_tries(anew_over_tls: Anew, name: str) -> None:
    """A read gives up with an error, never with half a number, and does not loop."""
    with anew_over_tls() as (tls_server, make_client):
        tls_server.play_always("user/balance", PASSING[name])
        client = make_client(tls_server, timeout=0.2)
        with pytest.raises((GatewayError, UnexpectedResponse, OutcomeUnknown)):
            client.user.balance()
        assert 2 <= len(tls_server.received("user/balance")) <= FEW


@table("name", LASTING)
def test_a_refusal_is_not_asked_for_again(anew: Anew, name: str) -> None:
    """What will be refused again is not repeated, and no redirect is followed."""
    with anew() as (server, make_client):
        act, error = LASTING[name]
        server.play_always("user/balance", act)
        with pytest.raises(error):
            make_client(server).user.balance()
        assert [request.operation for request in server.requests] == ["user/sessionid", "user/balance"]


@table(
    "act",
    [
        acts.reply(BALANCE),
        acts.chunked("1234", ".56"),
        acts.coded(BALANCE, "gzip"),
        acts.reply("\ufeff" + BALANCE),
        acts.after_interim(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        acts.drip(BALANCE.encode(), head(200, {"Content-Length": str(len(BALANCE))}), 0.005),
    ],
    ids=["plain", "chunks", "gzip", "byte order mark", "103 before it", "drip"],
)
def test_a_whole_number_is_read_however_it_comes(anew: Anew, act: Act) -> None:
    """The balance is the same number in every frame that declares its length."""
    with anew() as (server, make_client):
        server.play("user/balance", act)
        assert Decimal(BALANCE) == make_client(server).user.balance()


@table("name", PASSING)
def test_a_state_survives_a_passing_fault(anew_over_tls: Anew, name: str) -> None:
    """A message's state is a read as the balance is."""
    with anew_over_tls() as (tls_server, make_client):
        tls_server.play("sms/state", PASSING[name])
        state = make_client(tls_server, timeout=0.5).sms.state("579700854169272358")
        assert (state.status, len(tls_server.received("sms/state"))) == (DeliveryStatus.DELIVERED, 2)


def test_retry_after_is_waited_for(tls_server: FaultServer, make_client: ClientMaker) -> None:
    """A gateway that asks for a pause of a second gets it."""
    tls_server.play("user/balance", acts.html(503, {"Retry-After": "1"}))
    client = make_client(tls_server)
    client.user.balance()
    first, second = tls_server.received("user/balance")
    assert second.at - first.at >= 1


def test_a_hostile_retry_after_does_not_stop_the_caller(tls_server: FaultServer, make_client: ClientMaker) -> None:
    """A pause that nobody can mean is no reason to fail on anything but the reply."""
    tls_server.play_always("user/balance", acts.html(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    client = make_client(tls_server)
    started = time.monotonic()
    with pytest.raises(UnexpectedResponse):
        client.user.balance()
    assert time.monotonic() - started < 30


def test_the_unreachable_gateway_is_told_to_a_read(server: FaultServer, make_client: ClientMaker) -> None:
    """A read of a gateway that is away says so."""
    client = make_client(server)
    client.user.balance()
    server.stop_listening()
    server.drop_connections()
    with pytest.raises(TransportError):
        client.user.balance()


def test_an_unreachable_name_is_not_sent(make_client: ClientMaker, tls_server: FaultServer) -> None:
    """A name without an address: nothing was sent."""
    client = make_client(tls_server, gateway="https://gateway.invalid/rest")
    with pytest.raises(NotSent) as caught:
        client.sms.send("79161234567", "text")
    assert (caught.value.retryable, caught.value.operation) == (True, "Sms/Send")


@table("act", [acts.code(9, 500), acts.unanswered(acts.close), acts.html(404)])
def test_a_failed_read_shows_nothing_secret(anew_over_tls: Anew, act: Act) -> None:
    """The URL of every read holds the session id: it is in no log line, no error and no traceback."""
    with anew_over_tls() as (tls_server, make_client):
        tls_server.play_always("user/balance", act)
        client = make_client(tls_server)
        with logs() as lines, pytest.raises(DevinotifyError) as caught:
            client.user.balance()
        shown = everything_about(caught.value) + "\n".join(lines)
        leaked = [secret for secret in secrets_of(tls_server) if secret in shown]
        assert leaked == []


def test_code_9_that_stays_keeps_its_class(server: FaultServer, make_client: ClientMaker) -> None:
    """What the gateway said last is what the caller hears."""
    server.play_always("user/balance", acts.code(9, 500))
    with pytest.raises(InternalServerError):
        make_client(server).user.balance()
