"""``devinotify outbox``: what the outbox holds, and what a person does about it."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from devinotify.cli import fleet, output
from devinotify.cli.exits import ExitCode
from devinotify.cli.groups import Group
from devinotify.cli.limits import limits
from devinotify.cli.named import given_url
from devinotify.cli.options import Moment, Whole, complete_channels, json_option
from devinotify.cli.outboxes import opened, outbox_options, say_held, usage_errors
from devinotify.credentials import URL as ENVIRONMENT
from devinotify.exceptions import InvalidInput
from devinotify.outbox.states import FINISHED, RETRIES, RowState
from devinotify.spreadsheet import harmless
from devinotify.translation import N_, _, ngettext, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devinotify.outbox import Counts

F = TypeVar("F", bound="Callable[..., object]")

PAGE = 50
"""Rows that ``list`` shows unless it is told otherwise."""
AGAIN = (*RETRIES, RowState.FAILED)
"""The states that ``retry`` takes by their name."""
_RISK = N_("It may have arrived: ask the recipient first. With --force it is sent again, and may arrive twice.")


def _states_option(help: str) -> Callable[[F], F]:  # noqa: A002 - click's own name for it
    return click.option(
        "--state", "states", type=click.Choice([str(state) for state in RowState]), multiple=True, help=help
    )


def _states(given: Sequence[str]) -> list[RowState] | None:
    return [RowState(name) for name in given] or None


def summary(counts: Counts) -> str:
    """Return the counts of an outbox in words, those that are 0 left out."""
    found = {
        **{str(state): number for state, number in counts},
        N_("dropped"): counts.dropped,
        N_("forgotten"): counts.forgotten,
    }
    shown = [f"{number} {_(name.replace('_', ' '))}" for name, number in found.items() if number]
    listed = ", ".join(shown) or _("nothing")
    if not counts.steps:
        return listed
    steps = ngettext(
        "(and {count:,} step that these tell of)", "(and {count:,} steps that these tell of)", counts.steps
    )
    return f"{listed} {steps}"


def counts_document(counts: Counts) -> dict[str, int]:
    """Return the counts of an outbox for JSON."""
    found = {str(state): number for state, number in counts}
    rest = {"steps": counts.steps, "total": counts.total, "dropped": counts.dropped, "forgotten": counts.forgotten}
    return {**found, **rest}


@click.group("outbox", cls=Group)
def command() -> None:
    """See what the outbox holds, and retry, forget or export it.

    The outbox is the file that keeps messages until they are sent, and what became of them. A row is one recipient
    on one channel. Numbers are masked and texts left out, unless --full is given.
    """


@command.command("list")
@_states_option("Only rows in this state; may be repeated.")
@click.option("--channel", shell_complete=complete_channels, help="Only rows of this channel.")
@click.option("--to", "recipient", metavar="NUMBER", help="Only rows of this recipient, in E.164.")
@click.option("--message", "message_id", type=int, metavar="ID", help="Only rows of this message.")
@click.option("--account", metavar="LOGIN@HOST/PATH", help="Only rows of this account, and those that have none.")
@click.option("--steps", is_flag=True, help="Also the steps of a fallback whose order is listed; --channel shows them.")
@click.option("--after", type=Whole(0), default=0, metavar="ID", help="Only rows with a higher id.")
@click.option("--limit", type=Whole(1), default=PAGE, show_default=True, help="Show at most so many rows.")
@click.option("--full", is_flag=True, help="Show numbers and texts in full.")
@outbox_options
@json_option
def list_rows(
    path: str | None,
    states: tuple[str, ...],
    channel: str | None,
    recipient: str | None,
    message_id: int | None,
    account: str | None,
    after: int,
    limit: int,
    *,
    steps: bool,
    full: bool,
    as_json: bool,
) -> None:
    """List rows in the order of their ids, and count all that there are.

    A message that was enqueued to fall back from one channel to another is one row, whose state is what its steps
    have come to; one that was sent at once has a row for each step.
    """
    with opened(path) as outbox, usage_errors():
        found = list(
            outbox.rows(
                states=_states(states),
                channel=channel,
                recipient=recipient,
                message_id=message_id,
                account=account,
                steps=steps or channel is not None,
                after=after,
                limit=limit + 1,
            )
        )
        shown = [document for row in found[:limit] if (document := outbox.describe(row, full=full)) is not None]
        counts = outbox.counts()
        waiting = outbox.waiting()
        held = outbox.held()
        name = outbox.name
    further = found[limit - 1].id if len(found) > limit else None
    if as_json:
        output.emit(
            {
                "rows": shown,
                "counts": counts_document(counts),
                "queued_by_account": waiting,
                "held": held,
                "next_after": further,
                "exit_code": ExitCode.ACCEPTED,
            }
        )
        return
    columns = ["row", "message", "recipient", "channel", "state", "tries", "status", "error_type", "created_at"]
    if len({row["account"] for row in shown}) > 1:
        columns.append("account")
    if full:
        columns.append("text")
    if shown:
        output.show(
            output.table(
                [name.replace("_", " ") for name in columns],
                ([_for_people(name, row[name]) for name in columns] for row in shown),
            )
        )
    if further is not None:
        output.write(_("there are more: {option}", option=f"--after {further}"))
    output.write(_("in all: {counts}", counts=summary(counts)))
    for whose, number in waiting.items():
        output.write(_("{count} queued of {account}", count=number, account=output.printable(whose)))
    say_held(held)
    if path is None:
        output.say(_("this is the outbox {name}; --outbox names another", name=output.printable(name)))


@command.command("show")
@click.argument("rows", nargs=-1, type=int, metavar="[ROW]...")
@click.option("--key", metavar="KEY", help="All rows of the message that was enqueued under this key.")
@click.option("--full", is_flag=True, help="Show numbers, ids and texts in full.")
@outbox_options
@json_option
def show_rows(path: str | None, rows: tuple[int, ...], *, key: str | None, full: bool, as_json: bool) -> None:
    """Show all that is known of rows, and of the steps of their fallbacks."""
    if bool(rows) == (key is not None):
        raise click.UsageError(_("give the ids of rows, or --key for all rows of a message"))
    with opened(path) as outbox:
        if key is not None:
            rows = tuple(row.id for row in outbox.find(key))
            if not rows:
                raise click.ClickException(_("nothing was enqueued under the key {key}", key=output.printable(key)))
        found = {}
        for number in rows:
            steps = outbox.steps(number)
            if not steps:
                raise click.ClickException(_("there is no row {number}", number=number))
            found.update({step.id: outbox.describe(step, full=full) for step in steps})
    documents = [document for document in found.values() if document is not None]
    if as_json:
        output.emit({"rows": documents, "exit_code": ExitCode.ACCEPTED})
        return
    for document in documents:
        shown = {name: value for name, value in document.items() if value not in (None, [], {})}
        if document["state"] != RowState.QUEUED:
            # Only what waits has one for people: that of what was sent at once is the instant at which it was written,
            # which reads as if it had come too late.
            shown.pop("deadline", None)
        labels = [_(name.replace("_", " ")) + ":" for name in shown]
        values = [output.printable(_text(_for_people(name, shown[name]))) for name in shown]
        width = max(17, *(len(label) + 1 for label in labels))
        output.write("".join(f"{label:<{width}}{value}\n" for label, value in zip(labels, values, strict=True)))


def _for_people(name: str, value: object) -> object:
    """Return a value of a row's document as people read it: an instant in the form of every other table."""
    if not isinstance(value, str):
        return value
    if name in ("state", "status", "role"):
        return output.spoken(value)
    if name == "error_text":
        return told(value)
    if not name.endswith(("_at", "_time", "deadline")):
        return value
    found = datetime.fromisoformat(value)
    return value if found.utcoffset() is None else output.moment(found)


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return output.json_text(value) if isinstance(value, dict) else str(value)


