"""The catalogue of what the command line says in Russian: ``python -m tests.cli.catalogue`` brings it up to date.

It collects what is marked (``_``, ``ngettext``, ``N_``), the help of every command, the headings of tables, the words
of states, and a pattern for each error of the library that a command may end with. What is new is added to the
``.po`` without a translation, what is gone is taken out, and the ``.mo`` is compiled. Translate what it names, and run
it again.
"""

from __future__ import annotations

import ast
import errno
import inspect
import os
import re
import struct
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import click
from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

import devinotify
from devinotify import exceptions, url
from devinotify.bulk.journal import DIFFERENCES
from devinotify.bulk.sending import ENDS
from devinotify.bulk.sorting import ROUNDED
from devinotify.bulk.table import Format
from devinotify.cli import speech
from devinotify.cli.app import COMMANDS, cli
from devinotify.cli.exits import MEANINGS
from devinotify.cli.tallies import INNER
from devinotify.config.document import NAME_RULE
from devinotify.credentials import STORED
from devinotify.delivery.reading import CAUSES
from devinotify.exceptions import Verdict
from devinotify.gateway import checks, codes, failures
from devinotify.models import DeliveryStatus, SmsStatistics
from devinotify.outbox import RowState
from devinotify.outbox.postgres import errors as troubles
from devinotify.outbox.postgres import failover
from devinotify.outbox.records import Role, describe
from devinotify.outbox.sqlite import database
from devinotify.passwords import KEYRING
from devinotify.phones.number import Kind
from devinotify.phones.refusal import WHY, Reason
from devinotify.plugins import BUILT_IN
from devinotify.plugins.manager import DISABLE_VARIABLE
from devinotify.sandbox.hosts import LOOPBACK_ONLY
from devinotify.text.steps import LAST_RESORT, STEPS
from devinotify.translation import DOMAIN, ERROR, FOLDER

SOURCES = Path(str(devinotify.__file__)).parent
PLUGINS = Path(__file__).parents[2] / "plugins"
PO = FOLDER / "ru" / "LC_MESSAGES" / f"{DOMAIN}.po"
PLURALS = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"

WIDTH = 120
LETTERS = 4
"""As many of a pattern's own, at least: what has fewer would recognise anything."""
_DATED = ('"POT-', '"PO-Rev', '"Generated-By', '"Project-Id', '"Report-', '"Last-', '"Language-Team')

MARKED = {"_": 1, "N_": 1, "ngettext": 2}
"""What marks a message -> how many of its first arguments are one."""

UNSEEN = (
    *("testing/", "sandbox/", "gateway/aio/", "plugins/", "async_notifier", "executor", "pool", "retry"),
    *("channels/protocol", "delivery/fallback", "delivery/rate_limit", "outbox/records", "outbox/settlement"),
    *("outbox/states", "outbox/memory", "outbox/arguments", "models", "text/alphabet", "text/steps", "bulk/language"),
    *("outbox/buckets", "outbox/intake", "outbox/claims", "outbox/outbox", "outbox/postgres/borrowed"),
    *("outbox/postgres/buckets", "systemd"),
)
"""Where errors are raised that a program makes, and no command line."""

ERRORS = {
    *("ClickException", "UsageError", "SetupError", "ConfigError"),  # a plugin's
    *(name for name, kind in vars(exceptions).items() if isinstance(kind, type) and issubclass(kind, Exception)),
    "_error",  # of a profile
    *("InvalidTemplate", "InDoubtError", "UnconfirmedError", "Misfit", "BadReply", "ReplyTooLarge", "ArchiveError"),
    *("_miswritten", "_NoKeyring"),
}
"""What an error of the library is raised as."""


