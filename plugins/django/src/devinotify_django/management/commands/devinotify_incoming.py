"""``manage.py devinotify_incoming``: reads what subscribers have sent, and tells the receivers of ``sms_received``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from devinotify_django import notifiers
from devinotify_django.management.base import AccountCommand, add_post, posting

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(AccountCommand):
    """Asks the gateway for the SMS that are new since the last time, as the outbox knows: each is told of once."""

    help = "Reads the SMS of subscribers that are new since the last time, and sends sms_received for each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the alias, and how far back to look the first time."""
        super().add_arguments(parser)
        parser.add_argument(
            "--minutes",
            type=int,
            default=1440,
            help="how far to look back the first time of all; from then on none is left out (default: %(default)s)",
        )
        add_post(parser)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's own
        """Read and tell."""
        since = datetime.now(UTC) - timedelta(minutes=options["minutes"])
        notifier = notifiers.get(options["using"])
        with posting(notifier, options["post"]):
            messages = notifier.incoming(since=since)
        self.stdout.write(f"{len(messages)} received")