@command.command("retry")
@click.argument("rows", nargs=-1, type=int, metavar="[ROW]...")
@click.option("--state", type=click.Choice([str(state) for state in AGAIN]), help="All rows in this state.")
@click.option("--force", is_flag=True, help="Also those that may have been sent: they may arrive twice.")
@outbox_options
@json_option
def retry_rows(path: str | None, rows: tuple[int, ...], state: str | None, *, force: bool, as_json: bool) -> None:
    """Queue rows again, by their ids or all in a state; `devinotify worker` sends them.

    What was rejected or not sent is safe to send again. What failed was taken by the gateway, may have been charged
    for, and did not arrive: --state failed sends it anew. A row that is unknown may have been sent, and so may one
    whose fallback has begun: that takes --force, and the recipient may get the message twice.
    """
    _need_choice(rows, state)
    with opened(path) as outbox:
        try:
            changed = (
                outbox.retry(rows, force=force)
                if state is None
                else outbox.retry_all(RowState(state), force=force, undelivered=True)
            )
        except InvalidInput as error:
            risk = f". {_(_RISK)}" if str(error).endswith("takes force") else ""
            raise click.ClickException(f"{told(error)}{risk}") from None
    if as_json:
        output.emit({"queued": changed, "forced": force, "exit_code": ExitCode.ACCEPTED})
        return
    output.write(_("{count} queued again; `devinotify worker` sends them", count=changed))
    if force and changed:
        output.say(_("what had been sent before will arrive twice"))


def _need_choice(rows: Sequence[int], states: object) -> None:
    if bool(rows) == bool(states):
        raise click.UsageError(_("give the ids of rows, or --state for all rows in a state"))