TOLD = {
    "phones/refusal": WHY.values(),
    "url": (
        *(option.expects for option in url._OPTIONS.values()),
        *(
            f"the {part} is missing: write devino://LOGIN:PASSWORD@SENDER/TO"
            for part in ("login", "password", "sender")
        ),
        *("the login", "the password", "the sender", "a target", "a key of the query"),
    ),
    "delivery/limiting": ("the limit {limit} leaves no room before {moment}",),
    "bulk/columns": (
        # Whole, since names that are put in beside other words cannot be told apart from them.
        *(
            f"the {{noun}}s {{there}} {why}, and none is guessed: name the one with --column{{more}}"
            for why in ("speak of a telephone", "may hold the numbers", "look like numbers")
        ),
        "(--column {shown} takes the first number of each row)",
    ),
    "bulk/cells": ("a quote opens in it that does not close on the same line",),
    "bulk/sorting": (ROUNDED,),
    "bulk/appending": (
        (
            "{what} when {name} took it in, and only rows at its end may be new. What has changed goes out as a"
            " campaign of its own, without whom this one has reached: --exclude-journal leaves them out"
        ),
        "row {number} of the list is not what it was",
        "a row behind row {number} of the list is not what it was",
    ),
    "cli/mistakes": ("it goes round in a circle: {circle}", "member {place}: {reason}"),
    "files": ("its folder does not exist", *map(os.strerror, (errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENOSPC))),
    "sandbox/hosts": (LOOPBACK_ONLY,),
    "exceptions": ("the recipient has opted out",),  # as the plugin opt-out says
    "outbox/arguments": ("an account is written LOGIN@host[:port]/path",),
    "outbox/rules": ("row {id} is {state} and cannot be sent again",),
    "limits": ("{word} is not a period: give day or month", "{time} on {day} ({zone})"),
    "gateway/codes": [
        *(row.meaning for row in codes.ERRORS.values()),
        *(word.meaning for word in codes.VIBER_WORDS.values()),
    ],
    "gateway/failures": ["the connection failed", *(words for _, words in failures._REASONS)],
    "gateway/wire": (
        "{meaning} (code {code}, HTTP {status}): {description}",
        "HTTP status {status} without the documented error body",
        "code {code} under HTTP status {status}, which is not a refusal",
        "{ids} ids for {recipients} recipients",
        "no description",
    ),
    "outbox/sqlite/database": [words.replace(":.0f", "") for words, _ in database._TROUBLES.values()],
    "outbox/postgres/errors": [
        *(words for _, words, _ in troubles._TROUBLES),
        *(troubles.UNREACHABLE, troubles.UNCONFIRMED, troubles.NOT_CLAIMED, troubles.IN_DOUBT),
    ],
    "bulk/table": (
        *("with a header", "without a header", "numbers in {column}"),
        *(f"{format_.upper()} in {{encoding}}" for format_ in Format if format_ is not Format.XLSX),
    ),
    "outbox/postgres/failover": (failover.FAILED_OVER, failover.COPIED, failover.MISSED),
    "bulk/journal": (
        *DIFFERENCES.values(),
        "Where rows were added at its end, --append sends to them.",
        "it is not a campaign's journal but another file; it was left untouched",
    ),
    "bulk/report": ("the list was read from a stream",),
    "config/profiles": (
        "{mistake}; {count} further mistake; `devinotify config check` names all of them",
        "{mistake}; {count} further mistakes; `devinotify config check` names all of them",
        "`devinotify login` makes one",
        "`devinotify login` makes one, and it may be in {files}",
        "`devinotify login` makes one, and it may be in {file} or {files}",
        "the profiles are {names}",
    ),
    "config/document": (
        *("it is not TOML: {why}", "give the name of a profile", "write each profile as [profiles.NAME]"),
        *("write it as a table, [profiles.NAME]", 'write aliases as [aliases], oncall = ["+7…"]', NAME_RULE),
        "give a text that is not empty, a number, true or false",
        "give a text that is not empty, a number, true or false, or a list of them",
        "an alias is a word with a letter in it, and no comma: a number stands for itself",
        "give a list of numbers and aliases, as texts, with at least one of them",
    ),
    "words": (
        *("did you mean {name}?", "did you mean {name} or {other}?", "the keys are {names}"),
        "pip install 'devinotify[{extra}]' (in a clone of its repository: pip install '.[{extra2}]')",
        "pip install devinotify-{plugin} (in a clone of its repository: pip install ./plugins/{plugin2})",
    ),
    "passwords": (KEYRING,),
    "plugins/manager": (f"left out by {DISABLE_VARIABLE}",),
    "credentials": (
        f"{STORED}: {{file}}",
        f"{STORED}: {KEYRING}",
        "it is not UTF-8",
        "it is not the path of a file",
        "it is empty",
        "it has more than one line",
    ),
    "gateway/checks": [rules.sender_rule for rules in (checks.SMS, checks.VIBER)],
}
"""What errors are put together of, by the module that has it: a table's rows, and what stands in no call."""


