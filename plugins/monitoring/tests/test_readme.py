"""The README: what it shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import devinotify_monitoring
from devinotify_monitoring import EXITS, AlertStatus, samples
from devinotify_monitoring.keys import WINDOW
from tests.hosts import URL_FILE
from tests.support import NUMBER, PATIENCE

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def shell(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run lines of the README."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-euc", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "DEVINOTIFY_OUTBOX": str(folder / "alerts.db"), **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE,
    )


def test_the_first_commands(gateway: Sandbox, tmp_path: Path) -> None:
    """The samples are written, and the alert arrives; only the account is another."""
    (line,) = (line for line in COMMANDS[0].splitlines() if line.startswith("devinotify"))
    assert 0 == shell(line, tmp_path).returncode
    done = shell(COMMANDS[1].replace("devino://LOGIN:PASSWORD@SENDER", gateway.url), tmp_path)
    (output,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert (0, output, "") == (done.returncode, done.stdout, done.stderr)
    assert [(NUMBER, "Problem: disk of web1: / is 95% full")] == [
        (each.recipient, each.text) for each in gateway.messages()
    ]
    written = {str(path.relative_to(tmp_path)) for path in (tmp_path / "samples").rglob("*") if path.is_file()}
    assert written == set(re.findall(r"samples/[a-z]+/[\w.-]+", README))


def test_the_file_of_the_account(gateway: Sandbox, tmp_path: Path) -> None:
    """It is made as it is shown, and the command of the last chapter sends with it; places and user are others."""
    replaced = {
        "/etc/devinotify": str(tmp_path / "etc"),
        "/var/lib/devinotify": str(tmp_path / "lib"),
        "/usr/local/bin/": str(tmp_path / "devinotify"),
        " -o nagios": "",
        "runuser -u nagios -- ": "",
        "devino://LOGIN:PASSWORD@SENDER?": f"{gateway.url}&",
    }
    (tried,) = re.findall(r"`runuser (.*?)`", README, re.DOTALL)
    script = f"{COMMANDS[2]}\nrunuser {' '.join(tried.split())}"
    for there, here in replaced.items():
        assert there in script
        script = script.replace(there, here)
    done = shell(script, tmp_path)
    assert (0, "the alert to +7916***4567 accepted\n", "") == (done.returncode, done.stdout, done.stderr)
    assert ["DOWN test"] == [each.text for each in gateway.messages()]
    assert f"{URL_FILE} " in COMMANDS[2]


def test_exits() -> None:
    """The table has every status and every host, with the code that it has."""
    table = README.partition("<!-- exits -->")[2].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    hosts = [name.split(", ") for name in rows[0][1:]]
    assert sorted(EXITS) == sorted(name for names in hosts for name in names)
    order = [
        AlertStatus.ACCEPTED,
        AlertStatus.STORED,
        *(status for status in AlertStatus if status not in (AlertStatus.ACCEPTED, AlertStatus.STORED)),
    ]
    assert len(order) == len(rows) - 2
    for status, row in zip(order, rows[2:], strict=True):
        assert row[0].startswith(status)
        told = {name: int(code) for names, code in zip(hosts, row[1:], strict=True) for name in names}
        assert {name: EXITS[name][status] for name in EXITS} == told


def test_says_how_long_a_text_counts() -> None:
    """Ten minutes are ten minutes."""
    assert (600.0, True) == (WINDOW, "one message for ten minutes" in README)


def test_samples_call_the_command() -> None:
    """Each sample of a host that is run has the file with the URL where the README puts it."""
    without = {name for name, content in samples.found() if b"devinotify/url" not in content}
    assert {"zabbix/zbx_media_devinotify.yaml", "zabbix/zbx_media_devinotify_script.yaml"} == without


def test_public_names() -> None:
    """The package's names are what they are, and each is there."""
    names = ["EXITS", "PROFILES", "AlertStatus", "Notice", "Profile", "line", "read"]
    assert names == devinotify_monitoring.__all__
    assert set(names) <= set(dir(devinotify_monitoring))
    assert [] == [name for name in names if getattr(devinotify_monitoring, name, None) is None]
    assert not hasattr(devinotify_monitoring, "nothing")
