"""``devinotify send``: one SMS text to one or more numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from devinotify.cli import sending
from devinotify.cli.options import Moment, WallClock, json_option, settings_of, url_option

if TYPE_CHECKING:
    from datetime import datetime

    from devinotify.cli.exits import ExitCode


@click.command("send")
@sending.message_arguments
@click.option(
    "--send-at",
    type=Moment(past=False),
    metavar="WHEN",
    help="Send at this instant: ISO, this machine's time where it has no offset, or a duration from now (2h).",
)
@click.option(
    "--local-time",
    type=WallClock(),
    metavar="TIME",
    help="Send when the recipient's own clock shows this ISO time.",
)
@click.option(
    "--transliterate/--no-transliterate",
    default=None,
    help="Write the text in GSM-7 letters (Привет: Privet), or leave it; the URL's setting otherwise.",
)
@click.option("--max-segments", type=click.IntRange(min=1), metavar="N", help="Shorten the text to at most N segments.")
@url_option
@json_option
def command(
    text: str | None,
    recipients: tuple[str, ...],
    to: tuple[str, ...],
    sender: str | None,
    validity: int | None,
    send_at: datetime | None,
    local_time: datetime | None,
    max_segments: int | None,
    url: str | None,
    *,
    transliterate: bool | None,
    as_json: bool,
) -> ExitCode:
    """Send an SMS to one or more numbers.

    TEXT comes first, or on stdin with - or nothing in its place; then the recipients, else those of the URL.
    A number that is refused is left out and reported; the others are sent in one request.

    \b
    devinotify send "The build is red" +79161234567
    df -h | devinotify send --to +79161234567 --to +79161234568
    """
    settings = settings_of(url)
    if send_at is not None and local_time is not None:
        raise click.UsageError("--send-at is an instant and --local-time a wall clock: give one of them")
    wanted = sending.recipients_of(recipients, to, settings.targets)
    order = sending.Order(
        text=sending.read_text(text, settings.region),
        recipients=wanted,
        sender=sender,
        validity=validity,
        send_at=send_at,
        local_time=local_time,
    )
    order = sending.shaped(
        order,
        transliterate=settings.transliterate if transliterate is None else transliterate,
        max_segments=max_segments or settings.max_segments,
    )
    from devinotify.gateway.client import Client

    with Client(settings) as client:
        delivery = sending.deliver(client, order)
    return sending.report(delivery, as_json=as_json)
