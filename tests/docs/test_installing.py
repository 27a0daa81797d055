"""What pages install is installed from a clone, as it stands there, into an environment of its own."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.docs import clone
from tests.docs.pages import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not (ROOT / "plugins").is_dir(), reason="the tests run without their checkout"),
]

PAGES = {
    "docs/tutorials/first-sms.md": ["devinotify"],
    "docs/how-to/install.md": ["devinotify"],
    "docs/tutorials/first-alert.md": ["devinotify", "devinotify-logging"],
}
"""What the page's commands leave installed of ours."""
_LISTED = """
python - <<'PYTHON'
from importlib.metadata import distributions
found = {each.name for each in distributions() if each.name.startswith("devinotify")}
print("installed:", *sorted(found))
PYTHON
"""


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_installs(tmp_path: Path, page: str) -> None:
    """Its commands, one after the other, end well in a clone's top folder, and what they name is there."""
    environment = {**os.environ, **clone.make(tmp_path), "HOME": str(tmp_path)}
    mark = "run by: tests/docs/test_installing.py::test_what_a_page_installs"
    code = "".join(block.code for block in blocks(ROOT / page) if block.mark == mark)
    assert "pip install " in code
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code + _LISTED],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    assert ["installed:", *PAGES[page]] == done.stdout.splitlines()[-1].split()
