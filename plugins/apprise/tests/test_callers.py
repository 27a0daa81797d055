"""How tools call Apprise: each call is written as the tool's own function makes it, in the release that is named.

What they install besides Apprise is too much for these tests, and a call is all that reaches a plugin. Each runs with
the versions of Apprise that its tool asks for. None of them calls again by itself, whatever is answered; what they take
for a success is.
"""

from __future__ import annotations

import asyncio
import configparser
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import apprise
import pytest
from apprise import NotifyFormat, NotifyType
from packaging.specifiers import SpecifierSet

from devinotify_apprise import shim
from tests.support import ONE, TWO, arrived, sends, url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

pytestmark = pytest.mark.versions

TOX = Path(__file__).parents[3] / "tox.ini"
TITLE, BODY = "Backup", "db1 is <late> & long"
AVATAR = "https://changedetection.example/avatar.png"


def prefect(url: str, folder: Path) -> bool:
    """Call as ``AbstractAppriseNotificationBlock`` does: its ``_start_apprise_client`` and ``anotify``."""
    client = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Prefect Notifications", app_url="https://prefect.io"))
    client.add(url)
    return bool(asyncio.run(client.async_notify(body=BODY, title=TITLE, notify_type="info")))


def airflow(url: str, folder: Path) -> bool:
    """Call as ``AppriseHook.notify`` does; it asks for no answer, which is told here."""
    sender = apprise.Apprise()
    sender.add(url, tag="alerts")
    return bool(
        sender.notify(
            body=BODY,
            title=TITLE,
            notify_type=NotifyType.INFO,
            body_format=NotifyFormat.TEXT,
            tag="all",
            attach=None,
            interpret_escapes=None,
        )
    )


def airflow_without_waiting(url: str, folder: Path) -> bool:
    """Call as ``AppriseHook.async_notify`` does."""
    sender = apprise.Apprise()
    sender.add(url, tag="alerts")
    call = sender.async_notify(
        body=BODY,
        title=TITLE,
        notify_type=NotifyType.INFO,
        body_format=NotifyFormat.TEXT,
        tag="all",
        attach=None,
        interpret_escapes=None,
    )
    return bool(asyncio.run(call))


def changedetection(url: str, folder: Path) -> bool:
    """Call as ``process_notification`` and ``apply_service_tweaks`` do: with keys of its own on the URL.

    It goes by what is logged, from DEBUG on: a WARNING or an ERROR in it is a failure.
    """
    sender = apprise.Apprise(debug=True, asset=apprise.AppriseAsset(app_id="changedetection.io"))
    with apprise.LogCapture(level=apprise.logging.DEBUG) as logs:
        url += f"{'&' if '?' in url else '?'}avatar_url={AVATAR}&format={NotifyFormat.TEXT.value}"
        sender.add(url)
        sender.notify(title=TITLE, body=BODY, body_format=NotifyFormat.TEXT.value, attach=None)
        logged = logs.getvalue()
    return not ("WARNING" in logged or "ERROR" in logged)


def borgmatic(url: str, folder: Path) -> bool:
    """Call as ``ping_monitor`` of its Apprise hook does."""
    sender = apprise.Apprise()
    sender.add([url])
    return bool(sender.notify(title=TITLE, body=BODY, body_format=NotifyFormat.TEXT, notify_type=NotifyType.FAILURE))


def healthchecks(url: str, folder: Path) -> bool:
    """Call as the ``notify`` of its Apprise transport does, which calls once whatever comes of it."""
    sender = apprise.Apprise()
    sender.add(url)
    return bool(sender.notify(body=BODY, title=TITLE, notify_type=NotifyType.FAILURE))


def uptime_kuma(url: str, folder: Path) -> bool:
    """Call as the ``send`` of its Apprise provider does: the command, whose end and whose words it goes by.

    An exit code other than 0, or ERROR in what it prints, is a failure.
    """
    shim.FILE.install(folder / ".apprise" / "plugins")  # what ``devinotify apprise install`` does
    done = subprocess.run(
        [str(Path(sys.executable).parent / "apprise"), "-vv", "-b", BODY, url, "-t", TITLE],
        env={**os.environ, "HOME": str(folder), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    output = done.stdout or "ERROR: maybe apprise not found"
    return done.returncode == 0 and "ERROR" not in output


@dataclass(frozen=True, slots=True)
class Caller:
    """A tool: what its release asks for of Apprise, and its call, which returns what it takes to be sent."""

    release: str
    pin: str
    call: Callable[[str, Path], bool]


CALLERS = {
    "Prefect": Caller("prefect 3.9.1", ">=1.13.0,<2.0.0", prefect),
    "Airflow": Caller("apache-airflow-providers-apprise 2.4.1", ">=1.8.0", airflow),
    "Airflow, async": Caller("apache-airflow-providers-apprise 2.4.1", ">=1.8.0", airflow_without_waiting),
    "changedetection.io": Caller("changedetection.io 0.60.10", "==2.0.1", changedetection),
    "borgmatic": Caller("borgmatic 2.1.10", "", borgmatic),
    "healthchecks": Caller("healthchecks, by its requirements.txt", "==1.9.9", healthchecks),
    "Uptime Kuma": Caller("Uptime Kuma 2, which takes Debian's newest; 1 has one before 1.9", ">=1.9.3", uptime_kuma),
}
INSTALLED = version("apprise")
each_caller = pytest.mark.parametrize(
    "caller",
    [
        pytest.param(
            caller,
            id=name,
            marks=pytest.mark.skipif(
                INSTALLED not in SpecifierSet(caller.pin), reason=f"{caller.release} asks for Apprise {caller.pin}"
            ),
        )
        for name, caller in CALLERS.items()
    ],
)


@each_caller
def test_sends(caller: Caller, gateway: Sandbox, schema: None, tmp_path: Path) -> None:
    """Its call sends title and text, as they are, once to each; it takes that for a success."""
    assert caller.call(url_of(gateway, ONE, TWO), tmp_path)
    assert [(ONE, f"{TITLE}\n{BODY}"), (TWO, f"{TITLE}\n{BODY}")] == arrived(gateway)


@each_caller
def test_unknown_is_no_success_and_not_repeated(caller: Caller, gateway: Sandbox, schema: None, tmp_path: Path) -> None:
    """A lost answer: it is told of a failure, and nothing was sent again."""
    gateway.add_fault("drop", operation="Sms/Send")
    assert not caller.call(url_of(gateway, ONE), tmp_path)
    assert ["Sms/Send"] == sends(gateway)


@each_caller
def test_refused_is_no_success(caller: Caller, gateway: Sandbox, schema: None, tmp_path: Path) -> None:
    """What the gateway refuses is told as a failure."""
    gateway.add_fault("error", code=5, operation="Sms/Send")
    assert not caller.call(url_of(gateway, ONE), tmp_path)
    assert [] == arrived(gateway)


@pytest.mark.skipif(not TOX.is_file(), reason="a source distribution has no tox.ini")
def test_versions_that_they_pin_are_run() -> None:
    """Of what each tool asks for, a version is among those that these tests run with."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(TOX, "utf-8")
    (commands,) = (some["commands"] for some in tox.values() if "apprise: coverage run" in some.get("commands", ""))
    named = [line.partition("apprise==")[2] for line in commands.splitlines() if "apprise==" in line]
    run = [*named, INSTALLED]
    pins = {name: SpecifierSet(caller.pin) for name, caller in CALLERS.items()}
    assert [] == [name for name, pin in pins.items() if not any(map(pin.contains, run))]
