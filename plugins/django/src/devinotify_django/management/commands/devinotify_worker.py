"""``manage.py devinotify_worker``: sends what was enqueued, and watches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devinotify import Worker
from django.core.management.base import CommandError

from devinotify_django import notifiers
from devinotify_django.management.base import AccountCommand, add_post, posting

if TYPE_CHECKING:
    from argparse import ArgumentParser


INCOMING_EVERY = 15.0
"""Seconds between two looks at what subscribers have sent."""


class Command(AccountCommand):
    """Runs until SIGTERM or Ctrl-C, which finish what is being sent; a second one ends it at once."""

    help = "Sends what enqueue_sms has stored, watches it, and takes the later steps of fallbacks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the alias, and how much is done at a time."""
        super().add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="end when nothing is due at the moment")
        parser.add_argument("--batch", type=int, default=1000, help="recipients in one request (default: %(default)s)")
        parser.add_argument("--connections", type=int, default=4, help="requests at a time (default: %(default)s)")
        parser.add_argument(
            "--incoming",
            action="store_true",
            help="read what subscribers send, too, and send sms_received for each once",
        )
        add_post(parser, "with --incoming: ")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's own
        """Work through the outbox."""
        if options["post"] is not None and not options["incoming"]:
            raise CommandError("--post goes with --incoming")
        notifier = notifiers.get(options["using"])
        worker = Worker(
            notifier,
            batch=options["batch"],
            connections=options["connections"],
            incoming=INCOMING_EVERY if options["incoming"] else None,
        )
        self.stderr.write(f"working on {worker.outbox.name}")
        with posting(notifier, options["post"]):
            worker.run(once=options["once"], signals=True)
        counts = ", ".join(f"{count} {state}" for state, count in worker.outbox.counts() if count)
        self.stdout.write(f"in the outbox: {counts or 'nothing'}")
        if worker.cause is not None:
            raise CommandError(f"not everything went out, and what is queued waits for the next run: {worker.error}")
