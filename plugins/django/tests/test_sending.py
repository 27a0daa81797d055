"""``send_sms`` and ``enqueue_sms``: what arrives, and what transactions do to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from devinotify import Verdict
from devinotify.sandbox import Sandbox
from django.db import transaction
from django.test import Client, override_settings

from devinotify_django import aenqueue_sms, asend_sms, enqueue_sms, get_notifier, notifiers, send_sms
from tests.project import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _configured(configure: Callable[..., None]) -> None:
    """Send to the gateway."""


def stored() -> list[str]:
    """Return the texts in the outbox, in order."""
    outbox = notifiers.outbox()
    messages = [outbox.message(row.message_id) for row in outbox]
    return [message.message.text for message in messages if message is not None]


def test_sends(gateway: Sandbox) -> None:
    """A message arrives, and its outcome tells so."""
    (outcome,) = send_sms("Hello", NUMBER)
    assert (Verdict.ACCEPTED, [NUMBER]) == (outcome.verdict, [each.recipient for each in gateway.messages()])


def test_other_sender_and_validity(gateway: Sandbox) -> None:
    """A call may have a sender and a validity of its own, on the alias's one login."""
    send_sms("One", NUMBER)
    send_sms("Two", NUMBER, sender="SHOP", validity=7)
    assert ["DEVINO", "SHOP"] == [each.sender for each in gateway.messages()]
    operations = [each.operation for each in gateway.requests()]
    assert ["User/SessionID", "Sms/Send", "Sms/Send"] == operations
    assert ("7",) == gateway.requests()[-1].parameters["validity"]


def test_few_are_kept() -> None:
    """However many senders there are, few Notifiers are kept, the alias's own among them."""
    few = notifiers.Notifiers(capacity=3)
    try:
        default = few.get()
        first = few.get(sender="S0")
        for number in range(3 + 1):
            few.get(sender=f"S{number}")
        assert few.get() is default
        assert few.get(sender="S0") is not first
    finally:
        few.close()


def test_one_notifier_an_alias() -> None:
    """An alias has one Notifier, until the setting changes."""
    first = get_notifier()
    assert get_notifier() is first
    with override_settings(DEVINOTIFY={"default": {"URL": first.url.to_url()}}):
        assert get_notifier() is not first


def test_lock_does_not_outlive_a_fork() -> None:
    """A process that was forked off while somebody made a Notifier can make its own."""
    ours = notifiers.Notifiers()
    ours._lock.acquire()
    ours.start_anew()
    assert ours.get() is ours.get()
    ours.close()


def test_enqueues_at_once() -> None:
    """Outside of a transaction a message is stored at once; what is refused is told."""
    enqueued = enqueue_sms("Hello", [NUMBER, "12"], title="Shop", key="one")
    assert ([NUMBER], ["12"]) == (list(enqueued.rows), list(enqueued.refused))
    assert enqueue_sms("Hello", NUMBER, key="one").known
    assert ["Hello"] == stored()


def test_enqueues_after_the_commit() -> None:
    """In a transaction it is stored when that commits; what is refused is told before."""
    with transaction.atomic():
        enqueued = enqueue_sms("Hello", [NUMBER, "12"])
        assert [] == stored()
    assert ({}, ["12"], ["Hello"]) == (enqueued.rows, list(enqueued.refused), stored())


def test_rolled_back() -> None:
    """What is rolled back is never stored."""
    with transaction.atomic():
        enqueue_sms("Hello", NUMBER)
        transaction.set_rollback(True)
    assert [] == stored()


def test_request_that_fails() -> None:
    """A view that fails in ATOMIC_REQUESTS sends nothing; one that does not, does."""
    from django.db import connection

    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        client = Client(raise_request_exception=False)
        assert 500 == client.get("/order?fail").status_code
        assert [] == stored()
        assert 200 == client.get("/order").status_code
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert ["Thank you"] == stored()


def test_async(gateway: Sandbox) -> None:
    """The twins do the same in an event loop."""

    async def both() -> tuple[list[Verdict], list[str]]:
        sent = await asend_sms("Hello", NUMBER)
        return [outcome.verdict for outcome in sent], list((await aenqueue_sms("Later", NUMBER)).rows)

    assert ([Verdict.ACCEPTED], [NUMBER]) == asyncio.run(both())


def test_async_view(gateway: Sandbox) -> None:
    """An async view sends, by way of the async middleware."""
    from django.test import AsyncClient

    async def ask() -> object:
        return (await AsyncClient().get("/remind")).json()

    assert {"verdicts": ["accepted"]} == asyncio.run(ask())


def test_another_account(gateway: Sandbox) -> None:
    """Another alias is another account."""
    with Sandbox(login="other") as other:
        setting = {"default": {"URL": gateway.url}, "alerts": {"URL": other.url}}
        with override_settings(DEVINOTIFY=setting):
            send_sms("Hello", NUMBER, "alerts")
            assert (0, 1) == (len(gateway.messages()), len(other.messages()))
