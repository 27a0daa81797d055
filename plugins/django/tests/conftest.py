"""What every test starts from: no settings of whoever runs the tests, no other plugin, an account at a sandbox."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.conf import settings

from tests import postgres, project

settings.configure(**project.SETTINGS)
django.setup()

from django.core.management import call_command  # noqa: E402 - not before Django is set up
from django.db import transaction  # noqa: E402 - as above
from django.test import override_settings  # noqa: E402 - not before Django is set up
from django.test.utils import setup_test_environment, teardown_test_environment  # noqa: E402 - as above

from devinotify_django import notifiers  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

PLUGIN = "django"
OTHERS = ",".join(point.name for point in entry_points(group="devinotify") if point.name != PLUGIN)
"""All other plugins that are installed here, looked for once."""

# The command line speaks the language of the locale, and what the tests read is English.
os.environ["LANGUAGE"] = "en"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, or one process is still at it, alone, when all others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session", autouse=True)
def _environment() -> Iterator[None]:
    """Set up Django's test environment."""
    setup_test_environment()
    yield
    teardown_test_environment()


@pytest.fixture(scope="session")
def _tables() -> None:
    """Make the tables."""
    call_command("migrate", run_syncdb=True, verbosity=0)


@pytest.fixture
def database(_tables: None) -> Iterator[None]:
    """Have tables, and nothing of a test's own in them afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Remove the settings of whoever runs the tests, leave out other plugins, and close what a test has opened."""
    for name in tuple(os.environ):
        if name.startswith("DEVINOTIFY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", OTHERS)
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(tmp_path / "default.db"))  # not the one of whoever runs the tests
    yield
    notifiers.shared.close()


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """Run a PostgreSQL server."""
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL is installed (Debian: apt-get install postgresql)")
    with postgres.running() as server:
        yield server


@pytest.fixture
def gateway(devino_sandbox: Sandbox) -> Sandbox:
    """A gateway that nothing has been sent to: the one of devinotify's own pytest plugin."""
    return devino_sandbox


@pytest.fixture
def configure(gateway: Sandbox, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Return what sets the keys of the default alias, beside the gateway's URL and an outbox in a file."""
    undo: list[Any] = []

    def change(**keys: Any) -> None:
        entry = {"URL": gateway.url, "OUTBOX": str(tmp_path / "sms.db"), **keys}
        changed = override_settings(DEVINOTIFY={"default": entry})
        changed.enable()
        undo.append(changed)

    change()
    yield change
    for changed in reversed(undo):
        changed.disable()
    notifiers.shared.close()
