"""One line on stderr, for what no handler can tell any more because the program ends."""

from __future__ import annotations

import logging
import sys


def say(line: str) -> None:
    """Write a line to stderr under this package's name, unless ``logging.raiseExceptions`` is off."""
    if logging.raiseExceptions and sys.stderr is not None:
        print(f"devinotify-logging: {line}", file=sys.stderr)
