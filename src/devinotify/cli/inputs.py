"""Texts that commands take from stdin or a file, as they were meant: UTF-8, without what an editor ends a line with."""

from __future__ import annotations

from typing import IO

import click

from devinotify.translation import _

STDIN = "-"
"""What stands for stdin in the place of a text, a number or a file."""


def read_text(stream: IO[bytes], source: str, most_bytes: int) -> str:
    """Return the one text that a stream holds; raise a usage error, which names the ``source``, where it holds none.

    At most ``most_bytes`` of it are read: an endless pipe is not a message.
    """
    raw = stream.read(most_bytes + 1)
    if len(raw) > most_bytes:
        size = f"{most_bytes >> 20} MiB" if most_bytes >> 20 else _("{count} bytes", count=most_bytes)
        raise click.UsageError(_("{source} holds more than {size}, which no message does", source=_(source), size=size))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(
            _("{source} is not UTF-8 (at byte {place})", source=_(source), place=error.start)
        ) from None
    # What echo and editors end a line with is not part of the text.
    return text.removesuffix("\n").removesuffix("\r")
