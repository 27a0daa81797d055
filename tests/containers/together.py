"""The services of compose.yaml run together, each in a container of the image; the database is a server of here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from tests.cli.servers import free_port
from tests.containers.buildah import HOSTS
from tests.postgres_server import running
from tests.waiting import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.containers.buildah import Store


class Together:
    """The services with their secrets, variables and commands; their ports are free ones of this machine.

    An engine gives each container a name that the others know: here all names stand for this machine.
    """

    def __init__(self, store: Store, services: Mapping[str, Any], folder: Path, database: int) -> None:
        self._store, self._services, self._secrets = store, services, folder / "secrets"
        self._ports = {"8026": str(free_port()), "9876": str(free_port())}
        self._given = dict(line.split("=", 1) for line in (folder / ".env").read_text("utf-8").splitlines())
        self._containers: dict[str, str] = {}
        self._hosts = folder / "hosts"
        self._hosts.write_text("127.0.0.1 localhost sandbox database\n", "utf-8")
        url = self._here((self._secrets / "url").read_text("utf-8"))
        (self._secrets / "url").write_text(url.replace("%40database", f"%40database%3A{database}"), "utf-8")

    def _here(self, text: str) -> str:
        """Return a text of the file as the engine reads it, with the ports that are meant here."""
        given = re.sub(r"\$\{(\w+)[^}]*\}", lambda found: self._given[found[1]], text).replace("$$", "$")
        return re.sub("|".join(self._ports), lambda found: self._ports[found[0]], given)

    def command(self, name: str, command: list[str]) -> list[str]:
        """Return what runs a command in the container of a service."""
        service = self._services[name]
        variables = {key: self._here(value) for key, value in service["environment"].items()}
        files = {f"/run/secrets/{secret}": self._secrets / secret for secret in service["secrets"]}
        if name not in self._containers:
            self._containers[name] = self._store.container("devinotify")
        files[HOSTS] = self._hosts
        return self._store.command(self._containers[name], *command, variables=variables, files=files)

    def service(self, name: str) -> list[str]:
        """Return what runs a service: the image's entrypoint with the service's command."""
        further = ["--port", self._ports["8026"]] if name == "sandbox" else []
        return self.command(name, ["devinotify", *map(self._here, self._services[name]["command"]), *further])

    @contextmanager
    def started(self, name: str) -> Iterator[None]:
        """Run a service, and have it healthy by its own check; it has ended behind the block."""
        process = subprocess.Popen(
            self.service(name), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            kind, *check = map(self._here, self._services[name]["healthcheck"]["test"])
            asking = self.command(name, ["sh", "-c", *check] if kind == "CMD-SHELL" else check)
            end = time.monotonic() + LONGEST
            while (asked := subprocess.run(asking, capture_output=True, text=True, timeout=LONGEST)).returncode:
                assert process.poll() is None, f"{name} has ended: {process.stderr and process.stderr.read()}"
                assert time.monotonic() < end, f"{name} is not healthy: {asked.stderr}"
            yield
        finally:
            os.killpg(process.pid, 15)
            process.communicate(timeout=LONGEST)

    def ask(self, port: str, path: str, token: str, text: str | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return what one of the services answers; a text is posted."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self._ports[port]}{path}",
            headers={"Authorization": f"Bearer {token}"},
            data=None if text is None else f"text={text}".encode(),
        )
        with urllib.request.urlopen(asked, timeout=LONGEST) as reply:  # noqa: S310 - our own server
            return json.load(reply)


def alerts_go_from_the_webhook_to_the_sandbox(
    store: Store, services: Mapping[str, Any], script: Path, folder: Path
) -> None:
    """By the secrets that the script makes: stored by one container, sent by another, taken by a third."""
    folder.mkdir()
    shutil.copy(script, folder)
    subprocess.run([folder / script.name], check=True, capture_output=True, timeout=LONGEST)
    password = (folder / "secrets/database_password").read_text("utf-8")
    with running() as server, ExitStack() as services_up:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE ROLE devinotify LOGIN PASSWORD {}").format(password))
            connection.execute("CREATE DATABASE devinotify OWNER devinotify")
        together = Together(store, services, folder, server.port)
        migrated = subprocess.run(
            together.service("migrate"), capture_output=True, text=True, check=False, timeout=LONGEST
        )
        assert 0 == migrated.returncode, migrated.stderr
        for name in ("sandbox", "worker", "webhook"):
            services_up.enter_context(together.started(name))
        found = re.search(r'token = "(\w+)"', (folder / "secrets/hooks.toml").read_text("utf-8"))
        assert found is not None
        stored = together.ask("9876", "/sms/oncall", found[1], "The+backup+has+failed")
        assert (1, False) == (len(stored["rows"]), stored["known"])
        token = (folder / ".env").read_text("utf-8").strip().partition("=")[2]
        end = time.monotonic() + LONGEST
        while not (messages := together.ask("8026", "/sandbox/messages", token)["messages"]):
            assert time.monotonic() < end, "the worker has sent nothing"
            time.sleep(0.1)  # the page's own stream tells it too, and is the affair of other tests
        assert ["The backup has failed"] == [each["text"] for each in messages]
