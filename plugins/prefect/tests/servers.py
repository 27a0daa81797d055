"""A Prefect server of the tests' own: on a free loopback port, at home in a temporary folder, telling nobody of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 240.0
"""Seconds that anything may take on a slow machine before it is given up."""
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "0.2",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_CLI_COLORS": "false",
}
"""Settings with which Prefect keeps to itself."""


def unmeasured() -> dict[str, str]:
    """Return the environment without what has coverage measured: Prefect's start takes long enough as it is."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running server; a context manager. ``run`` runs a program beside it, as its users' processes are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{free_port()}"
        self.log = folder / "server.log"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the server and of its users."""
        return {
            **unmeasured(),
            **QUIET,
            "PREFECT_HOME": str(self.folder / "home"),
            "PREFECT_API_URL": f"{self.address}/api",
        }

    def __enter__(self) -> Self:
        port = self.address.rpartition(":")[2]
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self._await_health()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()

    def _await_health(self) -> None:
        # There is nothing to wait for but its answer.
        over = time.monotonic() + PATIENCE
        while True:
            try:
                httpx.get(f"{self.address}/api/health", timeout=5, trust_env=False).raise_for_status()
                return
            except httpx.HTTPError:
                assert self._process.poll() is None, self.log.read_text("utf-8")
                assert time.monotonic() < over, self.log.read_text("utf-8")
                time.sleep(0.1)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a Python program to its end, and return what it printed."""
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
