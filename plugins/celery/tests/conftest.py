"""What every test starts from: no settings of whoever runs the tests, no other plugin, a gateway, an app of its own."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery
from hypothesis import HealthCheck, settings

import devinotify_celery
from devinotify_celery import notifiers
from tests import brokers
from tests.workers import Shop, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify import Outbox
    from devinotify.sandbox import Sandbox

# Without a limit of time: the machines are shared, and a law does not break because a neighbour is busy.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

NUMBER = "+79161234567"

PLUGINS = ",".join(point.name for point in entry_points(group="devinotify"))
"""All plugins that are installed here, looked for once."""

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, or one process is still at it, alone, when all others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove the settings of whoever runs the tests, leave out plugins, and close what a test has opened."""
    for name in tuple(os.environ):
        if name.startswith(("DEVINOTIFY_", "CELERY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", PLUGINS)
    yield
    notifiers.shared.close()


@pytest.fixture
def gateway(devino_sandbox: Sandbox) -> Sandbox:
    """A gateway that nothing has been sent to: the one of devinotify's own pytest plugin."""
    return devino_sandbox


@pytest.fixture(scope="session")
def redis() -> Iterator[brokers.Redis]:
    """Give a Redis."""
    with brokers.Redis() as running:
        yield running


@pytest.fixture
def shop(redis: brokers.Redis, gateway: Sandbox, tmp_path: Path) -> Shop:
    """Give a shop whose broker has nothing in it."""
    redis.flush()
    return Shop(tmp_path, broker=redis.url, url=gateway.url, outbox=str(tmp_path / "sms.db"))


@pytest.fixture
def client(shop: Shop) -> Iterator[Any]:
    """Give the shop's app as its web process has it."""
    with client_of(shop) as made:
        yield made


@pytest.fixture
def app(gateway: Sandbox, tmp_path: Path) -> Iterator[Any]:
    """An app with an account at the gateway, whose tasks run in place."""
    made = Celery("shop", broker="memory://", backend="cache+memory://")
    made.conf.update(devinotify_url=gateway.url, devinotify_outbox=str(tmp_path / "sms.db"), task_always_eager=True)
    yield made
    notifiers.shared.close()
    made.close()


@pytest.fixture
def outbox(app: Any) -> Outbox:
    """The app's outbox."""
    opened: Outbox = devinotify_celery.get_notifier(app=app).following().outbox
    return opened
