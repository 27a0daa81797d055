"""What a campaign will do, before it does it: recipients, texts, money, time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from devinotify import text as texts
from devinotify.bulk.outlook import Account, Outlook
from devinotify.channels.protocol import billed_as
from devinotify.exceptions import InvalidInput, InvalidPhoneNumber
from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from devinotify.bulk.sorting import Sorted
    from devinotify.bulk.tally import Tally
    from devinotify.channels.protocol import Channel
    from devinotify.delivery.limiting import LimitReached
    from devinotify.delivery.rate_limit import Speed
    from devinotify.exceptions import DevinotifyError


FIRST = 100
"""Recipients by which it is seen what plugins would do."""
LEAST = 0.2
"""Seconds that a request to send takes at least, as far as is known before."""
PER_RECIPIENT = 0.002
"""Seconds that each recipient adds to that."""


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """What there is to send: ``rows`` = ``recipients`` + ``duplicates`` + ``invalid`` + ``unsendable``.

    Requests, cost and time are those of the next run. On a fallback they are of its first step.
    """

    rows: int
    """Rows of the input, its header and empty lines left out."""
    recipients: int
    """Numbers that the campaign sends to, each once."""
    duplicates: int
    """Rows whose number stands in an earlier one."""
    invalid: int
    """Rows without a number that a message can be sent to."""
    unsendable: int
    """Rows whose personal text is empty or too long, or on whose number a plugin failed."""
    reasons: Mapping[str, int]
    """How many are invalid for which reason, by the words of ``devinotify.phones.Reason``."""
    segments: int
    """Segments that all recipients together take; 0 on a channel that is not billed by them."""
    encodings: Mapping[str, int]
    """How many recipients get which encoding; empty where there are no segments."""
    personal: bool
    """Whether each recipient has a text of their own."""
    channel: str
    """The channel, by its name."""
    source: str
    """How the input is read."""
    sample: str
    """The first text as it will be sent."""
    left: int
    """Recipients that are still to be sent to."""
    now: int
    """How many of them the next run sends to."""
    batch: int
    """Recipients of one request at most."""
    requests: int
    """Requests of the next run."""
    seconds: float
    """How long the sending takes, by an estimate."""
    balance: Decimal | None = None
    """The account's; ``None`` where it is not known."""
    cost: Decimal | None = None
    """What the next run costs by the given price; ``None`` without one."""
    trouble: DevinotifyError | None = None
    """Why the balance is not known."""
    done: Tally | None = None
    """What the journal tells of an earlier run; ``None`` where there was none."""
    further: int = 0
    """Numbers that stand beside the one that their row is sent to."""
    blank: int = 0
    """Texts with an empty column in them."""
    unfilled: tuple[str, ...] = ()
    """Columns that the text for all has in braces."""
    held: datetime | None = None
    """Until when plugins such as quiet hours would hold back some of the first recipients, sent to now."""
    refused: DevinotifyError | None = None
    """For what plugins would refuse all of the first recipients, sent to now."""
    outside: int | None = None
    """Recipients of the whole list who are out of the daily window now; ``None`` without one, or where it failed."""
    suppressed: int = 0
    """Recipients whom plugins refuse, such as those who have opted out: they are in none of the figures of the run."""
    reached: Sequence[LimitReached] = ()
    """The limits that leave no room for some of the recipients of the next run."""
    second: str | None = None
    """The channel of a fallback's second step."""
    added: int = 0
    """Rows at the end of the list that its journal did not have."""
    open: int = 0
    """Deliveries that are not decided yet, where failed ones are to be sent again: they are not among these."""
    again: int = 0
    """Recipients whom an earlier run dealt with, and who are sent to again."""
    most: Decimal | None = None
    """What the next run costs where all take both steps, by the given prices; ``None`` without both."""

    @property
    def affordable(self) -> bool | None:
        """Whether the balance covers the cost, or ``None`` where one of them is not known."""
        return None if self.balance is None or self.cost is None else self.cost <= self.balance

    def check_cost(self, most: Decimal) -> None:
        """Return where the next run costs no more than ``most``, all steps of a fallback included.

        Raises InvalidInput where it may, or where that is not known for want of a price.
        """
        cost = self.cost if self.second is None else self.most
        if cost is None:
            missing = "price" if self.cost is None else f"price of {self.second}"
            raise InvalidInput(f"what the campaign costs at most is not known without the {missing}: nothing was sent")
        if cost > most:
            raise InvalidInput(f"the campaign may cost {cost:,}, which is more than {most:,}: nothing was sent")

    def __repr__(self) -> str:
        return f"<Plan {self.channel} {self.rows} rows, {self.recipients} recipients, {self.segments} segments>"


