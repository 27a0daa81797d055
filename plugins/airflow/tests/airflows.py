"""A real Airflow: its commands, and its processes, on SQLite and free ports of loopback."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

DAGS = Path(__file__).parent / "dags"
PATIENCE = 300.0
"""Seconds that anything of Airflow may take on a slow machine: it starts for half a minute on a busy one."""
GRACE = 30.0
"""Seconds that a process has to end."""
COMMAND = Path(sys.executable).with_name("airflow")


def settings(home: Path) -> dict[str, str]:
    """Return the environment of an Airflow whose home this is."""
    return {
        # Not measured: Airflow's own processes are many and large, and what they run of ours is run here as well.
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "COVERAGE_"))},
        "AIRFLOW_HOME": str(home),
        # The triggerer imports callbacks, and does not look into the folder of DAGs by itself.
        "PYTHONPATH": str(DAGS),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        # Without one Airflow cannot read what it has stored of a trigger.
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(b"a test's own key".ljust(32)).decode(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": "secret-of-a-test-that-is-long-enough-to-sign-with-0123456789abcdef",
        "DEVINOTIFY_OUTBOX": str(home / "sms.db"),
    }


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run ``airflow`` with a command, and return what came of it, stderr with stdout."""
    return subprocess.run(
        [COMMAND, *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def migrated(temporary: Path, home: Path) -> dict[str, str]:
    """Give a home a database, made once for all processes that run the tests, and return its environment.

    ``temporary`` is the folder of temporary files that pytest has for one of them.
    """
    template = (temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary) / "template"
    template.mkdir(exist_ok=True)
    database = template / "airflow.db"
    with (template / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (template / "done").exists():
            database.unlink(missing_ok=True)
            made = run(settings(template), "db", "migrate")
            assert made.returncode == 0, made.stdout
            (template / "done").touch()
    home.mkdir(exist_ok=True)
    shutil.copy(database, home)
    return settings(home)


class Running:
    """Airflow's processes, started and ended here; what they say is kept in files."""

    PARTS = ("api-server", "dag-processor", "scheduler", "triggerer")

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self._home = home
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as free:
            logs = free.getsockname()[1]
        self._environment = {
            **environment,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{self.port}/",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(logs),
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._token = ""

    def __enter__(self) -> Self:
        try:
            for part in self.PARTS:
                self.start(part)
            self.until(self._answers, "the API server answers")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for part in tuple(self._processes):
            self.kill(part, after=GRACE)

    def start(self, part: str) -> None:
        """Start one of the parts, again where it was killed."""
        with (self._home / f"{part}.log").open("ab") as said:
            self._processes[part] = subprocess.Popen(
                [COMMAND, part], env=self._environment, stdout=said, stderr=said, start_new_session=True
            )

    def kill(self, part: str, *, after: float = 0.0) -> None:
        """Kill a part with all of its processes, if need be after so many seconds."""
        process = self._processes.pop(part)
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)

    def said(self, part: str) -> str:
        """Return what a part has said, in its own log and in those of what it ran."""
        return (self._home / f"{part}.log").read_text("utf-8", errors="replace")

    def logged(self) -> str:
        """Return the logs of all tasks, triggers and DAGs."""
        files = sorted(path for path in (self._home / "logs").rglob("*") if path.is_file())
        return "\n".join(path.read_text("utf-8", errors="replace") for path in files)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the API server as its UI does, and return what it answers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
            return json.load(answer)

    def trigger(self, dag: str) -> None:
        """Have a DAG run, as soon as Airflow has read it."""
        self.until(lambda: self._knows(dag), f"Airflow has read {dag}")
        self.ask("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None})

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds; raise AssertionError, with all that was said, where it does not come."""
        end = time.monotonic() + PATIENCE
        while not holds():
            ended = {
                part: process.returncode for part, process in self._processes.items() if process.poll() is not None
            }
            if ended or time.monotonic() > end:
                told = "\n".join(f"--- {part}\n{self.said(part)[-3000:]}" for part in self.PARTS)
                raise AssertionError(f"not in time, or after its end {ended}: {what}\n{told}\n{self.logged()[-6000:]}")
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            self._token = self.ask("GET", "/auth/token")["access_token"]
        except OSError:
            return False
        return True

    def _knows(self, dag: str) -> bool:
        return dag in {each["dag_id"] for each in self.ask("GET", "/api/v2/dags")["dags"]}
