"""What a command asks for where it is not given: at a terminal, and a password never on the command line."""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from devinotify.translation import N_, _

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Mapping[str, str] = MappingProxyType({"login": N_("Login"), "sender": N_("Sender"), "gateway": N_("Gateway")})
"""What is asked for, as it is called at the terminal."""

_ANSWERS: Mapping[str, bool] = MappingProxyType(
    {**dict.fromkeys(("y", "yes", "д", "да"), True), **dict.fromkeys(("n", "no", "н", "нет", ""), False)}
)
"""What people answer, in either language whichever is spoken: the keyboard may be set to the other one."""


def asked(name: str, value: str | None, default: str | None = None) -> str:
    """Return a value, asked for at the terminal where it is not given; raise a usage error where there is no terminal.

    With a ``default`` that is the answer there, and offered at a terminal.
    """
    if value is not None:
        return value
    if sys.stdin.isatty():
        return str(click.prompt(_(_NAMES[name]), default=default, err=True))
    if default is not None:
        return default
    raise click.UsageError(_("give {option}: there is no terminal to ask at", option=f"--{name}"))


def password_asked() -> str:
    """Return the password: asked for unseen at a terminal, or the first line of stdin."""
    if sys.stdin.isatty():
        return str(click.prompt(_("Password"), hide_input=True, err=True))
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.UsageError(_("the password on stdin is not UTF-8")) from None


def agreed(question: str) -> bool:
    """Return whether whoever sits at the terminal agrees; nothing typed is a no, and what is neither is asked again.

    Raises click.Abort where the question is broken off.
    """
    text = f"{question} {_('[y/N]')}"
    return bool(click.prompt(text, default="", show_default=False, value_proc=_meant, err=True))


def _meant(answer: str) -> bool:
    found = _ANSWERS.get(answer.strip().lower())
    if found is None:
        raise click.UsageError(_("answer yes or no"))
    return found
