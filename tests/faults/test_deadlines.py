"""The total deadline: nothing a server does keeps a request longer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import OutcomeUnknown, TransportError, Verdict
from tests.faults import acts
from tests.faults.harness import NUMBER, TEXT
from tests.faults.server import Exchange, FaultServer, answer, handshake, head

if TYPE_CHECKING:
    import socket

    from tests.faults.conftest import ClientMaker

SLACK = 5.0
"""Seconds that a busy machine may add."""


def test_a_server_that_never_reads_does_not_hold_a_large_bulk(
    tls_server: FaultServer, make_client: ClientMaker
) -> None:
    """A request that cannot be written in time is given up, and may have begun to leave: unknown."""
    tls_server.play("sms/sendbulk", acts.partly_read(10, acts.hold))
    client = make_client(tls_server, timeout=1.0)
    client.user.balance()
    recipients = [f"79{number:09d}" for number in range(160_000_000, 160_020_000)]
    prepared = time.monotonic()
    with pytest.raises(OutcomeUnknown) as caught:
        client.sms.send_bulk(recipients, "text")
    elapsed = time.monotonic() - prepared
    # The numbers are checked before the deadline begins to run.
    assert (caught.value.verdict, elapsed < 1.0 + 3.0 + SLACK) == (Verdict.UNKNOWN, True)


def test_a_slow_handshake_and_a_slow_reply_share_one_deadline(
    tls_server: FaultServer, make_client: ClientMaker
) -> None:
    """Connecting, sending and reading together take no longer than the timeout."""

    def slow_door(sock: socket.socket, server: FaultServer) -> socket.socket | None:
        server.stopping.wait(2.0)
        return handshake(sock, server)

    tls_server.play("user/balance", lambda exchange: answer(exchange, close=True))
    client = make_client(tls_server, timeout=4.0)
    client.user.balance()
    tls_server.doors = [handshake, slow_door]
    tls_server.play("sms/send", acts.unanswered(acts.hold))
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        client.sms.send(NUMBER, TEXT)
    assert time.monotonic() - started < 2.0 + 4.0


def test_a_read_that_drips_is_given_up_each_time_at_its_deadline(
    tls_server: FaultServer, make_client: ClientMaker
) -> None:
    """Three tries of 0.3 s and their pauses, not the minutes that the drip would take."""
    tls_server.play_always("user/balance", acts.drip(b"1" * 1000, head(200, {"Content-Length": "1000"}), 0.05))
    client = make_client(tls_server, timeout=0.3)
    started = time.monotonic()
    with pytest.raises(TransportError):
        client.user.balance()
    assert time.monotonic() - started < 3 * 0.3 + 0.3 + SLACK


def test_a_reply_just_within_the_deadline_is_taken(tls_server: FaultServer, make_client: ClientMaker) -> None:
    """Slow is not late."""

    def slow(exchange: Exchange) -> None:
        exchange.server.stopping.wait(0.6)
        answer(exchange)

    tls_server.play("sms/send", slow)
    assert len(make_client(tls_server, timeout=10.0).sms.send(NUMBER, TEXT).message_ids) == 1
