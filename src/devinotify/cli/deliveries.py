"""``devinotify bulk status`` and ``bulk report``: what became of a campaign that was sent."""

from __future__ import annotations

import codecs
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TextIO, cast

import click

from devinotify.cli import errors, output
from devinotify.cli.campaigns import (
    LINE_EVERY,
    event,
    events_for_errors,
    events_option,
    inputs_checked,
)
from devinotify.cli.exits import ExitCode, of_error
from devinotify.cli.options import JOURNAL, Number, Whole, settings_of, url_option
from devinotify.cli.tallies import counts_of, held_line, tally_rows
from devinotify.exceptions import InvalidInput
from devinotify.instants import iso
from devinotify.translation import LANGUAGES, N_, _, preferred, told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from devinotify.bulk import Journal, Speed
    from devinotify.bulk.deliveries import Deliveries
    from devinotify.exceptions import DevinotifyError
    from devinotify.outbox import Counts
    from devinotify.url import DevinoURL

NOT_DUE = N_("none is due to be asked for now: see --help for when they are")
LEFT_ALONE = N_("no process is sending to them: run the campaign again to go on")

_DELIMITERS: Mapping[str, str] = MappingProxyType({"comma": ",", "semicolon": ";", "tab": "\t", ",": ",", ";": ";"})
"""What may be given for the delimiter -> the character."""


@dataclass(frozen=True, slots=True)
class _Looks:
    """What came of the looks: how many had an answer, how many had none and why, how many recipients are left alone."""

    looked: int | None = None
    unseen: int = 0
    error: DevinotifyError | None = None
    left_alone: int = 0


@click.command("status")
@click.argument("journal", type=JOURNAL)
@click.option(
    "--watch",
    is_flag=True,
    help="Go on until every delivery is decided; while another process sends the campaign, until it has ended as well.",
)
@click.option("--no-poll", is_flag=True, help="Ask the gateway for nothing: show what the journal knows.")
@click.option("--connections", type=Whole(1, 64), default=8, show_default=True, metavar="N", help="Requests at a time.")
@click.option(
    "--rate",
    type=Number(N_("recipients a second"), above_zero=True),
    default=10.0,
    show_default=True,
    metavar="N",
    help="At most N requests a second, over all.",
)
@url_option
@events_option
def status(
    journal: str | Path, connections: int, rate: float, url: str | None, *, watch: bool, no_poll: bool, as_json: bool
) -> ExitCode:
    """Ask the gateway what became of a campaign's messages, and show where the rows of its list stand.

    JOURNAL is what `devinotify bulk --journal` was given; it may be of a campaign that is being sent. Nothing is
    sent, with one exception: --watch takes the later steps of a campaign on a fallback such as sms-viber. A delivery is
    asked for from 15 seconds after the message was sent, then less and less often, for 48 hours; what is not due yet is
    not asked for.

    The exit code is 0 where every delivery that was due could be asked for, whatever became of it, and that of the
    error otherwise. A wrong login or password ends --watch; a gateway that is away does not.
    """
    if watch and no_poll:
        raise click.UsageError(_("--watch asks the gateway and --no-poll does not: give one of them"))
    settings = None if no_poll else settings_of(url)
    from devinotify.bulk import Journal, Speed
    from devinotify.bulk.report import INCOMPLETE

    with events_for_errors(as_json=as_json) as ended, inputs_checked(), Journal(journal, create=False) as opened:
        looks = _Looks()
        if settings is not None:
            looks = _look(opened, settings, Speed(connections=connections, rate=rate), watch=watch, as_json=as_json)
        opened.recover()
        complete = opened.fed is not None
        tally = opened.tally()
        undecided = opened.counts().accepted
        to_come, held = opened.to_come(), opened.held
        next_look = opened.next_look() if undecided and not watch else None
        error = looks.error
        ended.append(ExitCode.ACCEPTED if error is None else of_error(error))
        if as_json:
            document = None if error is None else errors.document(error, sending=False)
            known = {
                "complete": complete,
                "not_looked_at": looks.unseen,
                "to_come": to_come,
                "held": held,
                "error": document,
            }
            due = None if next_look is None else iso(next_look)
            event("status", **counts_of(tally), **known, next_look=due, exit_code=ended[0])
            return ended[0]
        output.show(output.table(("rows", ""), tally_rows(tally)))
        if not complete:
            output.say(_(INCOMPLETE))
        if error is not None:
            output.say(
                _(
                    "deliveries that could not be looked at: {count:,}. {why}",
                    count=looks.unseen,
                    why=_sentence(error),
                )
            )
        elif undecided and complete and not watch:
            output.say(_next(undecided, next_look, opened.outbox.now(), none_was=looks.looked == 0))
        elif looks.looked == 0 and undecided:
            output.say(_("deliveries that are not decided: {count:,}; {why}", count=undecided, why=_(NOT_DUE)))
        if looks.left_alone:
            output.say(_("recipients that still wait: {count:,}; {why}", count=looks.left_alone, why=_(LEFT_ALONE)))
        if held:
            output.say(held_line(held))
        if to_come:
            output.say(
                _(
                    "recipients for whom {channel} may follow: {count:,}; --watch takes that step",
                    channel=opened.second,
                    count=to_come,
                )
            )
    return ended[0]