@dataclass(slots=True)
class Count:
    """What a pass over the rows counts."""

    rows: int = 0
    recipients: int = 0
    duplicates: int = 0
    invalid: int = 0
    unsendable: int = 0
    segments: int = 0
    further: int = 0
    blank: int = 0
    sample: str | None = None
    first: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)

    def add(
        self, page: Sorted, shared: str | None, segmentation: Callable[[str], texts.Segmentation] | None = None
    ) -> None:
        """Count a page; ``shared`` is the text of all, ``None`` where each has its own.

        ``segmentation`` tells what a text costs where plugins know better than the core.
        """
        self.rows += page.rows
        self.recipients += len(page.numbers)
        self.first += page.numbers[: FIRST - len(self.first)]
        self.duplicates += len(page.duplicates)
        self.further += page.further
        self.blank += page.blank
        for _, _, error in page.refused:
            if isinstance(error, InvalidPhoneNumber):
                self.invalid += 1
                self.reasons[str(error.reason)] += 1
            else:
                self.unsendable += 1
        if shared is None:
            self._texts(page.texts, segmentation)
        self.sample = self.sample or (page.texts[0] if page.texts else None)

    def share(self, text: str, found: texts.Segmentation) -> None:
        """Count the one text of all recipients, and what it costs."""
        self.segments = found.count * self.recipients
        self.encodings[str(found.encoding)] = self.recipients
        self.sample = text

    def _texts(self, some: Iterable[str], segmentation: Callable[[str], texts.Segmentation] | None) -> None:
        if segmentation is not None:
            for found in map(segmentation, some):
                self.segments += found.count
                self.encodings[str(found.encoding)] += 1
            return
        for text in some:  # several times as quick
            self.segments += texts.count_segments(text)
            self.encodings[str(texts.Encoding.GSM7 if texts.is_gsm7(text) else texts.Encoding.UCS2)] += 1


def estimate_seconds(recipients: int, size: int, speed: Speed, round_trip: float) -> float:
    """Return about how long it takes to send to so many, ``size`` in each request, by the seconds of a round trip.

    The connections go on in rounds: nine requests on eight take as long as two after each other.
    """
    rounds = -(-recipients // (size * speed.connections))
    # A send takes longer than the question for the balance, by which a round trip is measured.
    request = max(round_trip, LEAST)
    seconds = rounds * request + min(recipients, rounds * size) * PER_RECIPIENT
    if speed.rate is None or not recipients:
        return seconds
    # The last of them leaves when all others have had their time, and its answer has to come.
    return max(seconds, recipients / speed.rate + request)


def make_plan(
    count: Count,
    speed: Speed,
    account: Account,
    *,
    pace: float | None = None,
    done: Tally | None,
    resend_unknown: bool,
    retry: Collection[RowState] = (),
    personal: bool,
    channel: Channel,
    steps: tuple[Channel, Channel | None],
    price: Decimal | None,
    second_price: Decimal | None = None,
    source: str,
    unfilled: Sequence[str] = (),
    added: int = 0,
    undecided: int = 0,
    outlook: Outlook = Outlook(),  # noqa: B008 - frozen
) -> Plan:
    """Return the plan of the next run with this speed, its limit included; ``steps`` are the channels of its prices.

    ``pace`` is the one that its journal keeps, in recipients a second; ``undecided`` deliveries may yet fail.
    """
    again = done.unknown - done.in_flight if done is not None and resend_unknown else 0
    if done is not None:
        again += done.rejected if RowState.REJECTED in retry else 0
        again += max(done.not_sent - done.waiting - count.unsendable, 0) if RowState.NOT_SENT in retry else 0
        again += done.failed if RowState.FAILED in retry else 0
    left = max((count.recipients if done is None else done.waiting) + again - outlook.suppressed, 0)
    now = left if speed.limit is None else min(left, speed.limit)
    if pace is not None:
        speed = replace(speed, rate=min(pace, speed.rate or pace))
    size = 1 if personal else speed.size
    first, second = steps
    # What the gateway resends by itself is part of the run; a fallback's second step is not.
    segmented = channel.segmented if billed_as(channel) else first.segmented
    share = now / count.recipients if count.recipients else 0

    def priced(step: Channel | None, at: Decimal | None) -> Decimal | None:
        billed = count.segments if step is not None and step.segmented else count.recipients
        return None if step is None or at is None else at * round(billed * share)

    cost, more = priced(first, price), priced(second, second_price)
    most = None if cost is None or more is None else cost + more
    return Plan(
        rows=count.rows,
        recipients=count.recipients,
        duplicates=count.duplicates,
        invalid=count.invalid,
        unsendable=count.unsendable,
        reasons=dict(count.reasons.most_common()),
        segments=count.segments if segmented else 0,
        encodings=dict(count.encodings) if segmented else {},
        personal=personal,
        channel=channel.name,
        source=source,
        sample=count.sample or "",
        left=left,
        now=now,
        batch=size,
        requests=-(-now // size),
        seconds=estimate_seconds(now, size, speed, account.round_trip),
        balance=account.balance,
        cost=cost,
        trouble=account.trouble,
        done=done,
        further=count.further,
        blank=count.blank,
        unfilled=tuple(unfilled),
        held=outlook.held,
        refused=outlook.refused,
        outside=outlook.outside,
        suppressed=outlook.suppressed,
        reached=outlook.reached,
        second=None if second is None else second.name,
        most=most,
        added=added,
        open=undecided,
        again=again,
    )
