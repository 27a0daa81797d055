"""The app in an app of one's own, which runs no lifespan of it, and the app that the environment alone makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Mount

from devinotify_webhook import app
from tests.support import NUMBER, OTHER, PATIENCE, Hooks, alert, fetch, payload, serving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from devinotify.sandbox import Sandbox


def test_mounted_it_sends(gateway: Sandbox, tmp_path: Path) -> None:
    """Its own worker begins with the first request: nobody else has to send what it stores."""
    receivers = {"oncall": {"to": NUMBER}}
    hooks = app({"url": gateway.url, "outbox": str(tmp_path / "alerts.db"), "receivers": receivers})
    with serving(Starlette(routes=[Mount("/hooks", hooks)])) as url:
        assert 200 == fetch(f"{url}/hooks/alertmanager/oncall", payload(alert()))[0]
        assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
    hooks.close()
    assert [(NUMBER, "FIRING critical DiskFull")] == [(one.recipient, one.text) for one in gateway.messages()]


def test_without_arguments(gateway: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DEVINOTIFY_URL is all that it needs: whatever name is posted to, its targets have the text."""
    monkeypatch.setenv("DEVINOTIFY_URL", gateway.url.replace("?", f"/{NUMBER[1:]}/{OTHER[1:]}?"))
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "alerts.db"))
    hooks = Hooks(app(worker=False))
    assert 200 == hooks.post("/sms/whatever", {"text": "Hi", "to": "+79990000000"}).status_code
    assert ([NUMBER, OTHER], ["Hi"] * 2) == (hooks.recipients(), hooks.texts())
    hooks.close()
    assert (tmp_path / "alerts.db").exists()
