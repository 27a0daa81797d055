"""The API's published examples, run by curl as they stand, with the base URL, the session and the dates changed."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

pytestmark = [pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"), pytest.mark.once]


class Curl:
    """The published URLs, asked by curl."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self.session = str(json.loads(self.run("user/sessionid?login=demo&password=demo")))

    def run(self, target: str, *options: str) -> str:
        """Return the body of an answer; braces and brackets are left alone."""
        command = ["curl", "-sS", "-g", "--noproxy", "*", *options, f"{self._gateway}/{target}"]
        return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()

    def ask(self, target: str, *options: str) -> Any:  # noqa: ANN401 - any JSON document
        """Return the document of an answer; SESSION stands for the session's id."""
        return json.loads(self.run(target.replace("SESSION", self.session), *options))


@pytest.fixture
def curl(sandbox: Sandbox) -> Curl:
    """Give curl with an open session."""
    return Curl(sandbox.gateway)


POST = ("-X", "POST", "-d", "")

SENDS = {
    "Sms/Send?SessionId=SESSION&DestinationAddress=79161002030&SourceAddress=DEVINO&Data=test&Validity=0": 1,
    "Sms/SendByTimeZone?SessionId=SESSION&SourceAddress=TESTSMS&DestinationAddress=79001234567&Data=testdata"
    "&sendDate=2011-01-28T16:00:00&validity=10": 1,
    "Sms/SendBulk?SessionID=SESSION&SourceAddress=TESTSMS&DestinationAddresses=79001234567&Data=testdata&Validity=10"
    "&DestinationAddresses=79160000000&data=testdata&sendDate=2011-01-28T16:00:00&validity=10": 2,
    "Sms/SendByTimeZoneToAddresses?SessionID=SESSION&SourceAddress=TESTSMS&DestinationAddresses=79001234567"
    "&Data=testdata&Validity=10&DestinationAddresses=79160000000&data=testdata&SendDate=2011-01-28T16:00:00"
    "&Validity=10": 2,
    "Viber/Send?SessionID=SESSION&SourceAddress=DEVINO&DestinationAddress=79161002030&Data=test&Validity=86400": 1,
}


@pytest.mark.parametrize(("target", "count"), SENDS.items(), ids=[target.partition("?")[0] for target in SENDS])
def test_sends(curl: Curl, sandbox: Sandbox, target: str, count: int) -> None:
    """A published send answers its ids, and its message arrives."""
    part_ids = curl.ask(target, *POST)
    assert (count, count) == (len(part_ids), len(sandbox.messages()))


def test_a_form_body(curl: Curl, sandbox: Sandbox) -> None:
    """The same in a body, as curl's users write it."""
    curl.ask(
        "Sms/Send",
        *("-d", f"SessionID={curl.session}", "-d", "SourceAddress=DEVINO", "-d", "DestinationAddress=79161234567"),
        *("--data-urlencode", "Data=Привет & до встречи"),
    )
    assert ["Привет & до встречи"] == [message.text for message in sandbox.messages()]


def test_state(curl: Curl) -> None:
    """The published examples of a state, a raw + in the id included, are unknown here."""
    targets = (
        "Sms/State?sessionId=SESSION&messageId=579700854169272358",
        "Sms/State?sessionId=SESSION&messageId=SAR-W+84333",
    )
    assert [255, 255] == [curl.ask(target)["State"] for target in targets]


def test_incoming(curl: Curl, sandbox: Sandbox) -> None:
    """Incoming messages of a period are listed."""
    sandbox.add_incoming("test1", "7926000000", "7916000000")
    messages = curl.ask("Sms/In?sessionId=SESSION&minDateUTC=2026-01-01T00:00:00&maxDateUTC=2026-02-01T00:00:00")
    assert ["test1"] == [message["Data"] for message in messages]


def test_statistics(curl: Curl) -> None:
    """Statistics are asked for with a space in one date and a T in the other."""
    target = "Sms/Statistics?sessionId=SESSION&startDateTime=2026-01-18%2000:00:00&endDateTime=2026-01-18T23:59:00"
    assert 0 == curl.ask(target)["Total"]


def test_balance(curl: Curl) -> None:
    """The balance is a number."""
    assert 100000 == curl.ask("User/Balance?SessionID=SESSION")


ERRORS = {
    "user/sessionid?login=demo&password=wrong": (4, "Invalid user login or password"),
    "Sms/State?sessionId=SESSION": (1, "MessageID can not be null or empty Parameter name: messageid"),
    "Sms/Statistics?sessionId=SESSION&startDateTime=2012-01-18T00:00:00&endDateTime=2012-06-18T23:59:00": (
        2,
        "Нельзя указывать диапазон дат более 90 дней.",
    ),
    "User/Balance?SessionID=Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1": (3, "Invalid session id"),
}


@pytest.mark.parametrize(("target", "error"), ERRORS.items(), ids=[target.partition("?")[0] for target in ERRORS])
def test_errors(curl: Curl, target: str, error: tuple[int, str]) -> None:
    """A published error comes with its Code and its words."""
    document = curl.ask(target)
    assert error == (document["Code"], document["Desc"])


def test_a_bad_sender(curl: Curl) -> None:
    """The example error of every send."""
    target = "Sms/Send?SessionId=SESSION&DestinationAddress=79161002030&SourceAddress=waytoolongname&Data=test"
    assert {"Code": 6, "Desc": "Invalid source address"} == curl.ask(target, *POST)


def test_an_expired_session(curl: Curl, sandbox: Sandbox) -> None:
    """The example error of the balance."""
    sandbox.expire_sessions()
    assert {"Code": 4, "Desc": "SessionID expired"} == curl.ask("User/Balance?SessionID=SESSION")
