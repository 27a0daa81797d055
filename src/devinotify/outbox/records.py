"""What goes into the file and comes out of it: rows, batches, counts, and how values are written. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify import exceptions
from devinotify.exceptions import DevinotifyError, InvalidInput
from devinotify.models import DeliveryStatus, Message, Receipt
from devinotify.outbox.states import STATES, RowState
from devinotify.redact import mask_id, mask_number, scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ERROR_LENGTH = 200
"""Characters of an error's description that are kept."""

_E164_DIGITS = range(7, 16)


def encode_recipient(recipient: str) -> int | str:
    """Return what stands in the file for a recipient: a number for E.164, which is half the size."""
    digits = recipient[1:]
    if (
        recipient[:1] == "+"
        and digits[:1] != "0"
        and len(digits) in _E164_DIGITS
        and digits.isascii()
        and digits.isdigit()
    ):
        return int(digits)
    return recipient


def encode_time(moment: datetime | None) -> float | None:
    """Return seconds since the epoch; raise InvalidInput for a naive datetime, which names no instant."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InvalidInput("a deadline or an original time needs its time zone")
    return moment.timestamp()


def decode_time(seconds: float | None) -> datetime | None:
    """Return an aware UTC datetime from seconds since the epoch."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def encode_error(error: DevinotifyError | None) -> tuple[str | None, int | None, str | None, str | None]:
    """Return an error as (class, code, reason, description): one of our classes, and few, scrubbed words."""
    if error is None:
        return (None, None, None, None)
    name = next(base.__name__ for base in type(error).__mro__ if base.__module__ == exceptions.__name__)
    return (name, getattr(error, "code", None), getattr(error, "reason", None), scrub(str(error))[:ERROR_LENGTH])


class Row(NamedTuple):
    """One recipient's step on one channel, as it stood when it was read.

    A tuple for speed: a worker reads hundreds of thousands. All times are seconds since the epoch (UTC), as of
    the outbox's clock. ``recipient`` is the number in E.164, or what was given where it is none. ``attempts`` counts
    claims. ``next_attempt_at`` and ``deadline`` bound the tries of a queued row; ``claim`` is the id of the claim whose
    outcome is open. ``message_ids``, ``segments``, ``sent_at``, ``via`` (the receipt's channel) and ``resends`` are the
    receipt's. ``error`` is the name of one of devinotify's error classes, with its ``error_code``, ``error_reason`` and
    scrubbed ``error_text``. ``status`` is the delivery status last heard, with the gateway's ``status_code``, when
    (``status_at``) and the ``price``. ``next_poll_at`` is when the row next needs attention (``None``: never again),
    ``watch_until`` when its watch closes, ``patience_until`` when a fallback should go on. ``parent`` is the row that
    this one is the fallback of; ``stepped`` says that this row's own fallback has been enqueued.
    """

    id: int
    message_id: int
    recipient: str
    channel: str
    state: RowState
    attempts: int = 0
    next_attempt_at: float | None = None
    deadline: float | None = None
    claim: int | None = None
    message_ids: tuple[str, ...] = ()
    segments: int | None = None
    sent_at: float | None = None
    via: str | None = None
    resends: bool = False
    error: str | None = None
    error_code: int | None = None
    error_reason: str | None = None
    error_text: str | None = None
    status: DeliveryStatus | None = None
    status_code: int | None = None
    status_at: float | None = None
    price: Decimal | None = None
    next_poll_at: float | None = None
    watch_until: float | None = None
    patience_until: float | None = None
    parent: int | None = None
    stepped: bool = False

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
            kind, (exceptions.InvalidPhoneNumber, exceptions.ViberRejected)
        ):
            known["reason"] = self.error_reason
        error: DevinotifyError = kind(self.error_text or "", **known)
        return error

    def __repr__(self) -> str:
        error = f" {self.error}" if self.error else ""
        return f"<Row {self.id} {self.channel} to {mask_number(self.recipient)} {self.state}{error}>"


COLUMNS = (
    "id, message, recipient, channel, state, attempts, due, deadline, claim, message_ids, segments, sent_at, via,"
    " resends, error, error_code, error_reason, error_text, status, status_code, status_at, price,"
    " next_poll_at, watch_until, patience_until, parent, stepped"
)
"""The columns of ``rows`` in the order of Row's fields."""

