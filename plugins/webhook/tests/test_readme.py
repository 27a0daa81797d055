"""The README: what it shows is what happens."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from devinotify import Outbox

from devinotify_webhook import load
from devinotify_webhook.alerts import notification
from devinotify_webhook.config import RECEIVER, TOP
from devinotify_webhook.metrics import FAMILIES
from devinotify_webhook.plain import FIELDS
from devinotify_webhook.rendering import default_text
from tests.support import NUMBER, PATIENCE, alert, fetch, free_port, listens, payload, running

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.sandbox import Sandbox

    from tests.support import Hooks

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
UNIT = Path(__file__).parents[1] / "contrib/systemd/devinotify-webhook.service"
FIXTURES = Path(__file__).parent / "fixtures"
URL = "devino://demo:demo@DEVINO?gateway=http://127.0.0.1:1/rest"
FIRST_ALERT = ("docs/tutorials/first-alert.md", "docs/ru/tutorials/first-alert.md")
HOSTS = "docs/ru/how-to/hosts.md"


def shown_on(page: str) -> str:
    """Return a page of the repository; a source distribution of the plugin has none but its own."""
    path = Path(__file__).parents[3] / page
    if not path.is_file():
        pytest.skip("the tests run without their checkout")
    return path.read_text("utf-8")


def blocks(language: str) -> list[str]:
    """Return the blocks of code in this language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def named(language: str, name: str) -> str:
    """Return the block whose first line names this file."""
    (found,) = (block for block in blocks(language) if name in block.split("\n")[0])
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README posts with curl")
@pytest.mark.parametrize("page", ["plugins/webhook/README.md", *FIRST_ALERT, HOSTS])
def test_the_first_commands(gateway: Sandbox, tmp_path: Path, page: str) -> None:
    """The command listens, and curl is answered as it is said, there or in the README; account and port are others."""
    text = shown_on(page)
    port = free_port()
    (start,) = re.findall("^devinotify webhook --to .*$", text, re.MULTILINE)
    (post, answer) = re.findall(
        r"```sh\n(curl -s http://127.0.0.1:9876/sms.*?)```\n\n```text\n(.*?)```", text + README, re.DOTALL
    )[0]
    command = [sys.executable, "-m", *start.split(), "--listen", f"127.0.0.1:{port}"]
    environment = {"DEVINOTIFY_URL": gateway.url, "DEVINOTIFY_OUTBOX": str(tmp_path / "alerts.db")}
    with running(command, tmp_path, "webhook", environment) as process:
        listens(f"http://127.0.0.1:{port}/-/healthy", process, tmp_path / "webhook.log")
        posted = subprocess.run(
            ["sh", "-c", post.replace("9876", str(port))],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
        assert answer.strip() == posted.stdout
        assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)


def test_the_configuration(tmp_path: Path) -> None:
    """It is a configuration, and so is the one with a template."""
    for block in blocks("toml"):
        document = tomllib.loads(block.replace("a-long-random-token", "a-long-random-token" * 2))
        assert load(document, url=URL).receivers


