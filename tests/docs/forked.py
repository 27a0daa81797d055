"""The command line for who runs many commands: it is imported once, and forked for each ``devinotify`` that is typed.

To start Python and to import takes nearly all of the time of a command. That it starts as a process of its own is what
``tests/cli/test_main.py`` shows, and ``test_installing.py`` as a script that is installed.
"""

from __future__ import annotations

import gc
import marshal
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from devinotify.cli import main
from devinotify.cli.app import COMMANDS, cli
from tests.docs.pages import ROOT
from tests.waiting import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

_LATER = (
    "devinotify.bulk",
    "devinotify.delivery.aliases",
    "devinotify.delivery.built_in",
    "devinotify.outbox.sqlite",
    "devinotify.phones.plan",
    "devinotify.phones.shortcuts",
    "devinotify.text.cleaning",
    "phonenumbers.data.region_RU",
    "rich.console",
    "rich.table",
)
"""What commands import as they run."""

_SCRIPT = """#!{python} -IS
import marshal, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(marshal.dumps(([*map(os.fsencode, sys.argv)], os.getcwdb(), dict(os.environb))))
    server.shutdown(socket.SHUT_WR)
    sys.exit(int(server.recv(9)))
"""


@contextmanager
def commands() -> Iterator[Path]:
    """Give a folder for the PATH, with a ``devinotify`` in it."""
    folder = Path(tempfile.mkdtemp())  # the address of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as door:
            address = str(folder / "door")
            door.bind(address)
            door.listen()
            script = folder / "devinotify"
            script.write_text(_SCRIPT.format(python=sys.executable, address=address), "utf-8")
            script.chmod(0o755)
            server = subprocess.Popen(
                [sys.executable, "-m", __name__, str(door.fileno())],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[door.fileno()],
                start_new_session=True,
            )
        try:
            yield folder
        finally:
            server.communicate(timeout=LONGEST)  # it ends with its stdin, as it does where a test run is killed
    finally:
        shutil.rmtree(folder)


def _serve(door: socket.socket) -> None:
    """Run what is asked for, each command in a process of its own and beside the others."""
    for name in COMMANDS:
        cli.get_command(click.Context(cli), name)
    for name in _LATER:
        import_module(name)
    gc.freeze()  # or each command would look through all that is imported, and copy it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who tells of a command's end needs nobody to wait for it
    while sys.stdin not in select.select([door, sys.stdin], [], [])[0]:
        asked, _ = door.accept()
        if os.fork() == 0:
            door.close()
            _run(asked)
        asked.close()


def _run(asked: socket.socket) -> NoReturn:
    """Run one command with the streams, the folder and the environment of who asks, and tell its code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, *_ = socket.recv_fds(asked, 1, 3)
    with asked.makefile("rb") as told:
        arguments, folder, environment = marshal.load(told)  # noqa: S302 - of the script above
    command = os.fork()
    if command == 0:
        asked.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, closefd=False)
        os.chdir(folder)
        os.environb.clear()
        os.environb.update(environment)
        sys.argv = [*map(os.fsdecode, arguments)]
        main()
    for stream in streams:
        os.close(stream)
    code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    asked.sendall(b"%d" % (code if code >= 0 else 128 - code))  # of one that was killed as a shell tells it
    os._exit(0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
