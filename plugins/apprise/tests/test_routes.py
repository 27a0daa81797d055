"""The ways to Apprise, each for real: as a library, by the unmodified command, by a configuration, as its API does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import apprise
import pytest
from apprise import NotificationManager, NotifyBase

import devinotify_apprise
from devinotify_apprise import NotifyDevino, register, shim
from tests.support import ONE, TWO, arrived, plugin_of, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

pytestmark = pytest.mark.versions

SCRIPTS = Path(sys.executable).parent


def run(*command: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with a home of its own."""
    environ = {**os.environ, "HOME": str(home), "APPDATA": str(home), "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(
        [str(SCRIPTS / command[0]), *command[1:]],
        env=environ,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


@pytest.fixture
def manager() -> Iterator[NotificationManager]:
    """Apprise's manager of plugins, without ours before and after."""
    manager = NotificationManager()
    manager.remove("devino")
    yield manager
    manager.remove("devino")


def test_register_makes_the_schema_known(manager: NotificationManager, gateway: Sandbox) -> None:
    """The library's way: after register a URL is all that is needed."""
    assert "devino" not in manager
    devinotify_apprise.register()
    sender = apprise.Apprise(url_of(gateway, ONE))
    assert sender.notify("text")
    assert [(ONE, "text")] == arrived(gateway)


def test_register_again(manager: NotificationManager) -> None:
    """It may be called any number of times, and brings the schema back after Apprise has unloaded its modules."""
    register()
    register()
    assert manager["devino"] is NotifyDevino
    manager.unload_modules()
    assert "devino" not in manager
    register()
    assert manager["devino"] is NotifyDevino
    assert isinstance(apprise.Apprise.instantiate("devino://login:password@SENDER/79161234567"), NotifyDevino)


def test_register_after_a_new_import(manager: NotificationManager) -> None:
    """The class of an earlier import of this package gives way."""
    before = type("NotifyDevino", (NotifyDevino,), {"__module__": NotifyDevino.__module__})
    manager.add(before)
    register()
    assert manager["devino"] is NotifyDevino


def test_register_leaves_others_alone(manager: NotificationManager) -> None:
    """A schema that another plugin has is its own."""
    other = type("NotifyOther", (NotifyBase,), {"secure_protocol": "devino", "__module__": "other"})
    manager.add(other)
    with pytest.raises(RuntimeError, match=r"belongs to another Apprise plugin: other\.NotifyOther"):
        register()
    assert manager["devino"] is other


def test_without_register(manager: NotificationManager, gateway: Sandbox) -> None:
    """An instance of the class can be added as it is."""
    sender = apprise.Apprise()
    sender.add(plugin_of(gateway, ONE))
    assert "devino" not in manager
    assert sender.notify("text")


def test_made_by_arguments(gateway: Sandbox) -> None:
    """The class takes what the URL says as arguments, as text or as what it means."""
    plugin = NotifyDevino(
        user="demo",
        password="demo",
        sender="DEVINO",
        targets=[ONE, int(TWO)],
        batch=False,
        validity=5,
        transliterate=True,
        gateway=gateway.gateway,
    )
    assert plugin.notify("Привет")
    assert [(ONE, "Privet"), (TWO, "Privet")] == arrived(gateway)
    assert ("validity=5" in plugin.url(), "batch=no" in plugin.url()) == (True, True)


def test_unmodified_command(gateway: Sandbox, tmp_path: Path) -> None:
    """After install the apprise command sends; after uninstall it does not know the schema any more."""
    installed = run("devinotify", "apprise", "install", home=tmp_path)
    assert (0, "") == (installed.returncode, installed.stderr)
    sent = run("apprise", "-b", "hi", url_of(gateway, ONE), home=tmp_path)
    assert (0, [(ONE, "hi")]) == (sent.returncode, arrived(gateway)), sent.stderr
    removed = run("devinotify", "apprise", "uninstall", home=tmp_path)
    assert 0 == removed.returncode
    assert 0 != run("apprise", "-b", "hi", url_of(gateway, ONE), home=tmp_path).returncode
    assert 1 == len(gateway.messages())


def test_plugin_path(gateway: Sandbox, tmp_path: Path) -> None:
    """The same file works where the command is told of it."""
    shim.FILE.install(tmp_path / "plugins")
    sent = run("apprise", "--plugin-path", str(tmp_path / "plugins"), "-b", "hi", url_of(gateway, ONE), home=tmp_path)
    assert (0, [(ONE, "hi")]) == (sent.returncode, arrived(gateway)), sent.stderr


def test_says_nothing_when_all_is_well(gateway: Sandbox, tmp_path: Path) -> None:
    """The command is as quiet as with any plugin, and shows no secret when asked to tell everything."""
    shim.FILE.install(tmp_path / "plugins")
    command = ("apprise", "--plugin-path", str(tmp_path / "plugins"), "-b", "confidential", url_of(gateway, ONE))
    assert ("", "") == ((quiet := run(*command, home=tmp_path)).stdout, quiet.stderr)
    told = run(*command, "-vvv", "--debug", home=tmp_path)
    assert "Sent Devino notification" in told.stdout + told.stderr
    assert [] == [one for one in ("demo:demo@", ONE[1:], "confidential") if one in told.stdout + told.stderr]


YAML = """\
version: 1
urls:
  - {start}/?{query}:
      - to: {one}
        tag: ops
      - to: ["{two}"]
        tag: ops
        batch: no
        channel: viber
  - {start}/{two}/?{query}
"""


def test_yaml_configuration(gateway: Sandbox, tmp_path: Path) -> None:
    """A configuration file says the same as a URL, key by key."""
    shim.FILE.install(tmp_path / "plugins")
    start, _, query = gateway.url.partition("?")
    config = tmp_path / "apprise.yml"
    config.write_text(YAML.format(start=start, query=query, one=ONE, two=TWO), "utf-8")
    command = ("apprise", "--plugin-path", str(tmp_path / "plugins"), "-c", str(config), "-b", "hi", "--tag", "ops")
    sent = run(*command, home=tmp_path)
    assert 0 == sent.returncode, sent.stderr
    operations = {(message.recipient, message.operation) for message in gateway.messages()}
    assert {(ONE, "Sms/Send"), (TWO, "Viber/Send")} == operations


AS_THE_API_DOES = """\
import os, sys
import apprise
# What apprise-api does with the folders that its settings name.
asset = apprise.AppriseAsset(plugin_paths=os.environ["APPRISE_PLUGIN_PATHS"].split(","))
sender = apprise.Apprise(asset=asset)
sys.exit(not (sender.add(sys.argv[1]) and sender.notify("hi")))
"""


def test_as_the_api_does(gateway: Sandbox, tmp_path: Path) -> None:
    """The file in a folder that the API scans makes its URLs known."""
    installed = run("devinotify", "apprise", "install", "--path", str(tmp_path / "plugin"), home=tmp_path)
    assert 0 == installed.returncode
    environment = {"APPRISE_PLUGIN_PATHS": f"{tmp_path / 'plugin'},{tmp_path / 'other'}"}
    sent = run("python", "-c", AS_THE_API_DOES, url_of(gateway, ONE), home=tmp_path, **environment)
    assert (0, [(ONE, "hi")]) == (sent.returncode, arrived(gateway)), sent.stderr
