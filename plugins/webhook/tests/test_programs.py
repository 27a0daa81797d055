"""Programs that are not ours, with the bodies that their documentation shows: posted, and stored as they were meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import NUMBER, OTHER, Hooks, alert, payload

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., Hooks]

FIXTURES = Path(__file__).parent / "fixtures"
KINDS = {".form": "application/x-www-form-urlencoded", ".json": "application/json"}
"""What a program says of its body; a query has none."""
TEXTS = {
    "authentik.json": "Use this code to authenticate in authentik: 123456",
    "frappe.form": "Order 17 is ready",
    "healthchecks.json": "Nightly backup is DOWN",
    "home-assistant.json": "The garage is open",
    "home-assistant.query": "The garage is open",
    "uptime-kuma.json": "[Shop] [Down] timeout",
}
NAMING = {"authentik.json": {}, "frappe.form": {"to": "no"}, "home-assistant.json": {}}
"""Those that name a recipient, with the names of fields that the receiver has of its own for it."""


def post(hooks: Hooks, name: str) -> int:
    """Post a fixture to ``/sms`` as its program does, one that is a query by GET; return the status."""
    path, content = FIXTURES / name, (FIXTURES / name).read_bytes()
    if path.suffix == ".query":
        return hooks.get(f"/sms/oncall?{content.decode().strip()}").status_code
    return hooks.post("/sms/oncall", content=content, headers={"Content-Type": KINDS[path.suffix]}).status_code


def test_every_fixture_is_posted() -> None:
    """A body that is written down and posted nowhere shows nothing."""
    others = {path.name for path in FIXTURES.iterdir()} - set(TEXTS)
    assert [] == [name for name in others if not name.startswith(("alertmanager", "grafana"))]


@pytest.mark.parametrize(("name", "text"), TEXTS.items(), ids=TEXTS)
def test_to_the_receivers_own(name: str, text: str, hooks: Make) -> None:
    """The text is stored for the receiver's recipients, whatever else is in the body."""
    one = hooks()
    assert [200, [text], [NUMBER]] == [post(one, name), one.texts(), one.recipients()]


@pytest.mark.parametrize(("name", "fields"), NAMING.items(), ids=NAMING)
def test_to_whom_the_request_names(name: str, fields: dict[str, str], hooks: Make) -> None:
    """Where the request names the recipients, the number in the body has the text, and nobody else."""
    one = hooks(to="request", **({"fields": fields} if fields else {}))
    assert [200, [TEXTS[name]], [NUMBER]] == [post(one, name), one.texts(), one.recipients()]


def test_names_of_ones_own(hooks: Make) -> None:
    """``fields`` says where everything is; what stands under the usual names is no text and no number then."""
    names = {"text": "sms", "to": "no", "title": "about", "key": "id"}
    one = hooks(to="request", fields=names)
    posted = {"sms": "Ready", "text": "no text", "no": OTHER, "to": NUMBER, "about": "Order 17", "id": "a", "key": "b"}
    answers = [one.post("/sms/oncall", {**posted, "key": key}).json()["known"] for key in "bc"]
    assert ([False, True], ["Ready"], [OTHER]) == (answers, one.texts(), one.recipients())
    outbox = one.app.house.outbox
    stored = [outbox.message(row.message_id) for row in outbox.rows()]
    assert ["Order 17"] == [each.message.title for each in stored if each is not None]
    refused = one.post("/sms/oncall", {"text": "Ready", "no": OTHER})
    assert (400, "there is no text: send it as sms") == (refused.status_code, refused.json()["error"])


def test_home_assistant_asks_by_get(hooks: Make) -> None:
    """``notify.rest`` asks by GET unless it is told otherwise, with the message in the query."""
    one = hooks()
    assert 200 == one.get("/sms/oncall", params={"message": "The garage is open & dark"}).status_code
    assert ["The garage is open & dark"] == one.texts()


def test_a_receivers_channel(hooks: Make) -> None:
    """What is posted to a receiver goes by its channel, and by the URL's where it has none."""
    one = hooks(receivers={"viber": {"to": NUMBER, "channel": "viber"}, "usual": {"to": NUMBER}})
    for name in ("viber", "usual"):
        assert 200 == one.post(f"/sms/{name}", {"text": "Hi"}).status_code
    outbox = one.app.house.outbox
    stored = [outbox.message(row.message_id) for row in outbox.rows()]
    assert ["viber", "sms"] == [row.channel for row in outbox.rows()]
    assert ["viber", "sms"] == [each.message.channel for each in stored if each is not None]


def test_aliases(hooks: Make) -> None:
    """The file's aliases stand for their numbers, in a receiver's own recipients and in those that a request names."""
    aliases = {"boss": [NUMBER], "all": ["boss", OTHER]}
    one = hooks(aliases=aliases, receivers={"oncall": {"to": "all"}, "any": {"to": "request"}})
    assert 200 == one.post("/alertmanager/oncall", payload(alert())).status_code
    for to in ("all", ["boss", OTHER], "boss"):
        assert 200 == one.post("/sms/any", {"text": "Hi", "to": to}).status_code
    assert [NUMBER, OTHER] * 3 + [NUMBER] == one.recipients()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("grafana-alerts", "FIRING Memory: web1 uses 95 % of its memory"),
        ("grafana-resolved-alerts", "RESOLVED Memory: web1 uses 95 % of its memory"),
        ("grafana-contact-point-test-alerts", "FIRING TestAlert: Notification test"),
        ("alertmanager-alerts", "FIRING critical DiskFull: / on web1 is 95% full"),
    ],
)
def test_alerts(name: str, text: str, hooks: Make) -> None:
    """What Grafana posts of an alert, of its end, and to try a contact point, and what Alertmanager does."""
    one = hooks()
    document: Any = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    answer = one.post(f"/{name.partition('-')[0]}/oncall", document)
    assert (200, [text]) == (answer.status_code, one.texts())


def test_a_resolved_alert_of_grafana_may_be_left_out(hooks: Make) -> None:
    """``send_resolved = false`` holds for Grafana's alerts too."""
    one = hooks(send_resolved=False)
    document = json.loads((FIXTURES / "grafana-resolved-alerts.json").read_text("utf-8"))
    assert [] == one.post("/grafana/oncall", document).json()["rows"]
