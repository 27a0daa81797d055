"""What every test starts from: an environment without devinotify's variables, and no plugin but this one."""

from __future__ import annotations

import os
from importlib.metadata import entry_points

import pytest

PLUGIN = "metrics"

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of whoever runs the tests, and leave out the other plugins that are installed."""
    for name in tuple(os.environ):
        if name.startswith("DEVINOTIFY_"):
            monkeypatch.delenv(name)
    others = [point.name for point in entry_points(group="devinotify") if point.name != PLUGIN]
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", ",".join(others))
