"""The reference in docs/commands.md, rendered from the commands' own help: ``python -m tests.cli.reference``."""

from __future__ import annotations

import inspect

import click

from devinotify.cli.app import COMMANDS, cli
from devinotify.cli.exits import MEANINGS


def markdown() -> str:
    """Return the reference as Markdown: each of our commands with its usage, help and options, and the exit codes."""
    root = click.Context(cli, info_name="devinotify")
    parts = [_command(root, name) for name in COMMANDS]
    return "\n".join([*parts, "### Exit codes\n", *exit_codes()]) + "\n"


def exit_codes() -> list[str]:
    """Return the lines of the table of exit codes."""
    return ["| code | meaning |", "|---|---|", *(f"| {code:d} | {meaning} |" for code, meaning in MEANINGS.items())]


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
    return "\n".join([f"### `{usage}`", "", _help(command.help or ""), "", *options, *parts])


def _help(text: str) -> str:
    """Return the help as Markdown; a block that click leaves unwrapped (after ``\\b``) is code."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        f"```sh\n{paragraph.removeprefix(chr(8)).strip()}\n```"
        if paragraph.startswith("\b")
        else " ".join(paragraph.split())
        for paragraph in paragraphs
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(), end="")
