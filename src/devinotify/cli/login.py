"""``devinotify login``: an account that this user's commands find by themselves, its password apart."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from devinotify import credentials, passwords
from devinotify.cli import output
from devinotify.cli.asking import asked
from devinotify.cli.exits import ExitCode
from devinotify.cli.named import name_option
from devinotify.cli.options import json_option
from devinotify.cli.url import parts_options, settings_from
from devinotify.config.profiles import VARIABLE as PROFILE
from devinotify.exceptions import InvalidURL
from devinotify.translation import _, told

if TYPE_CHECKING:
    from decimal import Decimal

    from devinotify.url import DevinoURL

DEFAULT = "default"
"""The profile that is written where none is named."""

_BEFORE = (
    credentials.URL,
    credentials.URL_FILE,
    credentials.PASSWORD,
    credentials.PASSWORD_FILE,
)
"""Variables that go before what is stored here: who has set one is told."""


@click.command("login")
@parts_options
@click.option("--gateway", metavar="URL", help="The API's base URL; asked for at a terminal.")
@name_option("The profile to write.", envvar=PROFILE, show_envvar=True, default=DEFAULT, show_default=True)
@click.option("--no-check", is_flag=True, help="Store without asking the gateway whether login and password are right.")
@click.option(
    "--keyring/--file",
    default=None,
    help="Store the password in the system's keyring alone, or in a file of mode 0600; without either, in the keyring"
    " where there is one.",
)
@json_option
def command(
    login: str | None,
    sender: str | None,
    options: tuple[str, ...],
    gateway: str | None,
    name: str,
    keyring: bool | None,
    *,
    no_check: bool,
    as_json: bool,
) -> None:
    """Store an account, so that commands need no URL.

    The password is asked for, or is the first line of stdin. It is tried at the gateway, by asking for the balance, and
    stored in the system's keyring (the extra devinotify[keyring]) or in a file that only you can read; the rest
    goes to a profile in config.toml, whose comments stay. The first profile becomes the default one.

    \b
    devinotify login
    devinotify login --login LOGIN --sender SENDER --no-check < password.txt
    """
    from devinotify.cli import profile_file
    from devinotify.url import DEFAULT_GATEWAY

    document = profile_file.opened(name)
    settings = settings_from(login, sender, (), options)
    if settings.gateway == DEFAULT_GATEWAY:
        settings = settings.with_options(gateway=asked("gateway", gateway, DEFAULT_GATEWAY))
    document.put(_without_password(settings))
    left = None if no_check else _balance(settings)
    was_known = passwords.is_kept(settings.account)
    kept = passwords.keep(settings.account, settings.password, keyring=keyring)
    try:
        document.save()
    except InvalidURL:
        if not was_known:  # what was there before is of a profile that still is
            passwords.forget(settings.account)
        raise
    if as_json:
        output.emit(
            {
                "profile": name,
                "default": document.is_default,
                "config": str(document.path),
                "account": settings.account,
                "password": kept.place,
                "reason": kept.reason or None,
                "balance": left,
                "exit_code": ExitCode.ACCEPTED,
            }
        )
        return
    if left is not None:
        output.write(_("the gateway takes login and password; the balance is {balance:,}", balance=left))
    place = _("the password is in {place}", place=_(kept.place))
    output.write(f"{place} ({told(kept.reason)})" if kept.reason else place)
    if document.is_default:
        output.write(_("the profile {name}, the default one, is in {path}", name=name, path=document.path))
    else:
        output.write(_("the profile {name} is in {path}", name=name, path=document.path))
    for variable in filter(os.environ.get, _BEFORE):
        output.say(_("{variable} is set, and goes before what was stored here", variable=variable))


def _balance(settings: DevinoURL) -> Decimal:
    from devinotify.gateway.client import Client

    with Client(settings) as client:
        return client.user.balance()


def _without_password(settings: DevinoURL) -> str:
    """Return the URL of an account without its password, which is somewhere else."""
    login = f"devino://{quote(settings.login, safe='')}"
    return f"{login}@{settings.to_url().removeprefix(login).partition('@')[2]}"
