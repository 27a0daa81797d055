"""The pure modules: values in, values out, and no way to a socket, a clock, a file or a log."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import devinotify
from tests.tables import table

pytestmark = pytest.mark.once

ROOT = Path(str(devinotify.__file__)).parent

GATEWAY = ("calls", "checks", "codes", "conversation", "http1", "replies", "wire")
PURE = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in (
        *(
            "redact.py",
            "exceptions.py",
            "accepted.py",
            "models.py",
            "retry.py",
            "instants.py",
            "durations.py",
            "hosts.py",
            "limits.py",
            "words.py",
            "spreadsheet.py",
            "config/document.py",
            "url.py",
            "phones/*.py",
            "text/*.py",
        ),
        *(f"gateway/{name}.py" for name in GATEWAY),
        *("channels/batch.py", "channels/compose.py", "channels/answers.py", "delivery/policy.py", "delivery/story.py"),
        "delivery/cursor.py",
        "delivery/allotment.py",
        "plugins/rules.py",
        *(f"outbox/{name}.py" for name in ("states", "records", "rules", "settlement", "store", "room")),
        *(
            f"outbox/{name}.py"
            for name in (
                "arguments",
                "lookups",
                "intake",
                "claims",
                "admin",
                "bounds",
                "buckets",
                "paging",
                "pace",
                "booking",
            )
        ),
        *(
            "outbox/encoding.py",
            "outbox/postgres/schema.py",
            "outbox/postgres/functions.py",
            "outbox/postgres/routines.py",
            "outbox/postgres/steps.py",
            "outbox/postgres/standing.py",
            "outbox/postgres/location.py",
        ),
    )
    for path in ROOT.glob(pattern)
)

ALLOWED = {
    *(
        "__future__",
        "abc",
        "bisect",
        "codecs",
        "collections",
        "contextlib",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
    ),
    *(
        "enum",
        "functools",
        "hashlib",
        "html",
        "importlib",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "string",
        "sys",
        "tomllib",
        "types",
    ),
    *("types", "typing", "unicodedata", "urllib.parse", "zlib"),
}
"""Modules of the standard library that only compute. Anything else has to be argued for here."""

DOORS = {
    "url.py": {"devinotify.credentials", "devinotify.config.profiles"},
    "outbox/postgres/routines.py": {"devinotify.outbox.postgres.accounts"},
    "outbox/postgres/steps.py": {"devinotify.outbox.postgres.accounts"},
}
"""What a pure module asks of one that is not: a URL, for the password that it leaves out, or for a profile's;
SQL, for a search's terms."""

IMPURE_CALLS = {
    "open",
    "print",
    "input",
    "__import__",
    "now",
    "utcnow",
    "today",
    "getenv",
    "breakpoint",
}


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Return all that a file consists of."""
    return [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the names of the modules that a file imports at run time, wherever in it the import stands."""
    for_checkers = {
        inner
        for node in nodes(path)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    names: set[str] = set()
    for node in nodes(path):
        if node in for_checkers:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            names.add(str(node.module))
            if node.module == "devinotify" or str(node.module).startswith("devinotify."):
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def is_ours(name: str) -> bool:
    """Whether a module belongs to the package."""
    return name == "devinotify" or name.startswith("devinotify.")


def test_every_pure_module_is_looked_at() -> None:
    """The patterns find the modules that the design calls pure."""
    singles = {
        "redact.py",
        "exceptions.py",
        "models.py",
        "retry.py",
        "words.py",
        "url.py",
        "phones/__init__.py",
        "text/__init__.py",
    }
    assert singles | {f"gateway/{name}.py" for name in GATEWAY} <= set(PURE)


@table("module", PURE)
def test_a_pure_module_imports_no_io(module: str) -> None:
    """A pure module imports nothing but computation; phones may use phonenumbers."""
    allowed = ALLOWED | ({"phonenumbers"} if module.startswith("phones/") else set())
    foreign = {name for name in imported(ROOT / module) if not is_ours(name)}
    assert {name for name in foreign if name not in allowed and name.partition(".")[0] not in allowed} == set()


@table("module", PURE)
def test_a_pure_module_imports_only_pure_modules(module: str) -> None:
    """What a pure module takes from the package is pure itself."""
    pure = {"devinotify." + name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in PURE}
    packages = {"devinotify", "devinotify.gateway"}  # their __init__ modules hold no code that runs
    ours = {name for name in imported(ROOT / module) if is_ours(name)}
    pure |= DOORS.get(module, set())
    strange = {name for name in ours if name not in pure | packages and name.rpartition(".")[0] not in pure}
    assert strange == set()


@table("module", PURE)
def test_a_pure_module_calls_nothing_impure(module: str) -> None:
    """A pure module reads no clock and opens no file by a builtin or a method either."""
    called = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in nodes(ROOT / module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    assert called & IMPURE_CALLS == set()


@table("module", PURE)
def test_a_pure_module_reaches_no_io_through_sys(module: str) -> None:
    """Where ``sys`` is used, it is for figures and not for its streams."""
    used = {
        node.attr
        for node in nodes(ROOT / module)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys"
    }
    assert used & {"stdin", "stdout", "stderr", "argv", "modules", "path"} == set()


def test_databases_are_the_drivers_affair() -> None:
    """SQL is spoken where a store is written, and in the sandbox's archive; nowhere else is a driver imported."""
    drivers = {"sqlite3", "psycopg"}
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        # Most name none, and need not be parsed.
        if any(driver in path.read_text("utf-8") for driver in drivers)
        if {name.partition(".")[0] for name in imported(path)} & drivers
    }
    assert {path for path in found if not path.startswith(("outbox/sqlite/", "outbox/postgres/"))} == {
        "sandbox/archive.py"
    }
