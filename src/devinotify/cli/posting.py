"""``--post``: what comes in goes to an address of one's own as well."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from devinotify.exceptions import InvalidInput
from devinotify.translation import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.delivery.replies import ReplyPoster

F = TypeVar("F", bound="Callable[..., object]")


def post_option(when: str) -> Callable[[F], F]:
    """Add ``--post``, which arrives as ``post``; ``when`` is how its help begins, with what it goes."""
    return click.option(
        "--post",
        metavar="URL",
        help=f"{when}: POST each message there as JSON, signed with DEVINOTIFY_POST_SECRET; what is not answered with"
        " 2xx is posted again.",
    )


@contextmanager
def posting(url: str | None) -> Iterator[list[ReplyPoster]]:
    """Give the plugins that post to this address: one, or none without an address; a usage error for a wrong one."""
    if url is None:
        yield []
        return
    from devinotify.delivery.replies import ReplyPoster

    try:
        poster = ReplyPoster(url)
    except InvalidInput as error:
        raise click.UsageError(told(error)) from None
    with closing(poster):
        yield [poster]
