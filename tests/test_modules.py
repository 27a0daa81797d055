"""The modules of the core and of the plugins: small ones, and a reason where one is not."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

import pytest

import devinotify

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    path
    for package in (Path(str(devinotify.__file__)).parent, *ROOT.glob("plugins/*/src"))
    for path in package.rglob("*.py")
)

pytestmark = pytest.mark.once

LONG = 400
"""Lines past which a module says in its docstring why it is that long."""
MEDIAN = 150


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