class Entry(NamedTuple):
    """A message of the catalogue, where it is said, and its context and plural where it has them."""

    message: str
    place: str
    plural: str | None = None
    context: str | None = None


# Click's own words, which it looks up by itself; what another version says in other words stays English.
CLICK = (
    "Usage:",
    "Usage: ",
    "Options",
    "Commands",
    "[OPTIONS]",
    "COMMAND [ARGS]...",
    "[COMMAND] [ARGS]...",
    "Show this message and exit.",
    "Show the version and exit.",
    "default: {default}",
    "env var: {var}",
    "required",
    "(dynamic)",
    "(DEPRECATED)",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "Missing argument",
    "Missing option",
    "Missing parameter",
    "Missing {param_type}",
    "No such option: {name}",
    "No such option: {name!r}.",
    "No such option {name!r}.",
    "Did you mean {possibility}?",
    "Did you mean {suggestion}?",
    "Did you mean one of: {possibilities}?",
    "(Possible options: {possibilities})",
    "No such command {name!r}.",
    "Got unexpected extra argument ({args})",
    "Option {name!r} requires an argument.",
    "Option {name!r} does not take a value.",
    "{value!r} is not a valid {number_type}.",
    "{value!r} is not a valid integer.",
    "{value} is not in the range {range}.",
    "{value!r} is not {choice}.",
    "Choose from:\n\t{choices}",
    "{name} {filename!r} does not exist.",
    "{name} {filename!r} is a directory.",
    "{name} {filename!r} is a file.",
    "{name} {filename!r} is not readable.",
    "{name} {filename!r} is not writable.",
    "Could not open file {filename!r}: {message}",
    "unknown error",
    "Error: {message}",
    "argument",
    "option",
    "parameter",
)
CLICK_PLURALS = (
    ("Did you mean {possibility}?", "(Possible options: {possibilities})"),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
)


def entries() -> Iterator[Entry]:
    """Yield everything that the catalogue has to have."""
    plurals = dict(CLICK_PLURALS)
    for path in sorted((SOURCES / "cli").rglob("*.py")):
        yield from _marked(path)
    for text, (_, meaning) in COMMANDS.items():
        yield Entry(meaning, f"help/devinotify-{text}")
    yield from helps(cli, "devinotify")
    for meaning in (*MEANINGS.values(), *ENDS.values(), *CAUSES.values()):
        yield Entry(meaning, "tables")
    for name in _words():
        yield Entry(name.replace("_", " "), "words")
    for message in CLICK:
        yield Entry(message, "click", plurals.get(message))
    for path in sorted(SOURCES.rglob("*.py")):
        if not path.relative_to(SOURCES).as_posix().startswith(UNSEEN):
            yield from _raised(path)
    for place, sentences in TOLD.items():
        for sentence in sentences:
            yield Entry(sentence, f"devinotify/{place}.py", context=ERROR)


