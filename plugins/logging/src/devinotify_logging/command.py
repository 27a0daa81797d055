"""``devinotify log-test``: one record through a real handler, and what came of it.

The help of ``devinotify`` loads this module, so it loads the handler only when it is called.
"""

from __future__ import annotations

import os
import sys

import click

from devinotify_logging.settings import LONGEST

ENVIRONMENT = "DEVINOTIFY_URL"
"""The variable that holds the URL where none is given."""


@click.command("log-test", context_settings={"show_default": True})
@click.argument("url", envvar=ENVIRONMENT, required=False, metavar="[URL]")
@click.option("--to", metavar="TO", help="Recipients, separated by commas; the URL's otherwise.")
@click.option("--channel", metavar="NAME", help="The channel; the URL's otherwise.")
@click.option("--message", default="This is a test of devinotify-logging.", help="The record's message.")
@click.option("--level", default="ERROR", help="The record's level.")
@click.option("--outbox", metavar="PATH", help="Go through an outbox, as the handler does that has one.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, LONGEST),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an answer.",
)
def log_test(
    url: str | None,
    to: str | None,
    channel: str | None,
    message: str,
    level: str,
    outbox: str | None,
    timeout: float,
) -> None:
    """Send one record through a real logging handler, and explain what came of it.

    URL is the handler's, or that of DEVINOTIFY_URL. The message counts in no limit of the handlers.
    """
    from devinotify import DevinoURL

    url = url or DevinoURL.in_environment()
    if not url:
        raise click.UsageError(
            f"no account: put its URL into {ENVIRONMENT}, or give it as URL;"
            " `devinotify sandbox` starts a gateway to try it on without one"
        )
    from devinotify_logging.trial import run

    code = run(url, message, level, to=to, channel=channel, outbox=outbox, timeout=timeout, say=_say)
    click.get_current_context().exit(code)


def _say(line: str) -> None:
    """Write a line to stdout; where it cannot be written, the exit code still tells what became of the message."""
    try:
        click.echo(line)
    except OSError:  # a closed pipe, a full disk: what follows, the interpreter's last flush included, goes nowhere
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
