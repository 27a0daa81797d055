"""A PostgreSQL server of the tests' own, in a folder of its own, by an unprivileged user."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "s3cret"


def programs() -> Path | None:
    """Return the folder of the newest server's programs, or ``None`` where none is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


@contextlib.contextmanager
def running() -> Iterator[int]:
    """Yield the port of a server on 127.0.0.1 while it runs."""
    folder = Path(tempfile.mkdtemp(prefix="devinotify-django-"))
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user is not None:
        shutil.chown(folder, user)

    def run(program: str, *arguments: object) -> None:
        command = [str(programs()) + f"/{program}", *map(str, arguments)]
        subprocess.run(
            command if user is None else ["runuser", "-u", user, "--", *command],
            check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    data = folder / "data"
    try:
        run(
            "initdb",
            "-D",
            data,
            "-U",
            "tester",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "-E",
            "UTF8",
            "--no-sync",
        )
        options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        run("pg_ctl", "-D", data, "-l", data / "log", "-w", "-o", options, "start")
        try:
            yield port
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
