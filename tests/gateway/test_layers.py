"""Who knows whom in the gateway, in no circle, not even for types; and which packages of others are known where."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import devinotify

if TYPE_CHECKING:
    from collections.abc import Mapping

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


BROUGHT: Mapping[str, str] = {
    "bulk": "bulk",
    "cli": "cli",
    "outbox/postgres": "postgres",
    "passwords.py": "keyring",
    "sandbox": "sandbox",
    "text": "text",
}
"""Room, or a module alone -> the extra that it needs; the others need none."""


@cache
def declared(extra: str) -> set[str]:
    """Return the packages that an extra installs, by the names that they are imported by; "" is for no extra."""
    found = [each.partition(";") for each in requires("devinotify") or ()]
    return {
        re.split(r"[^\w-]", name)[0].replace("-", "_")
        for name, _, condition in found
        if extra == "".join(re.findall(r"extra == '([\w-]+)'", condition.replace('"', "'")))
    }


@cache
def imported(path: Path) -> tuple[set[str], set[str]]:
    """Return the packages of others that a file imports when it runs, and those that it imports for its types alone."""
    found: tuple[set[str], set[str]] = (set(), set())
    left: list[tuple[ast.AST, bool]] = [(ast.parse(path.read_text(encoding="utf-8")), False)]
    while left:
        node, for_types = left.pop()
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
        found[for_types].update({name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"devinotify"})
        for_types = for_types or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        left += [
            (each, for_types)
            for each in ast.iter_child_nodes(node)
            if isinstance(each, ast.stmt | ast.excepthandler | ast.match_case)
        ]
    return found


@pytest.mark.once
def test_what_is_imported_is_declared() -> None:
    """A library that comes with another today may not tomorrow, nor one of an extra that its user does not need."""
    stray: set[tuple[str, str]] = set()
    anywhere = set().union(*map(declared, ("", *BROUGHT.values())))
    for path in ROOT.rglob("*.py"):
        place = path.relative_to(ROOT).as_posix()
        extra = next((extra for room, extra in BROUGHT.items() if place == room or place.startswith(f"{room}/")), "")
        here = declared("") | declared(extra)
        if place.startswith("testing/"):
            here |= {"pytest"}  # which loads it
        for_work, for_types = imported(path)
        stray |= {(place, name) for name in (for_work - here) | (for_types - here - anywhere)}
    assert set() == stray


def test_what_is_declared_is_imported() -> None:
    """Nothing is installed for nothing: what is not imported here has its reason."""
    found = {name for path in ROOT.rglob("*.py") for name in imported(path)[0]}
    # tzdata is data, and anyascii is handed to us by whoever wants it.
    assert {"tzdata", "anyascii"} == set().union(*map(declared, ("", *BROUGHT.values()))) - found


def test_models_know_nothing_of_the_gateway() -> None:
    """Values stand below what makes them."""
    assert [] == [name for name in known_to(ROOT / "models.py") if ".gateway" in name]
