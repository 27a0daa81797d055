"""Receivers beside the quiet-hours plugin: who may be woken, and who is told in the morning."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from devinotify_webhook.house import QUIET_HOURS
from tests.support import NUMBER, PATIENCE, alert, payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

    from tests.support import Hooks

    Make = Callable[..., Hooks]

pytest.importorskip("devinotify_quiet_hours")

DISABLE = "DEVINOTIFY_DISABLE_PLUGINS"
MOSCOW = ZoneInfo("Europe/Moscow")
RECEIVERS = {"loud": {"to": NUMBER}, "calm": {"to": NUMBER, "quiet": True}}
ALERTS = payload(alert(summary="/ on web1 is 95% full"))


@pytest.fixture
def morning(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Have the plugin at work, and night whenever the test runs; return when it ends."""
    names = [name for name in os.environ[DISABLE].split(",") if name != QUIET_HOURS]
    monkeypatch.setenv(DISABLE, ",".join(names))
    now = datetime.now(MOSCOW).replace(second=0, microsecond=0)
    ends = now + timedelta(hours=8)
    monkeypatch.setenv("DEVINOTIFY_QUIET_HOURS", f"{now - timedelta(hours=8):%H:%M}-{ends:%H:%M}")
    return ends


def test_a_quiet_receiver_waits_for_the_morning(hooks: Make, gateway: Sandbox, morning: datetime) -> None:
    """At night one receiver's alert goes out at once; that of a quiet one when the night ends, and not before."""
    one = hooks(worker=True, receivers=RECEIVERS)
    for name in RECEIVERS:
        assert 200 == one.post(f"/alertmanager/{name}", ALERTS).status_code
    assert gateway.wait(lambda: len(gateway.messages()) == 2, PATIENCE)
    sent = {message.operation: message for message in gateway.messages()}
    assert {"Sms/Send", "Sms/SendByTimeZone"} == set(sent)
    assert morning == datetime.fromisoformat(sent["Sms/SendByTimeZone"].send_at)

    def arrived() -> set[str]:
        return {message.operation for message in gateway.messages(status="delivered")}

    left = morning.timestamp() - gateway.now
    gateway.advance(left - 300)
    assert {"Sms/Send"} == arrived()
    gateway.advance(600)
    assert {"Sms/Send", "Sms/SendByTimeZone"} == arrived()


def test_what_is_held_is_held_once(hooks: Make, gateway: Sandbox, morning: datetime) -> None:
    """What waits for the morning was stored and handed over: the other peer's post finds it, at night too."""
    one = hooks(worker=True, receivers=RECEIVERS)
    assert [False, True] == [one.post("/alertmanager/calm", ALERTS).json()["known"] for _ in range(2)]
    assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
    one.close()
    assert ["Sms/SendByTimeZone"] == [message.operation for message in gateway.messages()]
