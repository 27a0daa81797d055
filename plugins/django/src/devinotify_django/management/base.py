"""What the commands have in common: the entry of DEVINOTIFY that they are for, and how their failure is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from devinotify_django import conf

if TYPE_CHECKING:
    from argparse import ArgumentParser


class SmsCommand(BaseCommand):
    """A command that says in one line what is wrong with the setting, the outbox or the gateway."""

    def execute(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - Django's own
        """Run; raise CommandError, which ``manage.py`` shows without a traceback."""
        try:
            return super().execute(*args, **options)
        except conf.UNUSABLE as error:
            raise CommandError(str(error)) from error


class AccountCommand(SmsCommand):
    """A command that is for one entry of DEVINOTIFY: ``--using``."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the alias."""
        parser.add_argument("--using", default=conf.DEFAULT, help="the entry of DEVINOTIFY (default: %(default)s)")
