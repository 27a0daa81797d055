"""What a campaign shows: plan, progress and account, to people on a terminal or in a log, and to machines."""

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

import click

from devinotify.cli import errors, output
from devinotify.cli.exits import ExitCode, of_error
from devinotify.cli.plans import RISK, plan_rows, warnings_of
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
from devinotify.translation import _, ngettext, number, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from devinotify.bulk import Plan, Progress, Result

LINE_EVERY = 5.0
"""Seconds between two lines of progress where nobody watches a terminal."""
SHOWN = 10
"""Rows that cannot be sent to which are shown of a list."""
EVENT_EVERY = 1.0
"""Seconds between two progress events of ``--json``."""


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


class Lines:
    """Shows a campaign as plain lines: the plan and the result on stdout, progress every so many seconds on stderr."""

    def __init__(self, *, every: float = LINE_EVERY) -> None:
        self._every = every
        self._last = time.monotonic()

    def plan(self, plan: Plan, *, resend_unknown: bool) -> None:
        """Show the plan, and what to mind."""
        output.show(output.table(("plan", ""), plan_rows(plan)))
        for warning in warnings_of(plan, resend_unknown=resend_unknown):
            output.say(warning)

    def invalid(self, rows: Iterable[tuple[int, str, DevinotifyError]], line_of: Callable[[int], int]) -> None:
        """Show the first rows that cannot be sent to, masked, and how many more there are."""
        rows = iter(rows)
        shown = [(line_of(row), mask_number(raw), told(error)) for row, raw, error in itertools.islice(rows, SHOWN)]
        if shown:
            output.show(output.table(("line", "what stands there", "why"), shown))
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
        if time.monotonic() - self._last >= self._every:
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
        if result.tally.rows:
            output.say(_(ENDS[result.end]))
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

    def __init__(self) -> None:
        super().__init__(every=0.0)
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

    def __init__(self, *, every: float = EVENT_EVERY) -> None:
        super().__init__(every=every)

    def plan(self, plan: Plan, *, resend_unknown: bool) -> None:
        """Tell the plan."""
        warnings = list(warnings_of(plan, resend_unknown=resend_unknown))
        # The texts are the operator's own business, and no event needs them.
        values = {each.name: getattr(plan, each.name) for each in fields(plan)}
        for name in ("sample", "done", "trouble", "refused", "reached"):
            del values[name]
        trouble = None if plan.trouble is None else errors.document(plan.trouble, sending=False)
        refused = None if plan.refused is None else errors.document(plan.refused, sending=False)
        reached = [{**asdict(one), "limit": str(one.limit)} for one in plan.reached]
        event(
            "plan",
            **values,
            refused=refused,
            reached=reached,
            affordable=plan.affordable,
            trouble=trouble,
            warnings=warnings,
        )

    def invalid(self, rows: Iterable[tuple[int, str, DevinotifyError]], line_of: Callable[[int], int]) -> None:
        """Tell the rows that cannot be sent to, one event each."""
        for row, raw, error in rows:
            event("invalid", row=row, line=line_of(row), number=mask_number(raw), why=str(error))

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
