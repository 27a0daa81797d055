"""What pages install is installed from a clone, as it stands there, into an environment of its own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.docs import clone
from tests.docs.pages import ROOT, blocks, guides, name_of, pages

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.once,
    pytest.mark.long,
    pytest.mark.skipif(not (ROOT / "plugins").is_dir(), reason="the tests run without their checkout"),
]

PAGES = {
    "docs/tutorials/first-sms.md": ["devinotify"],
    "docs/how-to/install.md": ["devinotify"],
    "docs/tutorials/first-alert.md": ["devinotify", "devinotify-logging"],
}
"""What the page's commands leave installed of ours."""
_MAKES = "python3 -m venv .venv && . .venv/bin/activate\n"
"""How pages make an environment, which takes as long as all else that they do: it is tried of the first of them."""
_LISTED = """
python - <<'PYTHON'
from importlib.metadata import distributions
found = {each.name: each.version for each in distributions() if each.name.startswith("devinotify")}
print("versions:", *map("=".join, sorted(found.items())))
print("installed:", *sorted(found))
PYTHON
"""
_INSTALLS = re.compile(r"\b(?:pip install|pipx inject [\w-]+) ([^`&|;\n]*)")
_ALL = "run by: tests/docs/test_installing.py::test_all_that_pages_install"


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_installs(tmp_path: Path, page: str) -> None:
    """Its commands, one after the other, end well in a clone's top folder, and what they name is there."""
    mark = "run by: tests/docs/test_installing.py::test_what_a_page_installs"
    code = "".join(block.code for block in blocks(ROOT / page) if block.mark == mark)
    assert "pip install " in code
    if page != next(iter(PAGES)):
        code = code.replace(_MAKES, "")  # into the one that is there
    assert ["installed:", *PAGES[page]] == _said(code, tmp_path)[-1].split()


def _said(code: str, folder: Path, **settings: str) -> list[str]:
    """Return what commands print that end well in a clone's top folder, and what is installed there then."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code + _LISTED],
        cwd=folder,
        env={**os.environ, **clone.make(folder), "HOME": str(folder), **settings},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout.splitlines()


def _named(text: str) -> list[str]:
    """Return what of a clone's top folder the lines that install name: ``.[cli]``, ``./plugins/apprise``."""
    words = [word for typed in _INSTALLS.findall(text) for word in shlex.split(typed, comments=True)]
    return [word for word in words if re.match(r"\.$|\.\[|(?:\./)?plugins/", word)]


def _extras(project: Path) -> set[str]:
    """Return the extras that a distribution has."""
    return set(tomllib.loads(project.read_text("utf-8"))["project"].get("optional-dependencies", {}))


def test_all_that_pages_install(tmp_path: Path) -> None:
    """Each folder that any page installs from is there with the extras named; together they are all, of one version.

    They are installed by one command, without what else they need: that is of other repositories.
    """
    named = {page: _named(page.read_text("utf-8")) for page in [*pages(), *guides()]}
    assert [] == [
        f"{name_of(page)}:{block.line}"
        for page in named
        for block in blocks(page)
        if block.mark == _ALL
        if not _named(block.code)
    ]
    wanted = {word.removeprefix("./") for words in named.values() for word in words}
    folders = {word.partition("[")[0]: set[str]() for word in wanted}
    for word in wanted:
        folder, _, extras = word.partition("[")
        folders[folder] |= set(filter(None, extras.rstrip("]").split(",")))
    projects = {folder: ROOT / folder / "pyproject.toml" for folder in folders}
    assert {} == {folder: lost for folder in folders if (lost := folders[folder] - _extras(projects[folder]))}

    command = shlex.join(["pip", "install", *(f"./{folder}" for folder in sorted(folders))])
    said = _said(command, tmp_path, PIP_NO_DEPS="1")
    ours = {"devinotify", *(f"devinotify-{path.parent.name}" for path in (ROOT / "plugins").glob("*/pyproject.toml"))}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert ["versions:", *(f"{name}={version}" for name in sorted(ours))] == said[-2].split()
