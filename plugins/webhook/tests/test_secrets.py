"""The log of a real process, in which nobody should read who was sent what, and by which token."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.support import NUMBER, PATIENCE, TOKEN, alert, fetch, free_port, payload, served

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

TEXT, BAD = "Zx secret text", "+7916000111"
"""A text, and a number that has a digit too few."""


def test_what_is_logged(gateway: Sandbox, tmp_path: Path) -> None:
    """Posts that are taken, refused or not understood, a text in a query, a wrong token: the log tells no secret."""
    port = free_port()
    url, bearer = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {TOKEN}"}
    toml = f'url = "{gateway.url}"\noutbox = "{tmp_path / "alerts.db"}"\ntoken = "{TOKEN}"\n'
    toml += f'[receivers.oncall]\nto = "{NUMBER}"\n[receivers.any]\nto = "request"\n'
    with served(tmp_path, toml, port=port):
        query = f"text={quote(TEXT)}&to={quote(NUMBER)}"
        told = [
            fetch(f"{url}/alertmanager/oncall", payload(alert(summary=TEXT)), **bearer),
            fetch(f"{url}/sms/any?{query}", **bearer),
            fetch(f"{url}/sms/any", {"text": TEXT, "to": [NUMBER, BAD]}, **bearer),
            fetch(f"{url}/sms/any", {"text": TEXT, "to": BAD}, **bearer),
            fetch(f"{url}/alertmanager/oncall", {"alerts": TEXT}, **bearer),
            fetch(f"{url}/sms/any?{query}", Authorization=f"Bearer {TOKEN}x"),
        ]
        assert [200, 200, 200, 400, 400, 401] == [status for status, _ in told]
        assert gateway.wait(lambda: len(gateway.messages()) == 3, PATIENCE)
    log = (tmp_path / "webhook.log").read_text("utf-8")
    assert "INFO" in log
    assert "receiver any: nothing is sent to +7916***0111" in log
    assert 2 == log.count("a body that cannot be understood")
    secrets = (TEXT, quote(TEXT), NUMBER[1:], BAD[1:], TOKEN, "demo:demo")
    assert [] == [secret for secret in secrets if secret in log]
    assert [] == [secret for secret in secrets for _, answer in told if secret in answer]
