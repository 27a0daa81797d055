"""``devinotify outbox migrate``, ``workers`` and ``pace``: for those who share one outbox."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import json_option
from devinotify.cli.outboxes import location_of, opened, outbox_options, say_held, usage_errors
from devinotify.instants import iso
from devinotify.translation import _


@click.command("migrate")
@outbox_options
@json_option
def migrate(path: str | None, *, as_json: bool) -> None:
    """Make the tables in a PostgreSQL database, or bring them to the version that this devinotify needs.

    To be run once before the workers of a new version start, by a role that may change the schema; two may run it at
    once. A file is brought to its version whenever it is opened.
    """
    from devinotify.outbox import location

    named = location_of(path)
    with usage_errors():
        versions = location.migrate(named)
    before, after = versions or (None, None)
    if as_json:
        output.emit({"before": before, "after": after, "exit_code": ExitCode.ACCEPTED})
    elif before == after:
        output.write(
            _("nothing to do")
            if after is None
            else _("nothing to do: the schema is of version {version}", version=after)
        )
    else:
        output.write(
            _("the schema is of version {version} now, it was of {before}", version=after, before=before)
            if before
            else _("the schema is of version {version} now", version=after)
        )


@click.command("workers")
@outbox_options
@json_option
def workers(path: str | None, *, as_json: bool) -> None:
    """List the workers that are alive: where each runs, when it was last heard of, and what it is sending.

    In a database a worker gives a sign of life every 10 seconds, and is taken for dead after 90; over a file it is
    alive as long as its process is.
    """
    with opened(path) as outbox:
        found = outbox.workers()
        now = outbox.now()
        held = outbox.held()
    documents = [
        {
            "worker": each.name,
            "host": each.host,
            "pid": each.pid,
            "seen_at": iso(datetime.fromtimestamp(each.seen_at, UTC)),
            "in_flight": each.rows,
        }
        for each in found
    ]
    if as_json:
        output.emit({"workers": documents, "held": held, "exit_code": ExitCode.ACCEPTED})
        return
    if found:
        ago = [_("{seconds:.0f} s ago", seconds=max(now - each.seen_at, 0)) for each in found]
        lines = ((each.host, each.pid, seen, each.rows) for each, seen in zip(found, ago, strict=True))
        output.show(output.table(["host", "pid", "last seen", "in flight"], lines))
    else:
        output.write(_("no worker is alive"))
    say_held(held)


@click.command("pace")
@click.argument("rate", required=False, metavar="[RATE|off]")
@click.option(
    "--account",
    metavar="LOGIN@HOST/PATH",
    help="Of this account alone; without it, of all that have none of their own.",
)
@outbox_options
@json_option
def pace(path: str | None, rate: str | None, account: str | None, *, as_json: bool) -> None:
    """Set how many messages a second may be sent, over all workers and campaigns of the outbox; without RATE, show it.

    Workers that run take it up within seconds. In a database it holds on all machines, by the database's clock; in a
    file, on the one that it is on. `off` takes the pace away.
    """
    number = None if rate in (None, "off") else _rate(str(rate))
    with opened(path) as outbox, usage_errors():
        if rate is not None:
            outbox.set_pace(number, account)
        found = outbox.pace(account)
    if as_json:
        output.emit({"pace": found, "account": account, "exit_code": ExitCode.ACCEPTED})
    else:
        output.write(_("no pace is set") if found is None else _("{rate:g} messages a second at most", rate=found))


def _rate(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(_("RATE is a number of messages a second, or off")) from None
