"""What goes to stdout and stderr: one JSON document, a table, a line.

No write ends a command midway, whatever its stream has come to: a closed pipe, a full disk, a descriptor that was
closed from the start. What could not be written is remembered, and decides the exit code where nothing else does.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TextIO

import click

from devinotify.instants import iso
from devinotify.translation import _

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table

PLAIN_WIDTH = 10_000
"""Columns where stdout is not a terminal: wide enough that nothing is folded which a script looks for."""

# Emoji are joined with the first two, Russian sets thousands apart by the spaces, and none of them is acted upon; every
# other invisible character is shown as a replacement.
_SHOWN = "\u200c\u200d\n\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"


class _Loss:
    """Whether something was to go to stdout and could not be written."""

    happened = False


def write(text: str | bytes) -> None:
    """Write a line to stdout; where it cannot be written the command goes on, and ``lost`` tells."""
    _written(lambda: click.echo(text))


def lost() -> bool:
    """Whether something could not be written to stdout; a pipe that nobody reads any more is not a loss."""
    return _Loss.happened


def forgive() -> None:
    """Let the exit code stand although something could not be written: it tells what became of messages.

    A script that reads another code as a failure would send them again.
    """
    _Loss.happened = False


def _written(write_it: Callable[[], None]) -> None:
    try:
        write_it()
    except BrokenPipeError:
        discard(sys.stdout)
    except OSError as error:  # a full disk, or a stream that was closed from the start
        lose(error)


def lose(error: OSError) -> None:
    """Take note, and say, that stdout cannot be written; what is still written to it goes nowhere."""
    discard(sys.stdout)
    _Loss.happened = True
    say(_("the output cannot be written: {why}", why=error.strerror))


def is_stuck() -> bool:
    """Whether stdout takes nothing any more; found out by a line break."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        return True
    return False


def say(line: str) -> None:
    """Write one line to stderr, where it can be written."""
    try:
        click.echo(f"devinotify: {line}", err=True)
    except OSError:
        discard(sys.stderr)


def open_closed_streams() -> None:
    """Put something behind each standard stream that was closed before the process began.

    Its descriptor would be given to the next file that is opened, an outbox say, and a stray line would be written into
    that. What goes to such a stdout counts as lost.
    """
    for name, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            # The lowest descriptor that is free is the stream's own: those below it are open by now.
            setattr(sys, name, open(os.open(os.devnull, flags), mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - a descriptor, for as long as the process lives


def discard(stream: TextIO) -> None:
    """Let what is still written to a closed stream go nowhere, the interpreter's last flush included."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def emit(document: dict[str, Any]) -> None:
    """Write one JSON document to stdout, in UTF-8 whatever the locale: amounts as strings, instants in UTC."""
    write(_encoded(json_text(document, indent=2)))


def emit_line(document: dict[str, Any]) -> None:
    """Write one JSON document on a line of its own, as ``emit`` does."""
    write(json_line(document))


def json_line(document: dict[str, Any]) -> bytes:
    """Return one JSON document on a line, in UTF-8 whatever the locale."""
    return _encoded(json_text(document))


def json_text(value: object, indent: int | None = None) -> str:
    """Return a value as JSON: amounts as strings, instants in UTC; raise TypeError for what has no form in it."""
    return json.dumps(value, default=_plain, indent=indent, ensure_ascii=False)


def _encoded(text: str) -> bytes:
    # A lone surrogate has no UTF-8; its escape is what JSON has for it.
    return text.encode("utf-8", "backslashreplace")


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def printable(text: str) -> str:
    """Return a text that a terminal shows and does not act on: no control characters, no reordering marks."""
    return "".join(
        character if character.isprintable() or character in _SHOWN else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def moment(value: datetime | None) -> str:
    """Return an instant in this machine's time zone, with its offset; nothing for none."""
    return "" if value is None else value.astimezone().isoformat(" ", "seconds")


def console(plain_width: int = PLAIN_WIDTH) -> Console:
    """Return rich's console on stdout; markup, emoji codes and highlighting are off, since texts are data.

    ``plain_width`` is its width in columns where stdout is not a terminal.
    """
    from rich.console import Console

    width = None if sys.stdout.isatty() else plain_width
    return Console(markup=False, emoji=False, highlight=False, width=width)


FOLDED = frozenset({"text", "meaning", "error", "why", "name", "hooks", "time zones", "steps", ""})
"""Columns of words, which may be broken where a terminal is narrow; any other cell is copied whole or not at all."""

STYLES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("accepted", "delivered", "read"), "green"),
        **dict.fromkeys(("queued", "sent", "claimed"), "cyan"),
        **dict.fromkeys(("unknown", "not sent", "not_sent"), "yellow"),
        **dict.fromkeys(("rejected", "undelivered", "failed", "expired", "deleted", "stopped"), "red"),
    }
)
"""The colour of a verdict, a state or a status on a terminal."""

_FOLDED_TO = 12  # columns on the screen that a column of words is left with at least
_BETWEEN = 3  # and what stands between two of them
_OF_STATES = frozenset({"verdict", "state", "status"})


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], folded: Collection[str] = FOLDED) -> Table:
    """Return a table with every cell printable; ``None`` is an empty cell, ``folded`` are the columns of words.

    Headings, and the words of a verdict, state or status, come in English and are shown in the language spoken.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    cells = [
        [
            Text(spoken(cell) if column in _OF_STATES else cell, STYLES.get(cell, "") if column in _OF_STATES else "")
            for column, cell in zip(
                columns, ("" if cell is None else printable(str(cell)) for cell in row), strict=True
            )
        ]
        for row in rows
    ]
    for place, column in enumerate(columns):
        whole, heading = column not in folded, _(column) if column else ""
        longest = max((row[place].cell_len for row in cells), default=0)
        grid.add_column(
            heading, overflow="fold", no_wrap=whole, min_width=max(longest, cell_len(heading)) if whole else None
        )
    for row in cells:
        grid.add_row(*row)
    return grid


def spoken(name: str) -> str:
    """Return the name of a state, as it stands in JSON, in the language that is spoken; in English as it is."""
    word = name.replace("_", " ")
    said = _(word)
    return name if said == word else said


def show(renderable: RenderableType, plain_width: int = PLAIN_WIDTH) -> None:
    """Write a table, or whatever rich can render, to stdout; ``plain_width`` as for ``console``.

    What is wider than the terminal and cannot be broken, numbers and ids above all, makes its lines longer.
    """
    from rich.table import Table

    screen = console(plain_width)
    if isinstance(renderable, Table):
        narrowest = sum((column.min_width or _FOLDED_TO) + _BETWEEN for column in renderable.columns)
        screen.width = max(screen.width, narrowest)

    def render() -> None:
        with screen.capture() as captured:  # its end touches stdout
            screen.print(renderable)
        click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n"))

    _written(render)
