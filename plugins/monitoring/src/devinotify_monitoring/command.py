"""``devinotify alert``: tells somebody what a monitoring host has to tell, and the host what it needs to know of it.

The help of ``devinotify`` loads this module, so it loads what sends only when it is called.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import click
from devinotify import DevinotifyError
from devinotify.translation import _, told

from devinotify_monitoring.errors import SetupError
from devinotify_monitoring.profiles import PROFILES


def _copy_samples(context: click.Context, _parameter: click.Parameter, folder: Path | None) -> None:
    if folder is None or context.resilient_parsing:
        return
    from devinotify_monitoring.samples import copy

    try:
        for path in copy(folder):
            click.echo(path)
    except SetupError as error:
        raise click.ClickException(str(error)) from None
    context.exit()


@click.command("alert")
@click.option("--profile", type=click.Choice(list(PROFILES)), required=True, help="The host that runs this command.")
@click.option(
    "--to", multiple=True, metavar="TO", help="Who gets it, a number or an alias; otherwise whom the host names."
)
@click.option("--key", metavar="KEY", help="What makes it one notification, in place of what the host tells.")
@click.option(
    "--enqueue/--no-enqueue",
    default=None,
    help="Store it for `devinotify worker`, or send it now; Nagios and Icinga: store it, the others: send it.",
)
@click.option(
    "--url-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file of mode 0600 with the account's URL, in place of DEVINOTIFY_URL.",
)
@click.option(
    "--url",
    envvar="DEVINOTIFY_URL",
    show_envvar=True,
    metavar="URL",
    help="The account: devino://LOGIN:PASSWORD@SENDER. The variable or the file keeps it out of the process list.",
)
@click.option("--outbox", metavar="PATH", help="Where it is stored: a file or postgresql://…, in place of the URL's.")
@click.option("--channel", metavar="CHANNEL", help="sms, viber, sms-viber, …, in place of the URL's.")
@click.option(
    "--max-segments",
    type=click.IntRange(1),
    metavar="N",
    help="How long it may be, in SMS segments; 1 unless the URL says.",
)
@click.option(
    "--deadline",
    type=click.IntRange(60, 86400),
    default=86400,
    show_default=True,
    metavar="SECONDS",
    help="For how long it is tried, from when it was stored; after that it is not sent any more.",
)
@click.option(
    "--samples",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    is_eager=True,
    expose_value=False,
    callback=_copy_samples,
    help="Write the files that each host is configured with into a folder, and end.",
)
@click.argument("fields", nargs=-1, metavar="[FIELDS]...")
def alert(
    profile: str,
    to: tuple[str, ...],
    key: str | None,
    url_file: Path | None,
    url: str | None,
    outbox: str | None,
    channel: str | None,
    max_segments: int | None,
    deadline: int,
    fields: tuple[str, ...],
    *,
    enqueue: bool | None,
) -> int:
    """Send a notification of Zabbix, Checkmk, Nagios or Icinga as one short line.

    It is read from what the host gives: FIELDS are Zabbix's three parameters, or NAME=VALUE of the others, in place of
    their environment. What may have gone out is never sent again, however often the host runs it; the exit code tells
    the host whether that is of use.

    \b
    devinotify alert --profile zabbix --url-file FILE -- SENDTO SUBJECT MESSAGE
    devinotify alert --profile nagios --url-file FILE
    """
    from devinotify_monitoring.exits import EXITS, AlertStatus
    from devinotify_monitoring.sending import Told, carry_out, status_of

    host = PROFILES[profile]
    try:
        from devinotify import DevinoURL

        from devinotify_monitoring.reading import read
        from devinotify_monitoring.sending import Order

        settings = DevinoURL.parse(_url(url_file, url))
        if outbox is not None:
            settings = settings.with_options(outbox=outbox)
        notice = read(host, fields, os.environ)
        whom = to or notice.recipients
        if not whom and not settings.targets:
            raise SetupError(f"there is nobody to send to: give --to, or fill in {_(host.recipient)}")
        order = Order(
            profile=profile,
            notice=notice,
            to=tuple(whom),
            enqueue=host.enqueues if enqueue is None else enqueue,
            key=key,
            channel=channel,
            max_segments=max_segments,
            deadline=deadline,
        )
        end = carry_out(settings, order)
    except SetupError as error:
        end = Told(AlertStatus.MISTAKE, (told(error),))
    except DevinotifyError as error:
        end = Told(status_of(error), (told(error),))
    code = EXITS[profile][end.status]
    for text in end.lines:
        # Where the host has closed the stream, the code is what counts.
        with suppress(OSError):
            click.echo(f"devinotify: {text}" if code else text, file=sys.stderr if code else sys.stdout)
    return code


def _url(file: Path | None, url: str | None) -> str:
    """Return the account's URL as it was written: the file's, where there is one."""
    from devinotify import DevinoURL

    from devinotify_monitoring.url_file import url_in

    if file is not None:
        return url_in(file)
    url = url or DevinoURL.in_environment()
    if not url:
        raise SetupError(
            "there is no account: give --url-file, or set DEVINOTIFY_URL to devino://LOGIN:PASSWORD@SENDER"
        )
    return url
