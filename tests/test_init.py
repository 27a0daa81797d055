"""The façade: the public names, where they come from, and what importing it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import devinotify
from tests.tables import table

PUBLIC_NAMES = [
    "ArgumentMissing",
    "AsyncClient",
    "AsyncNotifier",
    "Attempt",
    "Backoff",
    "BulkReceipt",
    "Channel",
    "Client",
    "DeliveryStatus",
    "DevinoURL",
    "DevinotifyError",
    "Enqueued",
    "Fallback",
    "Forbidden",
    "GatewayError",
    "GatewayFailure",
    "IncomingSms",
    "InternalServerError",
    "InvalidArgument",
    "InvalidInput",
    "InvalidOperation",
    "InvalidPhoneNumber",
    "InvalidSchedule",
    "InvalidSender",
    "InvalidSession",
    "InvalidText",
    "InvalidURL",
    "Limit",
    "LimitExceeded",
    "LimitUsage",
    "Message",
    "NotEnoughCredits",
    "NotSent",
    "Notifier",
    "Outbox",
    "Outcome",
    "OutcomeUnknown",
    "PhoneNumber",
    "PluginError",
    "Pool",
    "Receipt",
    "ReplyPoster",
    "RowState",
    "SmsState",
    "SmsStatistics",
    "Suppressed",
    "TransportError",
    "Unauthorized",
    "UnexpectedResponse",
    "Verdict",
    "ViberRejected",
    "ViberState",
    "Worker",
    "hookimpl",
    "hookspec",
    "is_loopback",
    "make_plugin_manager",
    "mask_number",
    "parse_duration",
    "phones",
    "text",
]

NAMED_BY_THE_DESIGN = {
    *("Client", "AsyncClient", "Notifier", "AsyncNotifier", "phones", "text", "Receipt", "BulkReceipt"),
    *("SmsState", "ViberState", "DeliveryStatus"),
    *("Outcome", "Attempt", "Verdict", "Message", "hookimpl", "hookspec", "Outbox", "DevinotifyError", "InvalidInput"),
    *("InvalidPhoneNumber", "InvalidSender", "InvalidText", "InvalidSchedule", "InvalidURL", "GatewayError"),
    *("ArgumentMissing", "InvalidArgument", "InvalidSession", "Unauthorized", "NotEnoughCredits", "InvalidOperation"),
    *("Forbidden", "GatewayFailure", "InternalServerError", "ViberRejected", "UnexpectedResponse", "TransportError"),
    *("NotSent", "OutcomeUnknown", "PluginError", "Suppressed", "Worker", "Fallback", "mask_number"),
    "make_plugin_manager",
}

HEAVY = (
    *(
        "requests",
        "urllib3",
        "phonenumbers",
        "pluggy",
        "json",
        "ssl",
        "socket",
        "http",
        "psycopg",
        "sqlite3",
        "decimal",
        "logging",
    ),
    *(
        "asyncio",
        "click",
        "rich",
        "starlette",
        "uvicorn",
        "dataclasses",
        "datetime",
        "urllib",
        "threading",
        "random",
        "inspect",
    ),
)


def module_tree() -> ast.Module:
    """Return the source of the façade as a tree."""
    return ast.parse(Path(str(devinotify.__file__)).read_text(encoding="utf-8"))


def homes() -> dict[str, str]:
    """Return the table of homes as the source holds it."""
    [table] = [
        node.value
        for node in module_tree().body
        if isinstance(node, ast.Assign | ast.AnnAssign) and "_HOMES" in ast.unparse(node).split("=")[0]
    ]
    assert table is not None
    found: dict[str, str] = ast.literal_eval(table)
    return found


def imports_for_type_checkers() -> dict[str, str]:
    """Return the names that the TYPE_CHECKING block imports and the module each comes from."""
    [block] = [node for node in module_tree().body if isinstance(node, ast.If)]
    return {
        alias.asname or alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (node.module or "").startswith("devinotify")
    }


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter loads for ``statement``, beyond what it starts with."""
    script = f"import sys; before = set(sys.modules)\n{statement}\nprint(*(set(sys.modules) - before))"
    run = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{script}"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_the_public_names_are_pinned() -> None:
    """The public names are exactly these, in this order; a change here is a change for users."""
    assert PUBLIC_NAMES == devinotify.__all__


def test_every_name_of_the_design_is_public() -> None:
    """No name that the design fixes is missing."""
    assert NAMED_BY_THE_DESIGN - set(devinotify.__all__) == set()


@table("name", PUBLIC_NAMES)
def test_a_public_name_resolves(name: str) -> None:
    """Each public name gives the object that its home defines."""
    module = import_module(f"devinotify.{homes()[name]}")
    assert getattr(devinotify, name) is (module if homes()[name] == name else getattr(module, name))


def test_the_table_holds_the_public_names() -> None:
    """The table of homes and the list of public names are the same names in the same order."""
    assert list(homes()) == PUBLIC_NAMES


def test_type_checkers_see_the_public_names() -> None:
    """The imports for type checkers are the public names and nothing else."""
    assert sorted(imports_for_type_checkers()) == sorted(PUBLIC_NAMES)


def test_type_checkers_are_told_the_same_homes() -> None:
    """Each name is imported for type checkers from the module that it is loaded from."""
    expected = {name: "devinotify" if home == name else f"devinotify.{home}" for name, home in homes().items()}
    assert expected == imports_for_type_checkers()


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Asking for a name that does not exist fails as for any module."""
    with pytest.raises(AttributeError, match="module 'devinotify' has no attribute 'Klient'"):
        _ = devinotify.Klient


def test_dir_lists_the_public_names() -> None:
    """Completion in a shell offers every public name before it is loaded."""
    assert set(PUBLIC_NAMES) - set(dir(devinotify)) == set()


def test_importing_loads_nothing_heavy() -> None:
    """Importing the package alone loads none of its dependencies and no slow module of the standard library."""
    assert loaded_by("import devinotify") & set(HEAVY) == set()


def test_importing_loads_the_facade_alone() -> None:
    """Importing the package loads no other module of it."""
    statement = "import devinotify; assert [m for m in sys.modules if m.startswith('devinotify.')] == []"
    assert "devinotify" in loaded_by(statement)


def test_the_errors_load_without_the_client() -> None:
    """Who only names the errors pays for no HTTP library and no phone metadata."""
    assert (
        loaded_by("from devinotify import DevinotifyError, Verdict") & {"requests", "urllib3", "phonenumbers"} == set()
    )


def test_an_outbox_loads_without_what_it_may_do_without() -> None:
    """Who enqueues by an outbox alone pays for no HTTP library, no reading of numbers and no driver of PostgreSQL."""
    statement = "import devinotify.outbox; assert 'devinotify.phones' not in sys.modules"
    assert loaded_by(statement) & {"requests", "urllib3", "phonenumbers", "psycopg"} == set()


def test_a_notifier_loads_no_database_that_it_has_no_use_for() -> None:
    """One that stores nothing pays for no SQLite."""
    statement = "from devinotify import Notifier; Notifier('devino://a:b@SENDER').close()"
    assert loaded_by(statement) & {"sqlite3", "psycopg"} == set()


def test_the_package_says_that_it_is_typed() -> None:
    """The marker that makes type checkers read our annotations is part of the package."""
    assert (Path(str(devinotify.__file__)).parent / "py.typed").is_file()
