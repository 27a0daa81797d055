"""A password on the command line: everybody on the machine can see it there, and the shell remembers it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify.translation import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXPOSED = re.compile(r"(?:^|=)(devino://[^:/?#@]*:[^@]+@.*)", re.IGNORECASE | re.DOTALL)
"""An argument that is a URL with a password, or an option with one: ``--url=devino://…``."""

DEMO = "demo"
"""The login of the sandbox's own account, whose password is not a secret."""

ADVICE = N_(
    "the password of a URL on the command line is seen by others (`ps`) and stays in the shell's history; `devinotify"
    " login` stores it, and DEVINOTIFY_URL, DEVINOTIFY_PASSWORD or password_file= keep it off the command line"
)


def is_exposed(arguments: Iterable[str]) -> bool:
    """Whether a password is among the arguments; that of the sandbox's demo account on this machine does not count."""
    found = [match[1] for argument in arguments if (match := _EXPOSED.search(argument))]
    return any(not _is_demo(url) for url in found)


def _is_demo(url: str) -> bool:
    from devinotify.exceptions import InvalidURL
    from devinotify.url import outline

    try:
        settings = outline(url)
    except InvalidURL:
        return False
    return settings.is_loopback and settings.login == DEMO
