"""``manage.py devinotify_migrate``: makes the outboxes that are not there yet, and upgrades older ones."""

from __future__ import annotations

from typing import Any

from devinotify import DevinotifyError, Outbox
from django.core.management.base import BaseCommand, CommandError

from devinotify_django import conf, notifiers


class Command(BaseCommand):
    """Makes the file or the schema of each alias's outbox, or brings it to the version that is needed."""

    help = "Makes the outbox of each entry of DEVINOTIFY, or brings it to this version, and says where it is."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's own
        """Bring each outbox to this version, and open it."""
        for alias in conf.aliases():
            try:
                Outbox.migrate(notifiers.get(alias).url.outbox)
                self.stdout.write(f"{alias}: {notifiers.outbox(alias).name} is ready")
            except DevinotifyError as error:
                raise CommandError(f"{alias}: {error}") from error
