"""The values that go in and come out: messages, receipts, outcomes, states. Pure.

All of them are frozen. Their reprs mask numbers and texts; their attributes hold them in full.
"""

from __future__ import annotations

from collections import deque
from dataclasses import MISSING, dataclass, fields, replace
from enum import StrEnum
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar

from devinotify.exceptions import InvalidInput
from devinotify.redact import mask_id, mask_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from decimal import Decimal

    from devinotify.exceptions import DevinotifyError, Verdict


_Value = TypeVar("_Value")


def _quick(kind: type[_Value]) -> type[_Value]:
    """Give a frozen dataclass with slots a constructor 2.5 times as fast; a campaign makes three values a recipient.

    The one that ``dataclass`` generates sets each field through ``object.__setattr__``, which looks its slot up by
    name; this one calls the slots themselves. Both take the same arguments.
    """
    scope: dict[str, Any] = {}
    parameters, settings = [], []
    for each in fields(kind):  # type: ignore[arg-type]  # a dataclass, by the decorator below this one
        scope[f"set_{each.name}"] = kind.__dict__[each.name].__set__
        scope[f"default_{each.name}"] = each.default
        parameters.append(each.name if each.default is MISSING else f"{each.name}=default_{each.name}")
        settings.append(f"    set_{each.name}(self, {each.name})")
    if hasattr(kind, "__post_init__"):
        settings.append("    self.__post_init__()")
    source = f"def __init__(self, {', '.join(parameters)}):\n" + "\n".join(settings)
    exec(source, scope)  # noqa: S102 - built from the names of our own fields, as dataclass itself does
    scope["__init__"].__qualname__ = f"{kind.__qualname__}.__init__"
    kind.__init__ = scope["__init__"]  # type: ignore[method-assign]  # the same signature, made faster
    _SETTERS[kind] = [scope[f"set_{each.name}"] for each in fields(kind)]  # type: ignore[arg-type]  # as above
    return kind


_SETTERS: dict[type, list[Callable[[Any, Any], None]]] = {}


def by_columns(kind: type[_Value], count: int, *columns: Iterable[Any]) -> list[_Value]:
    """Return so many values of a class that is ``_quick``, each of its fields given for all of them: one column each.

    That takes two thirds of the time of its constructor. It is for values that need no check of their own.
    """
    values = list(map(object.__new__, repeat(kind, count)))
    for write, column in zip(_SETTERS[kind], columns, strict=True):
        deque(map(write, values, column), maxlen=0)
    return values


class DeliveryStatus(StrEnum):
    """What became of an accepted message, one vocabulary for SMS and Viber."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"
    DELETED = "deleted"
    STOPPED = "stopped"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether delivery is decided, so that waiting longer changes nothing."""
        return self not in _OPEN

    @property
    def is_delivered(self) -> bool:
        """Whether the message reached the handset."""
        return self in _DELIVERED


_OPEN = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN})
_DELIVERED = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.READ})


@dataclass(frozen=True, slots=True, repr=False)
class SmsState:
    """What the gateway knows of one SMS segment.

    ``code`` is the gateway's number, kept even where it is undocumented (``status`` is then UNKNOWN).
    The dates are aware UTC or ``None``; ``price`` is in the account's currency or ``None``.
    """

    status: DeliveryStatus
    code: int
    description: str = ""
    message_id: str = ""
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    reported_at: datetime | None = None
    updated_at: datetime | None = None
    price: Decimal | None = None

    @property
    def whole_status(self) -> DeliveryStatus:
        """The status of the whole story, resends included; for an SMS its own."""
        return self.status

    @property
    def whole_price(self) -> Decimal | None:
        """The price of the whole story, resends included; ``None`` while a part of it is not known."""
        return self.price

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name} {self.status} code={self.code} id={mask_id(self.message_id)} price={self.price}>"


@dataclass(frozen=True, slots=True, repr=False)
class ViberState(SmsState):
    """What the gateway knows of one Viber message; ``resent_sms`` lists the SMS that the platform sent in its place.

    ``resends`` says that it sends one where Viber fails, even while none is listed.
    """

    resent_sms: tuple[SmsState, ...] = ()
    resends: bool = False

    @property
    def whole_status(self) -> DeliveryStatus:
        """The status of the whole story: of the resent SMS where there is one and Viber did not deliver.

        A resend whose parts are not all decided is as open as its least decided part; a decided one is
        as bad as its worst part. One that is still to come is ``queued``.
        """
        if self.status.is_delivered:
            return self.status
        if self.resent_sms:
            return worst(state.status for state in self.resent_sms)
        return DeliveryStatus.QUEUED if self.resends and self.status.is_final else self.status

    @property
    def whole_price(self) -> Decimal | None:
        """The price of the whole story: that of Viber, and of each SMS that was sent in its place."""
        return total_price([state.price for state in (self, *self.resent_sms)])


