"""``manage.py devinotify_worker``: sends what was enqueued, and watches it."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError, Worker
from django.core.management.base import BaseCommand, CommandError

from devinotify_django import conf, notifiers

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Iterator


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C, which finish what is being sent; a second one ends it at once."""

    help = "Sends what enqueue_sms has stored, watches it, and takes the later steps of fallbacks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the alias, and how much is done at a time."""
        parser.add_argument("--using", default=conf.DEFAULT, help="the entry of DEVINOTIFY (default: %(default)s)")
        parser.add_argument("--once", action="store_true", help="end when nothing is due at the moment")
        parser.add_argument("--batch", type=int, default=1000, help="recipients in one request (default: %(default)s)")
        parser.add_argument("--connections", type=int, default=4, help="requests at a time (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's own
        """Work through the outbox."""
        try:
            worker = Worker(notifiers.get(options["using"]), batch=options["batch"], connections=options["connections"])
            self.stderr.write(f"working on {worker.outbox.name}")
            with _stopped_by_signals(worker.stop):
                worker.run(once=options["once"])
        except DevinotifyError as error:
            raise CommandError(str(error)) from error
        counts = ", ".join(f"{count} {state}" for state, count in worker.outbox.counts() if count)
        self.stdout.write(f"in the outbox: {counts or 'nothing'}")
        if worker.cause is not None:
            raise CommandError(f"what is queued waits for the next run: {worker.error}")


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM call ``stop``; a second one does what it did before."""
    if threading.current_thread() is not threading.main_thread():
        yield  # nobody but the main thread gets signals
        return
    former: dict[signal.Signals, Any] = {}

    def restore() -> None:
        while former:
            signal.signal(*former.popitem())

    def handle(number: int, frame: object) -> None:  # noqa: ARG001 - a handler's signature
        restore()
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        former[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
