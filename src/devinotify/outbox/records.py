"""What a store keeps and gives back: messages, rows, batches, counts. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify import exceptions
from devinotify.exceptions import DevinotifyError, InvalidInput
from devinotify.instants import iso
from devinotify.models import DeliveryStatus, Message, Receipt
from devinotify.outbox.states import RowState
from devinotify.redact import mask_id, mask_number, scrub

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

ERROR_LENGTH = 200
"""Characters of an error's description that are kept."""


_END_OF_YEARS = datetime(9999, 12, 31, tzinfo=UTC).timestamp() + 86400


def encode_time(moment: datetime | None) -> float | None:
    """Return seconds since the epoch; raise InvalidInput for what names no instant that can be kept and read again."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise InvalidInput("a deadline or an original time is a datetime")
    if moment.utcoffset() is None:
        raise InvalidInput("a deadline or an original time needs its time zone")
    seconds = moment.timestamp()
    if not 0 <= seconds < _END_OF_YEARS:
        raise InvalidInput("a deadline or an original time lies in the years 1970 to 9999 of UTC")
    return seconds


def decode_time(seconds: float | None) -> datetime | None:
    """Return an aware UTC datetime from seconds since the epoch."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


ErrorParts = tuple["str | None", "int | None", "str | None", "str | None"]
"""An error as a store keeps it: class, code, reason, description."""
NO_ERROR: ErrorParts = (None, None, None, None)


def encode_error(error: DevinotifyError | None) -> ErrorParts:
    """Return an error as (class, code, reason, description): one of our classes, and few, scrubbed words."""
    if error is None:
        return NO_ERROR
    name = next(base.__name__ for base in type(error).__mro__ if base.__module__ == exceptions.__name__)
    return (name, getattr(error, "code", None), getattr(error, "reason", None), scrub(str(error))[:ERROR_LENGTH])


class Role(StrEnum):
    """What a row is of one recipient's message."""

    MESSAGE = "message"
    """All of it, or the first step where nobody has ordered the steps."""
    ORDER = "order"
    """What was asked for of a fallback: its state is what its steps, rows of their own, come to."""
    STEP = "step"
    """A step on one channel."""