@command.command("adopt")
@click.option("--from", "old", required=True, metavar="LOGIN@HOST/PATH", help="The account as `outbox list` shows it.")
@click.option(
    "--to", "new", metavar="LOGIN@HOST/PATH", help=f"The account from now on; that of {ENVIRONMENT} if left out."
)
@outbox_options
@json_option
def adopt_rows(path: str | None, old: str, new: str | None, *, as_json: bool) -> None:
    """Hand an account's rows over to another: the login or the gateway's host has changed.

    What is queued is then sent, and what is watched is looked up, by the new account. The pace that was set goes along,
    and up to where incoming messages were told of, unless the new account has its own already. What was counted against
    limits counts for the new account.
    """
    from devinotify.url import outline

    with opened(path) as outbox, usage_errors():
        if new is None:
            url = given_url()
            if not url:
                raise click.UsageError(_("give --to, or the URL in {variable}", variable=ENVIRONMENT))
            new = outline(url).account
        adopted = outbox.adopt(old, new)
    if as_json:
        output.emit({"adopted": adopted, "account": new, "exit_code": ExitCode.ACCEPTED})
        return
    output.write(
        ngettext(
            "{count:,} row is {account}'s from now on",
            "{count:,} rows are {account}'s from now on",
            adopted,
            account=output.printable(new),
        )
    )


@command.command("resume")
@outbox_options
@json_option
def resume_sending(path: str | None, *, as_json: bool) -> None:
    """Let workers send again after a failover or a restored backup of the database.

    A standby that was behind, and a backup, know nothing of the last claims: what had been sent by then may stand in
    the queue again, and every such recipient gets it twice. So nothing is claimed until you say so. Look first, with
    `devinotify outbox list --state queued`, and remove what must not be sent again with `devinotify outbox forget`.

    Where each standby confirms every commit, nothing is missing: ?failover=trust in the URL says so for good.
    """
    with opened(path) as outbox:
        held, queued = outbox.held(), outbox.counts().queued
        if held is not None:
            outbox.resume()
    if as_json:
        output.emit({"held": held, "queued": queued, "exit_code": ExitCode.ACCEPTED})
    elif held is None:
        output.write(_("nothing was held back"))
    else:
        output.write(
            ngettext(
                "{count:,} queued row is sent from now on; held back until now, for {why}",
                "{count:,} queued rows are sent from now on; held back until now, for {why}",
                queued,
                why=told(held),
            )
        )
        if queued:
            output.say(_("what had been sent before will arrive twice"))


@command.command("forget")
@click.argument("rows", nargs=-1, type=int, metavar="[ROW]...")
@_states_option("All rows in this state; may be repeated.")
@click.option(
    "--older-than",
    type=Moment(past=True),
    metavar="WHEN",
    help="Of those in a state only what was enqueued before: an ISO date, or a duration back from now (30d).",
)
@outbox_options
@json_option
def forget_rows(
    path: str | None, rows: tuple[int, ...], states: tuple[str, ...], older_than: datetime | None, *, as_json: bool
) -> None:
    """Remove rows, by their ids or all in a state; one that is queued is thereby cancelled.

    Of rows in a state, those stay whose delivery is still watched. What is being sent cannot be forgotten.
    """
    _need_choice(rows, states)
    if older_than is not None and not states:
        raise click.UsageError(_("--older-than goes with --state"))
    with opened(path) as outbox:
        for number in rows:
            if not outbox.steps(number):
                raise click.ClickException(_("there is no row {number}", number=number))
        removed = outbox.forget(rows) if rows else outbox.forget_all(_states(states) or FINISHED, older_than=older_than)
    if as_json:
        output.emit({"forgotten": removed, "exit_code": ExitCode.ACCEPTED})
        return
    output.write(_("{count} forgotten", count=removed))


@command.command("export")
@_states_option("Only rows in this state; may be repeated.")
@click.option("--full", is_flag=True, help="Export numbers, ids and texts in full.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV with a header line.")
@outbox_options
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line, which is the default.")
def export_rows(path: str | None, states: tuple[str, ...], *, full: bool, as_csv: bool, as_json: bool) -> ExitCode:
    """Write every row to stdout, one JSON object a line, or as CSV; times are ISO 8601 in UTC."""
    if as_csv and as_json:
        raise click.UsageError(_("--csv and --json exclude each other"))
    with opened(path) as outbox:
        header = as_csv
        for document in outbox.export(full=full, states=_states(states)):
            if header:
                output.write(_csv_line(document))
                header = False
            if as_csv:
                output.write(_csv_line(map(_cell, document.values())))
            else:
                output.emit_line(document)
    return ExitCode.ACCEPTED


def _cell(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return "" if value is None else harmless(_text(value))


def _csv_line(cells: Any) -> str:  # noqa: ANN401 - whatever the writer takes
    line = io.StringIO()
    csv.writer(line).writerow(cells)  # before Python 3.13 only the characters of its own line end are put into quotes
    return line.getvalue().removesuffix("\r\n")


command.add_command(fleet.migrate)
command.add_command(fleet.workers)
command.add_command(fleet.pace)
command.add_command(limits)
