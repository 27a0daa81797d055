"""``manage.py devinotify_incoming``: reads what subscribers have sent, and tells the receivers of ``sms_received``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from devinotify_django import notifiers
from devinotify_django.management.base import AccountCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(AccountCommand):
    """Asks the gateway for the SMS of the last minutes; what is read twice comes twice, its ``id`` tells."""

    help = "Reads the SMS that subscribers have sent in the last minutes, and sends sms_received for each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the alias, and how far back to look."""
        super().add_arguments(parser)
        parser.add_argument("--minutes", type=int, default=10, help="how far to look back (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's own
        """Read and tell."""
        notifier = notifiers.get(options["using"])
        until = datetime.now(UTC)
        messages = notifier.client.sms.incoming(until - timedelta(minutes=options["minutes"]), until)
        for message in messages:
            notifier.plugins.observe("devinotify_message_received", message=message)
        self.stdout.write(f"{len(messages)} received")
