"""Zabbix for a test: its server, its database and the API of its frontend, all of Debian's packages, on loopback."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import shutil
import socket
import struct
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hosts import Place

FRONTEND = Path("/usr/share/zabbix")
SQL = Path("/usr/share/zabbix-server-pgsql")
CONFIG_FILE = "/etc/zabbix/zabbix.conf.php"
"""Where the frontend looks for what it is told: the one thing that is changed in a copy of it."""
ADMIN, USUAL_ACTION = "1", "3"
"""The user and the action that come with Zabbix; the action tells its administrators of every problem."""

SERVER = """\
ListenIP=127.0.0.1
ListenPort={port}
LogType=console
PidFile={folder}/zabbix.pid
SocketDir={folder}
DBHost=127.0.0.1
DBPort={database}
DBName=zabbix
DBUser={user}
AlertScriptsPath={folder}
ExternalScripts={folder}
CacheUpdateFrequency=1
StartPollers=1
StartPingers=0
StartDiscoverers=0
StartHTTPPollers=0
StartTrappers=1
StartEscalators=1
StartAlerters=1
StatsAllowedIP=127.0.0.1
"""
WEB = """\
<?php
$DB['TYPE'] = 'POSTGRESQL';
$DB['SERVER'] = '127.0.0.1';
$DB['PORT'] = '{database}';
$DB['DATABASE'] = 'zabbix';
$DB['USER'] = '{user}';
$DB['PASSWORD'] = '';
$DB['SCHEMA'] = '';
$DB['ENCRYPTION'] = false;
$DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER_NAME = 'tests';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""


def postgres() -> Path:
    """Return the folder of PostgreSQL's programs, the newest."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parts[-2]))
    return found[-1] if found else Path("/nowhere")


def free_port() -> int:
    """Return a port on which nothing listens, of those that Zabbix takes: 1024 to 32767."""
    while True:
        port = random.randint(20_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as taken:
            taken.bind(("127.0.0.1", port))
            return port


class Zabbix:
    """A Zabbix that runs in a place: what its API is asked, and a value of an item."""

    def __init__(self, port: int, web: int) -> None:
        self._port, self._url = port, f"http://127.0.0.1:{web}/api_jsonrpc.php"
        self._token: str | None = None

    def log_in(self) -> None:
        """Log in as the user that comes with it."""
        self._token = self.ask("user.login", username="Admin", password="zabbix")

    def ask(self, method: str, **params: Any) -> Any:  # noqa: ANN401 - each method has its own
        """Return what the API answers; raise AssertionError where that is an error."""
        document = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1, "auth": self._token}
        headers = {"Content-Type": "application/json-rpc"}
        request = urllib.request.Request(self._url, json.dumps(document).encode(), headers)  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:  # noqa: S310 - our own server
            answer = json.loads(reply.read())
        assert "error" not in answer, answer
        return answer["result"]

    def statuses(self) -> list[str]:
        """Return the statuses of all alerts."""
        return [alert["status"] for alert in self.ask("alert.get")]

    def report(self, host: str, key: str, value: int) -> bool:
        """Report a value as zabbix_sender does; return whether it was taken."""
        content = {"request": "sender data", "data": [{"host": host, "key": key, "value": str(value)}]}
        body = json.dumps(content).encode()
        with socket.create_connection(("127.0.0.1", self._port), PATIENCE) as connection:
            connection.sendall(b"ZBXD\x01" + struct.pack("<Q", len(body)) + body)
            reply = b"".join(iter(lambda: connection.recv(4096), b""))
        return b"processed: 1;" in reply


def _make_database(at: Place, port: int) -> None:
    def run(program: str, *arguments: str, **options: Any) -> None:  # noqa: ANN401 - those of subprocess
        command = at.as_user([str(postgres() / program), *arguments])
        subprocess.run(command, cwd=at.folder, check=True, capture_output=True, timeout=PATIENCE * 3, **options)

    data = at.folder / "data"
    run("initdb", "-D", str(data), "-U", at.user, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
    with (data / "postgresql.conf").open("a") as config:
        config.write(
            f"port={port}\nfsync=off\nfull_page_writes=off\nsynchronous_commit=off\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\n"
        )
    run("pg_ctl", "-D", str(data), "-l", str(data / "log"), "-w", "start")


@contextlib.contextmanager
def _database(at: Place, port: int) -> Iterator[None]:
    pg_ctl = at.as_user([str(postgres() / "pg_ctl"), "-D", str(at.folder / "data"), "-m", "immediate", "-w", "stop"])
    try:
        _make_database(at, port)
        whom = ["-h", "127.0.0.1", "-p", str(port), "-U", at.user]
        psql = [str(postgres() / "psql"), *whom, "-q", "-v", "ON_ERROR_STOP=1"]
        subprocess.run([*psql, "-d", "postgres", "-c", "CREATE DATABASE zabbix"], check=True, timeout=PATIENCE)
        for name in ("schema", "images", "data"):
            with gzip.open(SQL / f"{name}.sql.gz") as file:
                load = [*psql, "-d", "zabbix", "-o", "/dev/null"]
                subprocess.run(load, input=file.read(), check=True, timeout=PATIENCE * 3)
        yield
    finally:
        subprocess.run(pg_ctl, cwd=at.folder, check=False, capture_output=True, timeout=PATIENCE)


@contextlib.contextmanager
def running(at: Place) -> Iterator[Zabbix]:
    """Yield a Zabbix that takes values and sends alerts by the scripts in a place; all of it is ended."""
    port, database, web = free_port(), free_port(), free_port()
    told = SERVER.format(folder=at.folder, port=port, database=database, user=at.user)
    (at.folder / "server.conf").write_text(told, "utf-8")
    pages = at.folder / "web"
    shutil.copytree(
        FRONTEND, pages, symlinks=True, ignore=shutil.ignore_patterns("locale", "audio", "fonts", "COPYING")
    )
    (at.folder / "web.php").write_text(WEB.format(database=database, user=at.user))
    config = pages / "include/classes/core/CConfigFile.php"
    config.write_text(config.read_text("utf-8").replace(CONFIG_FILE, str(at.folder / "web.php")), "utf-8")
    at.own()
    zabbix = Zabbix(port, web)
    with (
        _database(at, database),
        at.running("zabbix", "zabbix_server", "-f", "-c", str(at.folder / "server.conf")),
        at.running("php", "php", "-S", f"127.0.0.1:{web}", "-t", str(pages)),
    ):
        until(lambda: listens(web) and listens(port))
        zabbix.log_in()
        yield zabbix


def listens(port: int) -> bool:
    """Whether somebody listens at a port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE):
        return True
    return False