def _next(undecided: int, look: datetime | None, now: float, *, none_was: bool) -> str:
    """Return what is said of deliveries that are open: when one is due to be asked for."""
    if look is None:
        return _("deliveries that are not decided: {count:,}; {why}", count=undecided, why=_(NOT_DUE))
    if look.timestamp() <= now:
        return _("deliveries that are not decided: {count:,}; some are due to be asked for", count=undecided)
    when = output.moment(look)
    if none_was:
        return _(
            "deliveries that are not decided: {count:,}; none is due to be asked for now, and the next one is"
            " at {when}",
            count=undecided,
            when=when,
        )
    return _(
        "deliveries that are not decided: {count:,}; the next one is due to be asked for at {when}",
        count=undecided,
        when=when,
    )


def _look(journal: Journal, settings: DevinoURL, speed: Speed, *, watch: bool, as_json: bool) -> _Looks:
    from devinotify.bulk.deliveries import Deliveries
    from devinotify.delivery.stopping import stopped_by_signals
    from devinotify.notifier import Notifier

    with Notifier(settings) as notifier:
        deliveries = Deliveries(notifier, journal, connections=speed.connections, rate=speed.rate)
        looked, left_alone = None, 0
        with stopped_by_signals(deliveries.stop, output.say):
            if watch:
                progress = _Progress(deliveries, as_json=as_json)
                left_alone = deliveries.watch(progress.tell)
                progress.tell(journal.counts(), over=True)
            else:
                looked = deliveries.poll()
        return _Looks(looked, deliveries.unseen, deliveries.error, left_alone)


class _Progress:
    """Tells how far a watch is: for people a line now and then, and the last one in any case."""

    def __init__(self, deliveries: Deliveries, *, as_json: bool) -> None:
        self._deliveries = deliveries
        self._as_json = as_json
        self._last: list[object] = [None, None]
        self._said = -LINE_EVERY

    def tell(self, counts: Counts, *, over: bool = False) -> None:
        """Tell of these counts where they are news; ``over``: no others follow."""
        waiting = counts.queued + counts.claimed
        # The error that ends the watch is told in the end.
        error = None if self._deliveries.refused or over else self._deliveries.error
        now = [(counts.accepted, counts.delivered, counts.failed, waiting), None if error is None else str(error)]
        moment = time.monotonic()
        # A line a second would be too many for people.
        early = moment - self._said < LINE_EVERY and bool(waiting or counts.accepted) and now[1] == self._last[1]
        if now == self._last or (early and not (self._as_json or over)):
            return
        self._said = moment
        news = [new != old for new, old in zip(now, self._last, strict=True)]
        self._last[:] = now
        if self._as_json:
            document = None if error is None else errors.document(error, sending=False)
            numbers = {"open": counts.accepted, "delivered": counts.delivered, "failed": counts.failed}
            event("deliveries", **numbers, waiting=waiting, error=document)
            return
        if news[0]:
            output.say(
                _(
                    "delivered {delivered:,}, not delivered {failed:,}, not decided {open:,}{more}",
                    delivered=counts.delivered,
                    failed=counts.failed,
                    open=counts.accepted,
                    more=_(", still to be sent {count:,}", count=waiting) if waiting else "",
                )
            )
        if news[1] and error is not None:
            output.say(_("deliveries could not be looked at, and it is tried again: {why}", why=_sentence(error)))


def _sentence(error: DevinotifyError) -> str:
    return errors.sentence(error, sending=False)


