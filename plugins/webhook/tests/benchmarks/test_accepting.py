"""The figures, as ratios of one run: ``pytest -s tests/benchmarks``.

How many alerts a second a receiver on one core accepts, each of them on the disk before it is answered: against bare
inserts of as much, each committed and synced, and against an app that answers 200 and keeps nothing. No target is set.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from devinotify import Outbox

from tests.support import NUMBER, PATIENCE, alert, free_port, listens, payload, running, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from devinotify.sandbox import Sandbox

ALERTS, ROUNDS = 800, 5
"""Alerts in a turn, and turns; a turn more, the first, warms up."""

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are chosen as Linux has it")


def report(what: str, value: float) -> None:
    """Print one line of the figures."""
    print(f"\n{what}: {value:.3g}")


def on_one_core(pid: int) -> None:
    """Keep a process, and all threads that it starts, on one core: the same for all."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {min(os.sched_getaffinity(0))})


@contextlib.contextmanager
def on_that_core() -> Iterator[None]:
    """Keep the thread that asks on it for a while."""
    all_of_them = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(all_of_them)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_of_them)


def spent(pid: int) -> float:
    """Return the seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def post(port: int, bodies: Sequence[bytes]) -> None:
    """Post alerts on one connection, each when the one before was answered."""
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        for body in bodies:
            connection.request("POST", "/alertmanager/oncall", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert 200 == answer.status


@pytest.mark.parametrize("clients", [1, 8])
def test_accepting(gateway: Sandbox, tmp_path: Path, clients: int) -> None:
    """Alerts accepted a second over so many connections, and the CPU of one; what comes at a time shares a sync."""
    numbers = count()
    port, bare_port = free_port(), free_port()
    toml = f'url = "{gateway.url}"\noutbox = "alerts.db"\n[receivers.oncall]\nto = "{NUMBER}"\n'
    bare = [sys.executable, "-m", "uvicorn", "tests.benchmarks.bare:app", "--port", str(bare_port)]
    bare += ["--http", "h11", "--lifespan", "off", "--ws", "none", "--no-access-log"]
    bare += ["--app-dir", str(Path(__file__).parents[2])]
    rates: dict[str, list[float]] = {"ours": [], "bare": [], "insert": []}
    cpu: dict[str, list[float]] = {"ours": [], "bare": []}
    with (
        served(tmp_path, toml, "--no-worker", port=port) as ours,
        running(bare, tmp_path, "bare") as nothing,
        contextlib.closing(sqlite3.connect(tmp_path / "bare.db", isolation_level=None)) as database,
        ThreadPoolExecutor(clients) as pool,
    ):
        listens(f"http://127.0.0.1:{bare_port}", nothing, tmp_path / "bare.log")
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE alerts (id INTEGER PRIMARY KEY, key TEXT UNIQUE, body BLOB)")
        on_one_core(ours.pid)
        on_one_core(nothing.pid)
        for turn in range(ROUNDS + 1):
            batches = [[_body(next(numbers)) for _ in range(ALERTS // clients)] for _ in range(clients)]
            taken: dict[str, float] = {}
            for name, process, where in (("ours", ours, port), ("bare", nothing, bare_port)):
                before, begun = spent(process.pid), time.perf_counter()
                list(pool.map(post, [where] * clients, batches))
                taken[name] = time.perf_counter() - begun
                if turn:
                    cpu[name].append((spent(process.pid) - before) / ALERTS)
            with on_that_core():
                begun = time.perf_counter()
                for number, body in enumerate(body for batch in batches for body in batch):
                    database.execute("INSERT INTO alerts (key, body) VALUES (?, ?)", (f"{turn}.{number}", body))
                taken["insert"] = time.perf_counter() - begun
            if turn:
                for name, seconds in taken.items():
                    rates[name].append(ALERTS / seconds)
    with contextlib.closing(Outbox(tmp_path / "alerts.db")) as outbox:
        assert next(numbers) == outbox.counts().total
    a_second = {name: statistics.median(each) for name, each in rates.items()}
    of_cpu = {name: statistics.median(each) * 1e3 for name, each in cpu.items()}
    print(f"\n{clients} at a time:")
    told = f"alerts a second on one core / inserts synced [{a_second['ours']:.0f} / {a_second['insert']:.0f}]"
    report(told, a_second["ours"] / a_second["insert"])
    told = f"the same / an app that keeps nothing [{a_second['ours']:.0f} / {a_second['bare']:.0f}]"
    report(told, a_second["ours"] / a_second["bare"])
    told = f"CPU of an alert / of an app that keeps nothing [{of_cpu['ours']:.2f} ms / {of_cpu['bare']:.2f} ms]"
    report(told, of_cpu["ours"] / of_cpu["bare"])


def _body(number: int) -> bytes:
    one = alert(instance=f"web{number}", summary="/ is 95% full")
    return json.dumps(payload(one, group=f'{{}}:{{instance="web{number}"}}')).encode()
