"""One-time codes: what raises and what does not, how long they live, and how many there are of them."""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import pytest
from devinotify import InvalidArgument, InvalidInput, NotSent, RowState, Verdict
from django.core.management.base import CommandError
from django.test import Client

from devinotify_django import CodeLimitReached, codes, notifiers, send_code
from devinotify_django.codes import send_code_text
from tests.project import NUMBER, URL
from tests.test_commands import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox


SENDS = ("Sms/Send", "Viber/Send")


@pytest.fixture(autouse=True)
def _configured(configure: Callable[..., None]) -> None:
    """Send to the gateway."""


def test_arrives_in_its_text(gateway: Sandbox, configure: Callable[..., None]) -> None:
    """A code stands in the template, and lives for its validity."""
    configure(OTP={"TEMPLATE": "Your code: {code}", "DOMAIN": "shop.example.com", "VALIDITY": 3})
    outcome = send_code("4821", NUMBER)
    assert outcome is not None
    assert Verdict.ACCEPTED is outcome.verdict
    assert ["Your code: 4821\n\n@shop.example.com #4821"] == [each.text for each in gateway.messages()]
    assert ("3",) == gateway.requests()[-1].parameters["validity"]


@pytest.mark.parametrize("accepts", [True, False])
def test_lost_answer_does_not_raise(gateway: Sandbox, caplog: pytest.LogCaptureFixture, *, accepts: bool) -> None:
    """A code whose answer was lost may arrive: nothing is raised, one is sent, the log shows none."""
    gateway.add_fault("drop", number=NUMBER, accepts=accepts)
    caplog.set_level(logging.WARNING, "devinotify_django")
    outcome = send_code("4821", NUMBER)
    assert outcome is not None
    assert Verdict.UNKNOWN is outcome.verdict
    assert ["Sms/Send"] == [each.operation for each in gateway.requests()][1:]
    assert "may or may not have been sent" in caplog.text
    assert not any(secret in caplog.text for secret in ("4821", NUMBER[2:]))


def test_refused_raises(gateway: Sandbox) -> None:
    """A code that the gateway refuses raises its error."""
    gateway.add_fault("error", number=NUMBER, code=2)
    with pytest.raises(InvalidArgument):
        send_code("4821", NUMBER)


def test_not_sent_raises(configure: Callable[..., None]) -> None:
    """A code that did not leave raises, so that another is asked for."""
    configure(URL=URL)
    with pytest.raises(NotSent):
        send_code("4821", NUMBER)


def test_no_number_raises() -> None:
    """What is no number raises."""
    with pytest.raises(InvalidInput):
        send_code("4821", "12")


def test_no_more_than_allowed_for_a_number(gateway: Sandbox) -> None:
    """A number has five codes an hour, however it is written."""
    for number in (NUMBER, "8 (916) 123-45-67", "79161234567", NUMBER, NUMBER):
        send_code("4821", number)
    with pytest.raises(CodeLimitReached, match="this number"):
        send_code("4821", NUMBER)
    assert 5 == len(gateway.messages())


def test_no_more_than_allowed_for_an_address(gateway: Sandbox, configure: Callable[..., None]) -> None:
    """An address has so many codes an hour, whatever the numbers; another address has its own."""
    configure(OTP={"ADDRESS_LIMIT": 2})
    for digit in range(2):
        send_code("4821", f"+7916123450{digit}", address="203.0.113.7")
    with pytest.raises(CodeLimitReached, match="this address"):
        send_code("4821", "+79161234509", address="203.0.113.7")
    send_code("4821", "+79161234508", address="203.0.113.8")
    assert 3 == len(gateway.messages())


def test_address_over_its_limit_uses_nobodys_up(gateway: Sandbox, configure: Callable[..., None]) -> None:
    """Who has asked for too many cannot use up the codes of a number that is not theirs."""
    configure(OTP={"LIMIT": 1, "ADDRESS_LIMIT": 1})
    send_code("4821", "+79161234501", address="203.0.113.7")
    with pytest.raises(CodeLimitReached, match="this address"):
        send_code("4821", NUMBER, address="203.0.113.7")
    send_code("4821", NUMBER, address="203.0.113.8")
    assert ["+79161234501", NUMBER] == [each.recipient for each in gateway.messages()]


def test_view_answers_403(gateway: Sandbox, configure: Callable[..., None]) -> None:
    """The middleware knows the address, and a view that asks for too many answers 403."""
    configure(OTP={"ADDRESS_LIMIT": 1})
    client = Client(REMOTE_ADDR="203.0.113.9")
    answers = [client.get("/code", {"to": f"+7916123450{digit}"}).status_code for digit in range(2)]
    assert ([200, 403], 1) == (answers, len(gateway.messages()))


def test_queued(gateway: Sandbox, configure: Callable[..., None]) -> None:
    """A queued code is the worker's to send, and has gone stale in the outbox when its validity is over."""
    configure(OTP={"QUEUED": True, "VALIDITY": 2})
    began = time.time()
    assert None is send_code("4821", NUMBER)
    ended = time.time()
    (row,) = notifiers.outbox()
    stored = notifiers.outbox().message(row.message_id)
    assert stored is not None
    assert row.deadline is not None
    assert (2, 0) == (stored.message.validity, len(gateway.messages()))
    assert began - 0.001 <= row.deadline - 120 <= ended + 0.001  # however long it took to be stored


@pytest.mark.parametrize(("waited", "sent"), [(0, ["4"]), (180, ["1"]), (270, []), (360, [])])
def test_queued_is_never_late(
    gateway: Sandbox, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch, waited: int, sent: list[str]
) -> None:
    """What has waited lives for what is left of its validity, in whole minutes, and is not sent where none is left."""

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # a datetime all the same
            return datetime.now(tz) - timedelta(seconds=waited)

    configure(OTP={"QUEUED": True, "VALIDITY": 5})
    with monkeypatch.context() as patched:
        patched.setattr(codes, "datetime", Earlier)
        send_code("4821", NUMBER)
    run("devinotify_worker", "--once")
    posts = [each.parameters for each in gateway.requests() if each.operation == "Sms/Send"]
    assert [(minutes,) for minutes in sent] == [each["validity"] for each in posts]
    assert [RowState.ACCEPTED if sent else RowState.NOT_SENT] == [row.state for row in notifiers.outbox()]


@pytest.mark.parametrize("queued", [False, True])
def test_fallback_is_never_late(gateway: Sandbox, configure: Callable[..., None], *, queued: bool) -> None:
    """The second step of a code has what is left of its validity, and is not taken where no minute is."""
    gateway.add_fault("error", operation="Sms/Send", code=6)
    for validity in (5, 2):
        configure(URL=f"{gateway.url}&channel=sms-viber", OTP={"QUEUED": queued, "VALIDITY": validity})
        send_code("4821", NUMBER)
        # That the SMS is refused may be the account's affair, where no Viber was accepted after it.
        with pytest.raises(CommandError, match="code 6") if queued and validity == 2 else nullcontext():
            run("devinotify_worker", "--once")
    posts = [(each.operation, *each.parameters.get("validity", ())) for each in gateway.requests()]
    # In whole minutes: what has waited for a worker has lost one by then.
    expected = ["4", "3", "1", "1", "1"] if queued else ["5", "4", "2", "1"]
    assert expected == [validity for operation, *rest in posts if operation in SENDS for validity in rest]


def test_queued_refuses_at_once(configure: Callable[..., None]) -> None:
    """What is no number is refused where it is queued, too."""
    configure(OTP={"QUEUED": True})
    with pytest.raises(InvalidInput):
        send_code_text("4821", "12")
