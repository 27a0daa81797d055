"""What several tests need: payloads as they are posted, a client of an app in this process, servers in others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from zlib import crc32

import httpx
import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from starlette.applications import Starlette

    from devinotify_webhook import Webhook

NUMBER, OTHER = "+79161234567", "+79031234568"
TOKEN = "a-token-of-the-tests-0001"
PATIENCE = 60.0
"""Seconds that anything may take on a slow machine before it is given up."""


started_at = "2026-11-28T10:00:00Z"
"""When an alert began that says nothing of it; in a test, its own beginning.

Where an alert's windows lie follows from it: a test that begins with it stays far from their borders.
"""


def alert(name: str = "DiskFull", *, status: str = "firing", starts: str | None = None, **labels: str) -> Any:  # noqa: ANN401
    """Return an alert as Alertmanager posts it; ``summary`` is its annotation."""
    summary = labels.pop("summary", "")
    named = {"alertname": name, "severity": "critical", **labels}
    return {
        "status": status,
        "labels": named,
        "annotations": {"summary": summary} if summary else {},
        "startsAt": starts or started_at,
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-11-28T10:05:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": f"{crc32(repr(sorted(named.items())).encode()):016x}",
    }


def payload(*alerts: Any, group: str = '{}:{alertname="DiskFull"}', **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what Alertmanager posts of some alerts: version 4 of its webhook."""
    firing = any(one["status"] == "firing" for one in alerts)
    return {
        "version": "4",
        "groupKey": group,
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": "sms",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
        **more,
    }


class Clock:
    """An outbox's clock: the real one, so many seconds later."""

    def __init__(self) -> None:
        self.later = 0.0

    def __call__(self) -> float:
        """Return seconds since the epoch."""
        return time.time() + self.later


class Hooks:
    """An app in this process and a client of it; the app's worker is in the client's hands unless it has its own."""

    def __init__(self, app: Webhook) -> None:
        self.app = app

    def ask(self, method: str, path: str, *, client: str = "127.0.0.1", **options: Any) -> httpx.Response:  # noqa: ANN401
        """Return the answer to a request; ``client`` is the address that it comes from."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(client, 50000))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                return await http.request(method, path, **options)

        return asyncio.run(ask())

    def post(self, path: str, document: Any = None, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Post a JSON document, or what the options say."""
        if document is not None:
            options["json"] = document
        return self.ask("POST", path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Return the answer to a GET."""
        return self.ask("GET", path, **options)

    def texts(self) -> list[str]:
        """Return the texts that are stored, in order, one for each recipient."""
        found = []
        for row in self.app.house.outbox.rows():
            stored = self.app.house.outbox.message(row.message_id)
            assert stored is not None
            found.append(stored.message.text)
        return found

    def recipients(self) -> list[str]:
        """Return whom they are for, in order."""
        return [row.recipient for row in self.app.house.outbox.rows()]

    def close(self) -> None:
        """End the app."""
        self.app.close()


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def until(satisfied: Callable[[], Any], seconds: float = PATIENCE) -> Any:  # noqa: ANN401 - whatever it is
    """Return what ``satisfied`` returns once that is true; of another process no event can be awaited."""
    deadline = time.monotonic() + seconds
    while True:
        found = satisfied()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.05)


def fetch(url: str, document: Any = None, **headers: str) -> tuple[int, str]:  # noqa: ANN401 - any JSON document
    """Return the status and the text of an answer: to a POST where there is a document."""
    body = None if document is None else json.dumps(document).encode()
    headers = {"Content-Type": "application/json", **headers} if body is not None else headers
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@contextlib.contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Yield the URL of an app on a real server, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@contextlib.contextmanager
def running(
    command: Sequence[str], folder: Path, name: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a program that runs, its output in ``folder/name.log``; it is ended by SIGTERM, and then by force."""
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **(environment or {})}
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)


def listens(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something answers at a URL."""

    def answered() -> bool:
        assert process.poll() is None, log.read_text("utf-8")
        try:
            return fetch(url)[0] < 500
        except OSError:
            return False

    until(answered)


@contextlib.contextmanager
def served(
    folder: Path,
    toml: str,
    *arguments: str,
    port: int,
    name: str = "webhook",
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield ``devinotify webhook`` in a process of its own, once it listens on a port of loopback."""
    (folder / f"{name}.toml").write_text(toml, "utf-8")
    command = [sys.executable, "-m", "devinotify", "webhook", "--config", f"{name}.toml"]
    command += ["--listen", f"127.0.0.1:{port}", *arguments]
    with running(command, folder, name, environment) as process:
        listens(f"http://127.0.0.1:{port}/-/healthy", process, folder / f"{name}.log")
        yield process
