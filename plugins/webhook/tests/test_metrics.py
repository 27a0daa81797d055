"""What Prometheus reads: checked by promtool, and without anything personal."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from devinotify_webhook.metrics import FAMILIES, Metrics
from tests.support import NUMBER, PATIENCE, alert, payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

    from tests.support import Hooks


@pytest.fixture
def exposition(hooks: Callable[..., Hooks], gateway: Sandbox) -> str:
    """Return the metrics of an app that has seen something of everything."""
    one = hooks(worker=True, limit=1)
    for posted in (payload(alert()), payload(alert()), payload(alert("B")), {}):
        one.post("/alertmanager/oncall", posted)
    one.post("/sms/oncall", {})
    assert gateway.wait(lambda: len(gateway.messages()) == 2, PATIENCE)
    found: str = one.get("/metrics").text
    return found


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus's tools are not installed")
def test_promtool(exposition: str) -> None:
    """promtool has nothing to say against it."""
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=exposition, capture_output=True, text=True, check=False, timeout=60
    )
    assert ("", "", 0) == (done.stdout, done.stderr, done.returncode)


def test_what_is_counted(exposition: str) -> None:
    """Requests by their answer, alerts, rows, repetitions, what was held back, and where the messages are."""
    wanted = [
        'requests_total{route="alertmanager",receiver="oncall",code="200"} 3',
        'requests_total{route="alertmanager",receiver="oncall",code="400"} 1',
        'alerts_total{receiver="oncall",status="firing"} 3',
        'stored_total{receiver="oncall"} 2',
        'known_total{receiver="oncall"} 1',
        'held_back_total{receiver="oncall"} 1',
        "outbox_up 1",
        'outbox_messages{state="unknown"} 0',
    ]
    assert [] == [line for line in wanted if f"devinotify_webhook_{line}\n" not in exposition]


def test_nothing_personal(exposition: str) -> None:
    """No number, text or key is in it."""
    assert [] == [part for part in (NUMBER[-10:], "DiskFull", "webhook.") if part in exposition]


def test_an_outbox_that_cannot_be_read(hooks: Callable[..., Hooks]) -> None:
    """It is told by a gauge, and the counters are there all the same."""
    one = hooks()
    one.post("/sms/oncall", {})
    one.app.house.outbox.close()
    told = one.get("/metrics").text
    assert "devinotify_webhook_outbox_up 0\n" in told
    assert 'code="400"} 1\n' in told


def test_labels_are_escaped() -> None:
    """A label may hold anything."""
    metrics = Metrics()
    metrics.count("stored", 'a"\\\n')
    assert 'devinotify_webhook_stored_total{receiver="a\\"\\\\\\n"} 1\n' in metrics.exposition([])


def test_every_metric_is_named_as_it_should_be() -> None:
    """Counters end in _total, and nothing else does."""
    assert all(name.endswith("_total") == (family.kind == "counter") for name, family in FAMILIES.items())
