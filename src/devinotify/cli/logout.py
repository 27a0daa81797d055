"""``devinotify logout``: the password that login has stored is removed."""

from __future__ import annotations

import click

from devinotify import passwords
from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.named import name_option
from devinotify.cli.options import json_option
from devinotify.config.profiles import VARIABLE as PROFILE
from devinotify.translation import _


@click.command("logout")
@name_option("The profile of the account; the default one otherwise.", envvar=PROFILE, show_envvar=True)
@json_option
def command(name: str | None, *, as_json: bool) -> None:
    """Remove the password that `devinotify login` has stored; the profile stays.

    It is removed from the keyring and from the file, wherever it is.
    """
    from devinotify.url import outline, profile_url

    url = profile_url(name)
    if url is None:
        raise click.UsageError(_("give --profile: there is no default profile"))
    account = outline(url).account
    removed = passwords.forget(account)
    if as_json:
        output.emit({"account": account, "removed_from": removed, "exit_code": ExitCode.ACCEPTED})
        return
    shown = output.printable(account)
    for place in removed:
        output.write(_("the password of {account} is no longer in {place}", account=shown, place=_(place)))
    if not removed:
        output.write(_("no password of {account} was stored", account=shown))
