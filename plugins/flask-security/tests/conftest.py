"""What every test starts from: no settings of whoever runs the tests, no other plugin, a gateway."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from devinotify_flask_security import notifiers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

# Without a limit of time: the machines are shared, and a law does not break because a neighbour is busy.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

PLUGINS = ",".join(point.name for point in entry_points(group="devinotify"))
"""All plugins that are installed here, looked for once."""

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove the settings of whoever runs the tests, leave out plugins, and close what a test has opened."""
    # What a test starts is not measured: coverage takes 0.1 s of a core to begin, half of what a command of ours takes.
    for name in tuple(os.environ):
        if name.startswith(("DEVINOTIFY_", "FLASK_", "COVERAGE_PROCESS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", PLUGINS)
    yield
    notifiers.shared.close()


@pytest.fixture
def gateway(devino_sandbox: Sandbox) -> Sandbox:
    """A gateway that nothing has been sent to: the one of devinotify's own pytest plugin."""
    return devino_sandbox
