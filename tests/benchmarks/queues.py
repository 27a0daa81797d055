"""The queues that the outbox in PostgreSQL is compared with, each draining jobs that do nothing, with one worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]  # it has no types
import procrastinate
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job  # noqa: TC002 - it looks at its tasks' types
from pgqueuer.types import QueueExecutionMode
from procrastinate import PsycopgConnector, SyncPsycopgConnector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from procrastinate.types import JSONValue


def procrastinate_batches(url: str, jobs: int, batch: int) -> float:
    """Return the seconds that ``batch_defer`` takes for so many jobs, so many at a time."""
    app = procrastinate.App(connector=SyncPsycopgConnector(conninfo=url))
    nothing = app.task(name="nothing")(_nothing)
    with app.open():
        if not app.check_connection():
            app.schema_manager.apply_schema()
        begun = time.perf_counter()
        for start in range(0, jobs, batch):
            arguments: list[dict[str, JSONValue]] = [{"number": number} for number in range(start, start + batch)]
            nothing.batch_defer(*arguments)
        return time.perf_counter() - begun


def _nothing(number: int) -> None:
    """Do nothing."""


def procrastinate_drain(url: str) -> float:
    """Return the seconds in which a worker does all jobs that are there."""

    async def drain() -> float:
        app = procrastinate.App(connector=PsycopgConnector(conninfo=url))

        @app.task(name="nothing")
        async def nothing(number: int) -> None:
            """Do nothing."""

        async with app.open_async():
            begun = time.perf_counter()
            await app.run_worker_async(wait=False, install_signal_handlers=False)
            return time.perf_counter() - begun

    return asyncio.run(drain())


def pgqueuer_drain(url: str, jobs: int, batch: int) -> float:
    """Return the seconds in which a worker does so many jobs, fetched so many at a time."""

    async def drain() -> float:
        connection = await asyncpg.connect(url)
        queue = PgQueuer(AsyncpgDriver(connection))
        with contextlib.suppress(asyncpg.PostgresError):
            await queue.qm.queries.install()

        @queue.entrypoint("nothing")
        async def nothing(job: Job) -> None:
            """Do nothing."""

        await queue.qm.queries.enqueue(["nothing"] * jobs, [b"+79161234567"] * jobs, [0] * jobs)
        begun = time.perf_counter()
        await queue.qm.run(batch_size=batch, mode=QueueExecutionMode.drain)
        taken = time.perf_counter() - begun
        await connection.close()
        return taken

    return asyncio.run(drain())


_CELERY = """
import os, sys, time
from celery import Celery

app = Celery(broker=sys.argv[1])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True, worker_hijack_root_logger=False)
jobs, began = int(sys.argv[2]), []

@app.task
def nothing(number):
    began or began.append(time.perf_counter())
    if number == jobs - 1:
        os.write(1, f"\\n{time.perf_counter() - began[0]}".encode())
        os._exit(0)

for number in range(jobs):
    nothing.delay(number)
app.worker_main(["worker", "-P", "solo", "-l", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""


def celery_drain(broker: str, jobs: int) -> float:
    """Return the seconds from the first job's begin to the last one's, by one worker in one process."""
    done = subprocess.run(
        [sys.executable, "-c", _CELERY, broker, str(jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "C_FORCE_ROOT": "1"},
    )
    return float(done.stdout.split()[-1])


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Give the URL of a Redis of its own, as Debian sets it up but for its folder and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="devinotify-redis-")
    process = subprocess.Popen(
        [str(shutil.which("redis-server")), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder],
        stdout=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < until
            time.sleep(0.05)  # nothing tells of its start
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
