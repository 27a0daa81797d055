"""The packages that send SMS in Django, end to end: what they send arrives, and a lost answer costs nobody a code."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import sms
from devinotify import InvalidArgument, NotSent, Verdict
from django.contrib.auth import get_user_model
from django.test import Client
from sendsms.api import get_connection
from sendsms.message import SmsMessage

from devinotify_django import notifiers
from devinotify_django.allauth import PhoneAdapterMixin
from tests.adapters import Adapter
from tests.project import NUMBER, URL
from tests.test_commands import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

OTHER = "+79161234568"


@pytest.fixture(autouse=True)
def _configured(configure: Callable[..., None]) -> None:
    """Send to the gateway."""


@pytest.fixture(params=["answered", "lost"])
def line(gateway: Sandbox, request: pytest.FixtureRequest) -> Sandbox:
    """A gateway that answers, and one that takes everything and whose answers are lost."""
    if request.param == "lost":
        gateway.add_fault("drop", number=NUMBER, accepts=True)
    return gateway


def code_of(gateway: Sandbox) -> str:
    """Return the code in the one SMS that has arrived since it was asked last; there must be one."""
    (message,) = gateway.messages()
    gateway.delete()
    found = re.search(r"[0-9A-Z-]{4,9}", message.text)
    assert found is not None
    return found[0]


# --- django-sms and django-sendsms


def test_django_sms(gateway: Sandbox) -> None:
    """What was accepted counts as sent, with the message's own sender."""
    message = sms.Message("Hello", "SHOP", [NUMBER, OTHER])
    assert 1 == message.send()
    assert ["SHOP", "SHOP"] == [each.sender for each in gateway.messages()]
    assert [Verdict.ACCEPTED] * 2 == [outcome.verdict for outcome in message.devinotify_outcomes]


