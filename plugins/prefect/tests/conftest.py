"""What every test starts from: no settings of whoever runs the tests, no other plugin, Prefect at home nowhere else."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from tests.servers import QUIET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

# Prefect reads its settings as it is imported, which the tests do after this.
for _name in tuple(os.environ):
    if _name.startswith("PREFECT_"):
        del os.environ[_name]
HOME = tempfile.mkdtemp(prefix="devinotify-prefect-")
os.environ.update(QUIET, PREFECT_HOME=HOME)

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


def pytest_unconfigure() -> None:
    """Remove Prefect's home."""
    shutil.rmtree(HOME, ignore_errors=True)


def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove devinotify's settings of whoever runs the tests, and leave out the plugins that are installed."""
    for name in tuple(os.environ):
        if name.startswith("DEVINOTIFY_"):
            monkeypatch.delenv(name)
    plugins = [point.name for point in entry_points(group="devinotify")]
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", ",".join(plugins))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave nothing of others in a test, and nothing of its own behind it."""
    from devinotify_prefect.notifiers import shared

    without_settings(monkeypatch)
    yield
    shared.close()


@pytest.fixture
def gateway(devino_sandbox: Sandbox) -> Sandbox:
    """A gateway that nothing has been sent to: the one of devinotify's own pytest plugin."""
    return devino_sandbox
