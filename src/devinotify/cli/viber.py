"""``devinotify viber``: one Viber text to one or more numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from devinotify.cli import sending
from devinotify.cli.options import json_option, settings_of, url_option

if TYPE_CHECKING:
    from devinotify.cli.exits import ExitCode


@click.command("viber")
@sending.message_arguments
@click.option("--resend", is_flag=True, help="Let the platform send an SMS where Viber fails.")
@url_option
@json_option
def command(
    text: str | None,
    recipients: tuple[str, ...],
    to: tuple[str, ...],
    title: str | None,
    tags: tuple[str, ...],
    sender: str | None,
    validity: int | None,
    wait: float | None,
    url: str | None,
    *,
    resend: bool,
    as_json: bool,
) -> ExitCode:
    """Send a Viber message to one or more numbers.

    TEXT comes first, or on stdin with - or nothing in its place; then the recipients, else those of the URL.
    A number that is refused is left out and reported; the others are sent in one request.
    """
    settings = settings_of(url)
    wanted = sending.recipients_of(recipients, to, settings.targets)
    order = sending.Order(
        text=sending.read_text(text, settings.region),
        recipients=wanted,
        channel="viber-sms" if resend else "viber",
        title=title,
        tags=tags,
        sender=sender,
        validity=validity,
        wait=wait,
    )
    return sending.carry_out(settings, order, as_json=as_json)
