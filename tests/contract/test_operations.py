"""Both clients against the sandbox over a real socket: each of the 14 operations, as a user calls it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from devinotify import DeliveryStatus, exceptions, text
from devinotify.gateway import wire
from devinotify.sandbox import Sandbox
from tests.driven import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from devinotify import Client

LONG = "Длинное сообщение, которое не помещается в одну часть. " * 3


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What a sandbox speaks TLS with, and what its URL names as the CA."""
    folder = tmp_path_factory.mktemp("contract")
    authority, own = trustme.CA(), folder / "own.pem"
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(own)
    return {"ssl_certfile": own, "ssl_keyfile": own, "ca": folder / "ca.pem"}


@pytest.fixture(params=["plain", pytest.param("tls", marks=pytest.mark.once)])
def gateway(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Run a sandbox of this test's own, which speaks plain HTTP, and one that speaks TLS."""
    settings = request.getfixturevalue("certificate") if request.param == "tls" else {}
    with Sandbox(**settings) as sandbox:
        yield sandbox


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Each kind of client there is, as what makes one that is called as the blocking one is."""
    made: Callable[..., Any] = KINDS[request.param]
    return made


@pytest.fixture
def client(gateway: Sandbox, kind: Callable[..., Any]) -> Iterator[Client]:
    """Give a client of the sandbox."""
    with kind(gateway.url) as made:
        yield made


def test_login_and_balance(client: Client) -> None:
    """The first operation logs in, and the balance is a Decimal."""
    assert Decimal("100000.00") == client.user.balance()


def test_wrong_password(gateway: Sandbox, kind: Callable[..., Any]) -> None:
    """Wrong credentials are a rejection of the operation that needed them."""
    with kind(gateway.url, password="wrong") as client, pytest.raises(exceptions.Unauthorized) as caught:
        client.sms.send("79161234567", "hello")
    assert caught.value.verdict == "rejected"
    assert caught.value.operation == "Sms/Send"


def test_sms_send(gateway: Sandbox, client: Client) -> None:
    """A single SMS arrives as it was written, with one id per segment."""
    receipt = client.sms.send("8 (916) 123-45-67", LONG)
    (arrived,) = gateway.messages()
    assert (LONG, "+79161234567") == (arrived.text, arrived.recipient)
    assert text.count_segments(LONG) == receipt.segments == len(receipt.message_ids)
    assert not receipt.estimate_differs


def test_sms_send_at(gateway: Sandbox, client: Client) -> None:
    """A scheduled SMS waits for its instant."""
    at = datetime.now(UTC) + timedelta(hours=3)
    receipt = client.sms.send("79161234567", "later", send_at=at)
    assert not client.sms.state(receipt.message_ids[0]).status.is_final
    gateway.advance(3 * 3600 + 60)
    assert client.sms.state(receipt.message_ids[0]).status is DeliveryStatus.DELIVERED
    assert at == receipt.sent_at


def test_sms_send_by_time_zone(gateway: Sandbox, client: Client) -> None:
    """A time-zone SMS goes out when the recipient's own clock shows the time: Vladivostok before Moscow."""
    gateway.set_time_zone("79161234567", "Europe/Moscow")
    gateway.set_time_zone("79244200000", "Asia/Vladivostok")
    local = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(hours=11)
    near = client.sms.send_by_time_zone("79161234567", "wall clock", local)
    far = client.sms.send_by_time_zone("+79244200000", "wall clock", local)
    gateway.advance(2 * 3600)  # 10 hours ahead of UTC it is past the time, 3 hours ahead it is not
    assert client.sms.state(far.message_ids[0]).status is DeliveryStatus.DELIVERED
    assert not client.sms.state(near.message_ids[0]).status.is_final


def test_sms_send_bulk(gateway: Sandbox, client: Client) -> None:
    """A bulk gives each distinct recipient the ids of its own segments, in order."""
    receipt = client.sms.send_bulk(["79161234567", "+79031234567", "89161234567"], LONG)
    assert ["+79161234567", "+79031234567"] == [one.recipient for one in receipt]
    by_recipient = {arrived.recipient: arrived for arrived in gateway.messages()}
    for one in receipt:
        assert by_recipient[one.recipient].message_ids == one.message_ids
    assert sum((one.message_ids for one in receipt), ()) == receipt.message_ids


def test_sms_send_by_time_zone_to_addresses(gateway: Sandbox, client: Client) -> None:
    """A time-zone bulk reaches all of its recipients."""
    local = datetime.now(UTC).replace(tzinfo=None)
    receipt = client.sms.send_by_time_zone_to_addresses(["79161234567", "79031234567"], "wall clock", local)
    assert 2 == len(receipt) == len(gateway.messages())


def test_sms_state_and_price(gateway: Sandbox, client: Client) -> None:
    """A delivered SMS tells its dates in UTC and its price."""
    receipt = client.sms.send("79161234567", "hello")
    gateway.advance(60)
    state = client.sms.state(receipt.message_ids[0])
    assert (DeliveryStatus.DELIVERED, 0, Decimal("2.5")) == (state.status, state.code, state.price)
    assert state.reported_at is not None
    assert timedelta(0) == state.reported_at.utcoffset()
    assert receipt.message_ids[0] == state.message_id


def test_sms_state_of_an_unknown_id(client: Client) -> None:
    """An id that the gateway has never seen is state 255, not an error."""
    state = client.sms.state("579700854169272358")
    assert (DeliveryStatus.UNKNOWN, 255) == (state.status, state.code)


def test_ids_with_a_plus(kind: Callable[..., Any]) -> None:
    """An id that holds a plus sign is asked for as it is."""
    with Sandbox(id_prefix="SAR-W+") as gateway, kind(gateway.url) as client:
        receipt = client.sms.send("79161234567", "hello")
        gateway.advance(60)
        assert client.sms.state(receipt.message_ids[0]).status is DeliveryStatus.DELIVERED


def test_sms_incoming(gateway: Sandbox, client: Client) -> None:
    """An incoming message is told with its text, sender and date."""
    gateway.add_incoming("СТОП", "79161234567", "79031112233")
    now = datetime.now(UTC)
    (message,) = client.sms.incoming(now - timedelta(hours=1), now + timedelta(hours=1))
    assert ("СТОП", "79161234567", "79031112233") == (message.text, message.sender, message.recipient)
    assert message.created_at is not None


@pytest.mark.once
def test_more_incoming_messages_than_a_reply_may_bring(gateway: Sandbox, client: Client) -> None:
    """The period is halved until each reply is short enough, and every message is told once."""
    start = datetime.now(UTC)
    written = [f"{number} {'я' * 1_900}" for number in range(500)]
    for number, each in enumerate(written):
        gateway.add_incoming(each, "79161234567")
        if number % 50 == 49:
            gateway.advance(60)
    told = client.sms.incoming(start - timedelta(minutes=1), start + timedelta(hours=2))
    asked = [request for request in gateway.requests() if request.operation == "Sms/In"]
    assert (written, True) == ([message.text for message in told], len(asked) > 2)


def test_sms_statistics(gateway: Sandbox, client: Client) -> None:
    """Statistics count what was sent."""
    client.sms.send_bulk(["79161234567", "79031234567"], "hello")
    gateway.advance(60)
    now = datetime.now(UTC)
    statistics = client.sms.statistics(now - timedelta(days=1), now + timedelta(days=1))
    assert (2, 2) == (statistics.delivered, statistics.total)


def test_viber_send(gateway: Sandbox, client: Client) -> None:
    """A Viber message has one id and its own states."""
    receipt = client.viber.send("79161234567", "привет", optional="order 1")
    assert 1 == len(receipt.message_ids)
    gateway.advance(60)
    assert client.viber.state(receipt.message_ids[0]).status is DeliveryStatus.DELIVERED


def test_viber_send_bulk(gateway: Sandbox, client: Client) -> None:
    """A Viber bulk keeps the first free parameter of a recipient given twice."""
    receipt = client.viber.send_bulk(
        ["79161234567", "79031234567", "+79161234567"], "привет", optionals=["a", "b", "c"]
    )
    assert 2 == len(receipt) == len(receipt.message_ids)
    assert {"a", "b"} == {arrived.optional for arrived in gateway.messages()}


@pytest.mark.parametrize("bulk", [False, True])
def test_viber_with_resend(gateway: Sandbox, client: Client, bulk: bool) -> None:
    """Where Viber fails, the platform's SMS is told in the state, and decides the whole."""
    gateway.set_fate("79161234567", "not-a-viber-user")
    if bulk:
        (receipt,) = client.viber.send_with_resend_bulk(["79161234567"], "привет")
    else:
        receipt = client.viber.send_with_resend("79161234567", "привет")
    assert receipt.resends
    gateway.advance(60)
    state = client.viber.state(receipt.message_ids[0])
    assert DeliveryStatus.UNDELIVERED is state.status
    assert [DeliveryStatus.DELIVERED] == [sms.status for sms in state.resent_sms]
    assert DeliveryStatus.DELIVERED is state.whole_status


def test_session_expires_under_way(gateway: Sandbox, client: Client) -> None:
    """A session that the gateway has ended is renewed, and the send goes through once."""
    client.user.balance()
    gateway.expire_sessions()
    client.sms.send("79161234567", "hello")
    assert 1 == len(gateway.messages())


def test_all_or_nothing(gateway: Sandbox, client: Client) -> None:
    """One number that is refused here sends nothing, and is named by its position."""
    with pytest.raises(exceptions.InvalidPhoneNumber) as caught:
        client.sms.send_bulk(["79161234567", "not a number"], "hello")
    assert 1 == caught.value.position
    assert [] == gateway.messages()


def test_no_credits(kind: Callable[..., Any]) -> None:
    """An empty account is a rejection with its own class."""
    with Sandbox(balance="1") as gateway, kind(gateway.url) as client:
        with pytest.raises(exceptions.NotEnoughCredits) as caught:
            client.sms.send("79161234567", "hello")
        assert ("rejected", 5, 403) == (caught.value.verdict, caught.value.code, caught.value.http_status)


def test_every_operation_is_tried_here() -> None:
    """The API has 14 operations, and so has the table."""
    assert 14 == len(wire.OPERATIONS)
