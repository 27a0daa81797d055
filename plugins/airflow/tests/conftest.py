"""What every test starts from: an Airflow home of its own, no settings of whoever runs the tests, no other plugin."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from devinotify.sandbox import Sandbox

# Without a limit of time: the machines are shared, and a law does not break because a neighbour is busy.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

NUMBER = "+79161234567"
PASSWORD = "pass-w0rd-of-airflow"
"""Long enough for Airflow to mask it."""
CONNECTION = "AIRFLOW_CONN_DEVINOTIFY_DEFAULT"

# Before anything imports Airflow, which makes its settings as it is imported.
for _name in tuple(os.environ):
    if _name.startswith(("AIRFLOW", "DEVINOTIFY_")):
        del os.environ[_name]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="devinotify-airflow-")

PLUGINS = ",".join(point.name for point in entry_points(group="devinotify"))
"""All plugins that are installed here, looked for once."""

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


def pytest_unconfigure() -> None:
    """Remove Airflow's home."""
    shutil.rmtree(os.environ["AIRFLOW_HOME"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: Airflow's commands, and its processes."""
    items.sort(key=lambda item: item.path.name not in ("test_commands.py", "test_running.py"))


@pytest.fixture(scope="session")
def devino_sandbox_options() -> Mapping[str, Any]:
    """Give the gateway's account a password that Airflow masks."""
    return {"password": PASSWORD}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave out plugins, and give each test an outbox."""
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", PLUGINS)
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "sms.db"))


@pytest.fixture
def gateway(devino_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A gateway that nothing has been sent to, and the default connection to it."""
    monkeypatch.setenv(CONNECTION, connection(devino_sandbox, to=NUMBER))
    return devino_sandbox


def connection(gateway: Sandbox, **extra: object) -> str:
    """Return a connection to a gateway as Airflow reads one from its environment."""
    return json.dumps(
        {
            "conn_type": "devino",
            "login": "demo",
            "password": PASSWORD,
            "host": "SENDER",
            "extra": {"gateway": gateway.gateway, **extra},
        }
    )
