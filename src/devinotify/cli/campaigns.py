"""What a campaign shows: plan, progress and account, to people on a terminal or in a log, and to machines."""

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

import click

from devinotify.cli import errors, output
from devinotify.cli.exits import ExitCode, of_error
from devinotify.cli.tallies import CATEGORY_EXITS, counts_of, held_line, in_words, missed_of, progress_line, tally_rows
from devinotify.exceptions import (
    DevinotifyError,
    InvalidInput,
    InvalidPhoneNumber,
    InvalidSchedule,
    InvalidSender,
    InvalidText,
    InvalidURL,
    Suppressed,
)
from devinotify.redact import mask_number
from devinotify.translation import N_, _, ngettext, number, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from devinotify.bulk import Plan, Progress, Result

LINE_EVERY = 5.0
"""Seconds between two lines of progress where nobody watches a terminal."""
SHOWN = 10
"""Rows that cannot be sent to which are shown of a list."""
EVENT_EVERY = 1.0
"""Seconds between two progress events of ``--json``."""
RISK = N_("their outcome is unknown: they may have got the message already, and would get it twice")


def events_option(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the option ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print events on stdout, one JSON document a line.")(
        command
    )


_REFUSALS = (InvalidPhoneNumber, InvalidSender, InvalidText, InvalidSchedule, InvalidURL, Suppressed)
"""What says of its own what is wrong with a message, or with the URL, and has an exit code of its own."""


class WrongInput(click.ClickException):
    """What a campaign was given cannot be used, a list, a journal or a template: nothing was to be sent."""

    def __init__(self, error: InvalidInput) -> None:
        super().__init__(errors.sentence(error, sending=False))
        self.error = error


@contextmanager
def inputs_checked() -> Iterator[None]:
    """Take what is wrong with files and words for a wrong use; of a number, sender, text or time it is our refusal."""
    try:
        yield
    except InvalidInput as error:
        from devinotify.bulk.template import InvalidTemplate

        if isinstance(error, _REFUSALS) and not isinstance(error, InvalidTemplate):
            raise
        raise WrongInput(error) from None


def event(name: str, **values: object) -> None:
    """Write an event for machines."""
    output.emit_line({"event": name, **values})


@contextmanager
def events_for_errors(*, as_json: bool) -> Iterator[list[ExitCode]]:
    """Turn an error into an event where events are wanted; what is appended is the exit code."""
    ended: list[ExitCode] = []
    try:
        yield ended
    except (DevinotifyError, WrongInput) as error:
        if not as_json:
            raise
        found, code = (error.error, ExitCode.USAGE) if isinstance(error, WrongInput) else (error, of_error(error))
        ended[:] = [code]
        event("error", error=errors.document(found, sending=False), exit_code=code)


def plan_rows(plan: Plan) -> list[tuple[str, object]]:
    """Return what the plan says, as pairs of a name and a value."""
    reasons = ", ".join(f"{_(word.replace('_', ' '))} {number(count)}" for word, count in plan.reasons.items())
    rows: list[tuple[str, object]] = [
        (_("list"), told(plan.source)),
        (_("rows"), number(plan.rows)),
        (_("recipients"), number(plan.recipients)),
        (_("duplicates"), number(plan.duplicates)),
        (_("invalid"), number(plan.invalid) + (f" ({reasons})" if reasons else "")),
    ]
    if plan.further:
        further = _("{count:,}, not sent to: a row is sent to once", count=plan.further)
        rows.append((_("further numbers"), further))
    if plan.added:
        rows.append((_("rows that were added"), number(plan.added)))
    if plan.unsendable:
        rows.append((_("cannot be sent"), number(plan.unsendable)))
    if plan.done is not None:
        rows.append((_("still to send to"), number(plan.left)))
    if plan.again:
        rows.append((_("of them again"), number(plan.again)))
    if plan.now != plan.left:
        rows.append((_("in this run"), number(plan.now)))
    if plan.outside is not None:
        rows.append((_("in the window now"), number(plan.recipients - plan.outside)))
        rows.append((_("when it opens"), number(plan.outside)))
    channel = (
        plan.channel
        if plan.second is None
        else _(
            "{channel}, which goes on to {second} where the first step fails",
            channel=plan.channel,
            second=plan.second,
        )
    )
    rows.append((_("channel"), channel))
    if plan.segments:
        encodings = ", ".join(f"{name} {number(count)}" for name, count in plan.encodings.items() if count)
        rows += [(_("segments"), number(plan.segments)), (_("encoding"), encodings)]
    rows.append((_("cost"), _cost(plan)))
    rows.append((_("balance"), _("not known") if plan.balance is None else number(plan.balance)))
    requests = (
        _("{count:,} of up to {batch}", count=plan.requests, batch=plan.batch)
        if plan.batch > 1
        else number(plan.requests)
    )
    rows.append((_("requests"), requests))
    rows.append((_("takes about"), in_words(plan.seconds)))
    rows.append((_("first text") if plan.personal else _("text"), plan.sample))
    return rows


