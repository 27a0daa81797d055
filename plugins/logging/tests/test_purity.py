"""The rules are pure: they see no clock, socket, file, environment or log."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import devinotify_logging

SOURCE = Path(str(devinotify_logging.__file__)).parent
PURE = (
    *("dedupe", "failures", "masking", "quota", "records", "rendered", "rendering", "settings", "storm"),
    "tracebacks",
)
ALLOWED = {
    "__future__",
    "collections",
    "dataclasses",
    "datetime",
    "devinotify",
    "devinotify_logging",
    "functools",
    "json",
    "re",
    "sys",
    "types",
    "typing",
}


def imports(tree: ast.Module) -> set[str]:
    """Return the top-level packages that a module imports when it is run."""
    guarded = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if node in guarded:
            continue
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module).split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


@pytest.mark.parametrize("name", PURE)
def test_imports_no_io(name: str) -> None:
    """A pure module imports nothing that could reach outside."""
    assert set() == imports(ast.parse((SOURCE / f"{name}.py").read_text("utf-8"))) - ALLOWED


def test_pure_modules_import_each_other_only() -> None:
    """No pure module imports one of the others."""
    for name in PURE:
        for line in (SOURCE / f"{name}.py").read_text("utf-8").splitlines():
            if line.startswith("from devinotify_logging."):
                assert line.split()[1].removeprefix("devinotify_logging.") in PURE