_RECIPIENT, _STATE, _IDS, _RESENDS, _STATUS, _PRICE, _STEPPED = (
    Row._fields.index(name) for name in ("recipient", "state", "message_ids", "resends", "status", "price", "stepped")
)


def decode_row(line: Sequence[Any]) -> Row:
    """Return the Row of one line of ``SELECT COLUMNS``."""
    values = list(line)
    recipient, ids, status, price = values[_RECIPIENT], values[_IDS], values[_STATUS], values[_PRICE]
    if recipient.__class__ is int:
        values[_RECIPIENT] = f"+{recipient}"
    values[_STATE] = STATES[values[_STATE]]
    values[_IDS] = tuple(ids.split("\n")) if ids else ()
    values[_RESENDS] = bool(values[_RESENDS])
    values[_STATUS] = None if status is None else DeliveryStatus(status)
    values[_PRICE] = None if price is None else Decimal(price)
    values[_STEPPED] = bool(values[_STEPPED])
    return Row._make(values)


_BLANK = tuple(Row._field_defaults[name] for name in Row._fields[9:-2])
_NO_RESULT = (*_BLANK, None, False)
_new_row = tuple.__new__


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
    rest = _NO_RESULT if parent is None else (*_BLANK, parent, False)
    return _new_row(Row, (number, message, recipient, channel, state, attempts, due, deadline, claim) + rest)  # noqa: RUF005 - unpacking takes longer


def claimed_rows(
    lines: Iterable[tuple[int, int | str, int, float | None, float | None, int | None]],
    message: int,
    channel: str,
    claim: int,
) -> tuple[Row, ...]:
    """Return the claimed Rows of (id, recipient, attempts, due, deadline, parent) as they stood in the queue."""
    state = RowState.CLAIMED
    return tuple(
        [  # as make_row, in line, and a list, which is quicker than a generator
            _new_row(
                Row,
                (
                    number,
                    message,
                    f"+{recipient}" if recipient.__class__ is int else str(recipient),
                    channel,
                    state,
                    attempts + 1,
                    due,
                    deadline,
                    claim,
                )
                + (_NO_RESULT if parent is None else (*_BLANK, parent, False)),
            )
            for number, recipient, attempts, due, deadline, parent in lines
        ]
    )


@dataclass(frozen=True, slots=True, repr=False)
class StoredMessage:
    """A message as it was enqueued, and what the outbox knows about it.

    ``message`` has no recipients here: the rows hold them. Its ``channel`` is the one that was asked for
    (``sms-viber``), while a row's is that of its step. ``original_time`` is when the event happened that the message
    tells of, ``patience`` the seconds that a fallback waits for a delivery, ``meta`` what the caller gave along.
    ``account`` is whose it is (``LOGIN@host[:port]/path``), ``None`` while it is nobody's.
    """

    id: int
    message: Message
    created_at: datetime
    key: str | None
    original_time: datetime | None
    patience: float | None
    watch: bool
    fallback: bool
    meta: Mapping[str, Any]
    account: str | None = None

    def __repr__(self) -> str:
        return f"<StoredMessage {self.id} {self.message!r}>"


MESSAGE_COLUMNS = "key, text, channel, created_at, flags, rest, account"
"""The columns that ``messages`` and ``intake`` share, in the order of ``encode_message``."""

WATCH, FALLBACK = 1, 2
"""The bits of ``flags``."""


def encode_message(
    message: Message,
    now: float,
    *,
    key: str | None = None,
    original_time: datetime | None = None,
    patience: float | None = None,
    watch: bool = True,
    fallback: bool = False,
    meta: Mapping[str, Any] | None = None,
    account: int | None = None,
) -> tuple[object, ...]:
    """Return the values of MESSAGE_COLUMNS; an aware ``send_at`` is kept in UTC, a naive one stays a wall clock.

    ``account`` is the number that stands for it in the file.
    """
    rest: dict[str, object] = {}
    if message.title is not None:
        rest["title"] = message.title
    if message.sender is not None:
        rest["sender"] = message.sender
    if message.validity is not None:
        rest["validity"] = message.validity
    if message.send_at is not None:
        rest["send_at"] = (
            message.send_at if message.send_at.tzinfo is None else message.send_at.astimezone(UTC)
        ).isoformat()
    if message.tags:
        rest["tags"] = sorted(message.tags)
    if original_time is not None:
        rest["original_time"] = encode_time(original_time)
    if patience is not None:
        rest["patience"] = patience
    if meta:
        rest["meta"] = dict(meta)
    flags = (WATCH if watch else 0) | (FALLBACK if fallback else 0)
    packed = json.dumps(rest, ensure_ascii=False) if rest else None
    return (key, message.text, message.channel, now, flags, packed, account)


