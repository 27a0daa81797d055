"""``devinotify bulk``: a campaign from a list, its deliveries (``bulk status``) and its report (``bulk report``)."""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from devinotify.cli import errors, output
from devinotify.cli.exits import ExitCode, of_error
from devinotify.cli.options import Moment, WallClock, settings_of, url_option
from devinotify.exceptions import DevinotifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from types import FrameType

    from devinotify.bulk import Campaign, Plan, Progress, Result, Tally

LINE_EVERY = 5.0
"""Seconds between two lines of progress where nobody watches a terminal."""
EVENT_EVERY = 1.0
"""Seconds between two progress events of ``--json``."""
RISK = "their outcome is unknown: they may have got the message already, and would get it twice"

CATEGORY_EXITS: tuple[tuple[str, ExitCode], ...] = (
    ("unknown", ExitCode.UNKNOWN),
    ("not_sent", ExitCode.NOT_SENT),
    ("invalid", ExitCode.NOT_SENT),
    ("rejected", ExitCode.REJECTED),
)
"""The exit code of a campaign that has rows in a category: the first that has some decides."""


class _Campaigns(click.Command):
    """The command that sends, with others behind it by their name: a list called ``status`` is given as ./status."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's own signature
    ) -> click.Context:
        """Parse the command line, of the command behind this one where it is named first."""
        other = FURTHER.get(args[0]) if args else None
        if other is not None:
            return other.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


def _events_option(command: Callable[..., object]) -> Callable[..., object]:
    return click.option("--json", "as_json", is_flag=True, help="Print events on stdout, one JSON document a line.")(
        command
    )


class _Money(click.ParamType):  # type: ignore[type-arg]  # no generic before click 8.2
    name = "money"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount."""
        try:
            found = Decimal(str(value))
        except InvalidOperation:
            self.fail("give a price, such as 2.50", param, ctx)
        if not found.is_finite() or found < 0:
            self.fail("a price is zero or more", param, ctx)
        return found


