"""Debian's own brokers, each on a free port of loopback, killed and started again as a test likes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 120.0
RABBIT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """A server in a process group and a folder of its own; ``url`` is how Celery reaches it."""

    url: str

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="devinotify-celery-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return the server's command line, and what it has in its environment."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether it answers."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and return when it answers."""
        command, variables = self.command()
        self._process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + PATIENCE
        while not self.is_ready():
            assert self._process.poll() is None, f"{command[0]} ended"
            assert time.monotonic() < until, f"{command[0]} did not start"
            time.sleep(0.05)  # nothing tells of its start

    def kill(self) -> None:
        """End it at once, with all that it has started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *about: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis(Broker):
    """Redis that writes everything to its disk before it answers, so that a kill loses nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return Debian's redis-server."""
        program = str(shutil.which("redis-server"))
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        return [program, *where, "--appendonly", "yes", "--appendfsync", "no", "--save", ""], {}

    def ask(self, *words: str) -> bytes:
        """Return its answer to a command, the first kilobyte."""
        with socket.create_connection(("127.0.0.1", self.port), 60) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(1024)

    def is_ready(self) -> bool:
        """Whether it answers, its old contents read."""
        try:
            return self.ask("PING").startswith(b"+PONG")
        except OSError:
            return False

    def flush(self) -> None:
        """Have it forget all that it holds."""
        assert self.ask("FLUSHALL").startswith(b"+OK")


class Rabbit(Broker):
    """RabbitMQ with a node of its own, which no other and no daemon of ours knows."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self._distribution = free_port()

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return Debian's rabbitmq-server, below the script that changes the user."""
        config = self.folder / "rabbit.conf"
        config.write_text(f"listeners.tcp.local = 127.0.0.1:{self.port}\n")
        enabled = self.folder / "enabled_plugins"
        enabled.write_text("[].\n")
        return [str(RABBIT)], {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"devinotify{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_CONFIG_FILE": str(config.with_suffix("")),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(enabled),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    @property
    def _epmd(self) -> int:
        # One of its own, which ends with its process group: the machine's may be another user's.
        return 20000 + self.port % 10000

    def kill(self) -> None:
        """End it at once, and Erlang's port mapper, which has a session of its own."""
        super().kill()
        ours = f"HOME={self.folder}\0".encode()
        for variables in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):  # it has ended, or is another user's
                if ours in variables.read_bytes():
                    os.kill(int(variables.parent.name), signal.SIGKILL)

    def is_ready(self) -> bool:
        """Whether it speaks AMQP."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 60) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False


BROKERS = {"redis": Redis, "rabbitmq": Rabbit}


@contextlib.contextmanager
def running(name: str) -> Iterator[Broker]:
    """Give a broker by its name while it runs."""
    with BROKERS[name]() as broker:
        yield broker
