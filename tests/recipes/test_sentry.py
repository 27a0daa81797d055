"""Sentry's webhook: the request that Sentry makes of an issue alert, signed as it signs it."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.recipes.support import NUMBER, arrived, loaded, url_to, work
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

SECRET = "client-secret-of-the-tests"
EVENT = {
    "event_id": "e4874d664c3540c1a32eab185f12c5ab",
    "title": "OSError: No space left on device",
    "web_url": "https://sentry.example/organizations/shop/issues/1/events/e4/",
    "issue_id": "1170820242",
}


def posted(url: str, resource: str = "event_alert", secret: str = SECRET, **event: str) -> requests.Response:
    """Post as Sentry does: the body signed by the client secret, and another Request-ID each time."""
    document: dict[str, Any] = {
        "action": "triggered",
        "installation": {"uuid": "7a485448-a9e2-4c85-8a3c-4f44175783c9"},
        "data": {"event": {**EVENT, **event}, "triggered_rule": "Shop is broken"},
        "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
    }
    body = json.dumps(document).encode()
    headers = {
        "Content-Type": "application/json",
        "Request-ID": uuid.uuid4().hex,
        "Sentry-Hook-Resource": resource,
        "Sentry-Hook-Timestamp": "1795862400",
        "Sentry-Hook-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    return requests.post(f"{url}/sentry", data=body, headers=headers, timeout=30)


@pytest.fixture
def app(gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the URL of the recipe, whose recipients are those of its own URL."""
    pytest.importorskip("fastapi")
    monkeypatch.setenv("DEVINOTIFY_URL", url_to(gateway))
    monkeypatch.setenv("SENTRY_CLIENT_SECRET", SECRET)
    with served(loaded("sentry_alerts").app) as url:
        yield url


def test_an_alert_is_told_once(app: str, gateway: Sandbox) -> None:
    """What Sentry posts again is one SMS, also where the gateway's answer is lost; another event is another one."""
    gateway.add_fault("drop", operation="Sms/Send", times=1)
    told = [posted(app).json()]
    work(gateway.url)
    told += [posted(app).json(), posted(app, event_id="0" * 32).json()]
    work(gateway.url)
    assert [False, True, False] == [one["already_known"] for one in told]
    text = f"Shop is broken: {EVENT['title']}\n{EVENT['web_url']}"
    assert [(NUMBER, text)] * 2 == arrived(gateway)


def test_a_signature_is_asked_for(app: str, gateway: Sandbox) -> None:
    """Who has not the secret sends nothing, and neither does whoever signs nothing."""
    bare = requests.post(f"{app}/sentry", json={"data": {"event": EVENT}}, timeout=30)
    strange = requests.post(f"{app}/sentry", data=b"{}", headers={"Sentry-Hook-Signature": "\xe9"}, timeout=30)
    assert [401, 401, 401] == [posted(app, secret="another").status_code, bare.status_code, strange.status_code]
    work(gateway.url)
    assert [] == arrived(gateway)


def test_other_resources_are_taken_and_left(app: str, gateway: Sandbox) -> None:
    """An installation's request is a success, so that Sentry goes on, and sends nothing."""
    answer = posted(app, resource="installation")
    assert (200, {"ignored": "installation"}) == (answer.status_code, answer.json())
    work(gateway.url)
    assert [] == arrived(gateway)
