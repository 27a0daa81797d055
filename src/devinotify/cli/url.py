"""``devinotify url``: the URL of an account, written from its parts."""

from __future__ import annotations

import sys
from urllib.parse import quote

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import checked, json_option
from devinotify.translation import _


@click.command("url")
@click.argument("to", nargs=-1)
@click.option("--login", help="The account's login; asked for where it is not given.")
@click.option("--sender", help="The name or number that messages come from; asked for where it is not given.")
@click.option(
    "-o",
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="A key of the URL, such as channel=sms-viber; may be given several times.",
)
@json_option
def command(
    to: tuple[str, ...], login: str | None, sender: str | None, options: tuple[str, ...], *, as_json: bool
) -> None:
    """Print the devino:// URL of an account, with every character encoded that has to be.

    The password is asked for, or is the first line of stdin: it never stands on a command line. The URL is printed in
    full, password included, on stdout alone, so that a variable or a file can take it:

    \b
    export DEVINOTIFY_URL="$(devinotify url --login LOGIN --sender SENDER)"
    """
    from devinotify.url import SCHEME, parse

    # In this order, and all of them before what is wrong with any is said.
    given = {"login": _asked("login", login), "password": _password(), "sender": _asked("sender", sender)}
    login, password, sender = (quote(part, safe="", errors="surrogatepass") for part in given.values())
    path = "".join("/" + quote(target, safe="+", errors="surrogatepass") for target in to)
    query = "&".join(_item(option) for option in options)
    url = checked(parse(f"{SCHEME}://{login}:{password}@{sender}{path}?{query}")).to_url()
    if as_json:
        output.emit({"url": url, "exit_code": ExitCode.ACCEPTED})
    else:
        output.write(url)


def _asked(name: str, value: str | None) -> str:
    if value is not None:
        return value
    if not sys.stdin.isatty():
        raise click.UsageError(_("give {option}: there is no terminal to ask at", option=f"--{name}"))
    return str(click.prompt(_(name.capitalize()), err=True))


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt(_("Password"), hide_input=True, err=True))
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.UsageError(_("the password on stdin is not UTF-8")) from None


def _item(option: str) -> str:
    key, equals, value = option.partition("=")
    if not equals:
        raise click.UsageError(_("--option takes KEY=VALUE, such as {example}", example="channel=viber"))
    return f"{quote(key, safe='', errors='replace')}={quote(value, safe='', errors='replace')}"
