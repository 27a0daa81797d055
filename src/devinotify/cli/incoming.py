"""``devinotify incoming``: the SMS that subscribers sent to the account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import Moment, json_option, settings_of, since_option, url_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinotify.models import IncomingSms


@click.command("incoming")
@since_option("--since", "24h")
@click.option(
    "--until", type=Moment(past=True), metavar="WHEN", help="Up to this time, as for --since.  [default: now]"
)
@url_option
@json_option
def command(since: datetime, until: datetime | None, url: str | None, *, as_json: bool) -> None:
    """List the SMS that subscribers sent to the account.

    The gateway keeps them for a year. Plugins are told of each, what was listed before included.
    """
    settings = settings_of(url)
    end = until or datetime.now(UTC)
    from devinotify.gateway.client import Client

    with Client(settings) as client:
        messages = client.sms.incoming(since, end)
    if messages:
        _tell(messages)
    if as_json:
        output.emit(
            {"since": since, "until": end, "messages": list(map(_document, messages)), "exit_code": ExitCode.ACCEPTED}
        )
    elif messages:
        rows = ((output.moment(item.created_at), item.sender, item.recipient, item.text) for item in messages)
        output.show(output.table(("time", "from", "to", "text"), rows))
    else:
        output.write(f"no messages between {output.moment(since)} and {output.moment(end)}")


def _tell(messages: Iterable[IncomingSms]) -> None:
    """Call the observers of incoming messages."""
    from devinotify.plugins import make_plugin_manager

    plugins = make_plugin_manager()
    for message in messages:
        plugins.observe("devinotify_message_received", message=message)


def _document(message: IncomingSms) -> dict[str, object]:
    return {
        "id": message.id,
        "sender": message.sender,
        "recipient": message.recipient,
        "text": message.text,
        "created_at": message.created_at,
    }
