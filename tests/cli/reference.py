"""The reference in docs/reference, rendered from the commands' own help and codes: ``python -m tests.cli.reference``.

It writes the commands, and with the argument ``exit-codes`` the table of those.
"""

from __future__ import annotations

import inspect
import sys

import click

from devinotify.cli.app import COMMANDS, cli
from devinotify.cli.exits import MEANINGS

_EXEMPT = "<!-- not run: it is about a file or an account of the reader's -->"


def markdown() -> str:
    """Return the reference as Markdown: each of our commands with its usage, help and options."""
    root = click.Context(cli, info_name="devinotify")
    parts = [_command(root, name) for name in COMMANDS]
    return "\n".join(parts).rstrip() + "\n"


def exit_codes() -> list[str]:
    """Return the lines of the table of exit codes."""
    return [
        "| exit code | meaning |",
        "|---|---|",
        *(f"| {code:d} | {meaning} |" for code, meaning in MEANINGS.items()),
    ]


def _command(root: click.Context, name: str) -> str:
    command = cli.get_command(root, name)
    assert command is not None
    return _described(command, name, root)


def _described(command: click.Command, name: str, parent: click.Context) -> str:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    rows = [
        f"| `{_cell(names)}` | {_cell(meaning)} |"
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        and (record := parameter.get_help_record(context)) is not None
        and "--help" not in record[0]
        for names, meaning in [record]
    ]
    options = ["| option | meaning |", "|---|---|", *rows, ""] if rows else []
    # Of a group, and of a command that has others behind it, whose own arguments are not theirs.
    further: dict[str, click.Command] = getattr(command, "commands", {})
    parts = [_described(each, f"{name} {further_name}", parent) for further_name, each in further.items()]
    return "\n".join([f"## `{usage}`", "", _help(command.help or ""), "", *options, *parts])


def _help(text: str) -> str:
    """Return the help as Markdown; a block that click leaves unwrapped (after ``\\b``) is code."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        f"{_EXEMPT}\n```sh\n{paragraph.removeprefix(chr(8)).strip()}\n```"
        if paragraph.startswith("\b")
        else " ".join(paragraph.split())
        for paragraph in paragraphs
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print("\n".join(exit_codes()) if "exit-codes" in sys.argv else markdown().rstrip())
