"""The command line for who runs many commands: it is imported once, and forked for each ``devinotify`` that is run.

To start Python and to import takes nearly all of the time of a command. What is run is a process with the streams, the
folder and the environment that it is given, and ends with a code or by a signal as any other. That it starts as one of
its own is what ``tests/cli/test_main.py`` and ``test_streams.py`` show, and ``tests/docs/test_installing.py`` as a
script that is installed.
"""

from __future__ import annotations

import atexit
import gc
import marshal
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

ITSELF = (sys.executable, "-m", "devinotify")
"""The command line as it starts by itself, for what is the interpreter's affair: its start, its streams, signals."""

_LATER = (
    "devinotify.bulk.deliveries",
    "devinotify.bulk.report",
    "devinotify.delivery.aliases",
    "devinotify.delivery.built_in",
    "devinotify.delivery.replies",
    "devinotify.outbox.sqlite.store",
    "devinotify.phones.notation",
    "devinotify.phones.plan",
    "devinotify.phones.shortcuts",
    "devinotify.sandbox.app",
    "devinotify.sandbox.server",
    "devinotify.sandbox.serving",
    "devinotify.text.cleaning",
    "devinotify.text.letters",
    "phonenumbers.data.region_RU",
    "phonenumbers.timezone",
    "rich.console",
    "rich.table",
)
"""What commands import as they run."""

_ENVIRONMENT = dict(os.environ)
"""That of the run: a test may have put a plugin of its own on the path, which would be in all commands then."""

# Of the modules below socket, signal and os, which would take as long to import as all the rest.
_SCRIPT = """#!{python} -IS
import _signal, _socket, array, marshal, posix, sys
streams = [number for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)) if stream]
server = _socket.socket(_socket.AF_UNIX)
server.connect({address!r})
for number in (_signal.SIGHUP, _signal.SIGINT, _signal.SIGTERM):
    _signal.signal(number, lambda number, _: server.send(bytes([number])))
server.sendmsg([b"."], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", streams))] if streams else [])
arguments = [each.encode(sys.getfilesystemencoding(), "surrogateescape") for each in sys.argv]
server.sendall(marshal.dumps((streams, arguments, posix.getcwdb(), posix.environ)))
code = int(server.recv(9))
if code < 0:
    _signal.signal(-code, _signal.SIG_DFL)
    posix.kill(posix.getpid(), -code)
posix._exit(code)
"""


class _Asked(NamedTuple):
    """What a command is run with: the descriptors for its streams, and which of those they are."""

    descriptors: list[int]
    streams: list[int]
    arguments: list[bytes]
    folder: bytes
    environment: dict[bytes, bytes]


def command() -> tuple[str, ...]:
    """Return how the command line is started."""
    return (str(programs() / "devinotify"),) if hasattr(os, "pidfd_open") else ITSELF


@cache
def programs() -> Path:
    """Return a folder for the PATH, with a ``devinotify`` in it; whoever asks first in a run starts what serves it."""
    folder = Path(tempfile.mkdtemp())  # the address of a socket may not be long
    with socket.socket(socket.AF_UNIX) as door:
        address = str(folder / "door")
        door.bind(address)
        door.listen()
        script = folder / "devinotify"
        script.write_text(_SCRIPT.format(python=sys.executable, address=address), "utf-8")
        script.chmod(0o755)
        run = os.getpid()
        shared = folder / "run"
        if "PYTEST_XDIST_WORKER" in os.environ:
            run = os.getppid()
            shared = Path(tempfile.gettempdir(), f"devinotify-{os.environ['PYTEST_XDIST_TESTRUNUID']}")
        try:
            shared.symlink_to(folder)
        except FileExistsError:
            shutil.rmtree(folder)
            return shared.readlink()
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", __file__, str(run), str(folder), str(shared)],
            _ENVIRONMENT,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, door.fileno(), 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            ],
            setsid=True,
        )
    return folder


