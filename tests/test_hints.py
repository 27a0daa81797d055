"""What people are told to install: it works from a clone, since no index has any of it before a release."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from devinotify.words import installing
from tests.tables import table

ROOT = Path(__file__).parents[1]
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"])
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "docs/recipes/*.py", "plugins/*/README.md", "plugins/README.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)
MODULES = sorted(path for pattern in ("src/**/*.py", "plugins/*/src/**/*.py") for path in ROOT.glob(pattern))
_COMMAND = re.compile(r"pip install ([^`#\n)&]*)")

pytestmark = pytest.mark.skipif(not (ROOT / "plugins").is_dir(), reason="the tests run without their checkout")


def ours(command: str) -> list[str]:
    """Return what a command takes of this repository, or of an index by our names."""
    words = [word.strip("'\"") for word in command.split()]
    return [word for word in words if re.match(r"devinotify|\.|/devinotify", word)]


def commands(path: Path) -> list[str]:
    """Return the commands of a page that install something of ours, but for those of a time after the release."""
    text = re.sub(r"[Oo]nce released, it is\s`.*?`", "", path.read_text("utf-8"))
    return [command.strip() for command in _COMMAND.findall(text) if ours(command)]


def test_pages_have_commands_that_work_from_a_clone() -> None:
    """Not one takes from an index what is not there."""
    found = {str(path.relative_to(ROOT)): commands(path) for path in PAGES}
    assert sum(map(len, found.values())) > 20
    strangers = {
        name: [each for each in told if re.search(r"(?<![\w/.-])devinotify", each)] for name, told in found.items()
    }
    assert {} == {name: told for name, told in strangers.items() if told}


def test_what_they_name_is_there() -> None:
    """Folders, extras of the core, and the core before its plugins, in one command."""
    for path in PAGES:
        for command in commands(path):
            names = ours(command)
            cores = [name for name in names if re.match(r"(\.|/devinotify)(\[|$)", name)]
            folders = re.findall(r"plugins/([\w-]+)", command)
            extras = {extra for core in cores for part in re.findall(r"\[(.*)\]", core) for extra in part.split(",")}
            assert extras <= EXTRAS, (path, command)
            assert all((ROOT / "plugins" / folder / "pyproject.toml").is_file() for folder in folders), (path, command)
            assert cores == names[: len(cores)], (path, command)
            assert not folders or cores, (path, command)


def test_errors_say_how_from_a_clone() -> None:
    """Each hint in a message names the index and the clone; those for an extra are written by one function."""
    alone = {
        str(path.relative_to(ROOT)): hint
        for path in MODULES
        for hint in re.findall(r"pip install (?:')?devinotify.*", path.read_text("utf-8"))
        if "in a clone" not in path.read_text("utf-8")
    }
    assert {} == alone


@table("extra", sorted(EXTRAS))
def test_a_hint_for_an_extra(extra: str) -> None:
    """By the index's name, and by the clone's folder."""
    expected = f"pip install 'devinotify[{extra}]' (in a clone of its repository: pip install '.[{extra}]')"
    assert expected == installing(extra)
