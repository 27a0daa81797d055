"""The manual pages of the commands, made from their own help: one for ``devinotify``, one for each command.

The reference on the site is made from the same descriptions. A package is built with the pages (``hatch_build.py``);
those of a plugin's commands are kept in its folder, since no index has the core yet when a clone's plugin is built.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from devinotify.cli.app import COMMANDS, cli
from devinotify.cli.exits import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAME = "devinotify"
_MADE_FOR_TERMINALS = "\b"
"""What click leaves unwrapped begins with it."""
_WHOLE = 200
"""Letters of a command's first sentence, which no terminal's width cuts here."""


@dataclass(frozen=True, slots=True)
class Description:
    """A command as its help tells it: ``text`` by paragraphs, each with whether it is to be left as it is."""

    path: str
    arguments: str
    text: tuple[tuple[str, bool], ...]
    options: tuple[tuple[str, str], ...]
    further: tuple[Description, ...]

    @property
    def usage(self) -> str:
        """The line that calls it."""
        return f"{self.path} {self.arguments}".rstrip()


def describe(name: str) -> Description:
    """Return what the help of one of our commands tells."""
    root = click.Context(cli, info_name=NAME)
    command = cli.get_command(root, name)
    if command is None:
        raise LookupError(name)
    return _described(command, name, root)


def _described(command: click.Command, name: str, parent: click.Context) -> Description:
    context = click.Context(command, info_name=name, parent=parent)
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)) is not None
    ]
    # Of a group, and of a command that has others behind it, whose own arguments are not theirs.
    further: dict[str, click.Command] = getattr(command, "commands", {})
    return Description(
        context.command_path,
        " ".join(command.collect_usage_pieces(context)),
        tuple(_paragraphs(command.help or "")),
        tuple((names, " ".join(meaning.split())) for names, meaning in records if "--help" not in names),
        tuple(_described(each, f"{name} {behind}", parent) for behind, each in further.items()),
    )


def _paragraphs(text: str) -> Iterator[tuple[str, bool]]:
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith(_MADE_FOR_TERMINALS):
            yield paragraph.removeprefix(_MADE_FOR_TERMINALS).strip("\n"), True
        else:
            yield " ".join(paragraph.split()), False


def pages(version: str) -> dict[str, str]:
    """Return the pages of section 1 by the names of their files, in man(7), for a version of devinotify."""
    maker = f"{NAME} {version}"
    found = {
        f"{NAME}-{name}.1": _page(name, describe(name), row[1], maker, _exit_status()) for name, row in COMMANDS.items()
    }
    return {f"{NAME}.1": _overview(maker), **found}


def pages_of_plugin(commands: Mapping[str, click.Command], maker: str) -> dict[str, str]:
    """Return the pages of the commands that a plugin adds; ``maker`` is its distribution with the version.

    Where their exit codes are not ours their help tells what they are.
    """
    root = click.Context(cli, info_name=NAME)
    return {
        f"{NAME}-{name}.1": _page(name, _described(command, name, root), command.get_short_help_str(_WHOLE), maker)
        for name, command in commands.items()
    }


def _overview(maker: str) -> str:
    lines = [
        *_head(NAME, maker, "SMS and Viber through the Devino Telecom HTTP API"),
        *_section("synopsis"),
        *_usage(NAME, "COMMAND [OPTIONS] [ARGS]..."),
        *_section("commands"),
    ]
    for name, (_, meaning) in COMMANDS.items():
        lines += [".TP", f".BR {_escaped(f'{NAME}-{name}')} (1)", _line(meaning)]
    return _page_of([*lines, *_exit_status(), *_see_also([])])


def _page(name: str, command: Description, meaning: str, maker: str, codes: Iterable[str] = ()) -> str:
    title = f"{NAME}-{name}"
    lines = [
        *_head(title, maker, meaning.rstrip(".")),
        *_section("synopsis"),
        *_usage(command.path, command.arguments),
        *_section("description"),
        *_text(command),
        *([*_section("options"), *_options(command)] if command.options else []),
    ]
    if command.further:
        lines += _section("commands")
    for each in command.further:
        lines += [f".SS {_escaped(each.usage)}", *_text(each), *_options(each)]
    others = [f"{NAME}-{other}" for other in COMMANDS if re.search(rf"`{NAME} {other}\b", _all_text(command))]
    return _page_of([*lines, *codes, *_see_also([NAME, *(other for other in others if other != title)])])


def _all_text(command: Description) -> str:
    return "\n".join(text for text, _ in command.text) + "".join(_all_text(each) for each in command.further)


def _page_of(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


# --- man(7)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")


def _line(text: str) -> str:
    """Return a line of text, which is not a request even where it begins like one."""
    escaped = _escaped(text)
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def _head(title: str, maker: str, meaning: str) -> list[str]:
    head = f'.TH {_escaped(title.upper())} 1 "" "{maker}" "{NAME}"'
    return [head, *_section("name"), f"{_escaped(title)} \\- {_escaped(meaning)}"]


def _section(title: str) -> list[str]:
    return [f".SH {title.upper()}"]


def _usage(path: str, arguments: str) -> list[str]:
    return [f".B {_escaped(path)}", _line(arguments)]


def _text(command: Description) -> list[str]:
    lines: list[str] = []
    for text, as_it_is in command.text:
        if lines:
            lines.append(".PP")
        if as_it_is:
            lines += [".nf", *(_line(line) for line in text.splitlines()), ".fi"]
        else:
            lines.append(_line(text))
    return lines


def _options(command: Description) -> list[str]:
    return [line for names, meaning in command.options for line in (".TP", f".B {_escaped(names)}", _line(meaning))]


def _exit_status() -> list[str]:
    lines = _section("exit status")
    for code, meaning in MEANINGS.items():
        lines += [".TP", f".B {code:d}", _line(meaning)]
    return lines


def _see_also(names: list[str]) -> list[str]:
    if not names:
        return []
    listed = [f".BR {_escaped(name)} (1)" for name in names]
    return [*_section("see also"), *(f"{line} ," for line in listed[:-1]), listed[-1]]