def test_django_sms_to_some(gateway: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Where some did not get it, it does not count as sent, and nothing is raised that has it sent again."""
    message = sms.Message("Hello", None, [NUMBER, "12"])
    assert 0 == message.send()
    assert [Verdict.ACCEPTED, Verdict.NOT_SENT] == [outcome.verdict for outcome in message.devinotify_outcomes]
    assert "not_sent" in caplog.text
    assert NUMBER[2:] not in caplog.text


def test_django_sms_lost(gateway: Sandbox) -> None:
    """A lost answer is neither counted nor raised."""
    gateway.add_fault("drop", number=NUMBER)
    message = sms.Message("Hello", None, [NUMBER])
    assert (0, Verdict.UNKNOWN) == (message.send(), message.devinotify_outcomes[0].verdict)


def test_django_sms_refused(gateway: Sandbox) -> None:
    """A refusal is raised, with the outcomes on the message before, unless it is to be silent."""
    gateway.add_fault("error", number=NUMBER, code=2)
    message = sms.Message("Hello", None, [NUMBER])
    with pytest.raises(InvalidArgument):
        message.send()
    assert [Verdict.REJECTED] == [outcome.verdict for outcome in message.devinotify_outcomes]
    assert 0 == message.connection.__class__(fail_silently=True).send_messages([message])


def test_django_sms_bad_sender() -> None:
    """A sender that cannot be is raised, too, unless it is to be silent."""
    message = sms.Message("Hello", "much too long for a sender", [NUMBER])
    with pytest.raises(ValueError, match="sender"):
        message.send()
    assert 0 == sms.get_connection(fail_silently=True).send_messages([message])
    assert [] == message.devinotify_outcomes


def test_sendsms(line: Sandbox) -> None:
    """A message as openwisp-radius sends it, with a second argument, arrives once; a lost answer does not count."""
    message = SmsMessage("Hello", "SHOP", [NUMBER])
    connection: Any = get_connection()
    assert connection.supports_meta_data
    sent = connection.send_messages([message], {"organization": "x", "using": "default"})
    assert [("SHOP", "Hello")] == [(each.sender, each.text) for each in line.messages()]
    assert (sent == 1) is (message.devinotify_outcomes[0].verdict is Verdict.ACCEPTED)


def test_sendsms_not_sent(configure: Callable[..., None]) -> None:
    """What did not leave is raised, with the outcomes on the message before."""
    configure(URL=URL)
    message = SmsMessage("Hello", None, [NUMBER])
    with pytest.raises(NotSent):
        message.send()
    assert [(NUMBER, Verdict.NOT_SENT)] == [(each.recipient, each.verdict) for each in message.devinotify_outcomes]
    assert 0 == get_connection(fail_silently=True).send_messages([message])
    assert [Verdict.NOT_SENT] == [each.verdict for each in message.devinotify_outcomes]


# --- one-time codes


@pytest.mark.usefixtures("database")
def test_two_factor(line: Sandbox) -> None:
    """A phone is set up and used to log in, by one SMS each time."""
    get_user_model().objects.create_user("ann", password="secret")
    client = Client()
    step = "setup_view-current_step"
    client.login(username="ann", password="secret")
    setup = "/account/two_factor/setup/"
    for data in (
        {step: "welcome"},
        {step: "method", "method-method": "sms"},
        {step: "sms", "sms-number": NUMBER},
    ):
        assert 200 == client.post(setup, data).status_code
    answer = client.post(setup, {step: "validation", "validation-token": code_of(line)})
    assert (302, "/account/two_factor/setup/complete/") == (answer.status_code, answer.url)
    client.logout()
    login, step = "/account/login/", "login_view-current_step"
    assert 200 == client.post(login, {step: "auth", "auth-username": "ann", "auth-password": "secret"}).status_code
    answer = client.post(login, {step: "token", "token-otp_token": code_of(line)})
    assert (302, "/order") == (answer.status_code, answer.url)


@pytest.mark.usefixtures("database")
def test_allauth(line: Sandbox) -> None:
    """Somebody signs up with a number, and verifies it by the code of the one SMS."""
    Adapter.phones.clear()
    client = Client()
    answer = client.post("/accounts/signup/", {"phone": NUMBER, "password1": "corr-ect-horse"})
    assert 302 == answer.status_code
    answer = client.post(answer.url, {"code": code_of(line)})
    assert 302 == answer.status_code
    assert [(NUMBER, True)] == list(Adapter.phones.values())


@pytest.mark.usefixtures("database")
def test_allauth_account_exists(gateway: Sandbox) -> None:
    """Who signs up with a number that has an account is told so by SMS, and sees the same page."""
    Adapter.phones.clear()
    user = get_user_model().objects.create_user("ann")
    Adapter.phones[user.pk] = (NUMBER, True)
    answer = Client().post("/accounts/signup/", {"phone": NUMBER, "password1": "corr-ect-horse"})
    assert (302, ["There is an account with this number already."]) == (
        answer.status_code,
        [each.text for each in gateway.messages()],
    )


def test_allauth_unknown_account(gateway: Sandbox) -> None:
    """Without a text nothing is sent, and it counts as one code all the same."""
    adapter = PhoneAdapterMixin()
    adapter.send_unknown_account_sms(NUMBER)
    adapter.devinotify_unknown_account_text = ""
    adapter.send_unknown_account_sms(NUMBER)
    assert ["There is no account with this number."] == [each.text for each in gateway.messages()]


@pytest.mark.usefixtures("database")
def test_allauth_queued(gateway: Sandbox, configure: Callable[..., None]) -> None:
    """Queued, a known and an unknown number cost the answer the same: nothing is asked of the gateway."""
    configure(OTP={"QUEUED": True})
    adapter = PhoneAdapterMixin()
    adapter.send_verification_code_sms(None, NUMBER, "4821")
    adapter.send_unknown_account_sms(OTHER)
    assert ([], 2) == (gateway.requests(), len(notifiers.outbox()))


@pytest.mark.usefixtures("database")
def test_phone_verify(line: Sandbox) -> None:
    """A number is registered and verified by the API."""
    client = Client()
    token = client.post("/verify/phone/register", {"phone_number": NUMBER}).json()["session_token"]
    asked = {"phone_number": NUMBER, "session_token": token, "security_code": code_of(line)}
    assert 200 == client.post("/verify/phone/verify", asked).status_code


@pytest.mark.usefixtures("database")
def test_phone_verify_has_the_last_line(gateway: Sandbox, configure: Callable[..., None]) -> None:
    """Browsers fill its code in as any other."""
    configure(OTP={"DOMAIN": "shop.example.com"})
    Client().post("/verify/phone/register", {"phone_number": NUMBER})
    text, line = gateway.messages()[0].text.split("\n\n")
    code, _, rest = text.partition(" ")
    assert ("is the code of the shop", f"@shop.example.com #{code}") == (rest, line)


@pytest.mark.usefixtures("database")
def test_phone_verify_refused(gateway: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """A code that was refused is not answered as if it were on its way, and no log shows whose it was."""
    gateway.add_fault("error", number=NUMBER, code=2)
    assert 503 == Client().post("/verify/phone/register", {"phone_number": NUMBER}).status_code
    assert NUMBER[2:] not in caplog.text


@pytest.mark.usefixtures("database")
def test_phone_verify_too_many(gateway: Sandbox, configure: Callable[..., None]) -> None:
    """More codes than are allowed are answered with 429."""
    configure(OTP={"LIMIT": 1})
    answers = [Client().post("/verify/phone/register", {"phone_number": NUMBER}).status_code for _ in range(2)]
    assert ([200, 429], 1) == (answers, len(gateway.messages()))


def test_phone_verify_bulk(gateway: Sandbox, configure: Callable[..., None]) -> None:
    """Several numbers get a text each, as it is where there is no code in it."""
    configure(OTP={"DOMAIN": "shop.example.com"})
    from devinotify_django.phone_verify import Backend

    Backend(using="default").send_bulk_sms([NUMBER, OTHER], "Hello")
    assert [(NUMBER, "Hello"), (OTHER, "Hello")] == [(each.recipient, each.text) for each in gateway.messages()]


# --- tasks


def test_task(gateway: Sandbox) -> None:
    """A task stores a message under its own id, so that one that runs twice stores it once."""
    from devinotify_django.tasks import send_sms

    result = send_sms.enqueue("Hello", [NUMBER, "12"])
    assert {"refused": 1} == result.return_value
    (row,) = notifiers.outbox()
    assert [row] == notifiers.outbox().find(f"task {result.id}")
    again = send_sms.func(SimpleNamespace(task_result=result), "Hello", [NUMBER, "12"])  # as a queue does
    assert (result.return_value, [row]) == (again, list(notifiers.outbox()))
    run("devinotify_worker", "--once")
    assert ["Hello"] == [each.text for each in gateway.messages()]
