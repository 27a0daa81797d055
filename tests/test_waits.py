"""Every wait in a test has an end of its own, so that what hangs is named where it hangs, long before ten minutes."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
FOLDERS = [ROOT / "tests", *ROOT.glob("plugins/*/tests")]
BENCHMARKS = "benchmarks"
"""Figures are measured for as long as they take."""

WAITS = {"communicate", "join", "wait"}
"""Of a process, a thread, an event and a barrier: endless where they are not told when to end."""
RUNS = {"call", "check_call", "check_output", "run"}
"""What of ``subprocess`` waits for a process."""
MAY_WAIT = re.compile(r"\bsubprocess\b|\.(?:communicate|wait)\(|\.join\(\s*\)")
"""What stands in the source of each of them, as it is formatted: to parse a source takes longer than all else here."""


def is_endless(call: ast.Call) -> bool:
    """Return whether a call waits for as long as it takes."""
    function = call.func
    if not isinstance(function, ast.Attribute) or any(word.arg in {"timeout", None} for word in call.keywords):
        return False
    if function.attr in RUNS:
        return isinstance(function.value, ast.Name) and function.value.id == "subprocess"
    return function.attr in WAITS and (not call.args or function.attr == "communicate")


def endless(source: str) -> Iterator[int]:
    """Yield the lines of waits without an end; what an event loop awaits is ended by whoever runs the loop."""
    if MAY_WAIT.search(source) is None:
        return
    awaited = set()
    for node in ast.walk(ast.parse(source)):  # whoever awaits a call is walked before it
        if isinstance(node, ast.Await):
            awaited.add(id(node.value))
        elif isinstance(node, ast.Call) and id(node) not in awaited and is_endless(node):
            yield node.lineno


@table(
    "line, expected",
    [
        ("thread.join()", [1]),
        ("event.wait()", [1]),
        ("process.communicate('')", [1]),
        ("subprocess.run(command)", [1]),
        ("subprocess.run(command, timeout=60)", []),
        ("process.communicate(timeout=60)", []),
        ("event.wait(60)", []),
        ("', '.join(words)", []),
        ("async def wait(event): await event.wait()", []),
    ],
)
def test_a_wait_without_an_end_is_found(line: str, expected: list[int]) -> None:
    """By what it is called and what it is told."""
    assert expected == list(endless(line))


def test_every_wait_has_an_end() -> None:
    """In the tests of the core and of every plugin."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in FOLDERS
        for path in sorted(folder.rglob("*.py"))
        if BENCHMARKS not in path.parts
        for line in endless(path.read_text("utf-8"))
    ]
    assert [] == found
