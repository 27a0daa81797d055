"""What pages give to the system: root's commands, parts of units, lines of a crontab. Tried below a folder of ours."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from devinotify.sandbox import Sandbox
from tests.docs import clone
from tests.docs.pages import ROOT, blocks
from tests.forked import programs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.pages import Block

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not (ROOT / "contrib").is_dir(), reason="the tests run without their checkout"),
]
with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")

SERVICES = [
    "docs/how-to/run-as-a-service.md",
    "docs/how-to/command-line.md",
    "plugins/webhook/README.md",
    "plugins/monitoring/README.md",
]
"""The pages that root's commands are taken from, in order; those of the Russian ones are the same."""

_BELOW = """
systemctl() { echo "$@" >>"$ROOT/systemctl"; }
python3() {
    command python3 "$@" --without-pip
    sed "s|$PWD/.venv|$3|" .venv/bin/pip >"$3/bin/pip"
    chmod +x "$3/bin/pip"
}
mkdir -p "$ROOT/etc/systemd/system" "$ROOT/opt"
"""
"""What stands for root's system. ``python3 -m venv`` brings the pip of the clone: to install one takes seconds."""


def the_block(page: str, start: str) -> Block:
    """Return the one block of a page with a line that begins so."""
    (found,) = (block for block in blocks(ROOT / page) if re.search(f"^{re.escape(start)}", block.code, re.MULTILINE))
    return found


def verified(*units: Path) -> list[str]:
    """Return what systemd has against units, of what concerns ours; it need not run."""
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units[0].parent}:"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return [line for line in said.stderr.splitlines() if str(units[0].parent) in line or units[0].name in line]


@with_systemd
def test_roots_commands(tmp_path: Path) -> None:
    """They install from a clone, keep the account from others, and end with units that systemd takes."""
    root = tmp_path / "root"
    # What the plugin in the command depends on is nowhere here; ``test_installing`` shows that all of it installs.
    environment = {**os.environ, **clone.make(tmp_path), "PIP_NO_DEPS": "1", "ROOT": str(root)}
    samples = ROOT / "plugins/monitoring/src/devinotify_monitoring/samples"
    shutil.copytree(samples, tmp_path / "samples")  # as ``devinotify alert --samples`` does
    for page in SERVICES:
        code = re.sub(r"(?<![\w.])/(?=etc/|opt/)", f"{root}/", the_block(page, "systemctl daemon-reload").code)
        command = ["bash", "-euo", "pipefail", "-c", _BELOW + code]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert 0 == done.returncode, done.stderr
    url = root / "etc/devinotify/url"
    assert ("devino://LOGIN:PASSWORD@SENDER/+79161234567\n", 0o600) == (
        url.read_text(),
        stat.S_IMODE(url.stat().st_mode),
    )
    units = root / "etc/systemd/system"
    called = (root / "systemctl").read_text().split()
    assert {"devinotify-worker", "devinotify-webhook", "devinotify-failed@try.service"} <= set(called)
    installed = {path.name for path in units.glob("*.service")}
    assert {"devinotify-worker.service", "devinotify-webhook.service", "devinotify-failed@.service"} <= installed
    for unit in units.glob("*.service"):
        unit.write_text(unit.read_text().replace("/opt/devinotify", f"{root}/opt/devinotify"))
    backup = units / "backup.service"
    backup.write_text("[Service]\nExecStart=/bin/true\n")
    assert [] == verified(backup, units / "devinotify-worker.service", units / "devinotify-webhook.service")
    drop_in = units / "devinotify-worker.service.d/monitoring.conf"
    assert samples.joinpath("systemd/devinotify-worker.conf").read_bytes() == drop_in.read_bytes()
    tell = (units / "backup.service.d/tell.conf").read_text()
    assert "[Unit]\nOnFailure=devinotify-failed@%n.service\n" == tell


PARTS = [
    ("docs/how-to/run-as-a-service.md", "DynamicUser=no"),
    ("docs/ru/how-to/run-as-a-service.md", "DynamicUser=no"),
    ("docs/how-to/configure.md", "LoadCredential="),
    ("docs/ru/how-to/configure.md", "LoadCredential="),
    ("plugins/monitoring/README.md", "LoadCredential="),
]


@with_systemd
@pytest.mark.parametrize(("page", "start"), PARTS)
def test_a_part_of_a_unit(tmp_path: Path, page: str, start: str) -> None:
    """systemd has nothing against it beside the worker's unit, where ``systemctl edit`` puts it."""
    code = the_block(page, start).code
    unit = tmp_path / "devinotify-worker.service"
    text = (ROOT / "contrib/systemd" / unit.name).read_text("utf-8")
    unit.write_text(text.replace("/opt/devinotify/bin/devinotify", str(shutil.which("true"))), "utf-8")
    (tmp_path / f"{unit.name}.d").mkdir()
    part = code if "[Service]" in code else f"[Service]\n{code}"
    part = re.sub("^ExecStart=.*\n", "", part, flags=re.MULTILINE)
    (tmp_path / f"{unit.name}.d/override.conf").write_text(part, "utf-8")
    assert [] == verified(unit)


CRONTABS = ["docs/how-to/command-line.md", "docs/ru/how-to/command-line.md"]


@pytest.mark.parametrize("page", CRONTABS)
def test_a_line_of_a_crontab(tmp_path: Path, page: str) -> None:
    """Run as cron runs it, it sends where the job fails; nothing in it has a meaning of cron's own."""
    *when, command = the_block(page, "0 3 * * *").code.split(maxsplit=5)
    assert (5, False) == (len(when), "%" in command)
    command = command.replace("/opt/devinotify/bin/devinotify", f"{programs()}/devinotify")
    with Sandbox() as gateway:
        for job in ("true", "false"):
            subprocess.run(
                ["sh", "-c", command.replace("/usr/local/bin/backup", job)],
                env={**os.environ, "DEVINOTIFY_URL": gateway.url, "HOME": str(tmp_path)},
                stdout=subprocess.DEVNULL,
                timeout=60,
                check=True,
            )
        (message,) = gateway.messages()
    assert message.text in command
