"""What every test starts from: no settings of whoever runs the tests, no plugin but this one, a gateway, an outbox."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support import Command, file_of

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

# Without a limit of time: the machines are shared, and a law does not break because a neighbour is busy.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

PLUGIN = "monitoring"
OTHERS = ",".join(point.name for point in entry_points(group="devinotify") if point.name != PLUGIN)
"""All other plugins that are installed here, looked for once."""
HOSTS = ("DEVINOTIFY_", "NOTIFY_", "NAGIOS_", "NOTIFICATION", "HOST", "SERVICE", "USERPAGER")

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def _own_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of whoever runs the tests, and leave out the other plugins that are installed."""
    # Only its own tests measure the command: coverage takes 0.1 s of a core to begin, half of what a command takes.
    measured = request.node.get_closest_marker("measured") is not None
    for name in tuple(os.environ):
        if name.startswith(HOSTS if measured else (*HOSTS, "COVERAGE_PROCESS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", OTHERS)


@pytest.fixture
def gateway(devino_sandbox: Sandbox) -> Sandbox:
    """A gateway that nothing has been sent to: the one of devinotify's own pytest plugin."""
    return devino_sandbox


@pytest.fixture
def command(gateway: Sandbox, tmp_path: Path) -> Command:
    """The command with the gateway's URL in a file of its own, and an outbox of the test's."""
    return Command(file_of(f"{gateway.url}&outbox={tmp_path / 'alerts.db'}", tmp_path / "url"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with Zabbix, which takes longest, and beside which all else runs."""
    items.sort(key=lambda item: item.path.name != "test_zabbix.py")
