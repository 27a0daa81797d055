"""``manage.py devinotify_migrate``: makes the outboxes that are not there yet, and upgrades older ones."""

from __future__ import annotations

from typing import Any, ClassVar

from devinotify import Outbox
from django.core.management.base import CommandError

from devinotify_django import conf, notifiers
from devinotify_django.management.base import SmsCommand


class Command(SmsCommand):
    """Makes the file or the schema of each alias's outbox, or brings it to the version that is needed."""

    help = "Makes the outbox of each entry of DEVINOTIFY, or brings it to this version, and says where it is."
    # The check of the outboxes finds the very fault that this is to mend.
    requires_system_checks: ClassVar[list[str]] = []

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's own
        """Bring each outbox to this version, and open it."""
        for alias in conf.aliases():
            try:
                Outbox.migrate(conf.account(alias).outbox)  # before a Notifier opens it
                self.stdout.write(f"{alias}: {notifiers.outbox(alias).name} is ready")
            except conf.UNUSABLE as error:
                raise CommandError(f"{alias}: {error}") from error
