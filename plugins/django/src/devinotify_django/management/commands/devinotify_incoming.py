"""``manage.py devinotify_incoming``: reads what subscribers have sent, and tells the receivers of ``sms_received``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError
from django.core.management.base import BaseCommand, CommandError

from devinotify_django import conf, notifiers

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Asks the gateway for the SMS of the last minutes; what is read twice comes twice, its ``id`` tells."""

    help = "Reads the SMS that subscribers have sent in the last minutes, and sends sms_received for each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the alias, and how far back to look."""
        parser.add_argument("--using", default=conf.DEFAULT, help="the entry of DEVINOTIFY (default: %(default)s)")
        parser.add_argument("--minutes", type=int, default=10, help="how far to look back (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's own
        """Read and tell."""
        notifier = notifiers.get(options["using"])
        until = datetime.now(UTC)
        try:
            messages = notifier.client.sms.incoming(until - timedelta(minutes=options["minutes"]), until)
        except DevinotifyError as error:
            raise CommandError(str(error)) from error
        for message in messages:
            notifier.plugins.observe("devinotify_message_received", message=message)
        self.stdout.write(f"{len(messages)} received")
