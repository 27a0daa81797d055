"""A PostgreSQL server of the tests' own: made by ``initdb`` in a folder of its own, removed after."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "s3cret"
_SETTINGS = {
    # As quick as can be: no test pulls a plug.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
}


def binaries() -> Path | None:
    """Return the folder of the server's programs, the newest, or ``None`` where none is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    other = shutil.which("initdb")
    return None if other is None else Path(other).resolve().parent


needs_server = pytest.mark.skipif(binaries() is None, reason="PostgreSQL's server is not installed")
"""Marks tests that cannot run without these programs."""


def fresh() -> str:
    """Return the name of a schema that is not there yet."""
    return f"test_{secrets.token_hex(6)}"


def _user() -> str | None:
    """Return as whom its programs are run where they would not as root."""
    return "postgres" if os.geteuid() == 0 else None


def _run(program: str, *arguments: object) -> None:
    programs, user = binaries(), _user()
    assert programs is not None
    command = [str(programs / program), *map(str, arguments)]
    if user is not None:
        command = ["runuser", "-u", user, "--", *command]
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)


@functools.cache
def _template() -> Path:
    """Return the files of a new server, made once: it takes seconds."""
    folder = Path(tempfile.mkdtemp(prefix="devinotify-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    secret = folder / "password"
    secret.write_text(PASSWORD)
    if (user := _user()) is not None:
        shutil.chown(folder, user)
        shutil.chown(secret, user)
    options = ("-U", "tester", "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync")
    _run("initdb", "-D", folder / "data", *options)
    return folder / "data"


class Server:
    """A server on a free port of 127.0.0.1, by an unprivileged user; ``of`` makes it a standby of that one."""

    def __init__(self, folder: Path, *, of: Server | None = None) -> None:
        self.data = folder / "data"
        self._user = _user()
        self._own(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        if of is None:
            shutil.copytree(_template(), self.data)
            self._own(self.data)
        else:
            _run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", of.url())
        self.set(port=str(self.port), **({} if of else _SETTINGS))

    def _own(self, folder: Path) -> None:
        if self._user is not None:
            subprocess.run(["chown", "-R", self._user, str(folder)], check=True, timeout=60)

    def snapshot(self) -> Path:
        """Return a copy of its files, to be put back by ``restore``; it is stopped for that."""
        self.stop("fast")
        copy = self.data.with_name("snapshot")
        shutil.copytree(self.data, copy)
        self.start()
        return copy

    def restore(self, copy: Path) -> None:
        """Go back to a copy."""
        self.stop("fast")
        shutil.rmtree(self.data)
        copy.rename(self.data)
        self._own(self.data)
        self.start()

    def set(self, **settings: str) -> None:
        """Have settings, as they are written in its file, from its next start or ``reload`` on."""
        with (self.data / "postgresql.conf").open("a") as config:
            config.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def start(self) -> None:
        """Start it, and wait until it takes connections, of a standby those that read."""
        _run("pg_ctl", "-D", self.data, "-l", self.data / "log", "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it as ``pg_ctl stop -m`` does."""
        _run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def reload(self) -> None:
        """Read the settings again."""
        _run("pg_ctl", "-D", self.data, "reload")

    def promote(self) -> None:
        """Make a standby take over, and wait until it takes changes."""
        _run("pg_ctl", "-D", self.data, "-w", "promote")

    def dump_and_load(self, schema: str) -> None:
        """Put a schema back from a dump, made just now."""
        file = self.data / "dump.sql"
        _run("pg_dump", "-n", schema, "-f", file, self.url())
        drop = f'DROP SCHEMA "{schema}" CASCADE'
        _run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(), "-c", drop, "-f", file)

    def url(self, database: str = "postgres", **settings: str) -> str:
        """Return a URL of a database on it."""
        query = "&".join(f"{name}={value}" for name, value in settings.items())
        return f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}/{database}{query and '?' + query}"


@contextlib.contextmanager
def running(*, of: Server | None = None) -> Iterator[Server]:
    """Give a server that is stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="devinotify-pg-"))
    try:
        folder.chmod(0o755)
        server = Server(folder, of=of)
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.SubprocessError):
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
