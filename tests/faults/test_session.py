"""A session that ends under way: renewed once, by one thread, and never in a loop."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import DevinotifyError, GatewayError, InvalidSession, Unauthorized, Verdict
from tests.faults import acts
from tests.faults.harness import NUMBER, TEXT, everything_about, logs, secrets_of, send_from_threads
from tests.faults.server import BALANCE, Act, Exchange, FaultServer, answer
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.conftest import Anew, ClientMaker

THREADS = 32
ENDINGS = [
    pytest.param(FaultServer.expire_sessions, id="expired"),
    pytest.param(FaultServer.forget_sessions, id="forgotten"),
]


@table("end", ENDINGS)
def test_a_send_goes_through_after_a_new_login(anew: Anew, end: Callable[[FaultServer], None]) -> None:
    """Codes 3 and 4 say that nothing was sent: one new login, one more POST, accepted."""
    with anew() as (server, make_client):
        client = make_client(server)
        client.user.balance()
        end(server)
        receipt = client.sms.send(NUMBER, TEXT)
        assert (len(receipt.message_ids), server.logins, len(server.received("sms/send"))) == (1, 2, 2)


@table("end", ENDINGS)
def test_a_read_goes_through_after_a_new_login(anew: Anew, end: Callable[[FaultServer], None]) -> None:
    """A read renews the session as a send does."""
    with anew() as (server, make_client):
        client = make_client(server)
        client.user.balance()
        end(server)
        assert (str(client.user.balance()), server.logins) == (BALANCE, 2)


@table("status", [200, 400, 401, 403])
@table("number, error", [(3, InvalidSession), (4, Unauthorized)])
def test_a_session_that_is_always_refused_makes_no_loop(
    anew: Anew, number: int, error: type[GatewayError], status: int
) -> None:
    """Two POSTs and two logins at most, and then the refusal is told."""
    with anew() as (server, make_client):
        server.play_always("sms/send", acts.code(number, status, "SessionID expired"))
        client = make_client(server)
        with pytest.raises(error) as caught:
            client.sms.send(NUMBER, TEXT)
        assert (caught.value.verdict, len(server.received("sms/send")), server.logins) == (Verdict.REJECTED, 2, 2)


@table("number", [3, 4])
@table("status", [500, 503])
def test_a_session_code_with_a_failing_status_is_not_sent_again(anew: Anew, number: int, status: int) -> None:
    """With a status of 500 and above nothing is certain, whatever the code says."""
    with anew() as (server, make_client):
        server.play("sms/send", acts.code(number, status, "SessionID expired"))
        client = make_client(server)
        with pytest.raises(GatewayError) as caught:
            client.sms.send(NUMBER, TEXT)
        assert (caught.value.verdict, len(server.received("sms/send")), server.logins) == (Verdict.UNKNOWN, 1, 1)


SECOND_FAULTS: dict[str, tuple[Act, Verdict]] = {
    "closed": (acts.unanswered(acts.close), Verdict.UNKNOWN),
    "500": (acts.html(500), Verdict.UNKNOWN),
    "code 5": (acts.code(5, 403), Verdict.REJECTED),
    "silence": (acts.unanswered(acts.hold), Verdict.UNKNOWN),
}


@table("name", SECOND_FAULTS)
def test_a_fault_after_the_renewal_is_told_as_any_other(anew: Anew, name: str) -> None:
    """The second POST has a verdict of its own, and there is no third."""
    with anew() as (server, make_client):
        act, verdict = SECOND_FAULTS[name]
        server.play("sms/send", acts.code(4, 401, "SessionID expired"), act)
        client = make_client(server, timeout=0.5)
        with pytest.raises(DevinotifyError) as caught:
            client.sms.send(NUMBER, TEXT)
        assert (verdict, 2) == (caught.value.verdict, len(server.received("sms/send")))


def test_a_login_that_fails_at_the_renewal_is_not_sent(server: FaultServer, make_client: ClientMaker) -> None:
    """The refused POST sent nothing and the renewal failed: nothing was sent."""
    client = make_client(server)
    client.user.balance()
    server.expire_sessions()
    server.play_always("user/sessionid", acts.html(500))
    with pytest.raises(DevinotifyError) as caught:
        client.sms.send(NUMBER, TEXT)
    assert (caught.value.verdict, len(server.received("sms/send"))) == (Verdict.NOT_SENT, 1)


def test_a_password_changed_meanwhile_is_rejected(server: FaultServer, make_client: ClientMaker) -> None:
    """Credentials that are wrong at the renewal are the gateway's refusal."""
    client = make_client(server)
    client.user.balance()
    server.expire_sessions()
    server.play_always("user/sessionid", acts.code(4, 401, "Invalid user login or password"))
    with pytest.raises(Unauthorized) as caught:
        client.sms.send(NUMBER, TEXT)
    assert (caught.value.verdict, server.logins) == (Verdict.REJECTED, 2)


@table("end", ENDINGS)
def test_an_expiry_storm_costs_one_login(anew: Anew, end: Callable[[FaultServer], None]) -> None:
    """32 threads find the session ended; one of them logs in, and every message is accepted."""
    with anew() as (server, make_client):
        client = make_client(server, timeout=10)
        client.user.balance()
        end(server)
        verdicts = send_from_threads(client, THREADS)
        assert ({Verdict.ACCEPTED}, 2) == (set(verdicts), server.logins)


def test_an_expiry_storm_sends_each_message_at_most_twice(server: FaultServer, make_client: ClientMaker) -> None:
    """The refused POST and the good one: no message goes out a third time, and only once with a good session."""
    client = make_client(server, timeout=10)
    client.user.balance()
    first = server.issued[0]
    server.expire_sessions()
    send_from_threads(client, THREADS)
    posts = server.received("sms/send")
    good = Counter(post.params["destinationaddress"][0] for post in posts if post.session != first)
    refused = Counter(post.params["destinationaddress"][0] for post in posts if post.session == first)
    assert (THREADS, {1}, True) == (len(good), set(good.values()), set(refused.values()) <= {1})


def test_a_late_refusal_of_the_old_session_costs_no_second_login(server: FaultServer, make_client: ClientMaker) -> None:
    """A thread that hears late that the old session has ended takes the new one that is there already."""
    client = make_client(server, timeout=10)
    client.user.balance()
    server.expire_sessions()
    arrived, renewed = threading.Event(), threading.Event()

    def late(exchange: Exchange) -> None:
        arrived.set()
        renewed.wait(60)
        answer(exchange)

    server.play("sms/send", late)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.sms.send, NUMBER, TEXT)
        arrived.wait(60)
        client.user.balance()
        renewed.set()
        receipt = slow.result(60)
    assert (len(receipt.message_ids), server.logins) == (1, 2)


def test_an_expired_session_shows_nothing_secret(tls_server: FaultServer, make_client: ClientMaker) -> None:
    """Neither the old session id nor the new one is shown when both are refused."""
    client = make_client(tls_server)
    tls_server.play_always("sms/send", acts.code(4, 401, "SessionID expired"))
    with logs() as lines, pytest.raises(Unauthorized) as caught:
        client.sms.send(NUMBER, TEXT)
    shown = everything_about(caught.value) + "\n".join(lines)
    leaked = [secret for secret in secrets_of(tls_server) if secret in shown]
    assert leaked == []
