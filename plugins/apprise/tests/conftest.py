"""What every test starts from: no settings of whoever runs the tests, no other plugin, an empty pool."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tarfile
from contextlib import suppress
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from apprise import NotificationManager
from devinotify.sandbox import Sandbox
from hypothesis import HealthCheck, settings

from devinotify_apprise import register
from devinotify_apprise.pool import shared

if TYPE_CHECKING:
    from collections.abc import Iterator

# Without a limit of time: the machines are shared, and a law does not break because a neighbour is busy.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

PLUGIN = "apprise"

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of whoever runs the tests, and leave out the other plugins that are installed."""
    for name in tuple(os.environ):
        if name.startswith(("DEVINOTIFY_", "APPRISE_")):
            monkeypatch.delenv(name)
    others = [point.name for point in entry_points(group="devinotify") if point.name != PLUGIN]
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", ",".join(others))


@pytest.fixture(autouse=True)
def _own_pool() -> Iterator[None]:
    """Forget accounts and connections after each test."""
    yield
    shared.close()


@pytest.fixture
def schema() -> Iterator[None]:
    """Make ``devino://`` known to Apprise, and unknown again."""
    register()
    yield
    NotificationManager().remove("devino")


@pytest.fixture(scope="session")
def _gateway() -> Iterator[Sandbox]:
    with Sandbox() as gateway:
        yield gateway


@pytest.fixture
def gateway(_gateway: Sandbox) -> Sandbox:
    """A gateway that nothing has been sent to."""
    _gateway.reset()
    return _gateway


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The unpacked source distribution of the installed Apprise, which has its own tests; kept between runs."""
    wanted = version("apprise")
    cache = getattr(request.config, "cache", None)
    kept = (tmp_path_factory.mktemp("kept") if cache is None else Path(cache.mkdir("sources"))) / f"apprise-{wanted}"
    if not kept.is_dir():
        folder = tmp_path_factory.mktemp("source")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "apprise"]
        done = subprocess.run(
            [*command, "--dest", str(folder), f"apprise=={wanted}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode and not os.environ.get("CI"):
            pytest.skip(f"Apprise's source distribution cannot be fetched: {done.stderr.strip()[-200:]}")
        assert 0 == done.returncode, done.stderr
        with tarfile.open(folder / f"apprise-{wanted}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        with suppress(OSError):  # another worker was quicker
            shutil.move(folder / f"apprise-{wanted}", kept)
    return kept


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What Apprise's logger is told, from DEBUG on."""
    caplog.set_level(logging.DEBUG, logger="apprise")
    return caplog
