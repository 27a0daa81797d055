"""systemd's units as they are shipped: what stands in them, and their service run here as systemd would."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROGRAM = "/opt/devinotify/bin/devinotify"
"""The command where the units have it."""


def settings(unit: Path) -> dict[str, list[str]]:
    """Return what a unit sets: each name with its values, in order."""
    found = defaultdict(list)
    for line in unit.read_text("utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return dict(found)


@contextlib.contextmanager
def started(
    unit: Path,
    folder: Path,
    credentials: Mapping[str, str],
    environment: Mapping[str, str],
    *further: str,
    instance: str = "",
) -> Iterator[subprocess.Popen[bytes]]:
    """Run what a unit starts with its environment and credentials, below a folder; it has ended after the block.

    ``credentials`` are the contents of the files that the unit loads, by their paths; ``instance`` is what stands
    behind the ``@`` of its name.
    """
    set_here = settings(unit)
    given, state = folder / "credentials", folder / "state"
    given.mkdir()
    for each in set_here.get("LoadCredential", ()):
        name, _, path = each.partition(":")
        (given / name).write_text(credentials[path], "utf-8")
    for each in set_here["StateDirectory"]:
        (state / each).mkdir(parents=True)

    def expanded(text: str) -> str:
        said = {"%d": str(given), "%S": str(state), "%i": instance, "%H": "db-3"}
        return re.sub("%[dSiH]", lambda found: said[found[0]], text)

    (command,) = set_here["ExecStart"]
    program, *arguments = shlex.split(expanded(command))
    assert PROGRAM == program
    variables = dict(expanded(each).split("=", 1) for each in set_here["Environment"])
    process = subprocess.Popen(
        [sys.executable, "-m", "devinotify", *arguments, *further],
        env={**os.environ, **variables, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)
