"""``devinotify incoming``: the SMS that subscribers sent to the account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode, of_error
from devinotify.cli.options import Moment, Number, json_option, settings_of, since_option, url_option
from devinotify.cli.outboxes import outbox_option, usage_errors
from devinotify.cli.posting import post_option, posting
from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.retry import Backoff
from devinotify.translation import N_, _, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from devinotify.delivery.replies import ReplyPoster
    from devinotify.models import IncomingSms
    from devinotify.url import DevinoURL


PAUSES = Backoff(1.0, most=60.0)
"""Pauses of a follower while the gateway or the outbox fails."""


@click.command("incoming")
@since_option("--since", "24h")
@click.option(
    "--until", type=Moment(past=True), metavar="WHEN", help="Up to this time, as for --since.  [default: now]"
)
@click.option("--new", is_flag=True, help="Those alone that are new since the last time, as the outbox knows.")
@click.option("--follow", is_flag=True, help="The same, and go on with what comes in, until Ctrl-C or SIGTERM.")
@click.option(
    "--every",
    type=Number(N_("seconds"), above_zero=True),
    metavar="SECONDS",
    help="How often --follow asks the gateway.  [default: 15]",
)
@post_option("With --follow or --new")
@outbox_option
@url_option
@json_option
def command(
    since: datetime,
    until: datetime | None,
    every: float | None,
    post: str | None,
    path: str | None,
    url: str | None,
    *,
    new: bool,
    follow: bool,
    as_json: bool,
) -> ExitCode:
    """List the SMS that subscribers sent to the account, or follow them.

    The gateway keeps them for a year. Plugins are told of each, what was listed before included.

    With --new and --follow the outbox remembers what was shown, for all who share it: each message is shown, and told
    to plugins, once, whoever is killed meanwhile, and --since is for the first time of all. With --json each has a
    line of its own then. The one that was being shown when a process was killed is shown again.
    """
    settings = settings_of(url)
    if not (new or follow):
        if every is not None or path is not None or post is not None:
            raise click.UsageError(_("--every, --post and --outbox go with --follow, the last two with --new too"))
        _list(settings, since, until or datetime.now(UTC), as_json=as_json)
        return ExitCode.ACCEPTED
    if until is not None:
        raise click.UsageError(_("--until is for a list: what is new has no end"))
    if new and (follow or every is not None):
        raise click.UsageError(_("--new ends when all is shown: leave out --follow and --every"))
    if path is not None:
        settings = settings.with_options(outbox=path)
    with posting(post) as posters:
        _read(settings, since, every, posters, follow=follow, as_json=as_json)
        errors = [poster.error for poster in posters if poster.error is not None]
    return of_error(errors[0]) if errors and new else ExitCode.ACCEPTED


def _list(settings: DevinoURL, since: datetime, end: datetime, *, as_json: bool) -> None:
    from devinotify.gateway.client import Client

    with Client(settings) as client:
        messages = client.sms.incoming(since, end)
    if messages:
        _tell(messages)
    if as_json:
        from devinotify.delivery.replies import document

        output.emit(
            {"since": since, "until": end, "messages": list(map(document, messages)), "exit_code": ExitCode.ACCEPTED}
        )
    elif messages:
        rows = ((output.moment(item.created_at), item.sender, item.recipient, item.text) for item in messages)
        output.show(output.table(("time", "from", "to", "text"), rows))
    else:
        output.write(_("no messages between {start} and {end}", start=output.moment(since), end=output.moment(end)))


def _tell(messages: Iterable[IncomingSms]) -> None:
    """Call the observers of incoming messages."""
    from devinotify.plugins import make_plugin_manager

    plugins = make_plugin_manager()
    for message in messages:
        plugins.observe("devinotify_message_received", message=message)


class _LostError(Exception):
    """A message could not be shown: it stays new."""


def _read(
    settings: DevinoURL,
    since: datetime,
    every: float | None,
    posters: Sequence[ReplyPoster],
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Show what is new, and with ``follow`` what comes, each message written before it counts as told."""
    from devinotify.delivery.receiving import EVERY
    from devinotify.delivery.replies import json_line
    from devinotify.delivery.stopping import Stopping, stopped_by_signals
    from devinotify.notifier import Notifier
    from devinotify.plugins import make_plugin_manager

    stopping = Stopping()

    def show(message: IncomingSms) -> None:
        try:
            click.echo(json_line(message) if as_json else _line(message))
        except BrokenPipeError:
            raise
        except OSError as error:
            output.lose(error)
            raise _LostError from None

    with usage_errors():
        notifier = Notifier(settings, plugins=make_plugin_manager(*posters))
    with notifier, stopped_by_signals(stopping.ask):
        try:
            failures = 0
            while True:
                done = _once(
                    lambda: notifier.incoming(show, since=since, stopped=lambda: stopping.asked), patient=follow
                )
                failures = 0 if done else failures + 1
                pause = PAUSES.pause(failures) if failures else 0.0
                if not follow or stopping.wait(max(every or EVERY, pause)):
                    return
        except _LostError:
            return


def _once(read: Callable[[], object], *, patient: bool) -> bool:
    """Read, and return whether that went well; where it may do better the next time, say so and go on."""
    try:
        read()
    except DevinotifyError as error:
        if not patient or error.verdict is Verdict.REJECTED or isinstance(error, InvalidInput):
            raise
        output.say(_("{why}; it is tried again", why=told(error)))
        return False
    return True


def _line(message: IncomingSms) -> str:
    parts = (output.moment(message.created_at), message.sender, message.recipient, message.text)
    return "  ".join(output.printable(part).replace("\n", " ") for part in parts)
