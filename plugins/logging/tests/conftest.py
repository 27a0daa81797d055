"""What every test starts from: an environment without devinotify's variables, no plugin but this one, a gateway."""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from devinotify_logging import lifecycle, limiter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

# Without a limit of time: the machines are shared, and a law does not break because a neighbour is busy.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

PLUGIN = "logging"
OTHERS = ",".join(point.name for point in entry_points(group="devinotify") if point.name != PLUGIN)
"""All other plugins that are installed here, looked for once."""

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def _own_environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of whoever runs the tests, leave out other plugins, and name the service."""
    # Hardly anything that a test starts is measured: coverage takes 0.1 s of a core to begin, half of what ours take.
    measured = request.node.get_closest_marker("measured") is not None
    for name in tuple(os.environ):
        if name.startswith("DEVINOTIFY_" if measured else ("DEVINOTIFY_", "COVERAGE_PROCESS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", OTHERS)
    monkeypatch.setenv("DEVINOTIFY_SERVICE", "billing")


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Wait for the senders that a test left behind, so that nothing of them arrives in the next one."""
    yield
    lifecycle.finish_all()
    limiter._in_memory.clear()  # what an account has used in one test is none of the next one's
    left = [thread for thread in threading.enumerate() if thread.name.startswith("devinotify-logging")]
    for thread in left:
        thread.join(60)
    assert not [thread for thread in left if thread.is_alive()], "a sender did not end"


@pytest.fixture
def _noon() -> Iterator[None]:
    """Let it be the hour after noon here, so that the day of a limit does not end while the test runs."""
    zone = f"<NOON>{datetime.now(UTC).hour - 12:+d}"
    if not hasattr(time, "tzset"):  # Windows
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def gateway(devino_sandbox: Sandbox, _no_thread_left: None) -> Sandbox:
    """Return the gateway as it is at its start: that of devinotify's own pytest plugin."""
    return devino_sandbox


@pytest.fixture
def logger(_no_thread_left: None) -> Iterator[logging.Logger]:
    """Yield a logger of the program's own, and close its handlers in the end."""
    found = logging.getLogger("shop")
    found.propagate = False
    yield found
    for handler in list(found.handlers):
        found.removeHandler(handler)
        handler.close()
    found.propagate = True
