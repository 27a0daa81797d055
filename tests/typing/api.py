"""What a type checker makes of the public names: mypy checks this module, nobody runs it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, assert_type

from devinotify import (
    AsyncClient,
    AsyncNotifier,
    Attempt,
    BulkReceipt,
    Channel,
    Client,
    DeliveryStatus,
    DevinotifyError,
    Enqueued,
    Fallback,
    GatewayError,
    IncomingSms,
    InvalidPhoneNumber,
    Message,
    Notifier,
    Outbox,
    Outcome,
    PhoneNumber,
    Receipt,
    SmsState,
    SmsStatistics,
    Verdict,
    ViberRejected,
    ViberState,
    hookimpl,
    make_plugin_manager,
    phones,
    text,
)
from devinotify.phones import NormalizedMany
from devinotify.plugins import LoadedPlugin, PluginManager
from devinotify.sandbox import Sandbox
from devinotify.text import Encoding, Segmentation

if TYPE_CHECKING:
    from devinotify.gateway.aio import Abandoned


def client_methods(client: Client, number: PhoneNumber) -> None:
    """Check what the client's operations take and answer."""
    now = datetime.now(UTC)
    assert_type(Client("devino://login:password@SENDER"), Client)
    assert_type(Client(login="login", password="password", sender="SENDER"), Client)
    assert_type(client.user.balance(), Decimal)
    assert_type(client.sms.send("79161234567", "text", sender="ME", send_at=now, validity=5), Receipt)
    assert_type(client.sms.send(number, "text"), Receipt)
    assert_type(client.sms.send_by_time_zone(number, "text", now), Receipt)
    assert_type(client.sms.send_bulk([number, "79161234567"], "text"), BulkReceipt)
    assert_type(client.sms.send_by_time_zone_to_addresses([number], "text", now), BulkReceipt)
    assert_type(client.sms.state("1"), SmsState)
    assert_type(client.sms.incoming(now, now), list[IncomingSms])
    assert_type(client.sms.statistics(now, now), SmsStatistics)
    assert_type(client.viber.send(number, "text"), Receipt)
    assert_type(client.viber.send_bulk([number], "text", optionals=["1"]), BulkReceipt)
    assert_type(client.viber.send_with_resend(number, "text"), Receipt)
    assert_type(client.viber.send_with_resend_bulk([number], "text"), BulkReceipt)
    assert_type(client.viber.state("1"), ViberState)
    with client as same:
        assert_type(same, Client)
    for receipt in client.sms.send_bulk([number], "text"):
        assert_type(receipt, Receipt)
    client.sms.send(None, "text")  # type: ignore[arg-type]
    client.sms.send("79161234567", b"text")  # type: ignore[arg-type]


async def async_client_methods(client: AsyncClient, number: PhoneNumber) -> None:
    """Check what the operations take and answer when they are awaited."""
    now = datetime.now(UTC)
    assert_type(AsyncClient("devino://login:password@SENDER", max_connections=5), AsyncClient)
    assert_type(await client.user.balance(), Decimal)
    assert_type(await client.sms.send("79161234567", "text", sender="ME", send_at=now, validity=5), Receipt)
    assert_type(await client.sms.send_by_time_zone(number, "text", now), Receipt)
    assert_type(await client.sms.send_bulk([number, "79161234567"], "text"), BulkReceipt)
    assert_type(await client.sms.send_by_time_zone_to_addresses([number], "text", now), BulkReceipt)
    assert_type(await client.sms.state("1"), SmsState)
    assert_type(await client.sms.incoming(now, now), list[IncomingSms])
    assert_type(await client.sms.statistics(now, now), SmsStatistics)
    assert_type(await client.viber.send(number, "text"), Receipt)
    assert_type(await client.viber.send_bulk([number], "text", optionals=["1"]), BulkReceipt)
    assert_type(await client.viber.send_with_resend(number, "text"), Receipt)
    assert_type(await client.viber.send_with_resend_bulk([number], "text"), BulkReceipt)
    assert_type(await client.viber.state("1"), ViberState)
    async with client as same:
        assert_type(same, AsyncClient)
    await client.sms.send(None, "text")  # type: ignore[arg-type]
    await client.sms.send("79161234567", b"text")  # type: ignore[arg-type]


def abandoned(told: Abandoned) -> None:
    """Check what is told of a send whose caller was cancelled."""
    assert_type(AsyncClient("devino://login:password@SENDER", on_abandoned=abandoned), AsyncClient)
    assert_type(told.verdict, Verdict)
    assert_type(told.recipients, tuple[str, ...])
    assert_type(told.receipt, Receipt | BulkReceipt | None)
    assert_type(told.error, DevinotifyError | None)


def values(receipt: Receipt, state: ViberState, outcome: Outcome) -> None:
    """Check the attributes of values."""
    assert_type(receipt.message_ids, tuple[str, ...])
    assert_type(receipt.segments, int | None)
    assert_type(state.status, DeliveryStatus)
    assert_type(state.status.is_final, bool)
    assert_type(state.price, Decimal | None)
    assert_type(state.resent_sms, tuple[SmsState, ...])
    assert_type(outcome.verdict, Verdict)
    assert_type(outcome.error, DevinotifyError | None)
    assert_type(outcome.attempts, tuple[Attempt, ...])
    assert_type(outcome.status, DeliveryStatus | None)
    outcome.verdict = Verdict.ACCEPTED  # type: ignore[misc]