def _words() -> Iterator[str]:
    """Yield the names that stand in tables in place of a sentence: states, counts, kinds, keys of a row."""
    yield from map(str, (*Verdict, *DeliveryStatus, *RowState, *Role, *Kind, *Reason))
    yield KEYRING
    yield from (name for row in INNER for name in (row[0], *row[1]))
    yield from (field.name for field in fields(SmsStatistics))
    yield BUILT_IN
    yield from (LAST_RESORT, *(step.name for step in STEPS))
    described = ast.parse(textwrap.dedent(inspect.getsource(describe)))
    for node in ast.walk(described):
        if isinstance(node, ast.Dict):
            yield from (key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def helps(command: click.Command, name: str) -> Iterator[Entry]:
    """Yield the paragraphs of a command's help, and the help of its options, and of those behind it."""
    for paragraph in speech.paragraphs(command.help or ""):
        yield Entry(paragraph, f"help/{name}")
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        if text and not getattr(parameter, "hidden", False):
            yield Entry(text, f"help/{name}")
    if command is cli:
        behind = {each: cli.get_command(click.Context(cli), each) for each in COMMANDS}
    else:
        behind = dict(getattr(command, "commands", {}))
    for each, further in behind.items():
        assert further is not None
        yield from helps(further, f"{name}-{each}")


def plugins() -> list[Path]:
    """Return the packages of the plugins here that bring a catalogue of their own."""
    return sorted(folder.parent for folder in PLUGINS.glob(f"*/src/*/{FOLDER.name}"))


def of_plugin(package: Path) -> Iterator[Entry]:
    """Yield what the catalogue of a plugin has to have: whatever it says that ours does not know.

    By its sources alone, as the plugin need not be installed.
    """
    known = _known()
    for path in sorted(package.rglob("*.py")):
        for entry in (*_marked(path), *_helps_in(path), *_raised(path)):
            if (entry.message, entry.context) not in known:
                yield entry


@cache
def _known() -> set[tuple[str, str | None]]:
    """Return what our own catalogue says; for this all modules are read."""
    return {(entry.message, entry.context) for entry in entries()}


def _helps_in(path: Path) -> Iterator[Entry]:
    """Yield the help of the commands that a module makes, and of their options, as it is written there."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            made_by = {_called(each.func) for each in node.decorator_list if isinstance(each, ast.Call)}
            if made_by & {"command", "group"}:
                yield from (Entry(each, _place(path)) for each in speech.paragraphs(ast.get_docstring(node) or ""))
        elif isinstance(node, ast.Call) and _called(node.func) == "option":
            texts = [each.value for each in node.keywords if each.arg == "help"]
            yield from (Entry(str(each.value), _place(path)) for each in texts if isinstance(each, ast.Constant))


def _place(path: Path) -> str:
    return path.as_posix().rpartition("/src/")[2]


def _marked(path: Path) -> Iterator[Entry]:
    """Yield what a module of the command line marks, and the headings of its tables."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = _called(node.func)
        if name in MARKED:
            texts = [each.value for each in node.args[: MARKED[name]] if isinstance(each, ast.Constant)]
            if len(texts) == MARKED[name]:  # and not a value that was marked where it stands
                yield Entry(str(texts[0]), _place(path), str(texts[1]) if len(texts) > 1 else None)
        elif name == "table" and node.args and isinstance(node.args[0], ast.Tuple | ast.List):
            for heading in node.args[0].elts:
                if isinstance(heading, ast.Constant) and heading.value:
                    yield Entry(str(heading.value), _place(path))


def _called(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _raised(path: Path) -> Iterator[Entry]:
    """Yield the pattern of each error that a module makes."""
    tree = ast.parse(path.read_text("utf-8"))
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).rpartition(".")[2] == "hint":
            yield from (Entry(hint, _place(path)) for hint in _templates(node.value, constants))
        if isinstance(node, ast.Call) and _called(node.func) in ERRORS and node.args:
            for template in _templates(node.args[0], constants):
                if sum(map(str.isalpha, re.sub(r"\{\w+\}", "", template))) >= LETTERS:
                    yield Entry(template, _place(path), context=ERROR)


def _templates(node: ast.expr, constants: dict[str, ast.expr]) -> Iterable[str]:
    """Return what an expression of text may come to, with the names of what is put in, in braces."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [_pattern(node, constants)]
    if isinstance(node, ast.Name) and node.id in constants:
        return _templates(constants[node.id], constants)
    if isinstance(node, ast.IfExp):
        return [*_templates(node.body, constants), *_templates(node.orelse, constants)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        right = _templates(node.right, constants)
        return [first + second for first in _templates(node.left, constants) for second in right]
    return []


def _pattern(node: ast.JoinedStr, constants: dict[str, ast.expr]) -> str:
    parts: list[str] = []
    used: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
            continue
        assert isinstance(part, ast.FormattedValue)
        value = part.value
        constant = constants.get(value.id) if isinstance(value, ast.Name) else None
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
            parts.append(constant.value)
            continue
        name = _named(value)
        used.append(name)
        parts.append(f"{{{name}{used.count(name) if used.count(name) > 1 else ''}}}")
    return "".join(parts)


def _named(value: ast.expr) -> str:
    """Return the last name in an expression: what a translator sees in braces."""
    if isinstance(value, ast.Call):
        return _named(value.args[0]) if value.args else _named(value.func)
    if isinstance(value, ast.Name):
        return value.id.lstrip("_").lower()
    if isinstance(value, ast.Attribute):
        return value.attr.lstrip("_")
    return "value"


class Source(NamedTuple):
    """A catalogue: where it is, and what makes the entries that it has to have."""

    po: Path
    entries: Callable[[], Iterator[Entry]]

    @property
    def mo(self) -> Path:
        """Its compiled form."""
        return self.po.with_suffix(".mo")


OURS = Source(PO, entries)


def sources() -> list[Source]:
    """Return all catalogues that are here: ours, and those of plugins."""
    return [OURS, *(Source(_po_of(package), partial(of_plugin, package)) for package in plugins())]


def _po_of(package: Path) -> Path:
    return package / FOLDER.name / "ru" / "LC_MESSAGES" / f"{package.name}.po"


def wanted(source: Source = OURS) -> Catalog:
    """Return a catalogue as it has to be, without translations."""
    catalogue = _empty(source.po.stem)
    for message, place, plural, context in source.entries():
        key: str | tuple[str, ...] = message if plural is None else (message, plural)
        known = catalogue.get(message, context)
        if known is not None and isinstance(known.id, tuple):
            key = known.id  # as click says "Did you mean" of one or of several
        catalogue.add(key, locations=[(place, 0)], context=context)
    return catalogue


def _empty(domain: str) -> Catalog:
    catalogue = Catalog(locale="ru", domain=domain, project=domain, fuzzy=False, header_comment="")
    catalogue.mime_headers = [("Plural-Forms", PLURALS)]  # Babel's own has a fourth form, for fractions
    return catalogue


def read(source: Source = OURS) -> Catalog:
    """Return a catalogue as it is."""
    with source.po.open("rb") as file:
        return read_po(file, locale="ru", domain=source.po.stem)


def compiled(catalogue: Catalog) -> bytes:
    """Return the ``.mo`` of a catalogue: the same bytes from whatever version of Babel, without its dates."""
    header = f"Content-Type: text/plain; charset=utf-8\nPlural-Forms: {PLURALS}\n"
    found = {"": header}
    for message in catalogue:
        if message.id:
            context = f"{message.context}\x04" if message.context else ""
            found[context + "\0".join(_strings(message.id))] = "\0".join(_strings(message.string))
    keys = sorted(found, key=str.encode)
    texts = [[each.encode() for each in side] for side in (keys, map(found.__getitem__, keys))]
    place = 28 + 16 * len(keys)  # behind the head and both tables
    tables, body = b"", b""
    for side in texts:
        for text in side:
            tables += struct.pack("<2I", len(text), place + len(body))
            body += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, 0)
    return head + tables + body


def update(source: Source) -> list[str]:
    """Bring ``.po`` and ``.mo`` up to date; return the messages that have no translation yet."""
    fresh, former = wanted(source), read(source) if source.po.exists() else _empty(source.po.stem)
    for message in fresh:
        known = former.get(message.id, message.context) if message.id else None
        if known is not None:
            strings = known.string
            if isinstance(message.id, tuple) == isinstance(strings, tuple | list):
                message.string = strings
    source.po.parent.mkdir(parents=True, exist_ok=True)
    with source.po.open("wb") as file:
        write_po(file, fresh, width=WIDTH, omit_header=False, include_lineno=False, sort_by_file=False)
    header = source.po.read_text("utf-8")
    lines = [line for line in header.splitlines() if not line.startswith(_DATED)]
    source.po.write_text("\n".join(lines) + "\n", "utf-8")
    source.mo.write_bytes(compiled(read(source)))
    return [str(message.id) for message in fresh if message.id and not all(_strings(message.string))]


def _strings(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (str(value or ""),)


if __name__ == "__main__":
    untold = 0
    for each in sources():
        missing = update(each)
        untold += len(missing)
        for text in missing:
            print(text, file=sys.stderr)
        if missing:
            print(f"{len(missing)} to translate in {each.po}", file=sys.stderr)
    sys.exit(bool(untold))