def _cost(plan: Plan) -> str:
    if plan.cost is None:
        return _("give --price to estimate it")
    if plan.second is None:
        return number(plan.cost)
    if plan.most is None:
        return _(
            "{cost:,} for the first step; give --second-price for the most that {second} may add",
            cost=plan.cost,
            second=plan.second,
        )
    return _(
        "{cost:,} for the first step, up to {most:,} where all go on to {second}",
        cost=plan.cost,
        most=plan.most,
        second=plan.second,
    )


def _warnings(plan: Plan, *, resend_unknown: bool) -> Iterator[str]:
    for name in plan.unfilled:
        yield _(
            "the text has {column} in it, a column of the list: --text sends it as it is, --template fills it in",
            column=f"{{{name}}}",
        )
    if plan.held is not None:
        yield _(
            "quiet hours or another plugin would hold messages back now: the last until {moment}",
            moment=output.moment(plan.held),
        )
    if plan.refused is not None:
        yield _(
            "a plugin would refuse messages now: {why}; what is not sent goes out later with --retry not_sent",
            why=errors.sentence(plan.refused, sending=False),
        )
    if plan.blank:
        yield _(
            "{count:,} texts have an empty column in them: {example} puts a word in its place",
            count=plan.blank,
            example="{name|friend}",
        )
    if plan.affordable is False:
        yield _("the balance does not cover the cost: the campaign will stop where it ends, and go on after a top-up")
    elif plan.balance is not None and plan.most is not None and plan.balance < plan.most:
        yield _("the balance covers the first step, and not {second} for all of them", second=plan.second)
    if plan.trouble is not None:
        yield _("the balance is not known: {why}", why=errors.sentence(plan.trouble, sending=False))
    unknown = 0 if plan.done is None else plan.done.unknown - plan.done.in_flight
    if unknown and resend_unknown:
        yield _("{count:,} are sent to again, and {risk}", count=unknown, risk=_(RISK))
    elif unknown:
        yield _(
            "{count:,} are not sent to again: {risk}. --resend-unknown does it all the same",
            count=unknown,
            risk=_(RISK),
        )


