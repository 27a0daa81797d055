"""Completion in a real bash: typed at a terminal, with the script that the command prints."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.distributions import install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 60.0
"""Seconds that a shell and the process that it asks may take."""

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed"),
]

GREETING = """
import click
from devinotify import hookimpl

@hookimpl
def devinotify_register_commands(group):
    group.add_command(click.Command("greeting"))
"""


class Terminal:
    """A bash that takes itself for one that somebody types at."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._terminal, theirs = pty.openpty()
        try:
            self._process = subprocess.Popen(
                ["bash", "--norc", "--noprofile", "-i"],
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        finally:
            os.close(theirs)

    def types(self, keys: str, expected: str) -> bool:
        """Type something, and return whether the screen shows what is expected before patience ends."""
        os.write(self._terminal, keys.encode())
        shown, end = "", time.monotonic() + PATIENCE
        while expected not in shown and (left := end - time.monotonic()) > 0:
            if select.select([self._terminal], [], [], left)[0]:
                shown += os.read(self._terminal, 4096).decode()
        return expected in shown

    def close(self) -> None:
        """End the shell."""
        self._process.kill()
        self._process.wait(PATIENCE)
        os.close(self._terminal)


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """Give a bash in a folder with a list and a journal, which has read what ``devinotify completion bash`` prints."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("recipients.csv", "spring.db"):
        (folder / name).touch()
    install(folder / ".site", "greeting", GREETING)
    program = folder / ".bin/devinotify"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m devinotify "$@"\n', "utf-8")
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / ".site"),
        "TERM": "dumb",
        "INPUTRC": os.devnull,
        "PS1": "$ ",
        "HOME": str(folder),
    }
    shell = Terminal(folder, environment)
    try:
        # What is expected is not what was typed, which the terminal shows as well.
        assert shell.types('eval "$(devinotify completion bash)"; echo rea""dy\n', "ready")
        yield shell
    finally:
        shell.close()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("devinotify bala\t", "balance"),
        ("devinotify greet\t", "greeting"),
        ("devinotify outbox mig\t", "migrate"),
        ("devinotify worker --outb\t", "--outbox"),
        ("devinotify bulk recip\t", "recipients.csv"),
        ("devinotify bulk status spr\t", "spring.db"),
        ("devinotify worker --outbox spr\t", "spring.db"),
        ("devinotify send --channel viber-\t", "viber-sms"),
        ("devinotify completion fi\t", "fish"),
    ],
    ids=["command", "plugin", "subcommand", "option", "list", "journal", "outbox", "channel", "choice"],
)
def test_a_word_is_completed(terminal: Terminal, typed: str, expected: str) -> None:
    """One press of the tabulator is enough where only one thing can be meant."""
    beginning = typed.rstrip("\t").split()[-1]
    assert terminal.types(typed, expected.removeprefix(beginning))
    assert terminal.types('\x15echo un""done\n', "undone")  # the line is cleared, and the next one begins
