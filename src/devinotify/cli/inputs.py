"""Texts that commands take from stdin or a file, as they were meant: UTF-8, without what an editor ends a line with."""

from __future__ import annotations

from typing import IO

import click

STDIN = "-"
"""What stands for stdin in the place of a text, a number or a file."""


def read_text(stream: IO[bytes], source: str, most_bytes: int) -> str:
    """Return the one text that a stream holds; raise a usage error, which names the ``source``, where it holds none.

    At most ``most_bytes`` of it are read: an endless pipe is not a message.
    """
    raw = stream.read(most_bytes + 1)
    if len(raw) > most_bytes:
        size = f"{most_bytes >> 20} MiB" if most_bytes >> 20 else f"{most_bytes} bytes"
        raise click.UsageError(f"{source} holds more than {size}, which no message does")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{source} is not UTF-8 (at byte {error.start})") from None
    # What echo and editors end a line with is not part of the text.
    return text.removesuffix("\n").removesuffix("\r")