class Row(NamedTuple):
    """One recipient's step on one channel, as it stood when it was read.

    A tuple for speed: a worker reads hundreds of thousands. All times are seconds since the epoch (UTC), as of the
    outbox's clock.
    """

    id: int
    """Its number, never used again."""
    message_id: int
    """The message whose text it carries."""
    recipient: str
    """A number in E.164, or what was given where it is not one."""
    channel: str
    """The channel of this step."""
    state: RowState
    """Where it stands."""
    attempts: int = 0
    """How often it was claimed."""
    next_attempt_at: float | None = None
    """From when on it may be sent, as long as it is queued."""
    deadline: float | None = None
    """When it is tried no more; ``None`` where no time was named and no try has failed yet."""
    claim: int | None = None
    """The claim that may still tell its outcome."""
    message_ids: tuple[str, ...] = ()
    """The gateway's ids, one a segment."""
    segments: int | None = None
    """In how many segments it went out."""
    sent_at: float | None = None
    """When the gateway took it."""
    via: str | None = None
    """The receipt's channel, where that is another than this step's."""
    resends: bool = False
    """Whether the platform itself goes on to SMS."""
    error: str | None = None
    """The name of one of devinotify's error classes."""
    error_code: int | None = None
    """The gateway's code for the error."""
    error_reason: str | None = None
    """The error's documented reason."""
    error_text: str | None = None
    """The error in few, scrubbed words."""
    status: DeliveryStatus | None = None
    """The delivery status last heard."""
    status_code: int | None = None
    """The gateway's code for that status."""
    status_at: float | None = None
    """When that status came about."""
    price: Decimal | None = None
    """What the gateway says that it cost."""
    next_poll_at: float | None = None
    """When it next needs attention; ``None`` is never again."""
    watch_until: float | None = None
    """When its delivery is looked at no more."""
    patience_until: float | None = None
    """When a fallback goes on, if it has not been delivered by then."""
    parent: int | None = None
    """The row that this one is the fallback of."""
    stepped: bool = False
    """Whether this row's own fallback has been enqueued."""
    story: int | None = None
    """The row that tells what the steps of a fallback come to and has ordered them: itself, or another than this one,
    which is a step of it then; ``None`` where a row tells of itself alone."""
    own_deadline: bool = False
    """Whether nobody has asked for its deadline: the outbox has set it when a try failed, to end them."""

    @property
    def role(self) -> Role:
        """What it is of a message: all of it, the order of a fallback's steps, or a step."""
        if self.story is not None:
            return Role.ORDER if self.story == self.id else Role.STEP
        return Role.MESSAGE if self.parent is None else Role.STEP

    @property
    def receipt(self) -> Receipt | None:
        """The gateway's acceptance, as a channel needs it to ask for the state; ``None`` where there was none."""
        if self.sent_at is None:
            return None
        return Receipt(
            recipient=self.recipient,
            message_ids=self.message_ids,
            segments=self.segments,
            channel=self.via or self.channel,
            sent_at=decode_time(self.sent_at),
            resends=self.resends,
        )

    def exception(self) -> DevinotifyError | None:
        """Return the recorded error as an object of its class, or ``None`` where there is none."""
        if self.error is None:
            return None
        kind = getattr(exceptions, self.error, DevinotifyError)
        known: dict[str, Any] = {}
        if issubclass(kind, exceptions.GatewayError):
            known["code"] = self.error_code
        if self.error_reason is not None and issubclass(
            kind, (exceptions.InvalidPhoneNumber, exceptions.Suppressed, exceptions.ViberRejected)
        ):
            known["reason"] = self.error_reason
        error: DevinotifyError = kind(self.error_text or "", **known)
        return error

    def __repr__(self) -> str:
        error = f" {self.error}" if self.error else ""
        return f"<Row {self.id} {self.channel} to {mask_number(self.recipient)} {self.state}{error}>"


def with_error(row: Row, parts: ErrorParts) -> Row:
    """Return a row with another error, or none, in place of its own."""
    name, code, reason, text = parts
    return row._replace(error=name, error_code=code, error_reason=reason, error_text=text)


BLANK = tuple(Row._field_defaults[name] for name in Row._fields[9:-4])
NO_RESULT = (*BLANK, None, False, None, False)
"""What follows ``claim`` in a Row that has no result yet."""
new_tuple: Any = tuple.__new__


def make_row(
    number: int,
    message: int,
    recipient: str,
    channel: str,
    state: RowState,
    attempts: int,
    due: float | None,
    deadline: float | None,
    claim: int | None = None,
    parent: int | None = None,
) -> Row:
    """Return a Row that has no result yet: three times as quick as calling Row, which a worker does for every row."""
    rest = NO_RESULT if parent is None else (*BLANK, parent, False, None, False)
    row: Row = new_tuple(Row, (number, message, recipient, channel, state, attempts, due, deadline, claim) + rest)  # noqa: RUF005 - unpacking takes longer
    return row


