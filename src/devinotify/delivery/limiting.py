"""Channels that keep limits: what a message takes is counted before it is sent, and given back where it was not.

One count for all who share the outbox. Whoever dies between the count and the send has used it up all the same: what
may have been sent counts.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devinotify.channels.batch import failed
from devinotify.channels.protocol import OwnChannel, billed_as, send_on
from devinotify.delivery.allotment import allot, charge, charges, corrected, keys
from devinotify.delivery.recipients import in_parts
from devinotify.exceptions import DevinotifyError, InvalidURL, LimitExceeded, NotSent, Verdict
from devinotify.limits import Count, Scope, moment
from devinotify.outbox.buckets import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from devinotify.channels.protocol import Channel
    from devinotify.delivery.allotment import Allotment, Charge
    from devinotify.gateway.client import Client
    from devinotify.limits import Limit, LimitUsage
    from devinotify.models import Message, Outcome, Receipt, SmsState
    from devinotify.outbox import Outbox
    from devinotify.outbox.buckets import Bucket
    from devinotify.url import DevinoURL

log: logging.Logger = logging.getLogger(__name__)

SWEPT = 1000
"""Counts of periods that are over which are removed at a time."""
_NOTHING_SENT = frozenset({Verdict.NOT_SENT, Verdict.REJECTED})


def zone_of(url: DevinoURL) -> ZoneInfo:
    """Return the zone by whose clock the days and months of limits begin; raise InvalidURL where there is none such."""
    try:
        return ZoneInfo(url.limit_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the database, such as Europe
        raise InvalidURL(f"bad value for limit_zone: {url.limit_zone!r} is not a time zone") from None


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a message was counted as, whom there is room for, and the errors of the others."""

    against: Sequence[Charge]
    segments: int
    admitted: tuple[str, ...]
    refused: Mapping[str, LimitExceeded]


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A limit that leaves no room for ``over`` recipients of a message, once ``after`` others have it.

    There is room again at ``resets_at`` (aware); ``None``: it never has room for a message of this size.
    """

    limit: Limit
    after: int
    over: int
    resets_at: datetime | None


class Limiter:
    """Counts what one account sends against its limits, in an outbox that others share.

    ``segments`` tells what a text costs, ``near`` is told once of each limit in a period that is used to four fifths.
    Raises InvalidURL for a time zone that does not exist.
    """

    def __init__(
        self,
        outbox: Callable[[], Outbox],
        url: DevinoURL,
        *,
        segments: Callable[[str], int],
        near: Callable[[LimitUsage], object],
    ) -> None:
        self._outbox = outbox
        self._url = url
        self._zone = zone_of(url)
        self._segments = segments
        self._near = near
        self._told: set[str] = set()  # keys of limits that were logged as used up
        self._clean = ""  # the day up to which what is over was removed

    def reserve(self, message: Message, channel: Channel) -> Reservation:
        """Count a message for those whom there is room for; raise DevinotifyError, nothing sent, where that fails."""
        outbox = self._outbox()
        now, against, segments = self._counted_as(message, channel)
        recipients = message.recipients
        if not against:
            return Reservation((), 0, recipients, {})
        found: Allotment | None = None

        def decide(kept: dict[str, str]) -> Mapping[str, str | None]:
            nonlocal found
            found = allot(against, segments, recipients, kept)
            return found.counts

        self._counts(outbox).change(keys(against, recipients), decide)
        assert found is not None  # noqa: S101 - it has been asked
        for usage in found.near:
            self._near(usage)
        try:
            self._sweep(outbox, now)
        except DevinotifyError as error:  # it is counted, and may go out: the next message sweeps
            log.info("counts of limits that are over could not be removed: %s", error)
        for one in dict.fromkeys(found.refused.values()):
            self._tell(one, segments)
        return Reservation(against, segments, found.admitted, _errors(found, segments, now))

    def refusals(self, messages: Iterable[tuple[Message, Channel]]) -> dict[str, LimitExceeded]:
        """Return whom ``reserve`` would refuse of these messages, one after the other, and why; nothing is counted."""
        counts = self._counts(self._outbox())
        kept: dict[str, str] = {}
        refused: dict[str, LimitExceeded] = {}
        for message, channel in messages:
            now, against, segments = self._counted_as(message, channel)
            for some in in_parts([message.recipients]):
                kept = counts.get(keys(against, some)) | kept
                found = allot(against, segments, some, kept)
                kept |= {key: text for key, text in found.counts.items() if text is not None}
                refused |= _errors(found, segments, now)
        return refused

    def foresee(
        self, message: Message, channel: Channel, pages: Iterable[Sequence[str]], segments: int
    ) -> list[LimitReached]:
        """Return the limits that would leave no room for some of the recipients, by pages of them; nothing is counted.

        ``segments`` is what the text of each is taken to cost. All pages are gone through.
        """
        _, against = self._against(message, channel)
        counts = self._counts(self._outbox())
        common = frozenset(one.key("") for one in against if one.limit.scope is not Scope.RECIPIENT)
        shared = counts.get(common)
        done = 0
        after: dict[Charge, int] = {}
        over: Counter[Charge] = Counter()
        for some in in_parts(pages):
            own = [key for key in keys(against, some) if key not in common]
            found = allot(against, segments, some, counts.get(own) | shared)
            shared |= {key: text for key, text in found.counts.items() if key in common and text is not None}
            done += len(found.admitted)
            over.update(found.refused.values())
            after |= {one: done for one in found.refused.values() if one not in after}
        return [
            LimitReached(one.limit, after[one], number, None if one.takes(segments) > one.limit.amount else one.over)
            for one, number in over.items()
        ]

    def settle(self, reservation: Reservation, outcomes: Sequence[Outcome], *, segmented: bool) -> None:
        """Give back what was not sent after all, and count what the gateway bills where that is another number."""
        expected = reservation.segments
        actual = {outcome.recipient: _segments_of(outcome, expected, segmented=segmented) for outcome in outcomes}
        changed = {to: number for to, number in actual.items() if number != expected}
        if not reservation.against or not changed:
            return
        try:
            self._counts(self._outbox()).change(
                keys(reservation.against, tuple(changed)),
                lambda kept: corrected(reservation.against, expected, changed, kept),
            )
        except DevinotifyError as error:
            log.warning("what was not sent stays counted against the limits: %s", error)

    def usage(self, recipient: str | None = None) -> list[LimitUsage]:
        """Return how much of each limit is used now, as ``usage_of`` does."""
        return usage_of(self._outbox(), self._url, recipient)

    def _counted_as(self, message: Message, channel: Channel) -> tuple[datetime, list[Charge], int]:
        """Return the time, what a message counts against at it, and as how many segments where there is anything."""
        now, against = self._against(message, channel)
        return now, against, self._segments(message.text) if against and channel.segmented else 1

    def _against(self, message: Message, channel: Channel) -> tuple[datetime, list[Charge]]:
        """Return the time, and what a message counts against at it."""
        url, now = self._url, datetime.fromtimestamp(self._outbox().now(), self._zone)
        price = None if url.price is None else url.price.whole(channel.name, billed_as(channel))
        return now, charges(url.limit, message, message.sender or url.sender, price, now)

    def _counts(self, outbox: Outbox) -> Bucket:
        return outbox.bucket(LIMITS + self._url.account)

    def _tell(self, one: Charge, segments: int) -> None:
        """Log a limit that is used up, once in a period."""
        if one.takes(segments) > one.limit.amount or one.limit.scope is Scope.RECIPIENT:
            return
        if one.key("") not in self._told:
            self._told.add(one.key(""))
            log.warning("%s: what is over is not sent", _used_up(one))

    def _sweep(self, outbox: Outbox, now: datetime) -> None:
        """Remove some counts of periods that are over everywhere, a day after, until there are none left."""
        day = f"{now - timedelta(days=1):%Y-%m-%d}"
        if self._clean >= day:
            return
        bucket = self._counts(outbox)
        over = list(islice(takewhile(lambda key: key < day, (key for key, _ in bucket.items())), SWEPT))
        if over:
            bucket.remove(over)
        if len(over) < SWEPT:
            self._clean = day
            self._told.clear()


def usage_of(outbox: Outbox, url: DevinoURL, recipient: str | None = None) -> list[LimitUsage]:
    """Return how much of each limit of ``url`` is used now; of those on each recipient only with one (in E.164)."""
    now = datetime.fromtimestamp(outbox.now(), zone_of(url))
    asked = [charge(limit, now) for limit in url.limit if recipient is not None or limit.scope is not Scope.RECIPIENT]
    kept = outbox.bucket(LIMITS + url.account).get(one.key(recipient or "") for one in asked)
    return [one.usage(Count.read(kept.get(one.key(recipient or "")))) for one in asked]


def _errors(found: Allotment, segments: int, now: datetime) -> dict[str, LimitExceeded]:
    """Return the errors of those whom there is no room for: one for each limit."""
    errors = {one: _exceeded(one, segments, now) for one in dict.fromkeys(found.refused.values())}
    return {to: errors[one] for to, one in found.refused.items()}


def _exceeded(one: Charge, segments: int, now: datetime) -> LimitExceeded:
    limit = one.limit
    if one.takes(segments) > limit.amount:
        return LimitExceeded(f"the limit {limit} never has room for a message of {segments} segments", limit=str(limit))
    left = one.over.timestamp() - now.timestamp()  # not of two wall clocks, which may change within it
    return LimitExceeded(_used_up(one), limit=str(limit), resets_at=one.over, retry_after=left)


def _used_up(one: Charge) -> str:
    return f"the limit {one.limit} leaves no room before {moment(one.over)}"


def _segments_of(outcome: Outcome, expected: int, *, segmented: bool) -> int:
    if outcome.verdict in _NOTHING_SENT:
        return 0
    told = None if outcome.receipt is None else outcome.receipt.segments
    return told if segmented and told else expected


class Limited(OwnChannel):
    """A channel that sends what the limits leave room for, and refuses the rest with LimitExceeded."""

    def __init__(self, channel: Channel, limiter: Limiter) -> None:
        self._channel = channel
        self._limiter = limiter
        self.name: str = channel.name
        self.max_length: int = channel.max_length
        self.segmented: bool = channel.segmented
        self.schedulable: bool = channel.schedulable

    def __repr__(self) -> str:
        return f"<{self.name}, limited>"

    @property
    def billed_as(self) -> tuple[str, str] | None:
        """What the channel says."""
        return billed_as(self._channel)

    def check_sender(self, sender: str) -> None:
        """Raise InvalidSender where the channel does not take the sender."""
        self._channel.check_sender(sender)

    def state(self, receipt: Receipt, client: Client) -> SmsState:
        """Return the state that the channel tells."""
        return self._channel.state(receipt, client)

    def send(self, message: Message, client: Client) -> list[Outcome]:
        """Send to those whom there is room for, the first ones, and answer one Outcome each, in order."""
        try:
            reservation = self._limiter.reserve(message, self._channel)
        except DevinotifyError as error:
            if error.verdict is Verdict.NOT_SENT:
                raise
            # Whether it was counted is not known; that nothing was sent is.
            raise NotSent(f"it could not be counted against the limits: {error}", retryable=error.retryable) from None
        refused = reservation.refused
        some = replace(message, recipients=reservation.admitted) if refused else message
        sent = [*send_on(self._channel, some, client)] if some.recipients else []
        self._limiter.settle(reservation, sent, segmented=self.segmented)
        if not refused:
            return sent
        found = {outcome.recipient: outcome for outcome in sent}
        found |= {to: failed(self.name, to, error) for to, error in refused.items()}
        return [found[to] for to in message.recipients]