def total_price(prices: Sequence[Decimal | None]) -> Decimal | None:
    """Return what all of them come to, ``None`` where one is not known or there is none."""
    known = [price for price in prices if price is not None]
    return sum(known[1:], known[0]) if known and len(known) == len(prices) else None


_BADNESS = {
    # Open beats decided, since the whole is undecided while a part is; among the decided the worst wins.
    status: rank
    for rank, status in enumerate(
        (
            DeliveryStatus.READ,
            DeliveryStatus.DELIVERED,
            DeliveryStatus.STOPPED,
            DeliveryStatus.DELETED,
            DeliveryStatus.EXPIRED,
            DeliveryStatus.UNDELIVERED,
            DeliveryStatus.FAILED,
            DeliveryStatus.REJECTED,
            DeliveryStatus.SENT,
            DeliveryStatus.QUEUED,
            DeliveryStatus.UNKNOWN,
        )
    )
}


def worst(statuses: Iterator[DeliveryStatus] | Sequence[DeliveryStatus]) -> DeliveryStatus:
    """Return the one status of a message from the statuses of its parts, at least one; an open part keeps it open."""
    return max(statuses, key=_BADNESS.__getitem__)


def combine(states: Sequence[SmsState]) -> SmsState:
    """Return the one state of a message from the states of its parts: the worst of them, with their prices added up.

    The dates and the description are those of the worst part, and so are the SMS that were resent in its place; the
    price is ``None`` while any of them is.
    A message without parts has the state ``unknown``, with the gateway's own code for one it does not know.
    """
    if not states:
        return SmsState(DeliveryStatus.UNKNOWN, 255)
    whole, *others = sorted(states, key=lambda state: _BADNESS[state.whole_status], reverse=True)
    if not others:
        return whole
    return replace(whole, price=total_price([whole.price, *(state.whole_price for state in others)]))


@dataclass(frozen=True, slots=True, repr=False)
class IncomingSms:
    """A message that a subscriber sent to one of the account's numbers; what could not be read of it is empty."""

    id: str
    text: str
    sender: str
    recipient: str
    created_at: datetime | None = None

    def __repr__(self) -> str:
        return (
            f"<IncomingSms id={mask_id(self.id)} from {mask_number(self.sender)}"
            f" to {mask_number(self.recipient)} at {self.created_at}, {len(self.text)} characters>"
        )


@dataclass(frozen=True, slots=True)
class SmsStatistics:
    """Counts of segments over a period, as the gateway reports them; ``delivery_ratio`` is in its own unit.

    A number that could not be read is ``None``, which is not zero.
    """

    sent: int | None
    delivered: int | None
    errors: int | None
    in_process: int | None
    expired: int | None
    rejected: int | None
    total: int | None
    total_with_errors: int | None
    delivery_ratio: Decimal | None


@_quick
@dataclass(frozen=True, slots=True, repr=False)
class Receipt:
    """The gateway's acceptance of a message for one recipient.

    ``recipient`` is the number in E.164 (``+79161234567``). ``message_ids`` holds one id per segment for
    SMS and one for Viber; it is empty, and ``segments`` is ``None``, where the reply to a bulk could not be
    told apart by recipient. ``segments`` is what the gateway bills; ``estimated_segments`` what we expected.
    ``sent_at`` is when the message goes out (aware UTC; the scheduled instant where there is one), from which
    the gateway's 48 hours of state count. ``resends`` is true where the platform resends as SMS.
    ``unassigned_ids`` holds all ids of a bulk whose reply could not be told apart by recipient.
    """

    recipient: str
    message_ids: tuple[str, ...]
    segments: int | None
    channel: str = "sms"
    estimated_segments: int | None = None
    sent_at: datetime | None = None
    resends: bool = False
    unassigned_ids: tuple[str, ...] = ()

    @property
    def estimate_differs(self) -> bool:
        """Whether the gateway bills another number of segments than was estimated."""
        return None not in (self.segments, self.estimated_segments) and self.segments != self.estimated_segments

    def __repr__(self) -> str:
        ids = ", ".join(map(mask_id, self.message_ids))
        differs = f" (estimated {self.estimated_segments})" if self.estimate_differs else ""
        return (
            f"<Receipt {self.channel} to {mask_number(self.recipient)} segments={self.segments}{differs} ids=[{ids}]>"
        )


