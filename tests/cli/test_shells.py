"""Completion in real shells: typed at a terminal, with the script that the command prints where it says it goes."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.distributions import install
from tests.forked import programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PATIENCE = 60.0
"""Seconds that a shell and the process that it asks may take."""

pytestmark = pytest.mark.once

GREETING = """
import click
from devinotify import hookimpl

@hookimpl
def devinotify_register_commands(group):
    group.add_command(click.Command("greeting"))
"""


CONFIGURATION = """
[profiles.work]
url = "devino://me@S"
[profiles.warehouse]
url = "devino://me@S"
"""


class Shell(NamedTuple):
    """How a shell is started that reads one file of ours, and which: what stands in it, or what prints that."""

    command: tuple[str, ...]
    file: str
    line: str = ""

    def prepare(self, folder: Path, environment: dict[str, str]) -> None:
        """Write the file, as ``devinotify completion --help`` tells to."""
        path = folder / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.line:
            path.write_text(self.line, "utf-8")
            return
        arguments = ["devinotify", "completion", self.command[0]]
        with path.open("wb") as file:
            subprocess.run(arguments, stdout=file, env=environment, check=True, timeout=PATIENCE)


SHELLS = {
    "bash": Shell(("bash", "--noprofile", "-i"), ".bashrc", 'eval "$(devinotify completion bash)"\n'),
    "zsh": Shell(("zsh", "--no-global-rcs", "-i"), ".zshrc", 'eval "$(devinotify completion zsh)"\n'),
    "fish": Shell(("fish", "-i"), ".config/fish/completions/devinotify.fish"),
}


class Terminal:
    """A shell that takes itself for one that somebody types at."""

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self._terminal, theirs = pty.openpty()
        try:
            self._process = subprocess.Popen(
                ("setsid", "--ctty", *command),  # fish takes nothing else for a terminal
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                cwd=folder,
                env=environment,
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
def terminals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Terminal]]:
    """Return what gives a shell, started once, in a home folder with a list, a journal and two profiles."""
    started: dict[str, Terminal] = {}
    folder = tmp_path_factory.mktemp("home")
    for name in ("recipients.csv", "spring.db"):
        (folder / name).touch()
    (folder / "config.toml").write_text(CONFIGURATION, "utf-8")
    install(folder / ".site", "greeting", GREETING)
    environment = {
        **os.environ,
        "PATH": f"{programs()}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / ".site"),
        "TERM": "dumb",
        "INPUTRC": os.devnull,
        "PS1": "$ ",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / ".config"),
        "XDG_DATA_HOME": str(folder / ".data"),
        "DEVINOTIFY_CONFIG": str(folder / "config.toml"),
    }

    def open_shell(name: str) -> Terminal:
        if name not in started:
            shell = SHELLS[name]
            shell.prepare(folder, environment)
            started[name] = Terminal(shell.command, folder, environment)
            # What is expected is not what was typed, which the terminal shows as well.
            assert started[name].types('echo rea""dy\n', "ready")
        return started[name]

    try:
        yield open_shell
    finally:
        for terminal in started.values():
            terminal.close()


WORDS = {
    "command": ("devinotify bala\t", "balance"),
    "plugin": ("devinotify greet\t", "greeting"),
    "subcommand": ("devinotify outbox mig\t", "migrate"),
    "option": ("devinotify worker --outb\t", "--outbox"),
    "list": ("devinotify bulk recip\t", "recipients.csv"),
    "journal": ("devinotify bulk status spr\t", "spring.db"),
    "outbox": ("devinotify worker --outbox spr\t", "spring.db"),
    "channel": ("devinotify send --channel viber-\t", "viber-sms"),
    "choice": ("devinotify completion fi\t", "fish"),
    "profile": ("devinotify --profile wa\t", "warehouse"),
    "profile behind": ("devinotify outbox list --profile wor\t", "work"),
}


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_word_is_completed(terminals: Callable[[str], Terminal], shell: str, kind: str) -> None:
    """One press of the tabulator is enough where only one thing can be meant."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    terminal = terminals(shell)
    typed, expected = WORDS[kind]
    beginning = typed.rstrip("\t").split()[-1]
    assert terminal.types(typed, expected.removeprefix(beginning))
    assert terminal.types('\x15echo un""done\n', "undone")  # the line is cleared, and the next one begins
