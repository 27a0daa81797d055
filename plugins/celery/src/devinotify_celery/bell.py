"""The bell: what has workers look into the outbox. Lost, late or doubled, it changes nothing."""

from __future__ import annotations

import logging
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from devinotify_celery import settings
from devinotify_celery.tasks import drain

if TYPE_CHECKING:
    from collections.abc import Mapping

log: logging.Logger = logging.getLogger(__name__)

BEAT_SCHEDULE: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "devinotify.drain": {"task": "devinotify.drain", "schedule": 10.0},
        "devinotify.watch": {"task": "devinotify.watch", "schedule": 15.0},
    }
)
"""For ``app.conf.beat_schedule``: what is due is sent every 10 seconds, deliveries are looked at every 15."""


def ring(using: str = settings.DEFAULT, *, database: str = "default") -> None:
    """Have a worker send what was enqueued: now, or where Django's ``database`` is in a transaction, on its commit.

    ``using`` is an entry of Django's ``DEVINOTIFY``. A broker that cannot be reached is logged and no error: what is in
    the outbox goes out by the next bell.
    """
    if settings.django_settings() is not None:
        from django.db import transaction

        transaction.on_commit(partial(_ring, using), using=database, robust=True)
    else:
        _ring(using)


def _ring(using: str) -> None:
    try:
        drain.apply_async((using,), retry=False)
    except drain.OperationalError as error:
        log.warning("no worker was told of what is in the outbox (%s): the next bell does", type(error).__name__)
