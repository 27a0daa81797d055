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