@click.command("bulk", cls=_Campaigns)
@click.argument("source", metavar="FILE")
@click.option("--text", help="The text for all.")
@click.option("--template", help="A text with columns of the list in braces: 'Hello {name}'.")
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file that remembers who has been sent to; the same one goes on where the last run stopped.",
)
@click.option("--column", metavar="NAME", help="The column of the numbers; found out otherwise.")
@click.option(
    "--format", "format_", type=click.Choice(["csv", "tsv", "jsonl", "lines"]), help="The format; found out otherwise."
)
@click.option("--encoding", metavar="NAME", help="The encoding; UTF-8, UTF-16 and CP1251 are found out.")
@click.option("--channel", type=click.Choice(["sms", "viber", "viber-sms"]), help="The channel; the URL's otherwise.")
@click.option(
    "--at",
    type=Moment(past=False),
    metavar="WHEN",
    help="Deliver at this instant: ISO, this machine's time where it has no offset. Give the same to go on.",
)
@click.option(
    "--local-time",
    type=WallClock(),
    metavar="TIME",
    help="Deliver when each recipient's own clock shows this ISO time.",
)
@click.option(
    "--price", type=_Money(), metavar="AMOUNT", help="Price of a segment (on Viber: a message), for the cost."
)
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N recipients a second, over all."
)
@click.option(
    "--connections", type=click.IntRange(1, 256), default=8, show_default=True, metavar="N", help="Requests at a time."
)
@click.option(
    "--batch", type=click.IntRange(1, 1000), default=500, show_default=True, metavar="N", help="Recipients a request."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Send to N recipients in this run.")
@click.option("--test-to", metavar="NUMBER", help="Send the first text to this number alone, and stop.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and stop.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option(
    "--resend-unknown",
    is_flag=True,
    help="Send again to those whose outcome is unknown: they may get the message twice.",
)
@url_option
@_events_option
def command(
    source: str,
    text: str | None,
    template: str | None,
    journal: Path | None,
    format_: str | None,
    at: datetime | None,
    local_time: datetime | None,
    price: Decimal | None,
    test_to: str | None,
    url: str | None,
    *,
    dry_run: bool,
    yes: bool,
    resend_unknown: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - of several types, handed on by their names
) -> ExitCode:
    """Send to every number of a list, with a journal to go on from.

    FILE is CSV, TSV, JSON lines or one number a line; - is stdin. The plan is shown and has to be confirmed. A run that
    was stopped or killed goes on with the same command; `devinotify bulk status JOURNAL` then asks for the deliveries,
    and `devinotify bulk report JOURNAL --csv FILE --html FILE` writes what became of every row.

    \b
    devinotify bulk recipients.csv --text "The shop is open" --journal campaign.db
    devinotify bulk recipients.csv --template "Hello {name}" --journal personal.db --limit 100
    """
    settings = settings_of(url)
    if (text is None) == (template is None):
        raise click.UsageError("give either --text or --template")
    if at is not None and local_time is not None:
        raise click.UsageError("--at is an instant and --local-time a wall clock: give one of them")
    if journal is None and not (dry_run or test_to):
        raise click.UsageError("a campaign needs a --journal, the file that remembers who has been sent to")
    if not yes and not dry_run and not test_to and (as_json or source == "-" or not sys.stdin.isatty()):
        raise click.UsageError("nobody can be asked here: look at the plan with --dry-run, then give --yes")
    from devinotify.bulk import Campaign, Speed

    speed = Speed(**{name: options.pop(name) for name in ("connections", "batch", "rate", "limit")})
    shown = _Events() if as_json else _Terminal() if sys.stderr.isatty() else _Lines()
    with (
        _events_for_errors(as_json=as_json) as ended,
        Campaign(
            settings,
            sys.stdin.buffer if source == "-" else source,
            text=text,
            template=template,
            journal=journal,
            format=format_,
            send_at=at or local_time,
            price=price,
            **options,
        ) as campaign,
    ):
        if test_to:
            ended.append(_test(campaign, test_to, as_json=as_json))
            return ended[0]
        plan = campaign.plan(speed)
        shown.plan(plan, resend_unknown=resend_unknown)
        if dry_run:
            return ExitCode.ACCEPTED
        if not yes and not click.confirm("Send?", err=True):
            output.say("nothing was sent")
            return ExitCode.ACCEPTED
        with _stopped_by_signals(campaign.stop) as signals, shown.running():
            result = campaign.run(speed, resend_unknown=resend_unknown, observe=shown.progress)
        shown.result(result)
        ended.append(ExitCode.INTERRUPTED if signals else exit_code(result))
    return ended[0]


def exit_code(result: Result) -> ExitCode:
    """Return the code of the worst category; what a limit left for the next run is no failure of this one."""
    from devinotify.bulk import End

    for name, code in CATEGORY_EXITS:
        if getattr(result.tally, name) and not (name == "not_sent" and result.end is End.LIMIT):
            return code
    return ExitCode.ACCEPTED


def _test(campaign: Campaign, number: str, *, as_json: bool) -> ExitCode:
    outcome = campaign.test(number)
    code = ExitCode.ACCEPTED if outcome.error is None else of_error(outcome.error)
    if as_json:
        error = None if outcome.error is None else errors.document(outcome.error, sending=True)
        _event("test", verdict=outcome.verdict, error=error, exit_code=code)
    elif outcome.error is None:
        output.write("accepted: look at the phone, then send the campaign without --test-to")
    else:
        output.say(f"{outcome.verdict.replace('_', ' ')}: {errors.sentence(outcome.error, sending=True)}")
    return code


# --- what is shown


def _event(name: str, **values: object) -> None:
    output.write(json.dumps({"event": name, **values}, default=str))


@contextmanager
def _events_for_errors(*, as_json: bool) -> Iterator[list[ExitCode]]:
    """Turn an error into an event where events are wanted; what is appended is the exit code."""
    ended: list[ExitCode] = []
    try:
        yield ended
    except DevinotifyError as error:
        if not as_json:
            raise
        ended[:] = [of_error(error)]
        _event("error", error=errors.document(error, sending=False), exit_code=ended[0])


def plan_rows(plan: Plan) -> list[tuple[str, object]]:
    """Return what the plan says, as pairs of a name and a value."""
    reasons = ", ".join(f"{word.replace('_', ' ')} {count:,}" for word, count in plan.reasons.items())
    rows: list[tuple[str, object]] = [
        ("rows", f"{plan.rows:,}"),
        ("recipients", f"{plan.recipients:,}"),
        ("duplicates", f"{plan.duplicates:,}"),
        ("invalid", f"{plan.invalid:,}" + (f" ({reasons})" if reasons else "")),
    ]
    if plan.unsendable:
        rows.append(("cannot be sent", f"{plan.unsendable:,}"))
    if plan.done is not None:
        rows.append(("sent to before", f"{plan.recipients - plan.left:,}"))
        rows.append(("still to send to", f"{plan.left:,}"))
    rows.append(("channel", plan.channel))
    if plan.segments:
        encodings = ", ".join(f"{name} {count:,}" for name, count in plan.encodings.items() if count)
        rows += [("segments", f"{plan.segments:,}"), ("encoding", encodings)]
    rows.append(("cost", "give --price to estimate it" if plan.cost is None else f"{plan.cost:,}"))
    rows.append(("balance", "not known" if plan.balance is None else f"{plan.balance:,}"))
    rows.append(("requests", f"{plan.requests:,}" + (f" of up to {plan.batch}" if plan.batch > 1 else "")))
    rows.append(("takes about", _duration(plan.seconds)))
    rows.append(("first text" if plan.personal else "text", plan.sample))
    return rows


def _warnings(plan: Plan, *, resend_unknown: bool) -> Iterator[str]:
    if plan.affordable is False:
        yield "the balance does not cover the cost: the campaign will stop where it ends, and go on after a top-up"
    unknown = 0 if plan.done is None else plan.done.unknown
    if unknown and resend_unknown:
        yield f"{unknown:,} are sent to again, and {RISK}"
    elif unknown:
        yield f"{unknown:,} are not sent to again: {RISK}. --resend-unknown does it all the same"


class _Lines:
    """Shows a campaign as plain lines: the plan and the result on stdout, progress now and then on stderr."""

    every = LINE_EVERY

    def __init__(self) -> None:
        self._last = time.monotonic()

    def plan(self, plan: Plan, *, resend_unknown: bool) -> None:
        """Show the plan, and what to mind."""
        output.show(output.table(("plan", ""), plan_rows(plan)))
        for warning in _warnings(plan, resend_unknown=resend_unknown):
            output.say(warning)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show progress while this lasts."""
        yield

    def progress(self, progress: Progress) -> None:
        """Take note of how far it is."""
        if time.monotonic() - self._last >= self.every:
            self._last = time.monotonic()
            self._show(progress)

    def _show(self, progress: Progress) -> None:
        output.say(progress_line(progress))

    def result(self, result: Result) -> None:
        """Show how it ended."""
        from devinotify.bulk.sending import ENDS

        if result.recovered:
            output.say(f"{result.recovered:,} were being sent when a former run was killed; {RISK}")
        output.show(output.table(("rows", ""), tally_rows(result.tally)))
        sent = f"{result.sent.done:,} recipients in {_duration(result.seconds)}"
        output.write(sent if result.cost is None else f"{sent}, for {result.cost:,}")
        output.say(ENDS[result.end])
        if result.error is not None:
            output.say(errors.sentence(result.error, sending=False))


class _Terminal(_Lines):
    """The same with a live bar on the terminal."""

    every = 0.0

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, markup=False, emoji=False, highlight=False),
            transient=True,
        )
        self._task = self._bar.add_task("reading", total=None, more="")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show the bar while this lasts."""
        with self._bar:
            yield

    def _show(self, progress: Progress) -> None:
        more = "" if progress.phase == "reading" else progress_line(progress).partition(": ")[2]
        self._bar.update(
            self._task, description=progress.phase, completed=progress.done, total=progress.total, more=more
        )


class _Events(_Lines):
    """Shows a campaign to machines."""

    every = EVENT_EVERY

    def plan(self, plan: Plan, *, resend_unknown: bool) -> None:
        """Tell the plan."""
        warnings = list(_warnings(plan, resend_unknown=resend_unknown))
        # The texts are the operator's own business, and no event needs them.
        values = {name: value for name, value in asdict(plan).items() if name not in ("sample", "done")}
        _event("plan", **values, left=plan.left, affordable=plan.affordable, warnings=warnings)

    def _show(self, progress: Progress) -> None:
        _event("progress", **asdict(progress))

    def result(self, result: Result) -> None:
        """Tell how it ended."""
        error = None if result.error is None else errors.document(result.error, sending=True)
        _event(
            "result",
            end=result.end,
            **_tally(result.tally),
            seconds=round(result.seconds, 3),
            cost=result.cost,
            recovered=result.recovered,
            error=error,
            exit_code=exit_code(result),
        )


def progress_line(progress: Progress) -> str:
    """Return how far a run is, in one line."""
    if progress.phase == "reading":
        return f"reading: {progress.done:,} of {progress.total:,} rows"
    parts = [f"{progress.rate:,.0f}/s", f"accepted {progress.accepted:,}"]
    parts += [
        f"{name.replace('_', ' ')} {count:,}"
        for name in ("rejected", "not_sent", "unknown")
        if (count := getattr(progress, name))
    ]
    if progress.cost is not None:
        parts.append(f"cost {progress.cost:,}")
    if progress.remaining is not None:
        parts.append(f"{_duration(progress.remaining)} left")
    return f"{progress.done:,} of {progress.total:,}: {', '.join(parts)}"


def _tally(tally: Tally) -> Mapping[str, int]:
    return {"rows": tally.rows, **asdict(tally)}


def tally_rows(tally: Tally) -> list[tuple[str, object]]:
    """Return where the rows stand, as pairs of a name and a count; what is none of the five is indented."""
    inner = ("duplicates", "waiting", "in_flight", "delivered", "failed")
    return [
        (f"  of them {name.replace('_', ' ')}" if name in inner else name.replace("_", " "), f"{count:,}")
        for name, count in _tally(tally).items()
        if count or name not in inner
    ]


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (left if not hours else 0, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Let the first SIGINT or SIGTERM stop gently, and the second as ever; the list holds those that came."""
    came: list[int] = []
    former: dict[int, Any] = {}

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        came.append(number)
        output.say("stopping after the requests under way; once more stops at once")
        stop()
        signal.signal(number, former[number])

    for each in (signal.SIGINT, signal.SIGTERM):
        former[each] = signal.signal(each, handle)
    try:
        yield came
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


# --- after the sending


@click.command("status")
@click.argument("journal", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--watch", is_flag=True, help="Go on until every delivery is decided.")
@click.option("--no-poll", is_flag=True, help="Ask the gateway for nothing: show what the journal knows.")
@click.option(
    "--connections", type=click.IntRange(1, 64), default=8, show_default=True, metavar="N", help="Requests at a time."
)
@url_option
@_events_option
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
                with _stopped_by_signals(deliveries.stop):
                    if watch:
                        deliveries.watch(_tell_counts(as_json=as_json))
                    else:
                        deliveries.poll()
        opened.outbox.recover()
        tally = opened.tally()
    if as_json:
        _event("status", **_tally(tally), exit_code=ExitCode.ACCEPTED)
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
            _event("deliveries", open=now[0], delivered=now[1], failed=now[2])
        else:
            output.say(f"delivered {now[1]:,}, not delivered {now[2]:,}, open {now[0]:,}")

    return tell


@click.command("report")
@click.argument("journal", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Write every row here, numbers in full."
)
@click.option("--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the page here.")
@_events_option
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
        _event("report", **_tally(summary.tally), statuses=summary.statuses, exit_code=ExitCode.ACCEPTED)
    else:
        output.show(output.table(("rows", ""), tally_rows(summary.tally)))
    return ExitCode.ACCEPTED


FURTHER: Mapping[str, click.Command] = MappingProxyType({"status": status, "report": report})
"""The commands behind ``bulk``."""
