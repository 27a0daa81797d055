"""What goes to stdout and stderr: one JSON document, a table, a line. Every write survives a closed pipe."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table

PLAIN_WIDTH = 10_000
"""Columns where stdout is no terminal: wide enough that nothing is folded which a script looks for."""

# Emoji are joined with these; every other invisible character is shown as a replacement.
_JOINERS = "\u200c\u200d\n"


def write(text: str) -> None:
    """Write a line to stdout; where it cannot be written the command goes on, so that its exit code stands."""
    _written(lambda: click.echo(text))


def _written(write_it: Callable[[], None]) -> None:
    try:
        write_it()
    except BrokenPipeError:
        discard(sys.stdout)
    except OSError as error:  # a full disk
        discard(sys.stdout)
        say(f"the output cannot be written: {error.strerror}")


def say(line: str) -> None:
    """Write one line to stderr."""
    try:
        click.echo(f"devinotify: {line}", err=True)
    except BrokenPipeError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Let what is still written to a closed stream go nowhere, the interpreter's last flush included."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def emit(document: dict[str, Any]) -> None:
    """Write one JSON document to stdout: ASCII, amounts as strings, instants in UTC."""
    write(json.dumps(document, default=_plain, indent=2))


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def printable(text: str) -> str:
    """Return a text that a terminal shows and does not act on: no control characters, no reordering marks."""
    return "".join(
        character if character.isprintable() or character in _JOINERS else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def moment(value: datetime | None) -> str:
    """Return an instant in this machine's time zone, with its offset; nothing for none."""
    return "" if value is None else value.astimezone().isoformat(" ", "seconds")


def console(plain_width: int = PLAIN_WIDTH) -> Console:
    """Return rich's console on stdout; markup, emoji codes and highlighting are off, since texts are data.

    ``plain_width`` is its width in columns where stdout is no terminal.
    """
    from rich.console import Console

    width = None if sys.stdout.isatty() else plain_width
    return Console(markup=False, emoji=False, highlight=False, width=width)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table with every cell printable; ``None`` is an empty cell."""
    from rich import box
    from rich.table import Table

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*("" if cell is None else printable(str(cell)) for cell in row))
    return grid


def show(renderable: RenderableType, plain_width: int = PLAIN_WIDTH) -> None:
    """Write a table, or whatever rich can render, to stdout; ``plain_width`` as for ``console``."""
    screen = console(plain_width)

    def render() -> None:
        with screen.capture() as captured:  # its end touches stdout
            screen.print(renderable)
        click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n"))

    _written(render)