def decode_message(values: Sequence[Any]) -> StoredMessage:
    """Return the StoredMessage of id and MESSAGE_COLUMNS, with the account's name in place of its number."""
    number, key, text, channel, created, flags, packed, account = values
    rest: dict[str, Any] = json.loads(packed) if packed else {}
    send_at = rest.get("send_at")
    return StoredMessage(
        id=number,
        message=Message(
            text=text,
            recipients=(),
            title=rest.get("title"),
            sender=rest.get("sender"),
            channel=channel,
            send_at=None if send_at is None else datetime.fromisoformat(send_at),
            validity=rest.get("validity"),
            tags=frozenset(rest.get("tags", ())),
        ),
        created_at=datetime.fromtimestamp(created, UTC),
        key=key,
        original_time=decode_time(rest.get("original_time")),
        patience=rest.get("patience"),
        watch=bool(flags & WATCH),
        fallback=bool(flags & FALLBACK),
        meta=rest.get("meta", {}),
        account=account,
    )


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """Rows of one message and one channel that were claimed together and are this worker's to send.

    ``message`` is ready for the channel: its recipients are the rows', in their order, and its channel is the step's.
    ``stored`` holds what else is known of it. ``claim`` is the claim's id.
    """

    claim: int
    stored: StoredMessage
    rows: tuple[Row, ...]

    @property
    def message(self) -> Message:
        """The message for these recipients on this channel."""
        return replace(
            self.stored.message, recipients=tuple(row.recipient for row in self.rows), channel=self.rows[0].channel
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Batch {self.claim} of {len(self.rows)} rows, {self.stored!r}>"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows stand where: the states add up to ``total``, and with the other two to ``offered``.

    ``forgotten`` rows were removed, on request or to make room; ``dropped`` ones never got into a full outbox.
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

    @property
    def total(self) -> int:
        """Rows in the file."""
        return sum(getattr(self, state) for state in RowState)

    @property
    def offered(self) -> int:
        """Rows that were ever enqueued, those that were dropped included."""
        return self.total + self.forgotten + self.dropped

    def __getitem__(self, state: RowState) -> int:
        count: int = getattr(self, state)
        return count

    def __iter__(self) -> Iterator[tuple[RowState, int]]:
        return ((state, getattr(self, state)) for state in RowState)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim whose outcome is open: ``worker`` names who made it, ``alive`` whether that worker still runs."""

    id: int
    worker: str
    pid: int
    claimed_at: datetime
    open: int
    alive: bool


def describe(row: Row, stored: StoredMessage, *, full: bool = False) -> dict[str, Any]:
    """Return a row as a flat dict of JSON values, times in ISO 8601 UTC.

    Unless ``full``, the number and the ids are masked, and text, title, sender, key and meta are left out.
    """
    message = stored.message

    def moment(seconds: float | None) -> str | None:
        at = decode_time(seconds)
        return None if at is None else at.isoformat()

    return {
        "id": row.id,
        "message_id": row.message_id,
        "key": stored.key if full else None,
        "recipient": row.recipient if full else mask_number(row.recipient),
        "channel": row.channel,
        "state": str(row.state),
        "attempts": row.attempts,
        "message_ids": [each if full else mask_id(each) for each in row.message_ids],
        "segments": row.segments,
        "created_at": stored.created_at.isoformat(),
        "original_time": None if stored.original_time is None else stored.original_time.isoformat(),
        "next_attempt_at": moment(row.next_attempt_at) if row.state is RowState.QUEUED else None,
        "deadline": moment(row.deadline),
        "sent_at": moment(row.sent_at),
        "status": None if row.status is None else str(row.status),
        "status_code": row.status_code,
        "status_at": moment(row.status_at),
        "price": None if row.price is None else str(row.price),
        "error": row.error,
        "error_code": row.error_code,
        "error_reason": row.error_reason,
        "error_text": row.error_text,
        "parent": row.parent,
        "account": stored.account,
        "title": message.title if full else None,
        "sender": message.sender if full else None,
        "text": message.text if full else None,
        "text_length": len(message.text),
        "meta": dict(stored.meta) if full else {},
    }
