"""Who knows whom in the gateway: no two modules import each other in a circle, not even for their types."""

from __future__ import annotations

import ast
import re
import sys
from graphlib import TopologicalSorter
from importlib.metadata import requires
from pathlib import Path

import devinotify

ROOT = Path(str(devinotify.__file__)).parent
MODULES = {
    "devinotify." + path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
    for pattern in ("gateway/**/*.py", "models.py", "exceptions.py", "redact.py", "retry.py", "url.py")
    for path in ROOT.glob(pattern)
}


def known_to(path: Path) -> set[str]:
    """Return the modules of these that a file imports, for its types as well."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    # The package's own __init__ holds no code.
    return names & MODULES.keys() - {"devinotify.gateway"}


def test_no_modules_know_each_other_in_a_circle() -> None:
    """There is an order in which each module can be read after all that it names."""
    order = list(TopologicalSorter({name: known_to(path) for name, path in MODULES.items()}).static_order())
    assert set(MODULES) == {*order, "devinotify.gateway"}


def test_what_is_imported_is_declared() -> None:
    """A library that comes with another today may not tomorrow."""
    declared = {re.split(r"[^\w-]", each)[0] for each in requires("devinotify") or () if "extra ==" not in each}
    imported = {
        name.partition(".")[0]
        for path in MODULES.values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) - {"devinotify"} <= declared


def test_models_know_nothing_of_the_gateway() -> None:
    """Values stand below what makes them."""
    assert [] == [name for name in known_to(ROOT / "models.py") if ".gateway" in name]
