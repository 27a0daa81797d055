"""A PostgreSQL server of the tests' own, in a folder of its own, by an unprivileged user; it logs every statement."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "s3cret"


@dataclass(frozen=True)
class Server:
    """A server that runs on 127.0.0.1."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        """Its database, as ``OUTBOX`` takes it."""
        return f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def database(self, **keys: object) -> dict[str, object]:
        """Return its database, as Django's ``DATABASES`` takes it."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "NAME": "postgres",
            "USER": "tester",
            "PASSWORD": PASSWORD,
            **keys,
        }

    def statements(self) -> int:
        """Return how many statements it has been sent by all who are connected; each is logged before it is run."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return sum("LOG:  statement: " in line or "LOG:  execute " in line for line in lines)


def programs() -> Path | None:
    """Return the folder of the newest server's programs, or ``None`` where none is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Yield a server while it runs."""
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
        options = (
            f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
            " -c log_statement=all -c log_file_mode=0644"
        )
        run("pg_ctl", "-D", data, "-l", data / "log", "-w", "-o", options, "start")
        try:
            yield Server(port, data / "log")
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
