"""The README's table of hosts: each file that it names is there, tests that host, and is run by tox."""

from __future__ import annotations

import ast
import configparser
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tables import table

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
HOOK_PLUGINS = {"opt-out", "quiet-hours"}
"""Plugins that extend devinotify and have no host."""

pytestmark = [
    pytest.mark.skipif(not (ROOT / "plugins").is_dir(), reason="a source distribution of the core has no plugins"),
    pytest.mark.once,
]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a host, where it is told how, and the file that proves it."""

    host: str
    how: str
    name: str
    file: str


def rows() -> list[Row]:
    """Return the lines of the table, each as it stands."""
    (table,) = re.findall(r"<!-- hosts -->\n\| host .*?\n\|[-|]+\|\n((?:\|.*\n)+)", README)
    lines = table.splitlines()
    found = [re.fullmatch(r"\| (.+?) \| \[.+?\]\((\S+?)\) \| \[(\S+)\]\((\S+)\) \|", line) for line in lines]
    assert [] == [line for line, match in zip(lines, found, strict=True) if match is None]
    return [Row(*match.groups()) for match in found if match is not None]


ROWS = rows()
each_row = table("row", ROWS, ids=[row.host for row in ROWS])


def environment_of(file: str) -> str:
    """Return the environment of tox that runs a file of tests."""
    parts = Path(file).parts
    if parts[0] == "plugins":
        return parts[1]
    return "recipes" if parts[1] == "recipes" else "py311"


def test_is_in_order() -> None:
    """Whoever looks for a host finds it by its name, once."""
    hosts = [row.host for row in ROWS]
    assert sorted(set(hosts), key=str.lower) == hosts


@each_row
def test_file_tests_the_host(row: Row) -> None:
    """The file is there by the name that is shown, names the host, and has tests."""
    path = ROOT / row.file
    assert (True, row.name) == (path.is_file(), path.name)
    source = path.read_text("utf-8")
    words = [word for word in re.findall(r"[a-z]{4,}", row.host.lower()) if word not in ("apprise", "django")]
    assert any(word in source.lower() for word in words or [row.host.lower()])
    tests = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert any(node.name.startswith("test_") for node in tests)


@each_row
def test_file_is_run(row: Row) -> None:
    """An environment that tox makes by default runs it."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", "utf-8")
    environment = environment_of(row.file)
    assert environment in tox["tox"]["env_list"].split()
    assert environment != "recipes" or "tests/recipes" in tox["testenv:recipes"]["commands"]


@each_row
def test_is_told_how(row: Row) -> None:
    """The page that it refers to is there, with its heading where one is named."""
    name, _, anchor = row.how.partition("#")
    path = ROOT / (name or "README.md")
    assert path.is_file()
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert not anchor or anchor in anchors


def test_every_integration_has_a_row() -> None:
    """Each plugin with a host, and each recipe, proves it in the table."""
    plugins = {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")} - HOOK_PLUGINS
    assert set() == plugins - {Path(row.file).parts[1] for row in ROWS if row.file.startswith("plugins/")}
    recipes = {f"docs/recipes/{path.name}" for path in (ROOT / "docs" / "recipes").glob("*.py")}
    assert recipes == {row.how for row in ROWS if row.how.startswith("docs/recipes/")}
