"""What Alertmanager and Grafana post, as values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devinotify_webhook.alerts import instant, notification
from devinotify_webhook.errors import NotUnderstood
from tests.support import alert, payload

FIXTURES = Path(__file__).parent / "fixtures"


def test_the_worst_comes_first() -> None:
    """Firing alerts stand before resolved ones, and among them the worst first; else the order is as posted."""
    told = notification(
        payload(
            alert("A", status="resolved"),
            alert("B", severity="info"),
            alert("C", severity="warning"),
            alert("D", severity="odd"),
            alert("E"),
        )
    )
    assert ["E", "C", "D", "B", "A"] == [one.name for one in told.alerts]


def test_what_is_told() -> None:
    """Group, reason and number of alerts are read."""
    told = notification(payload(alert(), truncatedAlerts=7, notification_reason="repeat interval elapsed"))
    assert ('{}:{alertname="DiskFull"}', "repeat interval elapsed", 8) == (told.group_key, told.reason, told.total)


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*alerts*.json")))
def test_documented_bodies(name: str) -> None:
    """Each documented body is read, and tells its name and its summary."""
    told = notification(json.loads((FIXTURES / name).read_text("utf-8")))
    assert [] == [one for one in told.alerts if not (one.name and one.summary)]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "alerts is missing"),
        ({"alerts": None}, "alerts is not a list of objects"),
        ({"alerts": [1]}, "alerts is not a list of objects"),
        ({"alerts": []}, "alerts is empty"),
    ],
)
def test_what_is_no_notification(document: dict[str, Any], said: str) -> None:
    """The reason is told, and nothing of the body."""
    with pytest.raises(NotUnderstood, match=said):
        notification(document)


def test_what_is_missing_costs_no_alert() -> None:
    """An alert of which nothing is told fires all the same."""
    (one,) = notification({"alerts": [{}]}).alerts
    assert (True, "", "", "") == (one.is_firing, one.name, one.severity, one.summary)


def test_odd_values_cost_no_alert() -> None:
    """Values of other types are taken as far as they are texts."""
    odd = {"labels": {"a": 1, "b": None, "c": [1], "d": True, "e": 1.5}, "annotations": [], "status": 5, "startsAt": 3}
    (one,) = notification({"alerts": [odd], "truncatedAlerts": "many", "groupKey": {}}).alerts
    assert {"a": "1", "b": "", "c": "", "d": "true", "e": "1.5"} == dict(one.labels)
    assert one.is_firing


def test_a_fingerprint_of_ones_own() -> None:
    """Where a payload leaves the fingerprint out, the labels stand for it."""
    first, second = notification({"alerts": [{"labels": {"a": "1"}}, {"labels": {"a": "2"}}]}).alerts
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-01-01T00:00:00Z", 1767225600.0),
        ("2026-01-01T03:00:00.123456789+03:00", 1767225600.123456),
        ("2026-01-01T00:00:00", 1767225600.0),
        ("0001-01-01T00:00:00Z", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times(written: str, seconds: float | None) -> None:
    """A time is read as Go writes it; the year 1 is none."""
    assert seconds == instant(written)
