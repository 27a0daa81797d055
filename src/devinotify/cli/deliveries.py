"""``devinotify bulk status`` and ``bulk report``: what became of a campaign that was sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from devinotify.cli import output
from devinotify.cli.campaigns import counts_of, event, events_option, stopped_by_signals, tally_rows
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import settings_of, url_option

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command("status")
@click.argument("journal", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--watch", is_flag=True, help="Go on until every delivery is decided.")
@click.option("--no-poll", is_flag=True, help="Ask the gateway for nothing: show what the journal knows.")
@click.option(
    "--connections", type=click.IntRange(1, 64), default=8, show_default=True, metavar="N", help="Requests at a time."
)
@url_option
@events_option
def status(journal: Path, connections: int, url: str | None, *, watch: bool, no_poll: bool, as_json: bool) -> ExitCode:
    """Ask the gateway for the deliveries of a campaign, and show where its rows stand.

    A delivery is asked for from 15 seconds after it was sent, then less and less often, for 48 hours. A campaign that
    is still being sent may be watched by another process. The exit code is 0.
    """
    settings = None if no_poll else settings_of(url)
    from devinotify.bulk import Journal

    with Journal(journal, create=False) as opened:
        if settings is not None:
            from devinotify.bulk.deliveries import Deliveries
            from devinotify.notifier import Notifier

            with Notifier(settings) as notifier:
                deliveries = Deliveries(notifier, opened, connections=connections)
                with stopped_by_signals(deliveries.stop):
                    if watch:
                        deliveries.watch(_tell_counts(as_json=as_json))
                    else:
                        deliveries.poll()
        opened.outbox.recover()
        tally = opened.tally()
    if as_json:
        event("status", **counts_of(tally), exit_code=ExitCode.ACCEPTED)
    else:
        output.show(output.table(("rows", ""), tally_rows(tally)))
    return ExitCode.ACCEPTED


def _tell_counts(*, as_json: bool) -> Callable[[Any], None]:
    last: list[tuple[int, int, int]] = []

    def tell(counts: Any) -> None:  # noqa: ANN401 - the outbox's Counts, which is not loaded here
        now = (counts.accepted, counts.delivered, counts.failed)
        if now == (last[-1] if last else None):
            return
        last[:] = [now]
        if as_json:
            event("deliveries", open=now[0], delivered=now[1], failed=now[2])
        else:
            output.say(f"delivered {now[1]:,}, not delivered {now[2]:,}, open {now[0]:,}")

    return tell


@click.command("report")
@click.argument("journal", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Write every row here, numbers in full."
)
@click.option("--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the page here.")
@events_option
def report(journal: Path, csv_file: Path | None, html_file: Path | None, *, as_json: bool) -> ExitCode:
    """Write what became of a campaign: every row as CSV, and the whole as one HTML page that works offline.

    The page holds figures and charts, no number and no text. Nothing is asked of the gateway: see `bulk status`.
    """
    if csv_file is None and html_file is None:
        raise click.UsageError("name what to write: --csv FILE, --html FILE, or both")
    from devinotify.bulk import Journal
    from devinotify.bulk.report import write_report

    with Journal(journal, create=False) as opened:
        try:
            summary = write_report(opened, csv_file=csv_file, html_file=html_file)
        except OSError as error:
            raise click.UsageError(f"the report cannot be written: {error.strerror}") from None
    if as_json:
        event("report", **counts_of(summary.tally), statuses=summary.statuses, exit_code=ExitCode.ACCEPTED)
    else:
        output.show(output.table(("rows", ""), tally_rows(summary.tally)))
    return ExitCode.ACCEPTED
