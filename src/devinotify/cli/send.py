"""``devinotify send``: one text to one or more numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from devinotify.cli import rehearsal, sending
from devinotify.cli.options import (
    NOBODY,
    Moment,
    Money,
    WallClock,
    Whole,
    complete_channels,
    json_option,
    settings_of,
    url_option,
)
from devinotify.translation import _

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

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
@click.option("--max-segments", type=Whole(1), metavar="N", help="Shorten the text to at most N segments.")
@click.option(
    "--channel",
    shell_complete=complete_channels,
    help="Send on this channel, such as sms-viber, in place of the URL's.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be sent, to whom and for how much; takes no account.")
@click.option(
    "--price", type=Money(), metavar="AMOUNT", help="Price of a segment (on Viber: a message), for --dry-run."
)
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
    channel: str | None,
    send_at: datetime | None,
    local_time: datetime | None,
    max_segments: int | None,
    price: Decimal | None,
    url: str | None,
    *,
    dry_run: bool,
    transliterate: bool | None,
    as_json: bool,
) -> ExitCode:
    """Send an SMS to one or more numbers.

    TEXT comes first, or on stdin with - or nothing in its place; then the recipients, else those of the URL.
    A number that is refused is left out and reported; the others are sent in one request. It goes out on the
    URL's channel, which is sms unless it names another. With sms-viber a Viber message follows where the SMS
    fails: at once where it is refused, and later only while --wait lasts or in `devinotify worker`.

    \b
    devinotify send "The build is red" +79161234567
    df -h | devinotify send --to +79161234567 --to +79161234568
    """
    settings = settings_of(url if url or not dry_run else NOBODY, needs_password=not dry_run)
    if send_at is not None and local_time is not None:
        raise click.UsageError(_("--send-at is an instant and --local-time a wall clock: give one of them"))
    wanted = sending.recipients_of(recipients, to, settings.targets)
    order = sending.Order(
        text=sending.read_text(text, settings.region),
        recipients=wanted,
        channel=channel,
        title=title,
        tags=tags,
        sender=sender,
        validity=validity,
        send_at=send_at or local_time,
        transliterate=transliterate,
        max_segments=max_segments,
        wait=wait,
    )
    if dry_run:
        return rehearsal.rehearse(settings, order, price, as_json=as_json)
    return sending.carry_out(settings, order, as_json=as_json)