def notifier_methods(notifier: Notifier, number: PhoneNumber, outbox: Outbox) -> None:
    """Check what the facade takes and answers."""
    now = datetime.now(UTC)
    assert_type(notifier.notify("text"), list[Outcome])
    assert_type(notifier.notify("text", "oncall", title="t", channel="viber", tags=["urgent"]), list[Outcome])
    assert_type(notifier.notify("text", [number, "79161234567", 79161234567], tags=None, send_at=now), list[Outcome])
    assert_type(notifier.notify("text", number, tags="urgent"), list[Outcome])
    assert_type(notifier.wait([], timeout=5), list[Outcome])
    assert_type(notifier.enqueue("text", "oncall", key="k", send_at=now, deadline=now), Enqueued)
    assert_type(notifier.enqueue("text").rows, Mapping[str, int])
    assert_type(notifier.resolve(["oncall", number]), dict[str, DevinotifyError | None])
    assert_type(notifier.channels["sms"], Channel)
    assert_type(Notifier("devino://login:password@SENDER", patience=60, poll=1, on_unknown="stop"), Notifier)
    assert_type(outbox.enqueue(Message("text", ("+79161234567",)))[0].recipient, str)
    with notifier as same:
        assert_type(same, Notifier)
    notifier.notify(1)  # type: ignore[arg-type]
    notifier.notify("text", send_at="tomorrow")  # type: ignore[arg-type]


async def async_notifier_methods(notifier: AsyncNotifier, number: PhoneNumber) -> None:
    """Check what the facade of an event loop takes and answers."""
    now = datetime.now(UTC)
    assert_type(AsyncNotifier("devino://login:password@SENDER", patience=60, poll=1, on_unknown="stop"), AsyncNotifier)
    assert_type(await notifier.notify("text", [number], title="t", channel="viber", tags="urgent"), list[Outcome])
    assert_type(await notifier.enqueue("text", "oncall", key="k", send_at=now, deadline=now), Enqueued)
    assert_type(await notifier.resolve(["oncall", number]), dict[str, DevinotifyError | None])
    assert_type(await notifier.wait([], timeout=5), list[Outcome])
    async with notifier as same:
        assert_type(same, AsyncNotifier)
    await notifier.notify(1)  # type: ignore[arg-type]


def pure_functions() -> None:
    """Check numbers and texts."""
    assert_type(phones, ModuleType)
    number = phones.normalize("8 (916) 123-45-67", region="RU")
    assert_type(number, PhoneNumber)
    assert_type((number.e164, number.digits), tuple[str, str])
    assert_type(phones.normalize_many(["79161234567", 79161234567, number]), NormalizedMany)
    assert_type(text.count_segments("text"), int)
    segmentation = text.segment("text")
    assert_type(segmentation, Segmentation)
    assert_type(segmentation.encoding, Encoding)
    assert_type(text.segment("text", keep_graphemes=True), Segmentation)
    assert_type(text.to_gsm7("text"), str)
    assert_type(text.sendable("text", warn=print), str)
    assert_type(text.estimate_cost("text", "+79161234567", "2.35"), Decimal)
    assert_type(phones.is_e164("+79161234567"), bool)
    text.count_segmets("text")  # type: ignore[attr-defined]


def errors(error: DevinotifyError) -> None:
    """Check what errors tell."""
    assert_type(error.verdict, Verdict)
    assert_type(error.retryable, bool)
    assert_type(error.operation, str | None)
    if isinstance(error, ViberRejected):
        assert_type(error.reason, str)
    elif isinstance(error, GatewayError):
        assert_type(error.code, int | None)
    elif isinstance(error, InvalidPhoneNumber):
        assert_type(error.position, int | None)


class Plugin:
    """A plugin: the marker keeps the types of what it marks."""

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Resolve an alias."""
        return ["79161234567"] if recipient == "oncall" else None

    @hookimpl(tryfirst=True)
    def devinotify_normalize_phone(self, raw: str) -> PhoneNumber | None:
        """Read a number."""
        return phones.normalize(raw)

    @hookimpl(wrapper=True)
    def devinotify_prepare_message(self) -> Generator[None, list[Message], list[Message]]:
        """Change what comes back."""
        prepared = yield
        return [replace(one, text="text") for one in prepared]


def plugins(plugin: Plugin) -> None:
    """Check the marker and the manager."""
    assert_type(plugin.devinotify_resolve_recipient("oncall"), list[str] | None)
    assert_type(plugin.devinotify_normalize_phone("4567"), PhoneNumber | None)
    manager = make_plugin_manager(plugin)
    assert_type(manager, PluginManager)
    assert_type(manager.loaded(), list[LoadedPlugin])
    assert_type(Notifier("devino://login:password@SENDER", plugins=manager), Notifier)


class Pager:
    """A third party's channel, which fits the protocol without being told of it."""

    name = "pager"
    max_length = 100
    segmented = True
    schedulable = True

    def check_sender(self, sender: str) -> None:
        """Take every sender."""

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Send nothing."""
        return []

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Know nothing."""
        return SmsState(DeliveryStatus.UNKNOWN, 255)


def channels() -> Channel:
    """Check that a class with the right members is a channel."""
    return Fallback("pager-pager", Pager(), Pager())


def sandbox() -> None:
    """Check the gateway on loopback."""
    with Sandbox() as gateway:
        assert_type(gateway, Sandbox)
        assert_type((gateway.url, gateway.gateway), tuple[str, str])
