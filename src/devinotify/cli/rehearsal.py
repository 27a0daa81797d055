"""``devinotify send --dry-run``: what would be sent, to whom, and for how much; without an account too."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from devinotify import text as texts
from devinotify.cli import errors, output
from devinotify.cli.exits import ExitCode, of_error, worst
from devinotify.exceptions import InvalidURL
from devinotify.redact import mask_number
from devinotify.translation import _, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from devinotify.cli.sending import Order
    from devinotify.exceptions import DevinotifyError
    from devinotify.models import Message
    from devinotify.url import DevinoURL


@dataclass(frozen=True, slots=True)
class Part:
    """One of the messages that would be sent: what it takes for each recipient."""

    message: Message
    segments: int
    encoding: str | None
    price: Decimal | None

    @property
    def cost(self) -> Decimal | None:
        """What it costs to send it to all."""
        return None if self.price is None else self.price * self.segments * len(self.message.recipients)


def rehearse(
    settings: DevinoURL, order: Order, price: Decimal | None, *, with_account: bool, as_json: bool
) -> ExitCode:
    """Print what would become of an order, and return the exit code: that of what would be refused. Nothing is sent."""
    settings = settings.with_options(**order.settings())
    with nullcontext() if with_account else TemporaryDirectory() as folder:
        if folder is not None:  # a fallback opens its outbox, and a rehearsal leaves none behind
            settings = settings.with_options(outbox=f"{folder}/outbox.db")
        parts, refused = _parts(settings, order, price)
    codes = [*map(of_error, refused.values())]
    code = worst(codes)
    if as_json:
        output.emit(_document(settings.channel, parts, refused, code))
    else:
        _show(parts, refused)
    return code


def _parts(
    settings: DevinoURL, order: Order, price: Decimal | None
) -> tuple[list[Part], Mapping[str, DevinotifyError]]:
    from devinotify.notifier import Notifier

    try:
        opened = Notifier(settings)
    except InvalidURL as error:  # the URL has been read by now: an option's value, or no channel's name
        raise click.UsageError(told(error)) from None
    with opened as notifier:
        ready, refused = notifier.rehearse(
            order.text, order.recipients, title=order.title, tags=order.tags, send_at=order.send_at
        )
        found = []
        for message in ready:
            fallback = notifier.fallback(message.channel)
            channel = notifier.channel(message.channel) if fallback is None else fallback.first
            segmentation = texts.segment(message.text) if channel.segmented else None
            at = settings.price.of(channel.name) if price is None and settings.price is not None else price
            count, encoding = (1, None) if segmentation is None else (segmentation.count, str(segmentation.encoding))
            found.append(Part(message, count, encoding, at))
    return found, refused


def _total(parts: Sequence[Part]) -> tuple[int, int, Decimal | None]:
    costs = [part.cost for part in parts]
    known = [cost for cost in costs if cost is not None]
    return (
        sum(len(part.message.recipients) for part in parts),
        sum(part.segments * len(part.message.recipients) for part in parts),
        sum(known[1:], known[0]) if known and len(known) == len(costs) else None,
    )


def _show(parts: Sequence[Part], refused: Mapping[str, DevinotifyError]) -> None:
    columns = ["recipient", "channel", "segments", "encoding", "text"]
    rows = (
        (to, part.message.channel, part.segments, part.encoding or "", part.message.text)
        for part in parts
        for to in part.message.recipients
    )
    if parts:
        output.show(output.table(columns, rows))
    recipients, segments, cost = _total(parts)
    price = _("give --price for the cost") if cost is None else _("cost {cost:,}", cost=cost)
    output.write(
        _(
            "nothing was sent: recipients {recipients:,}, segments {segments:,}, {price}",
            recipients=recipients,
            segments=segments,
            price=price,
        )
    )
    for recipient, error in refused.items():
        output.say(f"{mask_number(recipient)}: {errors.sentence(error, sending=True)}")


def _document(
    channel: str, parts: Sequence[Part], refused: Mapping[str, DevinotifyError], code: ExitCode
) -> dict[str, object]:
    recipients, segments, cost = _total(parts)
    return {
        "dry_run": True,
        "channel": channel,
        "messages": [
            {
                "recipients": part.message.recipients,
                "channel": part.message.channel,
                "text": part.message.text,
                "segments": part.segments,
                "encoding": part.encoding,
                "cost": part.cost,
            }
            for part in parts
        ],
        "refused": [{"recipient": to, "error": errors.document(error, sending=True)} for to, error in refused.items()],
        "recipients": recipients,
        "segments": segments,
        "cost": cost,
        "exit_code": code,
    }
