"""``devinotify url``: the URL of an account, written from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import click

from devinotify.cli import output
from devinotify.cli.asking import asked, password_asked
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import checked, json_option
from devinotify.translation import _

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devinotify.url import DevinoURL

F = TypeVar("F", bound="Callable[..., object]")


def parts_options(command: F) -> F:
    """Add ``--login``, ``--sender`` and ``--option``, the parts that an account's URL is written from."""
    decorators: tuple[Callable[[F], F], ...] = (
        click.option(
            "-o",
            "--option",
            "options",
            multiple=True,
            metavar="KEY=VALUE",
            help="A key of the URL, such as channel=sms-viber; may be given several times.",
        ),
        click.option("--sender", help="The name or number that messages come from; asked for where it is not given."),
        click.option("--login", help="The account's login; asked for where it is not given."),
    )
    for decorate in decorators:
        command = decorate(command)
    return command


@click.command("url")
@click.argument("to", nargs=-1)
@parts_options
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
    url = settings_from(login, sender, to, options).to_url()
    if as_json:
        output.emit({"url": url, "exit_code": ExitCode.ACCEPTED})
    else:
        output.write(url)


def settings_from(
    login: str | None, sender: str | None, to: Sequence[str] = (), options: Sequence[str] = ()
) -> DevinoURL:
    """Return the settings of an account from its parts, asking for those that are not given, and for the password.

    Raises InvalidURL for a wrong part, and a usage error where there is nobody to ask.
    """
    from devinotify.url import SCHEME, parse

    # In this order, and all of them before what is wrong with any is said.
    given = (asked("login", login), password_asked(), asked("sender", sender))
    name, password, source = (quote(part, safe="", errors="surrogatepass") for part in given)
    path = "".join("/" + quote(target, safe="+", errors="surrogatepass") for target in to)
    query = "&".join(map(_query_item, options))
    return checked(parse(f"{SCHEME}://{name}:{password}@{source}{path}?{query}"))


def _query_item(option: str) -> str:
    key, equals, value = option.partition("=")
    if not equals:
        raise click.UsageError(_("--option takes KEY=VALUE, such as {example}", example="channel=viber"))
    return f"{quote(key, safe='', errors='replace')}={quote(value, safe='', errors='replace')}"
