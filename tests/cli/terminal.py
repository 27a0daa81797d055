"""A command at a terminal of its own, whose questions are answered as they come."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests import forked
from tests.waiting import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable

needs_terminal = pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")


class Dialogue(NamedTuple):
    """What became of a command: its exit code, its stdout, and what stood on its terminal."""

    code: int
    stdout: bytes
    shown: bytes


def answered(*arguments: str, answers: Iterable[tuple[str, str]]) -> Dialogue:
    """Run a command of devinotify's with its questions answered, each once it is on the terminal."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*forked.command(), *arguments],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,  # getpass asks at a controlling terminal where there is one
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            for question, answer in answers:
                while question.encode() not in shown:
                    assert select.select([ours], [], [], LONGEST)[0], f"{question!r} is not asked"
                    shown += os.read(ours, 1024)
                os.write(ours, f"{answer}\n".encode())
            stdout, _ = process.communicate(timeout=LONGEST)
        finally:
            process.kill()
    with suppress(OSError):  # nobody has it open any more
        shown += os.read(ours, 1024)
    os.close(ours)
    return Dialogue(process.returncode, stdout, shown)