def test_the_configuration_is_checked(gateway: Sandbox, tmp_path: Path) -> None:
    """``--check`` tells what the configuration means, without a number."""
    toml = named("toml", "hooks.toml").replace("/var/lib/devinotify/alerts.db", str(tmp_path / "alerts.db"))
    (tmp_path / "hooks.toml").write_text(toml, "utf-8")
    (command,) = re.findall(r"`devinotify (webhook --config hooks.toml --check)`", README)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "devinotify", *command.split()],
        cwd=tmp_path,
        env={**os.environ, "DEVINOTIFY_URL": gateway.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    told = [
        "oncall: to 2 recipients on sms-viber, guarded by nothing but this machine",
        "teams: to whom the label team names on the channel of the URL, guarded by nothing but this machine",
        "codes: to whom each request names on the channel of the URL, guarded by a token",
    ]
    assert (0, "", told) == (done.returncode, done.stderr, done.stdout.splitlines())


def test_every_key_is_told() -> None:
    """The table has each key of a receiver, and the sentence each of the file's own."""
    rows = re.findall(r"^\| (`.*?`) \|", README.partition("<!-- receiver -->")[2], re.MULTILINE)
    assert set(RECEIVER) <= set(re.findall(r"`(\w+)`", " ".join(rows)))
    (top,) = re.findall(r"At the top stand (.*?)\n\n", README, re.DOTALL)
    assert set(TOP) == set(re.findall(r"`(\w+)`", top))


def test_names_of_fields_are_told() -> None:
    """The table has each name, in order."""
    table = README.partition("| what | names |")[2].partition("\n\n")[0]
    told = re.findall(r"^\| .*? \| (.*?) \|$", table, re.MULTILINE)
    names = [re.findall(r"`([a-z_]+)`", row) for row in told if "`" in row]
    assert [list(some) for some in FIELDS.values()] == names


def test_the_shown_text_is_what_is_sent() -> None:
    """The example is what the rendering writes of such alerts."""
    posted = payload(
        alert(summary="/ on web1 is 95% full"),
        alert("HighLoad", severity="warning", instance="web2"),
        truncatedAlerts=3,
    )
    assert blocks("text")[1].strip() == default_text(notification(posted), 3)


@pytest.mark.skipif(shutil.which("amtool") is None, reason="Alertmanager is not installed")
@pytest.mark.parametrize("page", ["plugins/webhook/README.md", HOSTS])
def test_alertmanagers_configuration(tmp_path: Path, page: str) -> None:
    """amtool takes it, with the token too."""
    (plain,) = re.findall(r"```yaml\n(# alertmanager.yml.*?)```", shown_on(page), re.DOTALL)
    for number, text in enumerate((plain, plain.replace("# http_config", "http_config"))):
        path = tmp_path / f"{number}.yml"
        path.write_text(text, "utf-8")
        subprocess.run(["amtool", "check-config", str(path)], check=True, capture_output=True, timeout=PATIENCE)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_prometheus_configuration(tmp_path: Path) -> None:
    """promtool takes it with its rules, which ask for metrics that there are."""
    for name in ("prometheus.yml", "rules.yml"):
        (tmp_path / name).write_text(named("yaml", name), "utf-8")
    done = subprocess.run(
        ["promtool", "check", "config", "prometheus.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (0, True) == (done.returncode, "3 rules found" in done.stdout), done.stderr
    assert set(re.findall(r"devinotify_webhook_\w+", README)) <= set(FAMILIES)


def test_the_unit(gateway: Sandbox, tmp_path: Path) -> None:
    """What it starts, with the files that it loads and its environment, serves and tells that it does."""
    (tmp_path / "url").write_text(f"{gateway.url}\n", "utf-8")
    port = free_port()
    (tmp_path / "hooks.toml").write_text(
        f'listen = "127.0.0.1:{port}"\n[receivers.oncall]\nto = ["{NUMBER}"]\n', "utf-8"
    )
    (tmp_path / "devinotify").mkdir()
    lines = UNIT.read_text("utf-8").replace("%d", str(tmp_path)).replace("%S", str(tmp_path)).splitlines()
    found = [line.partition("=")[::2] for line in lines if not line.startswith("#")]
    (command,) = [value for name, value in found if name == "ExecStart"]
    loaded = [value for name, value in found if name == "LoadCredential"]
    environment = dict(value.split("=", 1) for name, value in found if name == "Environment")
    assert ["url:/etc/devinotify/url", "hooks.toml:/etc/devinotify/hooks.toml"] == loaded
    program, *arguments = shlex.split(command)
    assert "/opt/devinotify/bin/devinotify" == program
    with running([sys.executable, "-m", "devinotify", *arguments], tmp_path, "unit", environment) as process:
        listens(f"http://127.0.0.1:{port}/healthz", process, tmp_path / "unit.log")
        assert 200 == fetch(f"http://127.0.0.1:{port}/sms/oncall?text=Hello")[0]
        assert gateway.wait(lambda: len(gateway.messages()) == 1, PATIENCE)
    assert (tmp_path / "devinotify/alerts.db").is_file()


def test_grafanas_provisioning(hooks: Callable[..., Hooks]) -> None:
    """Its contact point posts to a path that takes what Grafana posts, of the address that is listened on."""
    (point,) = yaml.safe_load(named("yaml", "provisioning/alerting/sms.yaml"))["contactPoints"]
    (receiver,) = point["receivers"]
    settings = receiver["settings"]
    assert ("webhook", "POST") == (receiver["type"], settings["httpMethod"])
    assert settings["url"] in README.partition("## Grafana")[2].partition("```")[0]
    base = f"http://{tomllib.loads(named('toml', 'hooks.toml'))['listen']}"
    one = hooks()
    posted = json.loads((FIXTURES / "grafana-alerts.json").read_text("utf-8"))
    answer = one.ask(settings["httpMethod"], settings["url"].removeprefix(base), json=posted)
    assert (200, [NUMBER]) == (answer.status_code, one.recipients())


def test_the_metrics_to_look_at_when_nothing_arrives(hooks: Callable[..., Hooks]) -> None:
    """Each that is named there is one that ``/metrics`` has."""
    exposition = hooks().get("/metrics").text
    told = re.findall(r"\b[a-z_]+_total\b", README.partition("## When nothing arrives")[2])
    assert 3 == len(told)
    assert [] == [name for name in told if f"# TYPE devinotify_webhook_{name} counter\n" not in exposition]


def test_the_commands_when_nothing_arrives(gateway: Sandbox, tmp_path: Path) -> None:
    """Each command of devinotify's runs as it stands there, on the outbox of the configuration."""
    there = tomllib.loads(named("toml", "hooks.toml"))["outbox"]
    commands = re.findall(r"^\d\. `devinotify (.*?)`", README.partition("## When nothing arrives")[2], re.MULTILINE)
    with Outbox(tmp_path / "alerts.db"):
        pass
    assert (2, f"--outbox {there}" in commands[0]) == (len(commands), True)
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "devinotify", *command.replace(there, str(tmp_path / "alerts.db")).split()],
            env={**os.environ, "DEVINOTIFY_URL": gateway.url, "DEVINOTIFY_OUTBOX": str(tmp_path / "sends.db")},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert (0, "") == (done.returncode, done.stderr)
    assert [NUMBER] == [each.recipient for each in gateway.messages()]


def test_mounted_in_an_app_of_ones_own(gateway: Sandbox, tmp_path: Path) -> None:
    """The example is an app."""
    toml = f'url = "{gateway.url}"\noutbox = "{tmp_path / "alerts.db"}"\n[receivers.oncall]\nto = "+79161234567"\n'
    (tmp_path / "hooks.toml").write_text(toml, "utf-8")
    code = blocks("python")[0] + (
        "import asyncio, httpx\n"
        "async def post():\n"
        "    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url='http://localhost') as http:\n"
        "        return await http.post('/hooks/sms/oncall', json={'text': 'Hi'})\n"
        "print(asyncio.run(post()).status_code)\nhooks.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ("200\n", "", 0) == (done.stdout, done.stderr, done.returncode)
    with Outbox(tmp_path / "alerts.db") as outbox:
        assert 1 == len(outbox)
