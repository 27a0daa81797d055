"""What a command asks for where it is not given: at a terminal, and a password never on the command line."""

from __future__ import annotations

import sys

import click

from devinotify.translation import _


def asked(name: str, value: str | None, default: str | None = None) -> str:
    """Return a value, asked for at the terminal where it is not given; raise a usage error where there is no terminal.

    With a ``default`` that is the answer there, and offered at a terminal.
    """
    if value is not None:
        return value
    if sys.stdin.isatty():
        return str(click.prompt(_(name.capitalize()), default=default, err=True))
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
