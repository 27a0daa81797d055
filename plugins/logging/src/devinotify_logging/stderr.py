"""Lines on stderr: what no handler can tell any more because the program ends, and errors that need no stack."""

from __future__ import annotations

import contextlib
import logging
import sys

HEADING = "--- Logging error ---"
"""The line that ``logging.Handler.handleError`` begins with, by which people and tools find its reports."""


def say(line: str) -> None:
    """Write a line to stderr under this package's name, unless ``logging.raiseExceptions`` is off."""
    if logging.raiseExceptions and sys.stderr is not None:
        print(f"devinotify-logging: {line}", file=sys.stderr)


def report(error: BaseException) -> None:
    """Name an error under logging's own heading, unless ``logging.raiseExceptions`` is off."""
    if logging.raiseExceptions and sys.stderr is not None:
        with contextlib.suppress(OSError):  # as in logging: a stream that is gone breaks nothing
            print(f"{HEADING}\ndevinotify-logging: {type(error).__name__}: {error}", file=sys.stderr)
