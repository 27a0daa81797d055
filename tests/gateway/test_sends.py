"""The eight send methods with every optional argument: the whole request that leaves, and the whole receipt."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Client
from devinotify.models import BulkReceipt, Receipt
from tests.faults.server import LOGIN, PASSWORD, Exchange, FaultServer
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = "Привет, + & = мир"
MOSCOW = timezone(timedelta(hours=3))
AT = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
"""An instant to come, as a caller in Moscow names it and as the gateway reads it."""
WRITTEN = AT.strftime("%Y-%m-%dT%H:%M:%S")
LOCAL = AT.replace(tzinfo=None)
LAST_SEEN = AT + timedelta(hours=12)
"""When the last clock on earth shows LOCAL."""
ONE = "8 (916) 123-45-67"
MANY = ["79161234567", "+79031234567", "89161234567"]
"""Two numbers, the first of them twice."""
TO = {"destinationaddress": ["79161234567"]}
TO_MANY = {"destinationaddresses": ["79161234567", "79031234567"]}
DEFAULTS = {"sourceaddress": ["Acme"], "validity": ["90"]}
"""What the client below puts in where a call names nothing."""


@dataclass(frozen=True)
class Send:
    """One call of one method, what the gateway must receive, and what the caller must get (``sent_at`` apart)."""

    method: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    operation: str
    form: dict[str, list[str]]
    receipt: Receipt | BulkReceipt
    sent_at: datetime | None = None
    ids: list[str] = field(default_factory=lambda: ["id-1", "id-2"])

    @property
    def name(self) -> str:
        """The method and what is given to it."""
        return f"{self.method} {' '.join(self.options) or 'bare'}"


SMS = Receipt("+79161234567", ("id-1", "id-2"), 2, "sms", 1)
SMS_MANY = BulkReceipt(("+79161234567", "+79031234567"), ("id-1", "id-2"), "sms", 1)
VIBER = Receipt("+79161234567", ("id-1", "id-2"), 2, "viber")
VIBER_MANY = BulkReceipt(("+79161234567", "+79031234567"), ("id-1", "id-2"), "viber")
SENDER, VALIDITY = {"sender": "Other"}, {"validity": 5}
OTHER = {"sourceaddress": ["Other"], "validity": ["90"]}
BRIEF = {"sourceaddress": ["Acme"], "validity": ["5"]}
ALL = {"sourceaddress": ["Other"], "validity": ["5"]}


def sms(method: str, operation: str, to: object, form: dict[str, list[str]], receipt: Any, **at: Any) -> list[Send]:  # noqa: ANN401 - one of two receipts
    """Return the calls of one SMS method: bare, with each option, and with all of them; ``at`` is its time."""
    late = {"senddate": [WRITTEN]}
    if "local_time" in at:
        given: tuple[Any, ...] = (to, TEXT, LOCAL)
        rows: list[tuple[dict[str, Any], dict[str, list[str]]]]
        rows = [({}, DEFAULTS), (SENDER, OTHER), (VALIDITY, BRIEF), (SENDER | VALIDITY, ALL)]
        return [
            Send(method, given, options, operation, {**form, **rest, **late}, receipt, LAST_SEEN)
            for options, rest in rows
        ]
    return [
        Send(method, (to, TEXT), {}, operation, {**form, **DEFAULTS}, receipt),
        Send(method, (to, TEXT), SENDER, operation, {**form, **OTHER}, receipt),
        Send(method, (to, TEXT), VALIDITY, operation, {**form, **BRIEF}, receipt),
        Send(method, (to, TEXT), {"validity": 0}, operation, {**form, **DEFAULTS, "validity": ["0"]}, receipt),
        Send(method, (to, TEXT), at, operation, {**form, **DEFAULTS, **late}, receipt, AT),
        Send(method, (to, TEXT), {**SENDER, **VALIDITY, **at}, operation, {**form, **ALL, **late}, receipt, AT),
    ]


def viber(method: str, operation: str, to: object, form: dict[str, list[str]], receipt: Any) -> list[Send]:  # noqa: ANN401 - one of two receipts
    """Return the calls of one Viber method: bare, with each option, and with all of them."""
    bulk = "Bulk" in operation
    free: dict[str, Any] = {"optionals": ["a", "b", "c"]} if bulk else {"optional": "order 1"}
    told = {"optionals": ["a", "b"]} if bulk else {"optional": ["order 1"]}
    return [
        Send(method, (to, TEXT), {}, operation, {**form, **DEFAULTS}, receipt),
        Send(method, (to, TEXT), SENDER, operation, {**form, **OTHER}, receipt),
        Send(method, (to, TEXT), VALIDITY, operation, {**form, **BRIEF}, receipt),
        Send(method, (to, TEXT), free, operation, {**form, **DEFAULTS, **told}, receipt),
        Send(method, (to, TEXT), {**SENDER, **VALIDITY, **free}, operation, {**form, **ALL, **told}, receipt),
    ]


SENDS = [
    *sms("sms.send", "Sms/Send", ONE, TO, SMS, send_at=AT.astimezone(MOSCOW)),
    *sms("sms.send_by_time_zone", "Sms/SendByTimeZone", ONE, TO, SMS, local_time=LOCAL),
    *sms("sms.send_bulk", "Sms/SendBulk", MANY, TO_MANY, SMS_MANY, send_at=AT.astimezone(MOSCOW)),
    *sms(
        "sms.send_by_time_zone_to_addresses",
        "Sms/SendByTimeZoneToAddresses",
        MANY,
        TO_MANY,
        SMS_MANY,
        local_time=LOCAL,
    ),
    *viber("viber.send", "Viber/Send", ONE, TO, VIBER),
    *viber("viber.send_bulk", "Viber/SendBulk", MANY, TO_MANY, VIBER_MANY),
    *viber("viber.send_with_resend", "Viber/SendWithResend", ONE, TO, replace(VIBER, resends=True)),
    *viber("viber.send_with_resend_bulk", "Viber/SendWithResendBulk", MANY, TO_MANY, replace(VIBER_MANY, resends=True)),
]


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    """Run one gateway for all the calls."""
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: FaultServer) -> Iterator[Client]:
    """Give a client with a sender and a validity of its own."""
    with Client(login=LOGIN, password=PASSWORD, sender="Acme", gateway=server.base, validity=90) as made:
        yield made


def test_the_eight_methods_are_here() -> None:
    """Each send of the API is tried, bare and with all that it takes."""
    expected = {
        *("sms.send", "sms.send_by_time_zone", "sms.send_bulk", "sms.send_by_time_zone_to_addresses"),
        *("viber.send", "viber.send_bulk", "viber.send_with_resend", "viber.send_with_resend_bulk"),
    }
    assert expected == {send.method for send in SENDS}


@table("send", SENDS)
def test_a_send_says_everything_that_was_asked_for(server: FaultServer, client: Client, send: Send) -> None:
    """The request holds each value under its name and nothing else, and the receipt tells the whole of it."""
    targets: list[str] = []

    def take(exchange: Exchange) -> None:
        targets.append(exchange.target)
        exchange.receive()
        exchange.reply(json.dumps(send.ids))

    server.play(send.operation.lower(), take)
    resource, _, name = send.method.partition(".")
    before = datetime.now(UTC)
    receipt = getattr(getattr(client, resource), name)(*send.arguments, **send.options)
    after = datetime.now(UTC)
    request = server.received(send.operation.lower())[-1]
    form = {**send.form, "data": [TEXT], "sessionid": [server.issued[-1]]}
    assert ("POST", [f"/rest/{send.operation}"], form) == (request.method, targets, dict(request.params))
    if send.sent_at is None:
        assert before <= receipt.sent_at <= after
    else:
        assert send.sent_at == receipt.sent_at
    assert replace(send.receipt, sent_at=receipt.sent_at) == receipt


def test_without_a_validity_none_is_named(server: FaultServer) -> None:
    """Neither the client nor the call names one: the gateway's own default holds."""
    with Client(login=LOGIN, password=PASSWORD, sender="Acme", gateway=server.base) as client:
        client.sms.send(ONE, TEXT)
    form = {**TO, "sourceaddress": ["Acme"], "data": [TEXT], "sessionid": [server.issued[-1]]}
    assert form == dict(server.received("sms/send")[-1].params)
