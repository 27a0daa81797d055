"""The package as others see it: its names, its purity, what importing it costs."""

from __future__ import annotations

import ast
import graphlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from devinotify import text
from tests.tables import table

NAMES = [
    *("STANDARD", "STEPS", "Blocker", "Conversion", "Encoding", "Segment", "SegmentLimits", "Segmentation", "Step"),
    *("accents", "check", "check_length", "check_sendable", "compatibility", "compose", "convert"),
    *("count_segments", "cyrillic", "decode", "encode", "estimate_cost", "fit", "greek", "is_gsm7", "segment"),
    *("sendable", "to_gsm7", "typography"),
]
MODULES = [
    *("alphabet", "checks", "cleaning", "conversion", "cost", "fitting", "graphemes", "icao", "letters", "limits"),
    *("numerals", "parts", "segments", "signs", "steps"),
]
IMPURE = {"socket", "ssl", "logging", "random", "pathlib", "subprocess", "requests", "regex", "anyascii", "tempfile"}


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after ``statement``, without those it starts with."""
    script = f"import sys; before = set(sys.modules)\n{statement}\nprint(*set(sys.modules) - before)"
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{script}"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split())


def test_the_public_names_are_these() -> None:
    """A name that comes or goes is a decision."""
    assert (NAMES, sorted(NAMES)) == (text.__all__, dir(text))


@table("name", NAMES)
def test_every_public_name_is_found(name: str) -> None:
    """Also after a module of the package was imported by its own name."""
    importlib.import_module("devinotify.text.segments")
    assert getattr(text, name) is not None


def test_another_name_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="segmentise"):
        _ = text.segmentise  # type: ignore[attr-defined]


def test_no_public_name_is_hidden_by_a_module() -> None:
    """A module of the same name would take its place once imported."""
    assert set() == set(NAMES) & set(MODULES)


@table("module", MODULES)
def test_every_module_is_pure(module: str) -> None:
    """No socket, clock, file, environment or log is imported."""
    assert set() == loaded_by(f"import devinotify.text.{module}") & IMPURE


def test_counting_loads_no_table_of_conversion() -> None:
    """What only counts segments does not pay for the rest."""
    loaded = loaded_by("from devinotify import text; text.count_segments('мир')")
    assert set() == loaded & {"unicodedata", "decimal", "devinotify.text.steps", "devinotify.text.fitting"}


def test_no_two_modules_import_each_other() -> None:
    """Not even for the type checker, nor inside a function: each can be read before those that use it."""
    package = Path(text.__file__).parent
    imports = {path.stem: imported(path) for path in package.glob("*.py") if path.stem != "__init__"}
    order = list(graphlib.TopologicalSorter(imports).static_order())
    assert sorted(MODULES) == sorted(order)


def imported(path: Path) -> set[str]:
    """The modules of this package that a file imports, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("devinotify.text"):
            module = (node.module or "").removeprefix("devinotify.text").removeprefix(".")
            found |= {module} if module else {name.name for name in node.names}
    return found
