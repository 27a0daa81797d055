"""The specifications document themselves, and every hook is in the reference and in the tests."""

from __future__ import annotations

import ast
import functools
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import hookspecs
from devinotify.plugins import PluginManager
from tests.docs import hook_reference
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).parent
HOOKS = hook_reference.hooks()
KINDS = {
    "devinotify_register_channels": "all",
    "devinotify_resolve_recipient": "first result",
    "devinotify_normalize_phone": "first result",
    "devinotify_estimate_segments": "first result",
    "devinotify_map_error": "first result",
    "devinotify_prepare_message": "first result with wrappers",
    "devinotify_fit_window": "first result",
    "devinotify_screen_recipients": "all",
    "devinotify_send_message": "first result with wrappers",
    "devinotify_outcome_recorded": "observer",
    "devinotify_status_changed": "observer",
    "devinotify_message_received": "observer",
    "devinotify_limit_neared": "observer",
    "devinotify_register_commands": "all",
}
"""The table of the design."""

each_hook = table("name", HOOKS)


def options_of(name: str) -> dict[str, Any]:
    """Return what the marker has noted on a specification."""
    found = PluginManager().parse_hookspec_opts(hookspecs, name)
    assert found is not None
    return dict(found)


def documentation(specification: Callable[..., object]) -> str:
    """Return a specification's docstring without its indentation."""
    return inspect.getdoc(specification) or ""


def test_the_hooks_are_the_designs() -> None:
    """There are these fourteen hooks and no other."""
    assert set(KINDS) == set(HOOKS)


@each_hook
def test_kind(name: str) -> None:
    """A specification's documentation names the kind that the design gives it."""
    assert KINDS[name] == hook_reference.kind(HOOKS[name])


@each_hook
def test_first_result(name: str) -> None:
    """What is said to stop at the first result does."""
    assert KINDS[name].startswith("first result") == options_of(name)["firstresult"]


@each_hook
def test_says_when_it_is_called(name: str) -> None:
    """A specification says when it is called."""
    assert any(line.startswith("Called ") for line in documentation(HOOKS[name]).splitlines())


@each_hook
def test_says_what_to_return(name: str) -> None:
    """A specification says what to return."""
    assert "eturn " in documentation(HOOKS[name])


@each_hook
def test_has_an_example(name: str) -> None:
    """A specification ends in an example, a literal block that is valid Python and implements it."""
    _, _, block = documentation(HOOKS[name]).partition("Example::\n\n")
    tree = ast.parse(inspect.cleandoc(block))
    implemented = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [name] == implemented


@each_hook
def test_the_example_takes_only_arguments_that_there_are(name: str) -> None:
    """An example's arguments are some of the specification's."""
    _, _, block = documentation(HOOKS[name]).partition("Example::\n\n")
    (function,) = [node for node in ast.walk(ast.parse(inspect.cleandoc(block))) if isinstance(node, ast.FunctionDef)]
    assert {argument.arg for argument in function.args.args} <= set(inspect.signature(HOOKS[name]).parameters)


@each_hook
def test_is_typed(name: str) -> None:
    """Every argument and the answer have a type."""
    signature = inspect.signature(HOOKS[name])
    annotations = [parameter.annotation for parameter in signature.parameters.values()]
    assert inspect.Signature.empty not in [*annotations, signature.return_annotation]


@each_hook
def test_has_no_body(name: str) -> None:
    """A specification is its documentation: a call of it answers nothing."""
    specification = HOOKS[name]
    assert specification(*(None for _ in inspect.signature(specification).parameters)) is None


@functools.cache
def names_of_tests() -> frozenset[str]:
    """The names of all tests here, read once: to parse every file costs two seconds."""
    return frozenset(
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    )


@pytest.mark.once
@each_hook
def test_is_tested(name: str) -> None:
    """A test is named after every hook; one without fails here."""
    wanted = f"test_{name.removeprefix('devinotify_')}"
    found = [test for test in names_of_tests() if test == wanted or test.startswith(f"{wanted}_")]
    assert found


def test_the_reference_has_the_table() -> None:
    """The table of hooks is the one that the specifications give: ``python -m tests.docs.hook_reference``."""
    page = (TESTS.parent / "docs" / "reference" / "hooks.md").read_text("utf-8")
    begin, end = page.index(hook_reference.BEGIN), page.index(hook_reference.END)
    assert hook_reference.markdown() == page[begin : end + len(hook_reference.END)]


def test_a_docstring_without_a_kind_is_found() -> None:
    """The generator refuses a specification that does not say what kind it is."""

    def devinotify_new() -> None:
        """Do something new."""

    with pytest.raises(ValueError, match="devinotify_new"):
        hook_reference.kind(devinotify_new)
