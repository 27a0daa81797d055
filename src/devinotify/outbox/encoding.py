"""How values stand in a database: states as codes, a message's rare parts as JSON. Pure."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from devinotify.models import DeliveryStatus, Message
from devinotify.outbox.records import BLANK, NO_RESULT, Row, StoredMessage, decode_time, new_tuple
from devinotify.outbox.states import CODES, STATES, RowState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from devinotify.outbox.records import NewMessage

E164_DIGITS = range(7, 16)
"""How many a file keeps as an integer: its format, and no rule of what is a number. A shorter one is kept as text."""


def encode_recipient(recipient: str) -> int | str:
    """Return what stands in a file for a recipient: a number for E.164, which is half the size."""
    digits = recipient[1:]
    if (
        recipient[:1] == "+"
        and digits[:1] != "0"
        and len(digits) in E164_DIGITS
        and digits.isascii()
        and digits.isdigit()
    ):
        return int(digits)
    return recipient


COLUMNS = (
    "id, message, recipient, channel, state, attempts, due, deadline, claim, message_ids, segments, sent_at, via,"
    " resends, error, error_code, error_reason, error_text, status, status_code, status_at, price,"
    " next_poll_at, watch_until, patience_until, parent, stepped, story, own_deadline"
)
"""The columns of ``rows`` in the order of Row's fields."""

_RECIPIENT, _STATE, _IDS, _RESENDS, _STATUS, _PRICE, _STEPPED, _OWN = (
    Row._fields.index(name)
    for name in ("recipient", "state", "message_ids", "resends", "status", "price", "stepped", "own_deadline")
)


# Of many rows most have one of a few: read once each.
_status = functools.lru_cache(maxsize=None)(DeliveryStatus)
_price = functools.lru_cache(maxsize=1000)(Decimal)


def decode_row(line: Sequence[Any]) -> Row:
    """Return the Row of one line of ``SELECT COLUMNS``."""
    values = list(line)
    recipient, ids, status, price = values[_RECIPIENT], values[_IDS], values[_STATUS], values[_PRICE]
    if recipient.__class__ is int:
        values[_RECIPIENT] = f"+{recipient}"
    values[_STATE] = STATES[values[_STATE]]
    values[_IDS] = tuple(ids.split("\n")) if ids else ()
    values[_RESENDS] = bool(values[_RESENDS])
    values[_STATUS] = None if status is None else _status(status)
    values[_PRICE] = None if price is None else _price(price)
    values[_STEPPED] = bool(values[_STEPPED])
    values[_OWN] = bool(values[_OWN])
    return Row._make(values)


def encode_row(row: Row) -> tuple[object, ...]:
    """Return the values of CHANGED, and the row's id at the end."""
    return (
        CODES[row.state],
        row.attempts,
        row.next_attempt_at,
        row.deadline,
        row.claim,
        "\n".join(row.message_ids) or None,
        row.segments,
        row.sent_at,
        row.via,
        int(row.resends),
        row.error,
        row.error_code,
        row.error_reason,
        row.error_text,
        None if row.status is None else str(row.status),
        row.status_code,
        row.status_at,
        None if row.price is None else str(row.price),
        row.next_poll_at,
        row.watch_until,
        row.patience_until,
        int(row.stepped),
        int(row.own_deadline),
        row.id,
    )


CHANGED = tuple(name for name in COLUMNS.split(", ")[4:] if name not in ("parent", "story"))
"""The columns that change, in the order of ``encode_row``."""


CLAIMED = "id, recipient, attempts, due, deadline, parent, story, own_deadline"
"""What a claim needs of each row, in the order of ``claimed_rows``."""


def claimed_rows(
    lines: Iterable[tuple[int, int | str, int, float | None, float | None, int | None, int | None, int | None]],
    message: int,
    channel: str,
    claim: int,
) -> tuple[Row, ...]:
    """Return the claimed Rows of lines of CLAIMED as they stood in the queue."""
    state = RowState.CLAIMED
    return tuple(
        [  # as make_row, in line, and a list, which is quicker than a generator
            new_tuple(
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
                + (
                    NO_RESULT
                    if parent is None and story is None and not own
                    else (*BLANK, parent, False, story, bool(own))
                ),
            )
            for number, recipient, attempts, due, deadline, parent, story, own in lines
        ]
    )


MESSAGE_COLUMNS = "text, channel, created_at, flags, account, key, rest"
"""The columns that ``messages`` and ``intake`` share, in the order of ``encode_message``: rare ones come last."""

WATCH, FALLBACK = 1, 2
"""The bits of ``flags``."""


def encode_message(new: NewMessage, now: float | None, account: int | None) -> tuple[object, ...]:
    """Return the values of MESSAGE_COLUMNS; an aware ``send_at`` is kept in UTC, a naive one stays a wall clock.

    ``account`` is the number that stands for it in the file. ``now`` is ``None`` where the store says when it is.
    """
    message, key, original_time, patience, watch, fallback, meta, _ = new  # quicker than by their names
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
        rest["original_time"] = original_time
    if patience is not None:
        rest["patience"] = patience
    if meta:
        rest["meta"] = dict(meta)
    flags = (WATCH if watch else 0) | (FALLBACK if fallback else 0)
    packed = json.dumps(rest, ensure_ascii=False) if rest else None
    return (message.text, message.channel, now, flags, account, key, packed)


def decode_message(values: Sequence[Any]) -> StoredMessage:
    """Return the StoredMessage of id and MESSAGE_COLUMNS, with the account's name in place of its number."""
    number, text, channel, created, flags, account, key, packed = values
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
