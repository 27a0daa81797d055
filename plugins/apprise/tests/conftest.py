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
OTHERS = ",".join(point.name for point in entry_points(group="devinotify") if point.name != PLUGIN)
"""All other plugins that are installed here, looked for once."""

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of whoever runs the tests, and leave out the other plugins that are installed."""
    # What a test starts is not measured: coverage takes 0.1 s of a core to begin, half of what a command of ours takes.
    for name in tuple(os.environ):
        if name.startswith(("DEVINOTIFY_", "APPRISE_", "COVERAGE_PROCESS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", OTHERS)


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
    wanted = f"apprise-{version('apprise')}"
    cache = getattr(request.config, "cache", None)
    kept = tmp_path_factory.mktemp("kept") if cache is None else Path(cache.mkdir("sources"))
    # By one of the processes that run tests: pip builds what it fetches, so far that it knows its name.
    with (kept / f"{wanted}.lock").open("w") as lock:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        if not (kept / wanted).is_dir():
            _fetch(wanted, tmp_path_factory.mktemp("source"), kept)
    return kept / wanted


def _fetch(wanted: str, folder: Path, kept: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "apprise"]
    done = subprocess.run(
        [*command, "--dest", str(folder), wanted.replace("-", "==")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"Apprise's source distribution cannot be fetched: {done.stderr.strip()[-200:]}")
    assert 0 == done.returncode, done.stderr
    with tarfile.open(folder / f"{wanted}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    with suppress(OSError):  # without a lock another may have been quicker
        shutil.move(folder / wanted, kept / wanted)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What Apprise's logger is told, from DEBUG on."""
    caplog.set_level(logging.DEBUG, logger="apprise")
    return caplog
