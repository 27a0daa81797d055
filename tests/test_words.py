"""Plain English: one thing and many, and sentences that say what is not so as people do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import devinotify
from devinotify.words import counted, meant
from tests.tables import table

ROOT = Path(str(devinotify.__file__)).parent
ODD = re.compile(r"(?<![Tt]here )\b(is|are|was|were) no (?!longer|more|further|matter)")


@table(
    "number, words, expected",
    [
        (1, ("row",), "1 row"),
        (0, ("row",), "0 rows"),
        (2, ("row",), "2 rows"),
        (1, ("row is", "rows are"), "1 row is"),
        (21, ("row is", "rows are"), "21 rows are"),
        (20_000, ("row",), "20,000 rows"),
    ],
)
def test_one_and_many(number: int, words: tuple[str, ...], expected: str) -> None:
    """The noun, and the verb with it, goes with the number."""
    assert expected == counted(number, *words)


@table(
    "given, most, expected",
    [("smz", 1, "did you mean sms?"), ("sms-vibe", 2, "did you mean sms-viber or viber?"), ("pigeon", 1, "")],
)
def test_what_was_meant(given: str, most: int, expected: str) -> None:
    """The nearest names there are, as a question; nothing where none is near."""
    assert expected == meant(given, ("sms", "viber", "sms-viber"), most)


@pytest.mark.once
def test_nobody_is_told_that_something_is_no_thing() -> None:
    """It is "not a file", never "no file": in every text of the package, docstrings among them."""
    found = [
        f"{path.relative_to(ROOT)}: {node.value[max(odd.start() - 20, 0) : odd.end() + 20]!r}"
        for path in sorted(ROOT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for odd in [ODD.search(node.value)]
        if odd is not None
    ]
    assert [] == found
