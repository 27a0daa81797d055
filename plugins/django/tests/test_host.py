"""Django as a host of devinotify: the conformance suite, by every way that a message has to leave."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import sms
from devinotify import DevinotifyError, RowState, Verdict
from devinotify.testing import HostSuite, Told
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from sendsms.api import get_connection
from sendsms.message import SmsMessage
from two_factor.plugins.phonenumber.models import PhoneDevice

from devinotify_django import enqueue_sms, notifiers, phone_verify, send_code, send_sms, two_factor
from devinotify_django.tasks import send_sms as send_sms_task
from tests.adapters import Adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.once

SENT = (RowState.ACCEPTED, RowState.DELIVERED)


@pytest.fixture(autouse=True)
def _accounts(tmp_path: Path) -> Iterator[None]:
    """Begin each test with no account, and an outbox of its own for each that comes."""
    with override_settings(DEVINOTIFY={}, OUTBOXES=tmp_path):
        yield


def alias(url: str) -> str:
    """Return the alias of an account in the setting, put there where it is not."""
    name = sha256(url.encode()).hexdigest()[:8]
    otp = {"LIMIT": 1000}  # the suite sends many to one number
    settings.DEVINOTIFY.setdefault(name, {"URL": url, "OUTBOX": str(settings.OUTBOXES / f"{name}.db"), "OTP": otp})
    return name


def told_by_the_worker(using: str, rows: Iterable[int], *, refused: int) -> Told:
    """Have the worker take its turn, and return what these rows tell afterwards."""
    rows, states = list(rows), [RowState.UNKNOWN]
    # A second turn where an answer was lost: it sends nothing, which the suite counts.
    for _ in range(2):
        if RowState.UNKNOWN in states:
            with suppress(CommandError):  # it cannot reach the gateway: the row tells
                call_command("devinotify_worker", using=using, once=True, stdout=StringIO(), stderr=StringIO())
            states = [row.state for row in notifiers.outbox(using).get_all(rows)]
    if RowState.CLAIMED in states:
        return Told(sent=None)  # another thread's worker is at it
    return Told(sent=all(state in SENT for state in states) and not refused)


def told_of_codes(to: Sequence[str], send: Callable[[str], object]) -> Told:
    """Send a code to each, and return what whoever asked for them is told: an error, or that it is on its way."""
    errors: list[DevinotifyError] = []
    for number in to:
        try:
            send(number)
        except DevinotifyError as error:
            errors.append(error)
    return Told(sent=not errors, again=any(error.retryable for error in errors))


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
        return told_by_the_worker(using, enqueued.rows.values(), refused=len(enqueued.refused))


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


class TestDjangoSendsms(HostSuite):
    """A project that sends by django-sendsms, and again where an error says that nobody has got it."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send as openwisp-radius does, with the account in a second argument."""
        message = SmsMessage(text, None, list(to))
        try:
            count = get_connection().send_messages([message], {"using": alias(url)})
        except DevinotifyError as error:
            return Told(sent=False, again=error.retryable)
        return Told(sent=count == 1)


class TestTasks(HostSuite):
    """A project that sends by Django's tasks, each of which is run twice, as a queue does that has lost its answer."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Run the task twice under one id, and have the worker take its turn."""
        using = alias(url)
        result = send_sms_task.enqueue(text, list(to), using)
        context = SimpleNamespace(task_result=result)
        assert result.return_value == send_sms_task.func(context, text, list(to), using)
        rows = [row.id for row in notifiers.outbox(using).find(f"task {result.id}")]
        return told_by_the_worker(using, rows, refused=result.return_value["refused"])


class TestSendCode(HostSuite):
    """A view that sends a one-time code to each of several numbers, and one more where it is told that it may."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send the text as a code."""
        return told_of_codes(to, lambda number: send_code(text, number, alias(url)))


class TestTwoFactor(HostSuite):
    """django-two-factor-auth, whose views know a token that was sent and an error."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send the text as the token of a phone device."""
        gateway = two_factor.Gateway()
        gateway.using = alias(url)
        return told_of_codes(to, lambda number: gateway.send_sms(PhoneDevice(number=number), text))


class TestAllauth(HostSuite):
    """django-allauth, whose flows go on where the adapter raises nothing."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send the text as a code of allauth's."""
        adapter = Adapter()
        adapter.devinotify_using = alias(url)
        return told_of_codes(to, lambda number: adapter.send_verification_code_sms(None, number, text))


class TestPhoneVerify(HostSuite):
    """django-phone-verify's API, whose caller asks for one more code after a 503."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send the text as phone-verify's own, to each number for itself."""
        backend = phone_verify.Backend(using=alias(url))
        said = []
        for number in to:
            try:
                backend.send_sms(number, text)
            except phone_verify.SmsUnavailable as error:
                said.append(error)
        return Told(sent=not said, again=bool(said) and len(to) == 1)
