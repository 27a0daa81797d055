"""authentik, healthchecks, Uptime Kuma and Home Assistant: requests as the source of each makes them, over real HTTP.

None of them installs from an index beside these tests. What each is answered stands in the page's table, and so does
what it makes of it: the rules are those of authentik's ``AuthenticatorSMSStage.send_generic``, healthchecks'
``HttpTransport``, Uptime Kuma's ``Webhook`` and Home Assistant's ``RestNotificationService``.
"""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml
from devinotify import RowState

from devinotify_webhook import Webhook, load
from tests.page import block, configuration, pasted
from tests.support import NUMBER, OTHER, PATIENCE, serving, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

FIXED = "+74951234567"
TAKEN = (RowState.ACCEPTED, RowState.DELIVERED)
CHECK = {
    "$CODE": "25c55e7c-8092-4d21-ad06-7dacfbb6fc10",
    "$STATUS": "down",
    "$NOW": "2026-11-28T10:00:00+00:00",
    "$NAME_JSON": json.dumps('Nightly "backup"'),
}


@dataclass
class Running:
    """A webhook of the page's configuration on a real server, whose worker sends."""

    hooks: Webhook
    base: str
    posts: list[int] = field(default_factory=list)

    def raw(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> int:
        """Send a request with these headers and no other; return the status."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
        try:
            connection.putrequest(method, parts.path, skip_accept_encoding=True)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            self.posts.append(connection.getresponse().status)
        finally:
            connection.close()
        return self.posts[-1]

    def rows(self) -> list[tuple[str, RowState]]:
        """Return whom each row is for, and its state."""
        return [(row.recipient, row.state) for row in self.hooks.house.outbox.rows()]

    def settled(self, *states: RowState) -> bool:
        """Wait until all rows that there are have one of these states; return whether there are any."""
        return bool(until(lambda: (rows := self.rows()) and all(found in states for _, found in rows)))


def fields(title: str, base: str) -> dict[str, str]:
    """Return the fields of a form as a section's table has them."""
    return dict(re.findall(r"^\| ([^|`]+) \| `(.*?)`", pasted(title, base), re.MULTILINE))


@pytest.fixture
def running(gateway: Sandbox, tmp_path: Path) -> Iterator[Running]:
    """Yield the page's configuration, running."""
    hooks = Webhook(load(configuration(gateway, tmp_path / "sms.db")))
    with serving(hooks) as base:
        yield Running(hooks, base)


# --- authentik


def authentik(running: Running, number: str = NUMBER) -> requests.Response:
    """Post as ``send_generic`` does, with the stage's settings as the page has them; it reads ``raise_for_status``."""
    stage = fields("authentik", running.base)
    assert ("Generic", "Bearer") == (stage["provider"], stage["API auth type"])
    payload = {
        "From": stage["from number"],
        "To": number,
        "Body": "123456",
        "Message": "Use this code to authenticate in authentik: 123456",
    }
    with requests.Session() as session:
        session.headers["User-Agent"] = "authentik@2026.10.0"
        headers = {"Authorization": f"Bearer {stage['API auth token']}"}
        return session.post(stage["external API URL"], json=payload, headers=headers, timeout=PATIENCE)


def test_authentik_sends(running: Running, gateway: Sandbox) -> None:
    """Its code goes to whom it names, and that is a success to it."""
    assert authentik(running).ok
    assert running.settled(*TAKEN)
    assert ["Use this code to authenticate in authentik: 123456"] == [each.text for each in gateway.messages()]


def test_authentik_shows_the_reason_without_the_number(running: Running) -> None:
    """What it raises is the text of the answer, which its user sees."""
    answer = authentik(running, FIXED)
    assert (400, False) == (answer.status_code, FIXED[2:] in answer.text)
    assert "it is a fixed line" in answer.text


# --- healthchecks


def healthchecks(running: Running, check: dict[str, str]) -> list[int]:
    """Post as its ``Webhook`` and its curl do, which name no type; up to three times, until an answer is a success."""
    shown = fields("healthchecks", running.base)
    body = shown["body"]
    for name, value in check.items():
        body = body.replace(name, value)
    method, url = shown["method, URL"].split()
    name, _, value = shown["header"].partition(": ")
    headers = {"Accept": "*/*", name: value, "User-Agent": "healthchecks.io"}
    statuses: list[int] = []
    while len(statuses) < 3 and not (statuses and statuses[-1] < 300):
        statuses.append(running.raw(method, url, body.encode(), headers))
    return statuses


def test_healthchecks_sends(running: Running, gateway: Sandbox) -> None:
    """Its change is one message to the receiver's own."""
    assert [200] == healthchecks(running, CHECK)
    assert running.settled(*TAKEN)
    assert [(NUMBER, 'Nightly "backup"\ndown')] == [(each.recipient, each.text) for each in gateway.messages()]


def test_healthchecks_posts_again_and_it_is_one_message(running: Running, gateway: Sandbox) -> None:
    """Where an answer is lost, ours or the gateway's, it posts again: nobody gets it twice; the next change is sent."""
    gateway.add_fault("drop", operation="Sms/Send", times=1)
    for _ in range(3):
        assert [200] == healthchecks(running, CHECK)
    assert running.settled(RowState.UNKNOWN)
    assert 1 == len(gateway.messages())
    assert [200] == healthchecks(running, {**CHECK, "$STATUS": "up", "$NOW": "2026-11-28T10:07:00+00:00"})
    assert gateway.wait(lambda: len(gateway.messages()) == 2, PATIENCE)


def test_healthchecks_is_told_what_is_not_stored(running: Running) -> None:
    """Where nothing can be stored it tries three times, and has something to show."""
    running.hooks.house.outbox.close()
    assert [503, 503, 503] == healthchecks(running, CHECK)


# --- Uptime Kuma

MESSAGE: dict[str, Any] = {
    "heartbeat": {"status": 0, "msg": "timeout"},
    "monitor": {"name": "Shop"},
    "msg": "[Shop] Down",
}


def kuma(running: Running, body: str, kind: str) -> int:
    """Post as axios does for its ``Webhook``, with the page's additional headers; below 300 is a success to it."""
    (url,) = re.findall(r"`(http://\S+)`", pasted("Uptime Kuma", running.base))
    headers = {"Accept": "application/json, text/plain, */*", "Content-Type": kind, "User-Agent": "axios/1.13.2"}
    headers |= json.loads(block("Uptime Kuma", "json", running.base))
    return running.raw("POST", url, body.encode(), headers)


def test_uptime_kuma_sends(running: Running, gateway: Sandbox) -> None:
    """Its preset is understood, and so is a custom body, which axios posts as a form."""
    assert 200 == kuma(running, json.dumps(MESSAGE), "application/json")
    assert 200 == kuma(running, '{"text": "Shop is down"}', "application/x-www-form-urlencoded")
    assert running.settled(*TAKEN)
    assert ["Shop is down", "[Shop] Down"] == sorted(each.text for each in gateway.messages())


def test_uptime_kuma_is_told_of_its_other_preset(running: Running) -> None:
    """``form-data`` holds everything in one field, and is refused."""
    assert 400 == kuma(running, "--x\r\n", "multipart/form-data; boundary=x")
    assert [] == running.rows()


# --- Home Assistant


def home_assistant(running: Running, message: str, title: str = "Home Assistant") -> requests.Response:
    """Post as its ``send_message`` does; it logs an answer of 400 and above, and asks no more."""
    (service,) = yaml.safe_load(block("Home Assistant", "yaml", running.base))["notify"]
    assert ("rest", "POST_JSON") == (service["platform"], service["method"])
    data = {"message": message, service["title_param_name"]: title}
    return requests.post(service["resource"], headers=service["headers"], params=None, json=data, timeout=10)


def test_home_assistant_sends(running: Running, gateway: Sandbox) -> None:
    """Title and text go to the receiver's own."""
    assert home_assistant(running, "The garage is open").ok
    assert running.settled(*TAKEN)
    assert [(NUMBER, "Home Assistant\nThe garage is open")] == [
        (each.recipient, each.text) for each in gateway.messages()
    ]


def test_home_assistant_is_told_of_an_empty_text(running: Running) -> None:
    """Its log has the status."""
    assert 400 == home_assistant(running, " ").status_code


def test_a_token_is_asked_for(running: Running) -> None:
    """Without the page's token nobody sends, on either receiver."""
    for receiver in ("codes", "oncall"):
        answer = requests.post(f"{running.base}/sms/{receiver}", json={"text": "Hi", "to": OTHER}, timeout=PATIENCE)
        assert 401 == answer.status_code


# --- all of them


@pytest.mark.parametrize("sender", ["authentik", "healthchecks", "Uptime Kuma", "Home Assistant"])
@pytest.mark.parametrize(
    ("fault", "state"),
    [({"kind": "drop"}, RowState.UNKNOWN), ({"kind": "error", "code": 2}, RowState.REJECTED)],
    ids=["unknown", "rejected"],
)
def test_what_is_stored_is_a_success(
    sender: str, fault: dict[str, Any], state: RowState, running: Running, gateway: Sandbox
) -> None:
    """Whatever becomes of it: the program is answered once, posts once, and one request goes to the gateway."""
    gateway.add_fault(**fault, operation="Sms/Send")
    posts = {
        "authentik": lambda: authentik(running).status_code,
        "healthchecks": lambda: healthchecks(running, CHECK)[0],
        "Uptime Kuma": lambda: kuma(running, json.dumps(MESSAGE), "application/json"),
        "Home Assistant": lambda: home_assistant(running, "The garage is open").status_code,
    }
    assert 200 == posts[sender]()
    assert running.settled(state)
    assert 1 == sum(request.operation == "Sms/Send" for request in gateway.requests())
