"""What the commands have in common: the entry of DEVINOTIFY that they are for, and how their failure is told."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from devinotify import ReplyPoster
from django.core.management.base import BaseCommand, CommandError

from devinotify_django import conf

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from devinotify import Notifier


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


def add_post(parser: ArgumentParser, when: str = "") -> None:
    """Take the address that what subscribers send is posted to; ``when`` is what it goes with."""
    parser.add_argument(
        "--post",
        metavar="URL",
        help=f"{when}post each SMS of subscribers there as JSON, signed with DEVINOTIFY_POST_SECRET; what is not"
        " answered with 2xx is posted again",
    )


@contextmanager
def posting(notifier: Notifier, url: str | None) -> Iterator[None]:
    """Have what the notifier reads posted to ``url`` as well, if there is one, inside a block."""
    if url is None:
        yield
        return
    with closing(ReplyPoster(url)) as poster:
        notifier.plugins.register(poster)
        try:
            yield
        finally:
            notifier.plugins.unregister(poster)
