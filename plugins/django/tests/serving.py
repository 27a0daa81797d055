"""The project on a real server, in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devinotify.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
APPLICATION = """
import os, sys
sys.path.insert(0, {root!r})
from tests import project
from django.conf import settings
project.SETTINGS["DEVINOTIFY"] = {{"default": {{"URL": {url!r}, "OUTBOX": {outbox!r}}}}}
project.SETTINGS["DATABASES"]["default"] = {database!r}
settings.configure(**project.SETTINGS)
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
wsgi, asgi = get_wsgi_application(), get_asgi_application()
if os.environ.get("ADMIN"):
    from django.contrib.auth import get_user_model
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_superuser("ann", password="secret")
    wsgi = StaticFilesHandler(wsgi)
# Before the workers are forked off: what is open then must not be theirs to share.
if os.environ.get("SEND_FIRST"):
    from devinotify_django import send_sms
    send_sms("Before the fork", "+79161234567")
"""


@contextmanager
def served(
    gateway: Sandbox,
    folder: Path,
    *command: str,
    outbox: str | None = None,
    database: Mapping[str, object] | None = None,
    **environment: str,
) -> Iterator[str]:
    """Yield the URL of a server of the application while it runs, with outbox and database in files by default."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = APPLICATION.format(
        root=str(ROOT),
        url=gateway.url,
        outbox=outbox or str(folder / "sms.db"),
        database=database or {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "django.db")},
    )
    (folder / "application.py").write_text(code, "utf-8")
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *(part.format(port=port) for part in command)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), **environment},
            stdout=log,
            stderr=log,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/nothing", timeout=60)  # noqa: S310 - our own server
            except urllib.error.HTTPError:
                break
            except OSError:
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)  # until it listens
        yield url
        server.terminate()
        assert server.wait(60) in (0, -signal.SIGTERM)
    finally:
        server.kill()
        server.wait(60)
