"""A login that fails: nothing of the send has left, and the gateway is not stormed."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.exceptions import DevinotifyError, NotSent, Unauthorized, Verdict
from tests.faults import acts
from tests.faults.harness import NUMBER, TEXT, everything_about, logs, secrets_of, send_from_threads, watch
from tests.faults.server import LOGIN, PASSWORD, Act, Exchange, FaultServer, answer, error_body, head
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.certificates import Certificates
    from tests.faults.conftest import Anew, ClientMaker

LOGIN_FAULTS: dict[str, Act] = {
    "500 and a page": acts.html(500),
    "503 with Retry-After": acts.html(503, {"Retry-After": "0"}),
    "200 and a page": acts.html(200),
    "302": acts.redirect(302),
    "404 and a page": acts.html(404),
    "429": acts.html(429),
    "code 8": acts.code(8, 500),
    "code 9": acts.code(9, 500),
    "code 7": acts.code(7, 403),
    "code 1": acts.code(1, 400),
    "an empty body": acts.reply(""),
    "null": acts.reply("null"),
    "an empty text": acts.reply('""'),
    "a session id that is cut": acts.reply('"Z5CYSZEKDL1DPICU37WEHQVO'),
    "a session id in two": acts.reply('"Z5CYSZEKDL1DPICU37 WEHQVOYKP0T1GSLHX1"'),
    "a session id without a length": acts.framed("Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1", acts.goodbye),
    "closed": acts.unanswered(acts.close),
    "reset": acts.unanswered(acts.reset),
    "half the headers": acts.raw("HTTP/1.1 200 OK\r\nContent-Le"),
    "garbage": acts.raw(b"\x00\xff garbage"),
    "silence": acts.unanswered(acts.hold),
    "a drip": acts.drip(b'"Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1"', head(200, {"Content-Length": "38"})),
}
THREADS = 32
FEW = 4
"""Logins that one failing round may cost at most: the first and up to three repetitions."""


@pytest.mark.parametrize("over", ["plain", "tls"])
@table("name", LOGIN_FAULTS)
def test_a_failed_login_is_not_sent_and_does_no_harm(
    certificates: Certificates, kind: Callable[..., Any], over: str, name: str
) -> None:
    """Whatever always happens to the login, the message has not left, and the sender hears so.

    One send costs the gateway no more than a few logins. The login's URL holds the password: it is in no log line, no
    error and no traceback.
    """
    with (
        FaultServer(certificates.good if over == "tls" else None) as server,
        kind(
            login=LOGIN, password=PASSWORD, sender="A", gateway=server.base, ca=str(certificates.ca), timeout=0.2
        ) as client,
    ):
        server.play_always("user/sessionid", LOGIN_FAULTS[name])
        report = watch(client, server)
    assert (Verdict.NOT_SENT, []) == (report.verdict, server.received("sms/send")), report.shown
    assert 1 <= server.logins <= FEW
    assert [] == [secret for secret in (*report.secrets, "Z5CYSZEKDL1D") if secret in report.shown]


def test_a_login_that_recovers_lets_the_send_through(server: FaultServer, make_client: ClientMaker) -> None:
    """A login is a read: one bad answer is not the end of the send."""
    server.play("user/sessionid", acts.html(503))
    receipt = make_client(server).sms.send(NUMBER, TEXT)
    assert (len(receipt.message_ids), server.logins) == (1, 2)


def test_the_error_of_a_failed_login_names_the_send(server: FaultServer, make_client: ClientMaker) -> None:
    """Who sends an SMS hears about that operation."""
    server.play_always("user/sessionid", acts.unanswered(acts.close))
    with pytest.raises(NotSent) as caught:
        make_client(server).sms.send(NUMBER, TEXT)
    assert caught.value.operation == "Sms/Send"


@table(
    "act",
    [answer, acts.code(4, 200, "Invalid user login or password"), acts.code("4", 401)],
    ids=["401", "200", "text"],
)
def test_wrong_credentials_are_rejected(anew: Anew, act: Act) -> None:
    """Wrong credentials are the gateway's refusal, after exactly one login."""
    with anew() as (server, make_client):
        server.play_always("user/sessionid", act)
        client = make_client(server, password="wrong")
        with pytest.raises(Unauthorized) as caught:
            client.sms.send(NUMBER, TEXT)
        assert (
            caught.value.verdict,
            caught.value.retryable,
            server.logins,
            server.received("sms/send"),
        ) == (Verdict.REJECTED, False, 1, [])


