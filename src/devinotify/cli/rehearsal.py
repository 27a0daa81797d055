"""``devinotify send --dry-run``: what would be sent, to whom, and for how much; without an account too."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from devinotify.channels.protocol import billed_as
from devinotify.cli import errors, output
from devinotify.cli.exits import ExitCode, of_error, worst
from devinotify.exceptions import InvalidURL
from devinotify.limits import Price
from devinotify.models import total_price
from devinotify.redact import mask_number
from devinotify.translation import _, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from devinotify.channels.protocol import Channel
    from devinotify.cli.sending import Order
    from devinotify.exceptions import DevinotifyError
    from devinotify.models import Message
    from devinotify.notifier import Notifier
    from devinotify.outbox import Outbox
    from devinotify.url import DevinoURL


@dataclass(frozen=True, slots=True)
class Part:
    """One of the messages that would be sent: what it takes for each recipient."""

    message: Message
    segments: int
    encoding: str | None
    price: Price | None

    @property
    def cost(self) -> Decimal | None:
        """What it costs to send it to all."""
        return None if self.price is None else self.price.of(self.segments) * len(self.message.recipients)


def rehearse(settings: DevinoURL, order: Order, price: Decimal | None, *, as_json: bool) -> ExitCode:
    """Print what would become of an order, and return the exit code: that of what would be refused.

    Nothing is sent, and nothing written.
    """
    settings = settings.with_options(**order.settings())
    with _opened(settings) as (notifier, outbox):
        parts, refused = _parts(notifier, outbox, order, price)
    codes = [*map(of_error, refused.values())]
    code = worst(codes)
    if as_json:
        output.emit(_document(settings.channel, parts, refused, code))
    else:
        _show(parts, refused)
    return code


@contextmanager
def _opened(settings: DevinoURL) -> Iterator[tuple[Notifier, Callable[[], Outbox]]]:
    """Give a notifier whose own outbox is gone behind the block, and what opens the one that there is.

    Whom plugins refuse stands there, and what limits have counted. None is made, and no row in one becomes an
    account's.
    """
    from devinotify.notifier import Notifier
    from devinotify.outbox import Outbox
    from devinotify.outbox.location import exists, named_location
    from devinotify.outbox.outbox import serving

    with ExitStack() as opened:
        spare = f"{opened.enter_context(TemporaryDirectory())}/outbox.db"
        try:
            notifier = opened.enter_context(Notifier(settings.with_options(outbox=spare)))
        except InvalidURL as error:  # the URL has been read by now: an option's value, or no channel's name
            raise click.UsageError(told(error)) from None

        @cache
        def outbox() -> Outbox:
            location = named_location(settings.outbox)
            return opened.enter_context(Outbox(location if exists(location) else spare, account=settings.account))

        if settings.limit or notifier.fallback(settings.channel) is not None:
            outbox()  # what is wrong with it would be told before anything is sent
        notifier.plugins.around = lambda: serving(outbox)
        yield notifier, outbox


def _parts(
    notifier: Notifier, outbox: Callable[[], Outbox], order: Order, price: Decimal | None
) -> tuple[list[Part], Mapping[str, DevinotifyError]]:
    prices = notifier.url.price
    ready, refused = notifier.rehearse(
        order.text, order.recipients, title=order.title, tags=order.tags, send_at=order.send_at
    )
    messages = [(message, _first(notifier, message.channel)) for message in ready]
    over = _over(notifier, outbox, messages)
    found = []
    for whole, channel in messages:
        message = replace(whole, recipients=tuple(to for to in whole.recipients if to not in over))
        if not message.recipients:
            continue
        segmentation = notifier.plugins.segmentation(message.text) if channel.segmented else None
        at = None if price is None else Price(price)
        if price is None and prices is not None:
            at = prices.whole(channel.name, billed_as(channel))
        count, encoding = (1, None) if segmentation is None else (segmentation.count, str(segmentation.encoding))
        found.append(Part(message, count, encoding, at))
    return found, {**refused, **over}


def _first(notifier: Notifier, name: str) -> Channel:
    """Return the channel that a message goes out on, of a fallback its first."""
    fallback = notifier.fallback(name)
    return notifier.channel(name) if fallback is None else fallback.first


def _over(
    notifier: Notifier, outbox: Callable[[], Outbox], messages: Sequence[tuple[Message, Channel]]
) -> Mapping[str, DevinotifyError]:
    """Return whom limits leave no room for, by what is counted in the outbox that there is."""
    if not notifier.url.limit:
        return {}
    from devinotify.delivery.limiting import Limiter

    plugins = notifier.plugins
    limiter = Limiter(
        outbox, notifier.url, segments=lambda text: plugins.segmentation(text).count, near=lambda _usage: None
    )
    return limiter.refusals(messages)


def _total(parts: Sequence[Part]) -> tuple[int, int, Decimal | None]:
    return (
        sum(len(part.message.recipients) for part in parts),
        sum(part.segments * len(part.message.recipients) for part in parts),
        total_price([part.cost for part in parts]),
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