@dataclass(frozen=True, slots=True, repr=False)
class BulkReceipt:
    """The gateway's acceptance of one message for many recipients; iterates as Receipts in recipient order.

    ``message_ids`` holds all ids in the gateway's order: the segments of the first recipient, then of the
    second. Where they do not divide evenly, nothing is guessed: they are all here, and each Receipt has none.
    """

    recipients: tuple[str, ...]
    message_ids: tuple[str, ...]
    channel: str = "sms"
    estimated_segments: int | None = None
    sent_at: datetime | None = None
    resends: bool = False

    @property
    def segments_per_recipient(self) -> int | None:
        """Ids per recipient, or ``None`` where they do not divide evenly."""
        each, rest = divmod(len(self.message_ids), len(self.recipients) or 1)
        return each if each and not rest else None

    @property
    def ids_per_recipient(self) -> Iterable[tuple[str, ...]]:
        """The ids of each recipient in order; none for any, without an end, where they do not divide evenly."""
        each = self.segments_per_recipient
        return repeat(()) if each is None else zip(*[iter(self.message_ids)] * each, strict=True)

    def __len__(self) -> int:
        return len(self.recipients)

    def __iter__(self) -> Iterator[Receipt]:
        each, count = self.segments_per_recipient, len(self.recipients)
        others = self.message_ids if each is None else ()  # nobody can tell whose: they stand beside each receipt
        shared = map(repeat, (each, self.channel, self.estimated_segments, self.sent_at, self.resends, others))
        return iter(by_columns(Receipt, count, self.recipients, self.ids_per_recipient, *shared))

    def __repr__(self) -> str:
        return f"<BulkReceipt {self.channel} to {len(self.recipients)} recipients, {len(self.message_ids)} ids>"


@_quick
@dataclass(frozen=True, slots=True, repr=False)
class Attempt:
    """One step of a send on one channel; ``channel`` is the channel's name."""

    channel: str
    verdict: Verdict
    receipt: Receipt | None = None
    error: DevinotifyError | None = None

    def __repr__(self) -> str:
        return f"<Attempt {self.channel} {self.verdict} error={self.error!r}>"


@_quick
@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What became of a message for one recipient.

    ``recipient`` is the number in E.164, or what was given where it is not a number. ``channel`` is the channel
    that was asked for, ``attempts`` every step that was taken on it, in order; ``verdict``, ``receipt`` and
    ``error`` are those of the last step. ``state`` is the delivery state that was last seen, or ``None``.
    ``row`` is the id of its first step in the outbox, where that step was written there.
    """

    recipient: str
    verdict: Verdict
    channel: str
    receipt: Receipt | None = None
    error: DevinotifyError | None = None
    attempts: tuple[Attempt, ...] = ()
    state: SmsState | None = None
    row: int | None = None

    @property
    def status(self) -> DeliveryStatus | None:
        """The delivery status that was last seen, resends included, or ``None`` where none was asked for."""
        return None if self.state is None else self.state.whole_status

    def __repr__(self) -> str:
        return f"<Outcome {mask_number(self.recipient)} {self.channel} {self.verdict} error={self.error!r}>"


ONE_TIME = "one-time"
"""The tag of a message that is of no use after its validity: a one-time code."""


@_quick
@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """One text for some recipients: what hooks see, and change with ``dataclasses.replace``.

    ``send_at``: aware means that instant, naive the recipient's own wall clock (sent by the time-zone
    operation), ``None`` now. ``validity`` is in minutes. The tag ``urgent`` marks what must not be held back, and
    ``one-time`` a code that nobody wants late: of it no step of a fallback is sent, and nothing is queued again, when
    its time is over.
    """

    text: str
    recipients: tuple[str, ...]
    title: str | None = None
    sender: str | None = None
    channel: str = "sms"
    send_at: datetime | None = None
    validity: int | None = None
    tags: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        # A str is a sequence of strings too: one number would become a dozen recipients of one character.
        if isinstance(self.recipients, str):
            raise InvalidInput("recipients must be a tuple of numbers, not one text")

    def __repr__(self) -> str:
        numbers = ", ".join(map(mask_number, self.recipients[:3])) + (", …" if len(self.recipients) > 3 else "")
        return (
            f"<Message {self.channel} to [{numbers}] ({len(self.recipients)}), {len(self.text)} characters,"
            f" send_at={self.send_at} tags={sorted(self.tags)}>"
        )