@click.command("report")
@click.argument("journal", type=JOURNAL)
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Write every row of the list here, numbers in full; - is stdout, in place of the table.",
)
@click.option(
    "--html",
    "html_file",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Write the page here; - is stdout.",
)
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    help="The language of the page, and of what is said here; otherwise that of the locale (LANG).",
)
@click.option(
    "--list",
    "source",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The list, where it is not where the campaign read it: its own columns stand in the CSV.",
)
@click.option(
    "--csv-delimiter",
    "delimiter",
    type=click.Choice(list(_DELIMITERS)),
    metavar="[comma|semicolon|tab]",
    default="comma",
    show_default=True,
    help="What stands between the cells of the CSV; with semicolon, prices have a decimal comma, as Excel expects both"
    " in Russian.",
)
@events_option
def report(
    journal: str | Path,
    csv_file: Path | None,
    html_file: Path | None,
    lang: str | None,
    source: Path | None,
    delimiter: str,
    *,
    as_json: bool,
) -> ExitCode:
    """Write what became of a campaign: every row of its list as CSV, and the whole as one HTML page that works offline.

    JOURNAL is what `devinotify bulk --journal` was given. The CSV has the list's own columns behind ours. The page
    holds figures and a curve, no number and no text. Nothing is asked of the gateway: `devinotify bulk status JOURNAL`
    before brings the deliveries up to date.

    A file that is there already is replaced, but none of the journal's; where one of the two cannot be written,
    neither is.
    """
    given = [file for file in (csv_file, html_file) if file is not None]
    if not given:
        raise click.UsageError(_("name what to write: --csv FILE, --html FILE, or both"))
    shown = any(_is_stdout(file) for file in given)
    if shown and as_json:
        raise click.UsageError(_("the events of --json go to stdout: give a file to write the report to"))
    from devinotify.bulk import Journal
    from devinotify.bulk.parts import Part
    from devinotify.bulk.report import INCOMPLETE, write_report

    # As in a file, whatever this terminal's encoding and line ends are.
    stdout = cast("TextIO", codecs.getwriter("utf-8")(sys.stdout.buffer)) if shown else None
    to_csv, to_html = (stdout if file is not None and _is_stdout(file) else file for file in (csv_file, html_file))
    with events_for_errors(as_json=as_json) as ended, inputs_checked(), Journal(journal, create=False) as opened:
        try:
            summary = write_report(
                opened,
                csv_file=to_csv,
                html_file=to_html,
                lang=lang or preferred(),
                source=source,
                delimiter=_DELIMITERS[delimiter],
            )
            if stdout is not None:
                stdout.flush()
        except BrokenPipeError:
            raise  # its reader has seen enough
        except InvalidInput as error:
            raise click.UsageError(told(error)) from None
        except OSError as error:
            if error.filename is None and shown and output.is_stuck():
                output.lose(error)
                return ExitCode.OUTPUT_LOST
            wrong = (
                _("the report cannot be written to {path}: {why}", path=error.filename, why=error.strerror)
                if error.filename
                else _("the report cannot be written: {why}", why=error.strerror)
            )
            raise click.UsageError(wrong) from None
        ended.append(ExitCode.ACCEPTED)
        if as_json:
            found = {"complete": summary.complete, "statuses": summary.statuses, "parts": summary.parts}
            event("report", **counts_of(summary.tally), **found, exit_code=ended[0])
            return ended[0]
        if not shown:
            output.show(output.table(("rows", ""), tally_rows(summary.tally)))
        tell = output.say if shown else output.write
        for file in given:
            if not _is_stdout(file):
                tell(_("written: {file}", file=output.printable(str(file))))
        if not summary.complete:
            output.say(_(INCOMPLETE))
        elif under_way := summary.parts[Part.UNDER_WAY]:
            tell(
                _(
                    "deliveries that are not decided: {count:,}; `devinotify bulk status JOURNAL` asks for them, and a"
                    " report that is written then tells of them",
                    count=under_way,
                )
            )
        if csv_file is not None and summary.listed != summary.cost:
            output.say(
                _(
                    "the campaign cost {cost:,}, and the prices in the CSV add up to {listed:,}: it has the last try of"
                    " each row",
                    cost=summary.cost,
                    listed=summary.listed,
                )
            )
        if summary.unlisted is not None:
            output.say(_("the CSV has no columns of the list: {why}. --list FILE names it", why=told(summary.unlisted)))
    return ended[0]


def _is_stdout(file: Path) -> bool:
    # As a file it would be opened anew, and written from its start where it is one.
    return str(file) in ("-", "/dev/stdout")
