"""``devinotify bulk``: sends to every number of a list."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from devinotify.cli import deliveries, errors, output
from devinotify.cli.asking import agreed
from devinotify.cli.campaigns import (
    Events,
    Lines,
    Terminal,
    event,
    events_for_errors,
    events_option,
    inputs_checked,
)
from devinotify.cli.exits import ExitCode, of_error
from devinotify.cli.options import (
    JOURNAL,
    NOBODY,
    Later,
    Money,
    Number,
    WallClock,
    Whole,
    complete_channels,
    complete_files,
    sender_of_url,
    settings_of,
    url_option,
)
from devinotify.cli.speech import localised
from devinotify.cli.tallies import exit_code
from devinotify.exceptions import InvalidURL
from devinotify.translation import N_, _, ngettext

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta
    from decimal import Decimal

    from devinotify.bulk import Campaign
    from devinotify.outbox import RowState
    from devinotify.url import DevinoURL


class _Campaigns(click.Command):
    """The command that sends, with others behind it by their name: a list called ``status`` is given as ./status."""

    @property
    def commands(self) -> Mapping[str, click.Command]:
        """The others, by name, as a group has them."""
        return FURTHER

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's own signature
    ) -> click.Context:
        """Parse the command line, of the command behind this one where it is named first."""
        other = self.commands.get(args[0]) if args else None
        if other is not None:
            return localised(other).make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


def _complete_source(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the commands behind this one that begin so, beside files."""
    names = [CompletionItem(name) for name in FURTHER if name.startswith(incomplete)]
    return names + complete_files(ctx, param, incomplete)


@click.command("bulk", cls=_Campaigns)
@click.argument("source", metavar="FILE", shell_complete=_complete_source)
@click.option("--text", help="The text for all.")
@click.option("--template", help="A text with columns of the list in braces: 'Hello {name|friend}'.")
@click.option(
    "--journal",
    type=JOURNAL,
    help="What remembers who has been sent to: a file, or postgresql://…?campaign=NAME, which several machines may work"
    " on. The same one goes on where the last run stopped.",
)
@click.option(
    "--column",
    metavar="NAME",
    help="The column of the numbers, found out where it is certain; NAME,NAME takes the first number of each row.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "tsv", "jsonl", "json", "vcard", "lines"]),
    help="The format; found out otherwise.",
)
@click.option("--encoding", metavar="NAME", help="The encoding; found out where it is certain.")
@click.option(
    "--channel",
    metavar="NAME",
    shell_complete=complete_channels,
    help="The channel, a plugin's or a fallback such as sms-viber too; the URL's otherwise.",
)
@click.option(
    "--send-at",
    type=Later(),
    metavar="WHEN",
    help="Send at this instant: ISO, this machine's time where it has no offset, or a duration from now (2h); a journal"
    " that has begun keeps its own.",
)
@click.option(
    "--local-time",
    type=WallClock(),
    metavar="TIME",
    help="Deliver when each recipient's own clock shows this ISO time.",
)
@click.option(
    "--window",
    metavar="HOURS",
    help="Send when the recipient's own clock shows these hours of the day, such as 10-20 or 10:30-20:00; who is out of"
    " them gets it when they begin. Takes devinotify-quiet-hours.",
)
@click.option(
    "--tag",
    "tags",
    metavar="TAG",
    multiple=True,
    help="A tag for limits and plugins, such as marketing or urgent; may be repeated.",
)
@click.option("--price", type=Money(), metavar="AMOUNT", help="Price of a segment (on Viber: a message), for the cost.")
@click.option(
    "--second-price",
    type=Money(),
    metavar="AMOUNT",
    help="The same of the second step of a fallback such as sms-viber, for the most that it may cost.",
)
@click.option(
    "--max-cost",
    type=Money(),
    metavar="AMOUNT",
    help="Send nothing where this run may cost more, by the prices given or those of the URL.",
)
@click.option(
    "--rate",
    type=Number(N_("recipients a second"), above_zero=True),
    metavar="N",
    help="At most N recipients a second, over all.",
)
@click.option(
    "--connections", type=Whole(1, 256), default=8, show_default=True, metavar="N", help="Requests at a time."
)
@click.option("--batch", type=Whole(1, 1000), default=500, show_default=True, metavar="N", help="Recipients a request.")
@click.option("--limit", type=Whole(1), metavar="N", help="Send to N recipients in this run.")
@click.option("--test-to", metavar="NUMBER", help="Send the first text to this number alone, and stop.")
@click.option(
    "--exclude",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Leave out the numbers of this list, in any form that FILE takes; several times for several.",
)
@click.option(
    "--exclude-journal",
    "exclude_journals",
    multiple=True,
    type=JOURNAL,
    help="Leave out whom this other campaign has reached, may have reached, or is to reach.",
)
@click.option("--other-account", is_flag=True, help="Go on with another account than the one it was begun with.")
@click.option(
    "--append",
    is_flag=True,
    help="Go on with a list to which rows were added at its end: they are sent to, and nobody else again.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan, and stop.")