class Lines:
    """Shows a campaign as plain lines: the plan and the result on stdout, progress now and then on stderr."""

    every = LINE_EVERY

    def __init__(self) -> None:
        self._last = time.monotonic()

    def plan(self, plan: Plan, *, resend_unknown: bool) -> None:
        """Show the plan, and what to mind."""
        output.show(output.table(("plan", ""), plan_rows(plan)))
        for warning in _warnings(plan, resend_unknown=resend_unknown):
            output.say(warning)

    def invalid(self, rows: Iterable[tuple[int, str, DevinotifyError]]) -> None:
        """Show the first rows that cannot be sent to, masked, and how many more there are."""
        rows = iter(rows)
        shown = [(row, mask_number(raw), told(error)) for row, raw, error in itertools.islice(rows, SHOWN)]
        if shown:
            output.show(output.table(("row", "what stands there", "why"), shown))
        if more := sum(1 for _ in rows):
            output.say(
                ngettext(
                    "and {count:,} more row: --invalid FILE writes them all",
                    "and {count:,} more rows: --invalid FILE writes them all",
                    more,
                )
            )

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

    def say(self, line: str) -> None:
        """Say something meanwhile."""
        output.say(line)

    def result(self, result: Result, code: ExitCode) -> None:
        """Show how it ended, and in the last line for which rows the exit code is not 0."""
        from devinotify.bulk.sending import ENDS

        if result.recovered:
            output.say(
                _(
                    "{count:,} were being sent when a former run was killed; {risk}",
                    count=result.recovered,
                    risk=_(RISK),
                )
            )
        output.show(output.table(("rows", ""), tally_rows(result.tally)))
        sent = ngettext(
            "{count:,} recipient in {time}",
            "{count:,} recipients in {time}",
            result.sent.done,
            time=in_words(result.seconds),
        )
        output.write(sent if result.cost is None else _("{sent}, for {cost:,}", sent=sent, cost=result.cost))
        output.say(_(ENDS[result.end]) if result.tally.rows else _("the list is empty: there is nobody to send to"))
        if result.held:
            output.say(held_line(result.held))
        if result.to_come:
            output.say(
                _(
                    "{count:,} may still need the second channel: `bulk status JOURNAL --watch` takes it",
                    count=result.to_come,
                )
            )
        if result.error is not None:
            output.say(errors.sentence(result.error, sending=False))
        for why, count in result.suppressed.items():
            output.say(_("{count:,} are not to be sent to: {why}", count=count, why=told(why)))
        for state, why in result.reasons.items():
            count = getattr(result.tally, state)
            if state == "not_sent":
                count -= result.tally.waiting + sum(result.suppressed.values())
            output.say(
                _(
                    "{count:,} {state}: {why}. The same command with --retry {name} sends to them again",
                    count=count,
                    state=_(state.replace("_", " ")),
                    why=told(why),
                    name=state,
                )
            )
        if unknown := result.tally.unknown - result.tally.in_flight:
            output.say(
                _(
                    "{count:,} are unknown: `devinotify bulk report` tells why of each."
                    " They may have got the message; --resend-unknown sends to them all the same",
                    count=unknown,
                )
            )
        if code in dict(CATEGORY_EXITS).values():
            missed = [f"{_(name.replace('_', ' '))} {number(count)}" for name, count in missed_of(result).items()]
            output.say(
                _(
                    "exit code {code}, for rows that are {what}:"
                    " `devinotify bulk report JOURNAL --csv FILE` names them",
                    code=int(code),
                    what=", ".join(missed),
                )
            )


class Terminal(Lines):
    """The same with a live bar on the terminal."""

    every: float = 0.0

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}"),
            console=Console(stderr=True, markup=False, emoji=False, highlight=False),
            transient=True,
        )
        self._task = self._bar.add_task(_("reading"), total=None, more="")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show the bar while this lasts."""
        with self._bar:
            yield

    def say(self, line: str) -> None:
        """Say something above the bar."""
        self._bar.console.print(f"devinotify: {line}")

    def _show(self, progress: Progress) -> None:
        more = "" if progress.phase == "reading" else progress_line(progress).partition(": ")[2]
        self._bar.update(
            self._task, description=_(progress.phase), completed=progress.done, total=progress.total, more=more
        )


class Events(Lines):
    """Shows a campaign to machines."""

    every = EVENT_EVERY

    def plan(self, plan: Plan, *, resend_unknown: bool) -> None:
        """Tell the plan."""
        warnings = list(_warnings(plan, resend_unknown=resend_unknown))
        # The texts are the operator's own business, and no event needs them.
        values = {each.name: getattr(plan, each.name) for each in fields(plan)}
        for name in ("sample", "done", "trouble", "refused"):
            del values[name]
        trouble = None if plan.trouble is None else errors.document(plan.trouble, sending=False)
        refused = None if plan.refused is None else errors.document(plan.refused, sending=False)
        event("plan", **values, refused=refused, affordable=plan.affordable, trouble=trouble, warnings=warnings)

    def invalid(self, rows: Iterable[tuple[int, str, DevinotifyError]]) -> None:
        """Tell the rows that cannot be sent to, one event each."""
        for row, raw, error in rows:
            event("invalid", row=row, number=mask_number(raw), why=str(error))

    def _show(self, progress: Progress) -> None:
        values = {each.name: getattr(progress, each.name) for each in fields(progress)}
        values["error"] = None if progress.error is None else errors.document(progress.error, sending=True)
        event("progress", **values)

    def result(self, result: Result, code: ExitCode) -> None:
        """Tell how it ended."""
        error = None if result.error is None else errors.document(result.error, sending=True)
        event(
            "result",
            end=result.end,
            **counts_of(result.tally),
            seconds=round(result.seconds, 3),
            cost=result.cost,
            recovered=result.recovered,
            to_come=result.to_come,
            held=result.held,
            reasons=result.reasons,
            error=error,
            exit_code=code,
        )
