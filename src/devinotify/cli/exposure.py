"""A password on the command line: everybody on the machine can see it there, and the shell remembers it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from devinotify.cli import output
from devinotify.translation import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import click

_EXPOSED = re.compile(
    r"(?:^|=)((?:devino://[^:/?#@]*:|postgres(?:ql)?://[^:/?#@]*:(?!\d+[,/?]))[^@]+@.*)", re.IGNORECASE | re.DOTALL
)
"""An argument that is a URL with a password, or an option with one: ``--url=devino://…``, and not a port."""

DEMO = "demo"
"""The login of the sandbox's own account, whose password is not a secret."""

ADVICE = N_(
    "the password of a URL on the command line is seen by others (`ps`) and stays in the shell's history; `devinotify"
    " login` stores it, and DEVINOTIFY_URL, DEVINOTIFY_PASSWORD or password_file= keep it off the command line; that of"
    " a database goes into DEVINOTIFY_OUTBOX or ~/.pgpass"
)


def is_exposed(arguments: Iterable[str]) -> bool:
    """Whether a password is among the arguments: an account's, or a database's, which a URL may hold as its outbox.

    That of the sandbox's demo account on this machine does not count.
    """
    found = [match[1] for argument in arguments for text in _texts(argument) if (match := _EXPOSED.search(text))]
    return any(not _is_demo(url) for url in found)


def tell(context: click.Context | None, given: str | None) -> None:
    """Say on stderr that a password was typed, once in a run; ``given`` is what stood on the command line, if any."""
    if context is None or context.resilient_parsing or ADVICE in context.meta or not is_exposed([given or ""]):
        return
    context.meta[ADVICE] = True
    output.say(_(ADVICE))


def _texts(argument: str) -> Iterator[str]:
    """Yield an argument, and what the query of a URL in it holds, where another URL stands percent-encoded."""
    yield argument
    for setting in argument.partition("?")[2].split("&"):
        yield unquote(setting.partition("=")[2])


def _is_demo(url: str) -> bool:
    from devinotify.exceptions import InvalidURL
    from devinotify.url import outline

    try:
        settings = outline(url)
    except InvalidURL:
        return False
    return settings.is_loopback and settings.login == DEMO
