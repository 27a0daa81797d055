"""The pages of the site: what they show of this plugin is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import NUMBER
from tests.test_readme import shell

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

DOCS = Path(__file__).parents[3] / "docs"

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="a source distribution of the plugin has no pages")


def shown(page: str, language: str, start: str) -> str:
    """Return the one block of a page in a language that has a line which begins so."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (DOCS.parent / page).read_text("utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if re.search(f"^{re.escape(start)}", block, re.MULTILINE))
    assert isinstance(found, str)
    return found


def test_zabbix_has_an_account(gateway: Sandbox, tmp_path: Path) -> None:
    """Made as it is shown, its file sends; and what would wait beyond the limit can be dropped as it is shown."""
    page = "docs/ru/how-to/hosts.md"
    account = shown(page, "sh", "install -m 600 -o zabbix")
    trial = shown(page, "sh", "devinotify alert --profile")
    trial = trial.replace("--profile", "--url-file /etc/devinotify/url --profile")
    (forget,) = re.findall(r"`(devinotify outbox forget\s.*?)`", (DOCS.parent / page).read_text("utf-8"), re.DOTALL)
    script = f"{account}\n{trial}\n{' '.join(forget.split())}"
    for there, here in {
        "/etc/devinotify": str(tmp_path / "etc"),
        "/var/lib/devinotify": str(tmp_path / "lib"),
        "/usr/local/bin/": str(tmp_path / "devinotify"),
        " -o zabbix": "",
        "devino://LOGIN:PASSWORD@SENDER?": f"{gateway.url}&",
    }.items():
        assert there in script
        script = script.replace(there, here)
    done = shell(script, tmp_path)
    assert (0, "") == (done.returncode, done.stderr)
    assert [NUMBER] == [each.recipient for each in gateway.messages()]


def test_zabbix_is_set_up(gateway: Sandbox, tmp_path: Path) -> None:
    """The samples that the page goes on with are written, and the alert without Zabbix arrives."""
    page = "docs/ru/how-to/hosts.md"
    install, trial = shown(page, "sh", "devinotify alert --samples"), shown(page, "sh", "devinotify alert --profile")
    done = shell("pip() { :; }\n" + install + trial, tmp_path, DEVINOTIFY_URL=gateway.url)
    assert (0, "") == (done.returncode, done.stderr)
    assert [(NUMBER, "Problem: disk of web1: / is 95% full")] == [
        (each.recipient, each.text) for each in gateway.messages()
    ]
    section = (DOCS.parent / page).read_text("utf-8").partition("## Zabbix")[2].partition("## ")[0]
    named = set(re.findall(r"samples/zabbix/[\w.-]+", section))
    assert named
    assert [] == [name for name in named if not (tmp_path / name).is_file()]
