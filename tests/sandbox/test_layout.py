"""The sandbox's modules: none imports another in a circle."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import devinotify.sandbox

FOLDER = Path(devinotify.sandbox.__path__[0])
PACKAGE = "devinotify.sandbox"


def imported(path: Path) -> set[str]:
    """Return the names of the sandbox's modules that a file imports, for type checkers alone too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith(PACKAGE + "."):
            names.add(str(node.module).removeprefix(PACKAGE + "."))
    return names


def test_no_modules_import_each_other_in_a_circle() -> None:
    """There is an order in which each module knows only those before it."""
    graph = {path.stem: imported(path) for path in FOLDER.glob("*.py") if path.stem != "__init__"}
    order = list(TopologicalSorter(graph).static_order())
    assert set(graph) == set(order)
