"""The modules of the core and of the plugins: small ones, in no circle, and a reason where one is not small."""

from __future__ import annotations

import ast
import statistics
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import devinotify

ROOT = Path(__file__).parents[1]
CORE = Path(str(devinotify.__file__)).parent
PLUGINS = sorted(ROOT.glob("plugins/*/src"))
MODULES = sorted(path for package in (CORE, *PLUGINS) for path in package.rglob("*.py"))

pytestmark = pytest.mark.once

LONG = 400
"""Lines past which a module says in its docstring why it is that long."""
MEDIAN = 150


def known_to(path: Path, modules: dict[str, Path]) -> set[str]:
    """Return those of these modules that a file imports, wherever in it and for its types as well."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= whole & modules.keys() or {str(node.module)}
    return names & modules.keys()


def length(path: Path) -> int:
    """Return how many lines a file has."""
    return len(path.read_text(encoding="utf-8").splitlines())


def test_a_long_module_gives_its_reason() -> None:
    """Its docstring says "more than 400 lines", and why."""
    docstrings = {
        path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in MODULES
        if length(path) > LONG
    }
    silent = [path.name for path, words in docstrings.items() if f"ore than {LONG} lines:" not in words]
    assert [] == silent


def test_most_modules_are_small() -> None:
    """Half of them have at most 150 lines."""
    assert statistics.median(map(length, MODULES)) <= MEDIAN


def test_no_modules_import_each_other_in_a_circle() -> None:
    """There is an order in which each module of the core, and of a plugin, names only those before it."""
    modules = {
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__"): path
        for source in (CORE.parent, *PLUGINS)
        for path in MODULES
        if path.is_relative_to(source)
    }
    order = TopologicalSorter({name: known_to(path, modules) - {name} for name, path in modules.items()})
    assert set(modules) == set(order.static_order())


def test_each_module_of_the_gateway_has_a_floor() -> None:
    """The order of imports names all of its modules, which lint-imports sees to where a package is one floor."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    floors = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    modules = {path.stem for path in (CORE / "gateway").iterdir()} - {"__init__", "__pycache__"}
    assert {f"gateway.{name}" for name in modules} == {
        name for floor in floors for name in floor.split(" | ") if name.startswith("gateway.")
    }
