"""What every test starts from: an environment without devinotify's variables, no plugin but this one, a gateway."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from devinotify_webhook import Webhook, load
from tests import support
from tests.support import NUMBER, Hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from devinotify import Outbox
    from devinotify.sandbox import Sandbox

# Without a limit of time: the machines are shared, and a law does not break because a neighbour is busy.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

PLUGIN = "webhook"
OTHERS = ",".join(point.name for point in entry_points(group="devinotify") if point.name != PLUGIN)
"""All other plugins that are installed here, looked for once."""

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of whoever runs the tests, and leave out the other plugins that are installed."""
    for name in tuple(os.environ):
        if name.startswith("DEVINOTIFY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", OTHERS)


@pytest.fixture(autouse=True)
def _no_worker_left() -> Iterator[None]:
    """See to it that no worker of a test goes on in the next one."""
    yield
    assert [] == [thread.name for thread in threading.enumerate() if thread.name.startswith("devinotify-w")]


@pytest.fixture
def gateway(devino_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Return the gateway as it is at its start: that of devinotify's own pytest plugin.

    Alerts begin now: within seconds of a border of their windows one process at a time may store them.
    """
    monkeypatch.setattr(support, "started_at", datetime.now(UTC).isoformat(timespec="milliseconds"))
    return devino_sandbox


@pytest.fixture
def hooks(gateway: Sandbox, tmp_path: Path) -> Iterator[Callable[..., Hooks]]:
    """Yield a function that makes an app with one receiver, ``oncall``, of these keys, and a client of it."""
    made: list[Hooks] = []

    def make(
        *,
        worker: bool = False,
        receivers: dict[str, Any] | None = None,
        aliases: dict[str, list[str]] | None = None,
        outbox: Outbox | None = None,
        **keys: Any,  # noqa: ANN401 - whatever a receiver takes
    ) -> Hooks:
        document = {
            "url": gateway.url,
            "outbox": str(tmp_path / "alerts.db"),
            "aliases": aliases or {},
            "receivers": receivers or {"oncall": {"to": [NUMBER], **keys}},
        }
        made.append(Hooks(Webhook(load(document), worker=worker, outbox=outbox)))
        return made[-1]

    yield make
    for one in made:
        one.close()