class NewMessage(NamedTuple):
    """A message that is to be stored: what StoredMessage says of it, but for what the store adds."""

    message: Message
    key: str | None = None
    original_time: float | None = None
    patience: float | None = None
    watch: bool = True
    fallback: bool = False
    meta: Mapping[str, Any] | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class StoredMessage:
    """A message as it was enqueued, and what the outbox knows about it.

    ``message`` has no recipients here: the rows hold them. Its ``channel`` is the one that was asked for
    (``sms-viber``), while a row's is that of its step.
    """

    id: int
    message: Message
    created_at: datetime
    key: str | None
    """What it is enqueued once under."""
    original_time: datetime | None
    """When the event happened that it tells of."""
    patience: float | None
    """The seconds that a fallback waits for a delivery."""
    watch: bool
    """Whether its delivery is looked at."""
    fallback: bool
    """Whether a row of it that ends badly waits for the next step."""
    meta: Mapping[str, Any]
    """What the caller gave along."""
    account: str | None = None
    """Whose it is (``LOGIN@host[:port]/path``); ``None`` while it is nobody's."""

    def __repr__(self) -> str:
        return f"<StoredMessage {self.id} {self.message!r}>"


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """Rows of one message and one channel that were claimed together and are this worker's to send.

    ``message`` is ready for the channel: its recipients are the rows', in their order, and its channel is the step's.
    ``stored`` holds what else is known of it. ``claim`` is the claim's id, and ``since`` when it was made by this
    process's monotonic clock: not sooner than anybody else may count from.
    """

    claim: int
    stored: StoredMessage
    rows: tuple[Row, ...]
    since: float = field(default=math.inf, compare=False)

    @property
    def message(self) -> Message:
        """The message for these recipients on this channel."""
        return replace(self.stored.message, recipients=self.recipients, channel=self.rows[0].channel)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Those of the rows, in their order."""
        return tuple([row.recipient for row in self.rows])

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Batch {self.claim} of {len(self.rows)} rows, {self.stored!r}>"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows stand where, each message once: with ``steps`` the states add up to ``total``.

    ``steps`` are the rows that an order tells of, which stands among the states itself; ``queued_steps`` of them wait
    to be sent. ``forgotten`` rows were removed, on request or to make room; ``dropped`` ones never got into a full
    outbox.
    """

    queued: int = 0
    claimed: int = 0
    accepted: int = 0
    rejected: int = 0
    not_sent: int = 0
    unknown: int = 0
    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    forgotten: int = 0
    steps: int = 0
    queued_steps: int = 0

    @property
    def total(self) -> int:
        """Rows in the store, steps included."""
        stated: int = sum(getattr(self, state) for state in RowState)
        return self.steps + stated

    @property
    def offered(self) -> int:
        """Rows that were ever enqueued, those that were dropped included."""
        return self.total + self.forgotten + self.dropped

    def __getitem__(self, state: RowState) -> int:
        count: int = getattr(self, state)
        return count

    def __iter__(self) -> Iterator[tuple[RowState, int]]:
        return ((state, getattr(self, state)) for state in RowState)


def describe(row: Row, stored: StoredMessage, *, full: bool = False) -> dict[str, Any]:
    """Return a row as a flat dict of JSON values, times in ISO 8601 UTC.

    ``row``, ``message``, ``parent`` and ``order`` (rows) are numbers of this outbox, ``message_ids`` the gateway's.
    ``role`` says what the row is of a message: whoever counts messages leaves the steps out that have an ``order``.
    Unless ``full``, the number and the ids are masked, and text, title, sender, key and meta are left out.
    """
    message = stored.message

    def moment(seconds: float | None) -> str | None:
        at = decode_time(seconds)
        return None if at is None else iso(at)

    return {
        "row": row.id,
        "message": row.message_id,
        "key": stored.key if full else None,
        "recipient": row.recipient if full else mask_number(row.recipient),
        "channel": row.channel,
        "state": str(row.state),
        "tries": row.attempts,
        "message_ids": [each if full else mask_id(each) for each in row.message_ids],
        "segments": row.segments,
        "created_at": iso(stored.created_at),
        "original_time": None if stored.original_time is None else iso(stored.original_time),
        "next_attempt_at": moment(row.next_attempt_at) if row.state is RowState.QUEUED else None,
        "deadline": moment(row.deadline),
        "sent_at": moment(row.sent_at),
        "status": None if row.status is None else str(row.status),
        "status_code": row.status_code,
        "status_at": moment(row.status_at),
        "price": None if row.price is None else str(row.price),
        "error_type": row.error,
        "error_code": row.error_code,
        "error_reason": row.error_reason,
        "error_text": row.error_text,
        "role": str(row.role),
        "parent": row.parent,
        "order": None if row.role is Role.ORDER else row.story,
        "account": stored.account,
        "title": message.title if full else None,
        "sender": message.sender if full else None,
        "text": message.text if full else None,
        "text_length": len(message.text),
        "meta": dict(stored.meta) if full else {},
    }