@click.option(
    "--invalid",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the rows that cannot be sent to into this file, as CSV.",
)
@click.option("--fail-fast", is_flag=True, help="End at once where the gateway cannot be reached.")
@click.option(
    "--retry",
    metavar="STATES",
    callback=lambda _context, _parameter, value: _states(value),
    help="Send again to those that are not_sent, rejected, or failed (the gateway took the message, and it was not"
    " delivered), or several of these: --retry not_sent,rejected,failed.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option(
    "--resend-unknown",
    is_flag=True,
    help="Send again to those whose outcome is unknown: they may get the message twice.",
)
@url_option
@events_option
def command(
    source: str,
    text: str | None,
    template: str | None,
    journal: str | Path | None,
    format_: str | None,
    send_at: datetime | timedelta | None,
    local_time: datetime | None,
    price: Decimal | None,
    max_cost: Decimal | None,
    invalid: Path | None,
    retry: Sequence[RowState],
    test_to: str | None,
    url: str | None,
    *,
    dry_run: bool,
    yes: bool,
    resend_unknown: bool,
    fail_fast: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - of several types, handed on by their names
) -> ExitCode:
    """Send to every number of a list, with a journal to go on from.

    FILE is CSV, TSV, JSON, vCard, a workbook (.xlsx, .xls, .ods) or one number a line; - is stdin. The plan is shown
    and has to be confirmed. A run that was stopped or killed goes on with the same command; `devinotify bulk status
    JOURNAL` then asks for the deliveries (with --watch it takes the later steps of a fallback such as sms-viber), and
    `devinotify bulk report JOURNAL --csv FILE --html FILE` writes what became of every row.

    \b
    devinotify bulk recipients.csv --text "The shop is open" --journal campaign.db
    devinotify bulk recipients.csv --template "Hello {name}" --journal personal.db --limit 100
    """
    settings, trouble = _plannable(url) if dry_run and not test_to else (settings_of(url), None)
    if (text is None) == (template is None):
        raise click.UsageError(_("give either --text or --template"))
    if send_at is not None and local_time is not None:
        raise click.UsageError(_("--send-at is an instant and --local-time a wall clock: give one of them"))
    if journal is None and not (dry_run or test_to):
        raise click.UsageError(_("a campaign needs a --journal, the file that remembers who has been sent to"))
    if invalid is not None and any(_same(invalid, Path(other)) for other in (source, journal or source)):
        raise click.UsageError(_("--invalid would write over the list or the journal: give another file"))
    if not yes and not dry_run and not test_to and (as_json or source == "-" or not sys.stdin.isatty()):
        raise click.UsageError(_("nobody can be asked here: look at the plan with --dry-run, then give --yes"))
    from devinotify.bulk import Speed
    from devinotify.delivery.stopping import stopped_by_signals
    from devinotify.delivery.worker import rare_collections

    speed = Speed(**{name: options.pop(name) for name in ("connections", "batch", "rate", "limit")})
    shown = Events() if as_json else Terminal() if sys.stderr.isatty() else Lines()
    with (
        rare_collections(),
        events_for_errors(as_json=as_json) as ended,
        sender_of_url(),
        _begun(
            settings,
            sys.stdin.buffer if source == "-" else source,
            text=text,
            template=template,
            journal=journal,
            format=format_,
            send_at=send_at or local_time,
            price=price,
            **options,
        ) as campaign,
    ):
        if test_to:
            ended.append(_test(campaign, test_to, as_json=as_json))
            output.forgive()
            return ended[0]
        with inputs_checked():
            asked = bool(url) and trouble is None
            plan = campaign.plan(speed, resend_unknown=resend_unknown, retry=retry, ask=asked)
            plan = plan if trouble is None else replace(plan, trouble=trouble)
        shown.plan(plan, resend_unknown=resend_unknown)
        if campaign.keeps_instant and campaign.send_at is not None:
            kept = output.moment(campaign.send_at)
            output.say(_("the journal's own time of sending is kept: {moment}", moment=kept))
        if invalid is not None:
            _write_invalid(campaign, invalid)
        if dry_run:
            shown.invalid(campaign.invalid(), campaign.line)
        if max_cost is not None:
            plan.check_cost(max_cost)
        if dry_run:
            return ExitCode.ACCEPTED
        if not yes and (refused := _refused()) is not None:
            output.say(_("nothing was sent"))
            return refused
        with stopped_by_signals(campaign.stop, shown.say) as signals, shown.running():
            result = campaign.run(
                speed, resend_unknown=resend_unknown, retry=retry, fail_fast=fail_fast, observe=shown.progress
            )
        ended.append(ExitCode.INTERRUPTED if signals else exit_code(result))
        shown.result(result, ended[0])
        output.forgive()
    return ended[0]


