"""Django as a host of devinotify: the conformance suite, by ``send_sms`` and by the outbox with its worker."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from io import StringIO
from typing import TYPE_CHECKING

import pytest
import sms
from devinotify import DevinotifyError, RowState, Verdict
from devinotify.testing import HostSuite, Told
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from devinotify_django import enqueue_sms, notifiers, send_sms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SENT = (RowState.ACCEPTED, RowState.DELIVERED)


@pytest.fixture(autouse=True)
def _accounts(tmp_path: Path) -> Iterator[None]:
    """Begin each test with no account, and an outbox of its own for each that comes."""
    with override_settings(DEVINOTIFY={}, OUTBOXES=tmp_path):
        yield


def alias(url: str) -> str:
    """Return the alias of an account in the setting, put there where it is not."""
    name = sha256(url.encode()).hexdigest()[:8]
    settings.DEVINOTIFY.setdefault(name, {"URL": url, "OUTBOX": str(settings.OUTBOXES / f"{name}.db")})
    return name


class TestSendSms(HostSuite):
    """A view that sends, and tries again what was not sent and is worth it."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send now."""
        outcomes = send_sms(text, to, alias(url))
        again = [one for one in outcomes if one.verdict is Verdict.NOT_SENT and one.error and one.error.retryable]
        return Told(sent=all(one.verdict is Verdict.ACCEPTED for one in outcomes), again=bool(again))


class TestEnqueueSms(HostSuite):
    """A view that enqueues, and the worker as a command that ends when nothing is due."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Enqueue, and have the worker take its turn."""
        using = alias(url)
        enqueued = enqueue_sms(text, to, using)
        with suppress(CommandError):  # it cannot reach the gateway: the row tells
            call_command("devinotify_worker", using=using, once=True, stdout=StringIO(), stderr=StringIO())
        outbox = notifiers.outbox(using)
        states = [row.state for row in map(outbox.get, enqueued.rows.values()) if row is not None]
        if RowState.CLAIMED in states:
            return Told(sent=None)  # another thread's worker is at it
        return Told(sent=all(state in SENT for state in states) and not enqueued.refused)


class TestDjangoSms(HostSuite):
    """A project that sends by django-sms, and again where an error says that nobody has got it."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send as django-sms does."""
        backend = sms.get_connection("devinotify_django.sms.SmsBackend", using=alias(url))
        try:
            count = sms.Message(text, None, list(to), backend).send()
        except DevinotifyError as error:
            return Told(sent=False, again=error.retryable)
        return Told(sent=count == 1)
