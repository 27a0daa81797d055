"""``devinotify sandbox``: a local gateway until Ctrl-C."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import Whole
from devinotify.translation import _, told

if TYPE_CHECKING:
    from decimal import Decimal

    from devinotify.gateway.client import Client
    from devinotify.sandbox import Sandbox

DEFAULT_PORT = 8026
_RELEASE_URL = "DEVINOTIFY_SANDBOX_RELEASE_URL"
_MAKE_TOKEN = "export DEVINOTIFY_SANDBOX_TOKEN=$(python3 -c 'import secrets; print(secrets.token_urlsafe())')"  # noqa: S105 - a command


class _Refused(click.ClickException):
    exit_code = ExitCode.USAGE


def _fail(message: str) -> NoReturn:
    raise _Refused(message)


def _money(_context: click.Context, _parameter: click.Parameter, value: str) -> Decimal:
    from devinotify.sandbox import money

    try:
        return money.amount(value)
    except ValueError as wrong:
        raise click.BadParameter(_("it {wrong}, such as {example}", wrong=told(wrong), example="100.50")) from None


@click.command("sandbox")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; loopback only, unless allowed."
)
@click.option("--port", type=Whole(0, 65535), default=DEFAULT_PORT, show_default=True, help="Port; 0 takes a free one.")
@click.option("--login", default="demo", show_default=True, help="The account's login.")
@click.option(
    "--password",
    default="demo",
    show_default=True,
    envvar="DEVINOTIFY_SANDBOX_PASSWORD",
    show_envvar=True,
    help="The account's password.",
)
@click.option(
    "--balance", default="100000.00", show_default=True, callback=_money, help="The account's balance at the start."
)
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="SQLite file to keep the messages in; made where it is missing. Without it they are kept in memory.",
)
@click.option(
    "--keep",
    type=Whole(1, 1_000_000),
    default=5000,
    show_default=True,
    help="Messages to keep; the oldest go first.",
)
@click.option("--allow-remote", is_flag=True, help="Let --host be another address than loopback; needs a token.")
@click.option(
    "--token",
    envvar="DEVINOTIFY_SANDBOX_TOKEN",
    show_envvar=True,
    help="What the page and the control API ask for, of 16 characters or more; best given in the environment.",
)
@click.option(
    "--release-to",
    multiple=True,
    metavar="NUMBER",
    help="A number that a message may be sent on to, by hand, through the account of --release-url; may be repeated.",
)
@click.option(
    "--release-url",
    envvar=_RELEASE_URL,
    show_envvar=True,
    metavar="URL",
    help="The real account for --release-to; best given in the environment.",
)
@click.option(
    "--post",
    metavar="URL",
    help="Post what arrives to this address, signed with the secret in DEVINOTIFY_POST_SECRET; https, or this machine.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON in place of the text.")
def command(
    host: str,
    port: int,
    login: str,
    password: str,
    balance: Decimal,
    db: Path | None,
    keep: int,
    token: str | None,
    release_to: tuple[str, ...],
    release_url: str | None,
    post: str | None,
    *,
    allow_remote: bool,
    as_json: bool,
) -> None:
    """Run a local gateway that behaves like the real one, until Ctrl-C.

    Messages sent to it go nowhere: the page it prints shows them.
    """
    from devinotify.sandbox import Sandbox
    from devinotify.sandbox.hosts import check_host

    try:
        check_host(host, allow_remote=allow_remote, token=token)
    except ValueError as refused:
        missing_token = _("make one with: {command}", command=_MAKE_TOKEN) if token is None and allow_remote else ""
        _fail("; ".join(filter(None, (told(refused), missing_token))))
    with ExitStack() as opened:
        try:
            sandbox = Sandbox(
                host=host,
                port=port,
                login=login,
                password=password,
                balance=balance,
                db=db,
                keep=keep,
                token=token,
                allow_remote=allow_remote,
                release=_account(opened, release_url) if release_to else None,
                release_to=release_to,
                post=post,
                post_secret=_secret() if post else "",
            )
        except ValueError as wrong:
            _fail(told(wrong))
        _serve(sandbox, host, port, as_json=as_json)


def _account(opened: ExitStack, url: str | None) -> Client:
    """Return a client of the real account, closed with the sandbox."""
    if not url:
        _fail(_("--release-to needs a real account: put its URL into {variable}", variable=_RELEASE_URL))
    from devinotify.cli.options import checked
    from devinotify.gateway.client import Client
    from devinotify.url import parse

    return opened.enter_context(Client(checked(parse(url))))


def _secret() -> str:
    from devinotify.posting import SECRET

    secret = os.environ.get(SECRET)
    if not secret:
        _fail(_("--post signs with a secret: put one into {variable}", variable=SECRET))
    return secret


def _serve(sandbox: Sandbox, host: str, port: int, *, as_json: bool) -> None:
    """Run until a signal, and say where."""
    try:
        sandbox.start()
    except (ImportError, ValueError) as refused:
        _fail(told(refused))
    except OSError as failure:
        if failure.errno == errno.EADDRINUSE:
            _fail(_("port {port} is in use: stop what listens there, or choose another with --port", port=port))
        if failure.filename:
            _fail(_("cannot open {path}: {why}", path=failure.filename, why=failure.strerror))
        _fail(_("cannot listen on {host} port {port}: {why}", host=host, port=port, why=failure.strerror))
    from devinotify.delivery.stopping import Stopping, stopped_by_signals
    from devinotify.systemd import Supervisor

    stopping, supervisor = Stopping(), Supervisor.of()
    try:
        with stopped_by_signals(stopping.ask):
            _announce(sandbox.gateway, sandbox.origin, sandbox.shown_url, as_json=as_json)
            sandbox.soon(lambda: supervisor.ready("serving"))
            # A wait without end cannot be interrupted on every platform. A sign of life is the loop's own: one that
            # hangs gives none.
            while not stopping.wait(min(0.5, supervisor.every or 0.5)):
                sandbox.soon(supervisor.lives)
            supervisor.stopping()
    finally:
        sandbox.stop()
    if not as_json:
        output.write(_("Stopped."))


def _announce(gateway: str, page: str, url: str, *, as_json: bool) -> None:
    if as_json:
        output.emit_line({"gateway": gateway, "page": f"{page}/", "control": f"{page}/sandbox", "url": url})
        return
    places = {_("Inbox"): f"{page}/", _("Gateway"): gateway, _("Control"): f"{page}/sandbox"}
    width = max(map(len, places)) + 2
    lines = "\n".join(f"  {name:<{width}}{address}" for name, address in places.items())
    output.write(
        f"""{_("devinotify sandbox is running. Press Ctrl-C to stop it.")}

{lines}

{_("Give the gateway to devinotify with")}
  export DEVINOTIFY_URL='{url}'"""
    )
