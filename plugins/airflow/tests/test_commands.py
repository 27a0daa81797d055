"""Airflow's own commands: they show the provider, and run a DAG that fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests import airflows
from tests.conftest import CONNECTION, NUMBER, PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("list", {"package_name": "devinotify-airflow"}),
        ("notifications", {"notification_class_name": "devinotify_airflow.notifier.DevinoNotifier"}),
        ("hooks", {"connection_type": "devino", "class": "devinotify_airflow.hook.DevinoHook"}),
    ],
)
def test_providers(tmp_path: Path, command: str, shown: dict[str, str]) -> None:
    """``airflow providers`` shows the provider, and finds nothing wrong with it."""
    told = airflows.run(airflows.settings(tmp_path), "providers", command, "-o", "json")
    assert 0 == told.returncode
    rows = json.loads(told.stdout[told.stdout.index("[{") :])
    assert [shown] == [row for row in ({name: row[name] for name in shown} for row in rows) if row == shown]
    assert [] == [line for line in told.stdout.splitlines() if "warning" in line.lower() and "devino" in line.lower()]


def test_a_dag_that_fails(gateway: Sandbox, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """By ``airflow dags test``, and a connection URI, each event is told once, by a text of its own."""
    environment = airflows.migrated(tmp_path_factory.getbasetemp(), tmp_path / "home")
    uri = f"devino://demo:{PASSWORD}@/{NUMBER}?from=SENDER&gateway={quote(gateway.gateway, safe='')}"
    told = airflows.run({**environment, CONNECTION: uri}, "dags", "test", "failing")
    messages = [(message.recipient, message.text.partition(" manual__")[0]) for message in gateway.messages()]
    assert sorted(
        [
            ("+79031234567", "failing begins"),
            (NUMBER, "failed failing.load"),
            (NUMBER, "first failed in"),
            (NUMBER, "second failed in"),
            (NUMBER, "failing failed"),
            (NUMBER, "tell: begun, or done"),
            (NUMBER, "tell: begun, or done"),
            (NUMBER, "mapped a"),
            (NUMBER, "mapped b"),
        ]
    ) == sorted(messages), told.stdout
