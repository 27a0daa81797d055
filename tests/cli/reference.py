"""The reference in docs/reference, rendered from the commands' own help and codes: ``python -m tests.cli.reference``.

It writes the commands, and with the argument ``exit-codes`` the table of those.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from devinotify.cli.app import COMMANDS
from devinotify.cli.exits import MEANINGS
from devinotify.cli.manual import describe

if TYPE_CHECKING:
    from devinotify.cli.manual import Description

_EXEMPT = "<!-- not run: it is about a file or an account of the reader's -->"
_RUN = "<!-- run by: tests/docs/test_given.py::test_examples_of_the_help -->"
_SENDING = ("devinotify send", "devinotify bulk")
"""The examples that send."""


def markdown() -> str:
    """Return the reference as Markdown: each of our commands with its usage, help and options."""
    return "\n".join(_described(describe(name)) for name in COMMANDS).rstrip() + "\n"


def exit_codes() -> list[str]:
    """Return the lines of the table of exit codes."""
    return [
        "| exit code | meaning |",
        "|---|---|",
        *(f"| {code:d} | {meaning} |" for code, meaning in MEANINGS.items()),
    ]


def _described(command: Description) -> str:
    rows = [f"| `{_cell(names)}` | {_cell(meaning)} |" for names, meaning in command.options]
    options = ["| option | meaning |", "|---|---|", *rows, ""] if rows else []
    parts = [_described(each) for each in command.further]
    return "\n".join([f"## `{command.usage}`", "", _help(command), "", *options, *parts])


def _help(command: Description) -> str:
    """Return the help as Markdown; a block that click leaves unwrapped is code."""
    return "\n\n".join(
        f"{_mark(text.strip())}\n```sh\n{text.strip()}\n```" if as_it_is else text for text, as_it_is in command.text
    )


def _mark(example: str) -> str:
    return _RUN if example.startswith(_SENDING) else _EXEMPT


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print("\n".join(exit_codes()) if "exit-codes" in sys.argv else markdown().rstrip())
