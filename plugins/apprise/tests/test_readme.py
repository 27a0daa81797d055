"""The README: what it shows is what happens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import apprise
import pytest

from devinotify_apprise import NotifyDevino, options
from tests.support import ONE, TWO, arrived

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

README = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
BLOCKS = re.findall(r"<!-- run by: \S+::test_commands_run -->\n```sh\n([^`]*)```(?:\n\n```text\n([^`]*)```)?", README)
COMMANDS = [commands for commands, _ in BLOCKS]
PRINTED = [output for _, output in BLOCKS if output]
URL = re.compile(r"""["']devino://\w+:\w+@[A-Z]+(/[+0-9]+)(?:\?([^"']*))?["']""")
START = "devino://login:password@SENDER"


@pytest.mark.parametrize(("code", "output"), EXAMPLES, ids=[f"example {number}" for number in range(len(EXAMPLES))])
def test_prints_what_it_says(code: str, output: str) -> None:
    """Each example, run as it stands in a process of its own, prints the block that follows it."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )

    assert (output, "", 0) == (done.stdout, done.stderr, done.returncode)


def test_has_no_python_without_output() -> None:
    """Every Python block is an example that is run."""
    assert 1 == len(EXAMPLES) == README.count("```python")


def run(commands: str, gateway: Sandbox, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands as they stand, but for the gateway and the account of their URLs, and with a home of their own."""
    base, _, query = gateway.url.partition("?")

    def with_gateway(url: re.Match[str]) -> str:
        keys = [query, *(key for key in (url[2] or "").split("&") if key and not key.startswith("gateway="))]
        return f'"{base}{url[1]}?{"&".join(keys)}"'

    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", URL.sub(with_gateway, commands)],
        cwd=folder,
        env={
            **os.environ,
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to run them in")


@needs_bash
@pytest.mark.parametrize("commands", COMMANDS, ids=["install", "trial", "plugin path"])
def test_commands_run(commands: str, gateway: Sandbox, tmp_path: Path) -> None:
    """The commands, run as they stand but for the gateway, send."""
    done = run(commands, gateway, tmp_path)
    assert (0, [ONE]) == (done.returncode, [recipient for recipient, _ in arrived(gateway)]), done.stderr


@needs_bash
def test_the_first_command_prints_what_it_says(gateway: Sandbox, tmp_path: Path) -> None:
    """What Apprise writes is what is shown, but for the time."""
    done = run(COMMANDS[0], gateway, tmp_path)
    (printed,) = PRINTED
    texts = [[line.split(" - ", 1)[-1] for line in each.splitlines()] for each in (printed, done.stdout + done.stderr)]
    assert texts[0] == [text for text in texts[1] if text.startswith(("INFO", "WARNING", "ERROR"))]


def test_commands_are_run() -> None:
    """The commands that send are those that are run."""
    assert README.count("\napprise ") == sum(block.count("\napprise ") for block in COMMANDS) == 3


def test_configuration_sends(gateway: Sandbox, schema: None, tmp_path: Path) -> None:
    """The configuration file is understood and sends."""
    (yaml,) = re.findall(r"```yaml\n(version: .*?)```", README, re.DOTALL)
    base, _, query = gateway.url.partition("?")
    for entry in re.findall(rf"{START}[/0-9]*", yaml):
        yaml = re.sub(f"{entry}(:?)$", rf"{entry.replace(START, base)}/?{query}\1", yaml, flags=re.MULTILINE)
    file = tmp_path / "apprise.yml"
    file.write_text(yaml, "utf-8")
    config = apprise.AppriseConfig(str(file))
    sender = apprise.Apprise()
    sender.add(config)
    assert sender.notify("text", tag="all")
    assert {(ONE, "Sms/Send"), (TWO, "Viber/Send")} == {
        (message.recipient, message.operation) for message in gateway.messages()
    }


def test_a_password_stands_in_an_entry_as_it_is(schema: None) -> None:
    """The entry that is shown gives the account and the number that it says, and no sign of the password is lost."""
    (yaml,) = re.findall(r"```yaml\n# apprise.yml\n(.*?)```", README, re.DOTALL)
    config = apprise.AppriseConfig()
    config.add_config(yaml, format="yaml")
    sender = apprise.Apprise()
    sender.add(config)
    (plugin,) = sender.find("all")
    assert isinstance(plugin, NotifyDevino)
    assert ("login", "p@ss/w#rd?", (ONE,)) == (plugin.settings.login, plugin.settings.password, plugin.targets)


@pytest.mark.parametrize("tool", ["notify:", "apprise:"])
def test_urls_for_tools_are_understood(tool: str) -> None:
    """The URL in each tool's own configuration is one that sends to a number."""
    (yaml,) = re.findall(rf"```yaml\n({tool}.*?)```", README, re.DOTALL)
    (url,) = re.findall(r"url: (\S+)", yaml)
    results = NotifyDevino.parse_url(url)
    assert results is not None
    assert (ONE,) == NotifyDevino(**results).targets


def test_lines_for_containers_install() -> None:
    """What runs in containers is the command that is proved elsewhere, in an image and in one that there is."""
    install = "pip install '/devinotify[cli]' /devinotify/plugins/apprise && devinotify apprise install --library"
    assert [f"RUN {install}"] == re.findall(r"^RUN .*$", README, re.MULTILINE)
    (within,) = re.findall(r"^docker exec .* sh -c '(.*)'$", README, re.MULTILINE)
    assert install == within.replace('"', "'")


def test_names_every_key() -> None:
    """Every key that the URL may hold is in the README."""
    named = set(re.findall(r"`(\w+)(?:=\w+)?`", README))
    assert set() == set(NotifyDevino.template_args) - named - {"rto", "cto", "verify"}
    assert set(options.ARGUMENTS) <= named
