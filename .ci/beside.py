"""Runs commands beside each other, one argument each: the last is seen as it runs, the others when it is over.

Fails where any of them does. For what takes one core of several, as mypy does, beside tests, which mostly wait.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def main(*commands: str) -> int:
    """Run them to their ends, and return the exit code of the first that fails, or 0."""
    with ThreadPoolExecutor(len(commands)) as pool:
        others = [pool.submit(_run, command, unseen=True) for command in commands[:-1]]
        done = [_run(commands[-1], unseen=False), *(each.result() for each in others)]
    for command, each in zip(commands[:-1], done[1:], strict=True):
        print(f"$ {command}", each.stdout, sep="\n", flush=True)
    return next((each.returncode for each in done if each.returncode), 0)


def _run(command: str, *, unseen: bool) -> subprocess.CompletedProcess[str]:
    out, err = (subprocess.PIPE, subprocess.STDOUT) if unseen else (None, None)
    return subprocess.run(shlex.split(command), check=False, text=True, stdout=out, stderr=err)  # noqa: S603 - of tox.ini


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