def _plannable(url: str | None) -> tuple[DevinoURL, InvalidURL | None]:
    """Return the settings of a dry run, and why the gateway cannot be asked for the balance; neither takes a password.

    Without an account they are nobody's. Raises InvalidURL for what is wrong with the URL itself.
    """
    settings = settings_of(url or NOBODY, needs_password=False)
    try:
        return (settings_of(url) if url else settings), None
    except InvalidURL as error:
        return settings, error


def _begun(*given: Any, **options: Any) -> Campaign:  # noqa: ANN401 - of several types, handed on by their names
    from devinotify.bulk import Campaign

    with inputs_checked():
        return Campaign(*given, **options)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False


def _states(given: str | None) -> list[RowState]:
    """Return the states that are named, with commas between them."""
    from devinotify.bulk.journal import EXPLAINED, RETRIED

    names = [] if given is None else [name.strip().replace("-", "_") for name in given.split(",")]
    if any(name not in tuple(RETRIED) for name in names):
        given_states = ", ".join(EXPLAINED)
        raise click.BadParameter(
            _("give {states}, or both with a comma, and failed for what was not delivered", states=given_states)
        )
    return [state for state in RETRIED if state in names]


def _write_invalid(campaign: Campaign, path: Path) -> None:
    from devinotify.bulk.report import write_invalid

    try:
        count = write_invalid(campaign.invalid(), path, campaign.line)
    except OSError as error:
        why = error.strerror or error
        raise click.UsageError(_("{path} cannot be written: {why}", path=path, why=why)) from None
    output.say(
        ngettext(
            "{count:,} row that cannot be sent to is in {path}",
            "{count:,} rows that cannot be sent to are in {path}",
            count,
            path=path,
        )
    )


def _refused() -> ExitCode | None:
    """Ask whether to send; return the exit code of whoever does not want to."""
    try:
        return None if agreed(_("Send?")) else ExitCode.ACCEPTED
    except click.Abort:  # Ctrl-C at the question
        return ExitCode.INTERRUPTED


def _test(campaign: Campaign, number: str, *, as_json: bool) -> ExitCode:
    with inputs_checked():
        outcome = campaign.test(number)
    code = ExitCode.ACCEPTED if outcome.error is None else of_error(outcome.error)
    if as_json:
        error = None if outcome.error is None else errors.document(outcome.error, sending=True)
        event("test", verdict=outcome.verdict, error=error, exit_code=code)
    elif outcome.error is None:
        output.write(_("accepted: look at the phone, then send the campaign without --test-to"))
    else:
        output.say(f"{_(outcome.verdict.replace('_', ' '))}: {errors.sentence(outcome.error, sending=True)}")
    return code


FURTHER: Mapping[str, click.Command] = MappingProxyType({"status": deliveries.status, "report": deliveries.report})
"""The commands behind ``bulk``."""
