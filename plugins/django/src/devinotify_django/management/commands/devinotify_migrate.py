"""``manage.py devinotify_migrate``: makes the outboxes that are not there yet."""

from __future__ import annotations

from typing import Any

from devinotify import DevinotifyError
from django.core.management.base import BaseCommand, CommandError

from devinotify_django import conf, notifiers


class Command(BaseCommand):
    """Opens the outbox of each alias, which makes its file or its schema where there is none."""

    help = "Makes the outbox of each entry of DEVINOTIFY where there is none, and says where it is."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's own
        """Open each outbox."""
        for alias in conf.aliases():
            try:
                self.stdout.write(f"{alias}: {notifiers.outbox(alias).name} is ready")
            except DevinotifyError as error:
                raise CommandError(f"{alias}: {error}") from error
