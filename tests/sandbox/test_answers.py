"""What phones answer by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinotify import Client
from devinotify.sandbox import Sandbox
from tests.sandbox.conftest import NUMBER, Api
from tests.sandbox.test_control import ask

if TYPE_CHECKING:
    from pathlib import Path

OPTS_OUT = "79000000012"


def heard(api: Api) -> list[tuple[str, str]]:
    """Return what came in, in order: from whom, and what."""
    return [(message["sender"], message["text"]) for message in reversed(ask(api, "GET", "/incoming")["incoming"])]


def test_a_phone_answers_when_the_message_has_arrived(api: Api) -> None:
    """Each message once, at the instant of its arrival; the others say nothing."""
    ask(api, "POST", "/answers", number=NUMBER, text="STOP")
    api.send()
    api.send(DestinationAddress="79031234567")
    api.advance(0.5)
    before = heard(api)
    api.advance(60)
    assert ([], [(f"+{NUMBER}", "STOP")]) == (before, heard(api))
    assert "2026-01-28T12:00:01.000Z" == ask(api, "GET", "/incoming")["incoming"][0]["created_at"]
    api.send()
    api.advance(60)
    assert 2 == len(heard(api))


def test_it_is_read_by_the_gateways_own_operation(api: Api) -> None:
    """As every reply is, to the account's number or to the sender's, where that is a number."""
    ask(api, "POST", "/answers", number="*", text="да")
    api.send(SourceAddress="1234")
    api.advance(5)
    _, incoming = api.call("GET", "Sms/In", maxDateUTC="2026-01-29T00:00:00")
    assert [("да", f"+{NUMBER}", "1234")] == [
        (one["Data"], one["SourceAddress"], one["DestinationAddress"]) for one in incoming
    ]


def test_a_magic_number_opts_out(api: Api) -> None:
    """Without anything set; what is set for it counts more, and what is set for every other less."""
    ask(api, "POST", "/answers", number="*", text="кто это?")
    api.send(DestinationAddress=OPTS_OUT)
    api.send("Viber/Send")
    api.advance(5)
    ask(api, "POST", "/answers", number=OPTS_OUT, text="СТОП")
    api.send(DestinationAddress=OPTS_OUT)
    api.advance(5)
    assert [("STOP", True), ("СТОП", True), ("кто это?", False)] == sorted(
        (text, sender == f"+{OPTS_OUT}") for sender, text in heard(api)
    )


def test_what_does_not_arrive_is_not_answered(api: Api) -> None:
    """Expired, forced to something else, or forgotten before it could; forced to arrive it is, once."""
    ask(api, "POST", "/answers", number="*", text="STOP")
    api.send(DestinationAddress="79000000046")
    api.send()
    api.send()
    ask(api, "POST", "/messages", number=2, fate="rejected")
    ask(api, "DELETE", "/messages", number=3)
    api.advance(60)
    before = heard(api)
    ask(api, "POST", "/messages", number=2, fate="delivered")
    ask(api, "POST", "/messages", number=2, fate="delivered")
    assert ([], 1) == (before, len(heard(api)))


def test_answers_are_listed_and_taken_back(api: Api) -> None:
    """By null, and by a reset; an empty one is none."""
    assert {"set": {NUMBER: "STOP"}} == ask(api, "POST", "/answers", number="+7 916 123-45-67", text="STOP")
    assert {"set": {}} == ask(api, "POST", "/answers", number=NUMBER, text=None)
    ask(api, "POST", "/answers", number="*", text="STOP")
    ask(api, "POST", "/reset")
    assert {"set": {}} == ask(api, "GET", "/answers")
    with pytest.raises(ValueError, match="text must have 1 to 2000"):
        ask(api, "POST", "/answers", number="*", text="")


def test_a_restart_answers_nothing_twice(tmp_path: Path) -> None:
    """What was answered stays so, and what had not arrived yet is answered by the next sandbox."""
    with Sandbox(db=tmp_path / "inbox.db") as first, Client(first.url) as client:
        client.sms.send(OPTS_OUT, "one")
        first.advance(5)
        first.set_timeline("opts-out", sms=[(3600, 0)])
        client.sms.send(OPTS_OUT, "two")
    with Sandbox(db=tmp_path / "inbox.db") as second:
        before = len(second.incoming())
        second.advance(3600)
        assert (1, 2) == (before, len(second.incoming()))


def test_in_code(sandbox: Sandbox) -> None:
    """The class sets it as well."""
    sandbox.set_answer(NUMBER, "STOP")
    with Client(sandbox.url) as client:
        client.sms.send(NUMBER, "test")
    sandbox.advance(5)
    assert ["STOP"] == [message.text for message in sandbox.incoming()]
