"""``send_sms`` and ``enqueue_sms``, and the same for async views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from devinotify import Enqueued
from django.db import transaction

from devinotify_django import conf, databases, notifiers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from devinotify import Outcome

    Recipients = str | int | Iterable[str | int] | None


def send_sms(
    text: str,
    to: Recipients = None,
    using: str = conf.DEFAULT,
    *,
    title: str | None = None,
    channel: str | None = None,
    sender: str | None = None,
    validity: int | None = None,
    tags: str | Iterable[str] = (),
    send_at: datetime | None = None,
) -> list[Outcome]:
    """Send now, and return one Outcome per distinct recipient, as ``Notifier.notify`` does.

    It never raises for a recipient's failure: look at ``outcome.verdict``. One that is ``unknown`` may have been sent,
    and is not to be sent again. Raises ImproperlyConfigured for an alias that is not there, InvalidInput where there
    is nobody to send to or an argument is of the wrong type.
    """
    notifier = notifiers.get(using, sender=sender, validity=validity)
    return notifier.notify(text, to, title=title, channel=channel, tags=tags, send_at=send_at)


def enqueue_sms(
    text: str,
    to: Recipients = None,
    using: str = conf.DEFAULT,
    *,
    key: str | None = None,
    title: str | None = None,
    channel: str | None = None,
    sender: str | None = None,
    validity: int | None = None,
    tags: str | Iterable[str] = (),
    send_at: datetime | None = None,
    deadline: datetime | None = None,
    database: str = "default",
) -> Enqueued:
    """Store a message for ``manage.py devinotify_worker``, if and when the transaction of ``database`` commits.

    Where the outbox is in that very PostgreSQL database it is a part of the transaction. Elsewhere it is stored after
    the commit: what ``rows`` it has is not known before, so ``rows`` is empty; ``refused`` is told at once. Outside of
    a transaction it is stored at once. Raises what ``send_sms`` raises.
    """
    notifier = notifiers.get(using, sender=sender, validity=validity)
    arguments: dict[str, Any] = {
        "key": key,
        "title": title,
        "channel": channel,
        "tags": tags,
        "send_at": send_at,
        "deadline": deadline,
    }
    if not transaction.get_connection(database).in_atomic_block:
        return notifiers.store(notifier, using, text, to, **arguments)
    if databases.holds(database, notifier.url.outbox):
        return notifiers.store(notifier, using, text, to, connection=databases.connection(database), **arguments)
    found = notifier.resolve(to)
    refused = {recipient: error for recipient, error in found.items() if error is not None}
    # Robust: what fails after the commit is logged, and keeps nothing else from being done.
    transaction.on_commit(lambda: notifiers.store(notifier, using, text, to, **arguments), using=database, robust=True)
    return Enqueued({}, refused)


async def asend_sms(text: str, to: Recipients = None, using: str = conf.DEFAULT, **options: Any) -> list[Outcome]:  # noqa: ANN401 - those of send_sms
    """Do what ``send_sms`` does, without blocking the event loop: in a thread that waits for the gateway alone."""
    sent: list[Outcome] = await sync_to_async(send_sms, thread_sensitive=False)(text, to, using, **options)
    return sent


async def aenqueue_sms(text: str, to: Recipients = None, using: str = conf.DEFAULT, **options: Any) -> Enqueued:  # noqa: ANN401 - those of enqueue_sms
    """Do what ``enqueue_sms`` does, in the thread that has the request's database connections."""
    enqueued: Enqueued = await sync_to_async(enqueue_sms, thread_sensitive=True)(text, to, using, **options)
    return enqueued