def slowly(act: Act, seconds: float = 0.1) -> Act:
    """Return an act that waits first, so that all threads are there."""

    def slow(exchange: Exchange) -> None:
        exchange.server.stopping.wait(seconds)
        act(exchange)

    return slow


@table("name", ["500 and a page", "closed", "reset", "code 9", "garbage", "200 and a page"])
def test_many_threads_do_not_storm_a_failing_login(anew_over_tls: Anew, name: str) -> None:
    """However many threads wait for it, a failing login is asked for as often as by one."""
    with anew_over_tls() as (tls_server, make_client):
        tls_server.play_always("user/sessionid", slowly(LOGIN_FAULTS[name]))
        verdicts = send_from_threads(make_client(tls_server, timeout=60), THREADS)
        assert ({Verdict.NOT_SENT}, True) == (set(verdicts), tls_server.logins <= FEW)


def test_many_threads_share_one_silent_login(tls_server: FaultServer, make_client: ClientMaker) -> None:
    """The threads that wait for a login that times out do not wait for one of their own, one after the other."""
    tls_server.play_always("user/sessionid", LOGIN_FAULTS["silence"])
    client = make_client(tls_server, timeout=0.5)
    started = time.monotonic()
    send_from_threads(client, THREADS)
    assert (tls_server.logins <= FEW, time.monotonic() - started < 20) == (True, True)


def test_many_threads_hear_of_wrong_credentials_from_one_login(
    tls_server: FaultServer, make_client: ClientMaker
) -> None:
    """Wrong credentials are asked about once, and every thread hears the refusal."""
    tls_server.play_always("user/sessionid", slowly(answer))
    verdicts = send_from_threads(make_client(tls_server, password="wrong", timeout=60), THREADS)
    assert ({Verdict.REJECTED}, 1) == (set(verdicts), tls_server.logins)


def test_one_login_serves_many_threads(server: FaultServer, make_client: ClientMaker) -> None:
    """Threads that all begin without a session share one login."""
    server.play("user/sessionid", slowly(answer))
    verdicts = send_from_threads(make_client(server, timeout=10), THREADS)
    assert ({Verdict.ACCEPTED}, 1, THREADS) == (set(verdicts), server.logins, len(server.received("sms/send")))


def test_sends_after_a_failed_login_do_not_storm_either(server: FaultServer, make_client: ClientMaker) -> None:
    """A loop of sends against a login that fails leaves the gateway in peace."""
    server.play_always("user/sessionid", acts.html(500))
    client = make_client(server)
    for _ in range(20):
        with pytest.raises(DevinotifyError):
            client.sms.send(NUMBER, TEXT)
    assert server.logins <= FEW


def echo(exchange: Exchange) -> None:
    """Answer with a page that shows the request, as debug pages do."""
    request = exchange.receive()
    shown = " ".join(value for values in request.params.values() for value in values)
    exchange.reply(f"<h1>Error</h1> <p>{shown}</p> <p>{exchange.target}</p>", 500, content_type="text/html")


def echo_in_an_error(exchange: Exchange) -> None:
    """Answer with an error body that quotes the request."""
    request = exchange.receive()
    shown = " ".join(value for values in request.params.values() for value in values)
    exchange.reply(error_body(2, f"Invalid argument: {shown} {exchange.target}"), 400)


@table("act", [echo, echo_in_an_error])
@table("operation", ["user/sessionid", "sms/send", "user/balance"])
def test_a_reply_that_quotes_the_request_gives_nothing_away(anew_over_tls: Anew, act: Act, operation: str) -> None:
    """A page or error that shows the request back is not shown on, where it holds secrets."""
    with anew_over_tls() as (tls_server, make_client):
        tls_server.play_always(operation, act)
        client = make_client(tls_server)
        call = client.user.balance if operation == "user/balance" else partial(client.sms.send, NUMBER, TEXT)
        with logs() as lines, pytest.raises(DevinotifyError) as caught:
            call()
        shown = everything_about(caught.value) + "\n".join(lines)
        leaked = [secret for secret in secrets_of(tls_server) if secret in shown]
        assert leaked == []
