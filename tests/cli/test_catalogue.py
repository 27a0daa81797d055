"""The catalogue says everything in Russian that the command line says, and its help holds no English of ours."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from devinotify.cli.app import COMMANDS, cli
from devinotify.translation import DOMAIN, FOLDER
from tests.cli import catalogue
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Message

    from tests.cli.conftest import Run

pytestmark = pytest.mark.once

HINT = "run: python -m tests.cli.catalogue, and translate what it names"

TELLING = {"say", "write", "fail", "_fail", "agreed", "prompt", "UsageError", "ClickException", "BadParameter"}
"""What the command line speaks to people by."""

_FIELD = re.compile(r"\{(\w+)(?:![rs])?(?::[^}]*)?\}")
_ENGLISH_ALONE = {"noun", "possibility", "possibilities", "choice", "choices", "nargs"}
"""Fields that only one of the plurals has, or that a language may have no use for."""
_COMMAND = re.compile(r"\bdevinotify(?: [a-z]+)*|`[^`]+`|\S*[-_./:=<>\\{}|@]\S*|[A-Z]{2,}\S*")
_ENGLISH = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}\b")


SOURCES = catalogue.sources()


of_each = table("source", SOURCES, ids=[source.po.stem for source in SOURCES])
"""Ours, and those of the plugins that are here, in one process: each would read all of ours anew."""


def _messages(source: catalogue.Source) -> list[Message]:
    """Return the messages of the catalogue as it is."""
    return [message for message in catalogue.read(source) if message.id]


def _keys(messages: list[Message]) -> set[tuple[object, str | None]]:
    return {(message.id, message.context) for message in messages}


@of_each
def test_everything_that_is_said_is_in_the_catalogue(source: catalogue.Source) -> None:
    """Neither is anything in it that is not said any more."""
    assert _keys(_messages(source)) == _keys([each for each in catalogue.wanted(source) if each.id]), HINT


@of_each
def test_everything_is_translated(source: catalogue.Source) -> None:
    """Each of the three plurals too, and nobody has only guessed."""
    untold = [
        message.id
        for message in _messages(source)
        if message.fuzzy
        or not all(strings := catalogue._strings(message.string))
        or len(strings) != (3 if message.pluralizable else 1)
    ]
    assert ([], False) == (untold, "#~" in source.po.read_text("utf-8")), HINT


def _fields(*texts: str) -> set[str]:
    return {name for text in texts for name in _FIELD.findall(text)} - _ENGLISH_ALONE


@of_each
def test_translations_put_in_what_the_original_does(source: catalogue.Source) -> None:
    """No field is lost on the way, and none invented; click tells more than it has to."""
    wrong = [
        message.id
        for message in _messages(source)
        for text in catalogue._strings(message.string)
        if (lost := _fields(*catalogue._strings(message.id)) ^ _fields(text))
        and not (lost == {"name"} and [place for place, _ in message.locations] == ["click"])
    ]
    assert [] == wrong


@of_each
def test_the_compiled_catalogue_is_that_one(source: catalogue.Source) -> None:
    """What is shipped says what the source says."""
    assert catalogue.compiled(catalogue.read(source)) == source.mo.read_bytes(), HINT


def test_gettext_reads_it() -> None:
    """Whoever compiled it."""
    assert "Отправить?" == gettext.translation(DOMAIN, FOLDER, ["ru"]).gettext("Send?")


@pytest.mark.skipif(not catalogue.PLUGINS.is_dir(), reason="a source distribution of the core has no plugins")
def test_each_plugin_with_a_command_has_a_catalogue() -> None:
    """Or its command would speak English to everybody."""
    modules = (path for path in catalogue.PLUGINS.glob("*/src/*/*.py"))
    commanding = {path.parent for path in modules if "def devinotify_register_commands" in path.read_text("utf-8")}
    assert set() == commanding - set(catalogue.plugins())


def _commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    for name, further in getattr(command, "commands", {}).items():
        yield from _commands(further, (*path, name))


def _all() -> list[tuple[str, ...]]:
    context = click.Context(cli)
    found = [(name, cli.get_command(context, name)) for name in COMMANDS]
    return [(), *(path for name, command in found if command is not None for path in _commands(command, (name,)))]


def test_no_help_holds_an_english_sentence(run: Run) -> None:
    """Of none of our commands: what is left in Latin letters is what people type."""
    english = {}
    for path in _all():
        text = run(*path, "--help", "--lang", "ru").output
        ours = text.partition("Команды:")[0] if not path else text  # plugins' commands are listed behind ours
        found = _ENGLISH.findall(_COMMAND.sub(".", ours))
        if found or not text.startswith("Использование:"):
            english[path] = found
    assert {} == english


def test_nothing_is_said_that_cannot_be_translated() -> None:
    """Every text that a command says or fails with is marked; what goes to machines is not."""
    unmarked = []
    for path in sorted((catalogue.SOURCES / "cli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and catalogue._called(node.func) in TELLING and node.args:
                unmarked += [f"{_where(path)}:{node.lineno}: {words}" for words in _words(node.args[0])]
    assert [] == unmarked, "mark it by _() or ngettext() of devinotify.translation"


def _where(path: Path) -> str:
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name


def _words(node: ast.expr) -> Iterator[str]:
    """Yield the sentences in a value that stand outside of any call."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", node.value):
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        text = " ".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        if re.search(r"[A-Za-z]{2,}", text.replace("export DEVINOTIFY_URL", "")):
            yield text
    elif isinstance(node, ast.BinOp):
        yield from _words(node.left)
        yield from _words(node.right)
    elif isinstance(node, ast.IfExp):
        yield from _words(node.body)
        yield from _words(node.orelse)
