"""``devinotify stats``: how many segments were sent and what became of them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import Moment, json_option, settings_of, since_option, url_option
from devinotify.translation import _


@click.command("stats")
@since_option("--start", "30d")
@click.option("--end", type=Moment(past=True), metavar="WHEN", help="Up to this time, as for --start.  [default: now]")
@url_option
@json_option
def command(start: datetime, end: datetime | None, url: str | None, *, as_json: bool) -> None:
    """Show how many SMS segments were sent and delivered.

    The gateway tells periods of at most 90 days.
    """
    settings = settings_of(url)
    last = end or datetime.now(UTC)
    from devinotify.gateway.client import Client

    with Client(settings) as client:
        counts = asdict(client.sms.statistics(start, last))
    if as_json:
        output.emit({"start": start, "end": last, **counts, "exit_code": ExitCode.ACCEPTED})
        return
    output.write(_("{start} to {end}", start=output.moment(start), end=output.moment(last)) + "\n")
    output.show(output.table(("segments", "count"), ((_(name.replace("_", " ")), n) for name, n in counts.items())))
