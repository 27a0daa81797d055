"""``manage.py devinotify_test NUMBER``: sends one message, and explains what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devinotify import Verdict
from devinotify import text as texts
from django.core.management.base import CommandError

from devinotify_django import notifiers
from devinotify_django.management.base import AccountCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinotify import Outcome

MEANS = {
    Verdict.ACCEPTED: "the gateway has taken it",
    Verdict.REJECTED: "the gateway has refused it; the same would be refused again",
    Verdict.NOT_SENT: "it has not left this machine; it is safe to try again",
    Verdict.UNKNOWN: "it may have been sent: ask the recipient before you try again",
}
"""What each verdict means to whoever reads it."""


class Command(AccountCommand):
    """Sends one message for real, by the settings of an alias."""

    help = "Sends one message to NUMBER, waits for its delivery, and explains what became of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the number, the text and the alias."""
        super().add_arguments(parser)
        parser.add_argument("number")
        parser.add_argument("--text", default="It works", help="what is sent (default: %(default)s)")
        parser.add_argument(
            "--wait", type=float, default=10.0, help="seconds to wait for the delivery (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's own
        """Send, wait, explain."""
        notifier = notifiers.get(options["using"])
        self.stdout.write(f"by {notifier.url}: {texts.count_segments(options['text'])} segments")
        (outcome,) = notifier.notify(options["text"], options["number"])
        self._explain(outcome)
        if outcome.verdict is not Verdict.ACCEPTED:
            raise CommandError(f"{outcome.error}")
        (outcome,) = notifier.wait([outcome], options["wait"])
        self.stdout.write(f"delivery after {options['wait']:g} s at most: {outcome.status or 'not known yet'}")

    def _explain(self, outcome: Outcome) -> None:
        ids = "" if outcome.receipt is None else f" as {', '.join(outcome.receipt.message_ids)}"
        self.stdout.write(f"{outcome.verdict}{ids}: {MEANS[outcome.verdict]}")