class _Command(NamedTuple):
    """A command that runs: its process, what tells of its end, and who asked for it."""

    process: int
    end: int
    asker: socket.socket


def _serve(door: socket.socket, run: int) -> _Asked | None:
    """Fork for each command that is asked for, until a process has ended; return what is asked for in the child."""
    waiting = selectors.DefaultSelector()
    over = os.pidfd_open(run)
    waiting.register(over, selectors.EVENT_READ)
    _import_all()
    waiting.register(door, selectors.EVENT_READ)
    while (key := waiting.select()[0][0]).fd != over:
        if key.data is None:
            asker, _ = door.accept()
            try:
                asked = _read(asker)
            except EOFError:  # whoever asked was killed before it had told for what
                asker.close()
                continue
            process = os.fork()
            if process == 0:
                return asked
            for descriptor in asked.descriptors:
                os.close(descriptor)
            started = _Command(process, os.pidfd_open(process), asker)
            waiting.register(started.end, selectors.EVENT_READ, started)
            waiting.register(asker, selectors.EVENT_READ, started)
        elif key.fd == key.data.end:
            _tell(waiting, key.data)
        else:
            numbers = key.data.asker.recv(9)
            for number in numbers or [signal.SIGKILL]:
                os.kill(key.data.process, number)
            if not numbers:  # whoever asked is no more: it was killed, and so is the command
                waiting.unregister(key.data.asker)
    return None


def _import_all() -> None:
    from devinotify.cli.app import COMMANDS

    for module, *_ in COMMANDS.values():
        import_module(f"devinotify.cli.{module}")
    for name in _LATER:
        import_module(name)
    gc.freeze()  # or each command would look through all that is imported, and copy it


def _read(asker: socket.socket) -> _Asked:
    _, descriptors, *_ = socket.recv_fds(asker, 1, 3)
    with asker.makefile("rb") as told:
        return _Asked(descriptors, *marshal.load(told))  # noqa: S302 - of the script above


def _tell(waiting: selectors.BaseSelector, command: _Command) -> None:
    """Tell the code of a command that has ended, or the signal, to whoever asked for it."""
    code = os.waitstatus_to_exitcode(os.waitpid(command.process, 0)[1])
    with suppress(OSError):  # it may have been killed meanwhile
        command.asker.sendall(b"%d" % code)
    for each in (command.end, command.asker):
        with suppress(KeyError):
            waiting.unregister(each)
    os.close(command.end)
    command.asker.close()


def _become(asked: _Asked) -> None:
    """Make this process what a command would be that has just started."""
    for descriptor, number in zip(asked.descriptors, asked.streams, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    for number in {0, 1, 2}.difference(asked.streams):
        os.close(number)
    # As the interpreter does: where there is no descriptor there is no stream.
    sys.stdin, sys.stdout, sys.stderr = None, None, None
    if 0 in asked.streams:
        sys.stdin = os.fdopen(0, closefd=False)
    if 1 in asked.streams:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if 2 in asked.streams:
        sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever asks passes it on; a run under nohup ignores it
    os.chdir(asked.folder)
    os.environb.clear()
    os.environb.update(asked.environment)
    time.tzset()
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = [*map(os.fsdecode, asked.arguments)]


def _leave(end: SystemExit) -> None:
    """End as the interpreter would, but without taking apart all that was imported, which takes longer than a command.

    What cannot be written at the end, and threads that are to be waited for, are left to the interpreter.
    """
    if threading.active_count() == 1:
        atexit._run_exitfuncs()
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code or 0)  # type: ignore[arg-type]  # what ends the command line is a number


if __name__ == "__main__":
    asked = _serve(socket.socket(fileno=0), int(sys.argv[1]))
    if asked is None:
        shutil.rmtree(sys.argv[2])
        Path(sys.argv[3]).unlink(missing_ok=True)
    else:
        from devinotify.cli import main

        _become(asked)
        try:
            main()
        except SystemExit as end:
            _leave(end)
            raise
