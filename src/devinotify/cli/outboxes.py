"""Which outbox a command is about: the option that names it, and its opening."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from devinotify.cli import exposure, output
from devinotify.cli.named import given_url, profile_option
from devinotify.cli.options import complete_files
from devinotify.credentials import URL as ENVIRONMENT
from devinotify.exceptions import InvalidInput
from devinotify.translation import _, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.outbox import Outbox

F = TypeVar("F", bound="Callable[..., object]")


def _told_of(context: click.Context, _parameter: click.Parameter, path: str | None) -> str | None:
    exposure.tell(context, path)
    return path


def outbox_option(command: F) -> F:
    """Add ``--outbox``, which arrives as ``path``."""
    return click.option(
        "--outbox",
        "path",
        metavar="PATH",
        shell_complete=complete_files,
        callback=_told_of,
        help=f"The file or postgresql:// URL: this one, else outbox= of {ENVIRONMENT}, else DEVINOTIFY_OUTBOX, else"
        " the user's file.",
    )(command)


def outbox_options(command: F) -> F:
    """Add ``--outbox``, which arrives as ``path``, and ``--profile``, whose outbox it is otherwise."""
    return outbox_option(profile_option(command))


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn what is wrong with the file or with a row's id into a usage error: nothing was to be sent."""
    try:
        yield
    except InvalidInput as error:
        raise click.ClickException(told(error)) from None


def location_of(path: str | None) -> str | Path:
    """Return which outbox is meant; a usage error where it is a file that is not there: opening would make it."""
    from devinotify.outbox.location import named_location
    from devinotify.url import outline

    url = given_url()
    with usage_errors():
        found = named_location(path or (outline(url).outbox if url else None))
    if isinstance(found, Path) and not found.exists():
        raise click.ClickException(_("there is no outbox at {path}", path=found))
    return found


@contextmanager
def opened(path: str | None) -> Iterator[Outbox]:
    """Give the outbox that is meant, closed in the end."""
    from devinotify.outbox import Outbox

    found = location_of(path)
    with usage_errors(), Outbox(found) as outbox:
        yield outbox


def say_held(held: str | None) -> None:
    """Say why nothing is sent from an outbox, where that is so."""
    if held is not None:
        output.say(
            _(
                "nothing is sent until `devinotify outbox resume`, for {why}: what is queued may have been sent",
                why=told(held),
            )
        )
