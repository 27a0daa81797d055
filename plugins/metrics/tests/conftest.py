"""What every test starts from: an environment without devinotify's variables, and no plugin but this one."""

from __future__ import annotations

import os
from importlib.metadata import entry_points

import pytest

PLUGIN = "metrics"
OTHERS = ",".join(point.name for point in entry_points(group="devinotify") if point.name != PLUGIN)
"""All other plugins that are installed here, looked for once."""

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of whoever runs the tests, and leave out the other plugins that are installed."""
    # What a test starts is not measured: coverage takes 0.1 s of a core to begin, half of what a command of ours takes.
    for name in tuple(os.environ):
        if name.startswith(("DEVINOTIFY_", "COVERAGE_PROCESS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", OTHERS)
