"""``devinotify balance``: the money left on the account."""

from __future__ import annotations

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import json_option, settings_of, url_option


@click.command("balance")
@url_option
@json_option
def command(url: str | None, *, as_json: bool) -> None:
    """Show the money left on the account.

    It is in the account's own currency, which the gateway does not name.
    """
    settings = settings_of(url)
    from devinotify.gateway.client import Client

    with Client(settings) as client:
        left = client.user.balance()
    if as_json:
        output.emit({"balance": left, "exit_code": ExitCode.ACCEPTED})
    else:
        output.write(str(left))
