"""The pages of the site: what they show of this plugin is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from devinotify.sandbox import Sandbox

DOCS = Path(__file__).parents[3] / "docs"

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="a source distribution of the plugin has no pages")


def shown(page: str, language: str, start: str) -> str:
    """Return the one block of a page in a language that has a line which begins so."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (DOCS.parent / page).read_text("utf-8"), re.DOTALL)
    (found,) = (block for block in blocks if re.search(f"^{re.escape(start)}", block, re.MULTILINE))
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize("page", ["docs/how-to/campaigns.md", "docs/ru/how-to/campaigns.md"])
def test_a_campaign_has_a_window(tmp_path: Path, page: str) -> None:
    """The campaign that is shown is planned; what installs this plugin is done."""
    code = shown(page, "sh", "pip install '.[cli]' ./plugins/quiet-hours")
    (tmp_path / "recipients.csv").write_text("name,phone\nAnna,+79161234567\n", "utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "DEVINOTIFY_DISABLE_PLUGINS"}
    with Sandbox() as gateway:
        done = subprocess.run(
            ["bash", "-euc", "pip() { :; }\n" + code],
            cwd=tmp_path,
            env={**environment, "PATH": path, "DEVINOTIFY_URL": gateway.url},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        assert (0, []) == (done.returncode, gateway.messages()), done.stderr
    (text,) = re.findall('--text "(.*?)"', code)
    assert text in done.stdout
