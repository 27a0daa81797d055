"""The README: what it shows is what happens."""

from __future__ import annotations

import logging.config
import os
import re
import subprocess
import sys
import tomllib
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.core.management import get_commands
from django.template import engines
from django.test import Client, RequestFactory, override_settings

import devinotify_django
from devinotify_django import conf, notifiers
from devinotify_django.models import OutboxRow
from tests.project import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def _configured(configure: Callable[..., None]) -> None:
    """Send to the gateway."""


def blocks(language: str) -> list[str]:
    """Return the blocks of code in this language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_settings_are_right(tmp_path: Path) -> None:
    """The settings have no fault, and name all that they say they name."""
    scope: dict[str, Any] = {"INSTALLED_APPS": [], "MIDDLEWARE": [], "BASE_DIR": tmp_path}
    exec(blocks("python settings")[0], scope)  # noqa: S102 - the README's own
    account, faults = conf.read("default", scope["DEVINOTIFY"]["default"])
    assert (["devinotify_django"], []) == (scope["INSTALLED_APPS"], faults)
    assert account is not None
    with override_settings(**{name: scope[name] for name in ("DEVINOTIFY", "MIDDLEWARE")}):
        assert [] == run_checks(tags=["devinotify"])


def test_examples_run(gateway: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The examples send what they say, the later ones after the earlier ones."""
    scope: dict[str, Any] = {}
    for example in blocks("python"):
        exec(example, scope)  # noqa: S102 - the README's own
    assert ["Your parcel is here", "482913"] == [each.text for each in gateway.messages()]
    assert 1 == len(notifiers.outbox())
    refused = "not_sent ***: it is too short: digits are missing"
    assert f"accepted\n{refused}\ndefault accepted\n" == capsys.readouterr().out
    devinotify_django.sms_outcome.disconnect(scope["audit"])


def test_tests_pass() -> None:
    """The test case passes."""
    scope: dict[str, Any] = {"__name__": "reminders"}
    exec(blocks("python tests")[0], scope)  # noqa: S102 - the README's own
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(scope["ReminderTest"])
    result = unittest.TextTestRunner(verbosity=0).run(suite)
    assert (1, True) == (result.testsRun, result.wasSuccessful())


TEST_WITHOUT_THE_FIXTURE = """
from django.conf import settings

settings.configure(INSTALLED_APPS=["devinotify_django"], DEVINOTIFY={{"default": {{"URL": "{url}"}}}})

import django

django.setup()

from devinotify_django import send_sms


def test_reminder():
    assert "accepted" == send_sms("See you at 9", "+79161234567")[0].verdict
"""


def test_pytest_keeps_what_would_leave(gateway: Sandbox, tmp_path: Path) -> None:
    """With the README's conftest a test that does not name the fixture sends nothing."""
    (tmp_path / "test_reminder.py").write_text(TEST_WITHOUT_THE_FIXTURE.format(url=gateway.url), "utf-8")
    (tmp_path / "conftest.py").write_text(blocks("python conftest")[0], "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "devinotify_django.fixtures", "--rootdir=."],
        cwd=tmp_path, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout
    assert [] == gateway.requests()


@pytest.mark.usefixtures("database")
def test_panel_of_another_index(gateway: Sandbox) -> None:
    """The tag shows the account in any template of the admin."""
    request = RequestFactory().get("/admin/")
    request.user = get_user_model().objects.create_superuser("ann", password="secret")
    shown = engines["django"].from_string(blocks("django")[0]).render({}, request)
    assert "devinotify-panel" in shown
    assert [each.operation for each in gateway.requests()] == ["User/SessionID", "User/Balance"]


def test_alert_on_a_500(gateway: Sandbox) -> None:
    """A request that fails is told to the phone by the LOGGING that is shown."""
    pytest.importorskip("devinotify_logging")
    code = blocks("python logging")[0].replace(
        "devino://login:password@SENDER/79161234567", f"{gateway.url}&to={NUMBER}"
    )
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102 - the README's own
    logging.config.dictConfig(scope["LOGGING"])
    logger = logging.getLogger("django.request")
    try:
        assert 500 == Client(raise_request_exception=False).get("/order?fail").status_code
        assert gateway.wait(lambda: len(gateway.messages()) == 1, 60)
    finally:
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
    assert "/order" in gateway.messages()[0].text


def test_commands_are_all_there() -> None:
    """The table names every command, and no other."""
    ours = {name for name, app in get_commands().items() if app == "devinotify_django"}
    assert ours == set(re.findall(r"^\| `manage.py (\w+)", README, re.MULTILINE))


def test_keys_are_all_there() -> None:
    """The table names every key of OTP with its default."""
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| +(?:`([^`]*)` )?\|", README, re.MULTILINE))
    plain = conf.CodeSettings()
    defaults = {name: getattr(plain, name.lower()) for name in conf._OTP}
    written = {
        name: f'"{value}"' if isinstance(value, str) else "" if value is None else str(value)
        for name, value in defaults.items()
    }
    assert written == {name: value for name, value in told.items() if name in defaults}


def test_middleware_and_runner_are_importable() -> None:
    """The dotted names in the text lead somewhere."""
    from django.utils.module_loading import import_string

    names = set(re.findall(r'"(devinotify_django\.[\w.]+)"', README))
    assert len(names) > 5
    assert all(import_string(name) for name in names)


def test_public_names() -> None:
    """The package's names are what they are."""
    assert sorted(devinotify_django.__all__) == devinotify_django.__all__
    assert [] == [name for name in devinotify_django.__all__ if not hasattr(devinotify_django, name)]


def test_setting_changes_are_heeded() -> None:
    """Another setting than ours changes nothing."""
    before = devinotify_django.get_notifier()
    with override_settings(DEBUG=True):
        assert before is devinotify_django.get_notifier()


def test_permissions_are_all_there() -> None:
    """The table names each permission of the admin."""
    told = re.findall(r"^\| `devinotify\.(\w+)` \|", README, re.MULTILINE)
    assert ["view_outboxrow", *(name for name, _ in OutboxRow._meta.permissions)] == told


def test_extras_are_there() -> None:
    """Each extra that the README names is one."""
    extras = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
    known = set(extras["project"]["optional-dependencies"])
    assert known - {"test"} == set(re.findall(r"devinotify-django\[([\w-]+)\]", README))
