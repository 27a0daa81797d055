"""Workers and beats as processes of their own, what they have written, and what the outbox tells of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import Celery

from devinotify_celery import notifiers
from tests.brokers import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).parents[1]


def wait_for(what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Return what is true in the end; fail after so many seconds."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)  # another process's affair, which tells nobody
    return found


class Shop:
    """The app of ``tests.shop`` with a broker, an account and an outbox: its processes and their settings."""

    def __init__(self, folder: Path, *, broker: str, url: str, outbox: str, **settings: Any) -> None:
        self._folder = folder
        self._number = 0
        self.variables = {
            "SHOP_BROKER": broker,
            "SHOP_BACKEND": f"file://{folder}",
            "SHOP_URL": url,
            "SHOP_OUTBOX": outbox,
            "SHOP_SETTINGS": json.dumps(settings),
        }

    def start(self, *words: str) -> Process:
        """Start a command of celery's."""
        self._number += 1
        log = self._folder / f"celery-{self._number}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "tests.shop", *words],
                cwd=FOLDER,
                env={**os.environ, **self.variables},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Process(process, log)

    @contextlib.contextmanager
    def worker(self, *words: str, pool: str = "prefork", size: int = 2, level: str = "INFO") -> Iterator[Process]:
        """Give a worker that is ready, and end it."""
        options = ["--pool", pool, "--concurrency", str(size), "--loglevel", level]
        quiet = ["--without-gossip", "--without-mingle"]
        process = self.start("worker", *options, *quiet, "--hostname", f"w{self._number}@%h", *words)
        try:
            wait_for(lambda: process.is_alive() and " ready." in process.written())
            yield process
        finally:
            process.end()

    @contextlib.contextmanager
    def beat(self) -> Iterator[Process]:
        """Give a beat, and end it."""
        schedule = self._folder / f"schedule-{self._number}"
        process = self.start("beat", "--schedule", str(schedule), "--pidfile", "", "--loglevel", "INFO")
        try:
            yield process
        finally:
            process.end()


class Process:
    """A process of celery's with all its children, and what it has written."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """The main process's id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it runs; fails with what it wrote where it has ended."""
        assert self._process.poll() is None, self.written()
        return True

    def written(self) -> str:
        """Return what it has written so far."""
        return self._log.read_text("utf-8", "replace")

    def children(self) -> list[int]:
        """Return the processes of its pool."""
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def end(self) -> None:
        """Ask it to go, and make sure that it does."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)


@contextlib.contextmanager
def client_of(shop: Shop) -> Iterator[Any]:
    """Give the shop's app as its web process has it, and close it with what it has opened."""
    made = Celery("client", broker=shop.variables["SHOP_BROKER"], backend=shop.variables["SHOP_BACKEND"])
    made.conf.update(
        devinotify_url=shop.variables["SHOP_URL"],
        devinotify_outbox=shop.variables["SHOP_OUTBOX"],
        **json.loads(shop.variables["SHOP_SETTINGS"]),
    )
    try:
        yield made
    finally:
        notifiers.shared.close()
        made.close()


def states(app: Any) -> list[str]:
    """Return the states of all rows."""
    outbox = notifiers.get_notifier(app=app).following().outbox
    return [str(row.state) for row in outbox]


def busy(app: Any) -> list[int]:
    """Return the processes that have a row of the outbox under way."""
    outbox = notifiers.get_notifier(app=app).following().outbox
    return [each.pid for each in outbox.workers() if each.rows]
