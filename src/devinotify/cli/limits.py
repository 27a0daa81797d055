"""``devinotify outbox limits``: how much of each limit is used, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from devinotify.cli import output
from devinotify.cli.exits import ExitCode
from devinotify.cli.options import json_option, settings_of, url_option
from devinotify.cli.outboxes import opened, outbox_option, usage_errors
from devinotify.instants import iso
from devinotify.translation import _

if TYPE_CHECKING:
    from devinotify.limits import LimitUsage


@click.command("limits")
@click.option(
    "--to", "recipient", metavar="NUMBER", help="A recipient, for what is used of the limits on each of them."
)
@url_option
@outbox_option
@json_option
def limits(recipient: str | None, url: str | None, path: str | None, *, as_json: bool) -> None:
    """Show how much of each limit of the URL is used, what is left, and when its next period begins.

    Limits on each recipient are shown with --to.
    """
    from devinotify.delivery.limiting import usage_of
    from devinotify.phones import normalize

    settings = settings_of(url, needs_password=False)
    with opened(path or settings.outbox) as outbox, usage_errors():
        number = None if recipient is None else normalize(recipient, region=settings.region).e164
        found = usage_of(outbox, settings, number)
    if as_json:
        output.emit({"limits": [_document(usage) for usage in found], "exit_code": ExitCode.ACCEPTED})
    elif found:
        output.show(output.table(["limit", "used", "left", "begins anew"], map(_row, found)))
    else:
        output.write(_("the URL has no limits") if not settings.limit else _("give --to: each limit is a recipient's"))


def _row(usage: LimitUsage) -> tuple[str, str, str, str]:
    return str(usage.limit), f"{usage.used:,}", f"{usage.left:,}", output.moment(usage.resets_at)


def _document(usage: LimitUsage) -> dict[str, object]:
    return {
        "limit": str(usage.limit),
        "amount": usage.limit.amount,
        "unit": usage.limit.unit,
        "period": usage.limit.period,
        "scope": usage.limit.scope,
        "name": usage.limit.name or None,
        "used": usage.used,
        "left": usage.left,
        "resets_at": iso(usage.resets_at),
    }
