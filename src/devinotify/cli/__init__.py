"""The command line: ``devinotify``, one module per command, loaded when it is called.

Needs the extra ``cli``. Without it, ``main`` says so in one line.
"""

from __future__ import annotations

import sys
from importlib import import_module

from devinotify.words import installing

REQUIRED = ("click", "rich")
"""What the extra ``cli`` brings."""
EXTRA_MISSING = 2
"""The exit code where the extra is missing: that of a usage error, kept here because nothing else can be imported."""


def main() -> None:
    """Run the command line with the arguments of this process, and exit with the documented code."""
    try:
        for name in REQUIRED:
            import_module(name)
    except ImportError:
        print(f"devinotify: the command line needs its extra: {installing('cli')}", file=sys.stderr)
        sys.exit(EXTRA_MISSING)
    from devinotify.cli import output
    from devinotify.cli.app import cli

    output.open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, never a traceback.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a process's own streams have it
    cli.main(prog_name="devinotify")
