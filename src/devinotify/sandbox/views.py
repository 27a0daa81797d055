"""Messages as the inbox, the control API and ``Sandbox.messages()`` show them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from devinotify import text as texts
from devinotify.gateway.codes import SMS_STATES, VIBER_STATES
from devinotify.models import DeliveryStatus
from devinotify.sandbox.clock import iso
from devinotify.sandbox.messages import RefusedSend
from devinotify.sandbox.query import REFUSED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from devinotify.gateway.codes import State
    from devinotify.sandbox.faults import ArmedFault
    from devinotify.sandbox.messages import Incoming, PlatformMessage
    from devinotify.sandbox.requestlog import RequestRecord

STATES: Mapping[str, Mapping[int, State]] = {"sms": SMS_STATES, "viber": VIBER_STATES}
"""The state table of each channel."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that reached the sandbox, with what became of it so far.

    Shown in full, text and number included: that is what an inbox is for. ``number`` counts messages from
    1; ``recipient`` is E.164 (``+79161234567``); ``message_ids`` are the gateway's, one per SMS segment and
    one for Viber; ``price`` is for the whole; dates are ISO 8601 in UTC; ``timeline`` pairs each date with
    the state reached, the coming ones included. ``resent_as`` and ``resent_from`` are numbers of messages.
    """

    number: int
    channel: str
    operation: str
    sender: str
    recipient: str
    text: str
    segments: int
    encoding: str
    message_ids: tuple[str, ...]
    price: Decimal
    state: int
    status: DeliveryStatus
    fate: str
    created_at: str
    send_at: str
    timeline: tuple[tuple[str, int], ...]
    optional: str
    resent_as: int | None
    resent_from: int | None

    def as_dict(self) -> dict[str, object]:
        """Return the same as JSON has it; the price becomes a string, so that no digit is lost."""
        return {**asdict(self), "price": f"{self.price:f}"}


def arrived(message: PlatformMessage, now: float) -> Arrived:
    """Return a stored message as it is shown."""
    state = message.at(now).state
    return Arrived(
        number=message.serial,
        channel=message.channel,
        operation=message.operation,
        sender=message.sender,
        recipient=f"+{message.recipient}",
        text=message.text,
        segments=len(message.part_ids),
        encoding=str(texts.segment(message.text).encoding.value),
        message_ids=message.part_ids,
        price=message.price * len(message.part_ids),
        state=state,
        status=STATES[message.channel][state].status,
        fate=message.fate,
        created_at=iso(message.created),
        send_at=iso(message.due),
        timeline=tuple((iso(at), code) for at, code in message.schedule),
        optional=message.optional,
        resent_as=message.resent.serial if message.resent else None,
        resent_from=message.resent_from.serial if message.resent_from else None,
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the inbox: a message that arrived, or a send that was refused.

    ``key`` names it: the message's ``number``, or of a refused send, which has none, one like ``r3``. ``recipient`` is
    E.164, of a refused send as it was written; ``recipients`` is how many it had. ``status`` is a delivery status or
    ``refused``; ``code`` and ``reason`` are of the refusal. ``scheduled``: its time has not come. ``released`` is the
    verdict with which it was sent on to a real account, if it was.
    """

    key: str
    number: int | None
    channel: str
    operation: str
    sender: str
    recipient: str
    recipients: int
    text: str
    segments: int
    encoding: str
    price: str
    message_ids: tuple[str, ...]
    status: str
    code: int | None
    reason: str
    created_at: str
    send_at: str
    scheduled: bool
    read: bool
    tags: tuple[str, ...]
    released: str


def entry(listed: PlatformMessage | RefusedSend, now: float) -> Entry:
    """Return what arrived or was refused as a line of the inbox."""
    measured = texts.segment(listed.text)
    if isinstance(listed, RefusedSend):
        of_kind: dict[str, Any] = {
            "number": None,
            "recipient": listed.recipients[0] if listed.recipients else "",
            "recipients": listed.count,
            "segments": 1 if listed.channel == "viber" else measured.count,
            "price": "0",
            "message_ids": (),
            "code": listed.code,
            "reason": listed.reason,
            "send_at": iso(listed.created),
            "scheduled": False,
            "released": "",
        }
    else:
        of_kind = {
            "number": listed.serial,
            "recipient": f"+{listed.recipient}",
            "recipients": 1,
            "segments": len(listed.part_ids),
            "price": f"{listed.price * len(listed.part_ids):f}",
            "message_ids": listed.part_ids,
            "code": None,
            "reason": "",
            "send_at": iso(listed.due),
            "scheduled": listed.due > now,
            "released": listed.released,
        }
    return Entry(
        key=listed.key,
        channel=listed.channel,
        operation=listed.operation,
        sender=listed.sender,
        text=listed.text,
        encoding=str(measured.encoding.value),
        status=status(listed, now),
        created_at=iso(listed.created),
        read=listed.read,
        tags=listed.tags,
        **of_kind,
    )


def status(listed: PlatformMessage | RefusedSend, now: float) -> str:
    """Return the delivery status of what is listed now, or that it was refused."""
    if isinstance(listed, RefusedSend):
        return REFUSED
    return STATES[listed.channel][listed.at(now).state].status


def anatomy(message: PlatformMessage | RefusedSend) -> dict[str, object]:
    """Return how a message's text goes out: its segments, what is left of the last, and what forces UCS-2.

    Positions count UTF-16 code units, as JavaScript's strings do.
    """
    measured = texts.segment(message.text)
    place = _utf16_positions(message.text)
    return {
        "units": measured.units,
        "capacity": measured.capacity,
        "remaining": measured.remaining,
        "savings": measured.savings,
        "segments": [
            {"start": place[part.position], "end": place[part.end], "units": part.units} for part in measured.segments
        ],
        "blockers": [
            {
                "position": place[blocker.position],
                "character": blocker.character,
                "name": blocker.name,
                "replacement": blocker.replacement,
            }
            for blocker in measured.blockers
        ],
    }


def _utf16_positions(text: str) -> list[int]:
    """Return for each code point's position, and for the end, its position in UTF-16."""
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if character > "\uffff" else 1))
    return places


def story(message: PlatformMessage, now: float) -> list[dict[str, object]]:
    """Return the states of a message with their meanings, the coming ones included."""
    table = STATES[message.channel]
    return [
        {
            "at": iso(at),
            "seconds": round(at - message.created, 3),
            "state": code,
            "status": table[code].status if code in table else DeliveryStatus.UNKNOWN,
            "meaning": table[code].meaning if code in table else "unknown",
            "reached": at <= now or index == 0,
        }
        for index, (at, code) in enumerate(message.schedule)
    ]


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request that reached the gateway; secrets, and parameters that the API does not name, show as ``***``.

    ``raw`` is the request as it stood on the wire, but for these; ``fault`` is what was made to go wrong, or
    an empty string. ``took`` is in seconds, from its last byte to its answer.
    """

    at: str
    method: str
    path: str
    operation: str | None
    parameters: dict[str, tuple[str, ...]]
    status: int
    code: int | None
    fault: str
    took: float
    raw: str


def request(record: RequestRecord) -> RequestView:
    """Return a logged request as it is shown."""
    return RequestView(
        iso(record.at),
        record.method,
        record.path,
        record.operation,
        record.parameters,
        record.status,
        record.code,
        record.fault,
        round(record.took, 4),
        record.raw,
    )


@dataclass(frozen=True, slots=True)
class FaultView:
    """An armed fault as it is shown: its number, its settings, how often it has struck and whether it still does."""

    id: int
    kind: str
    operation: str
    number: str
    probability: float
    seed: int | None
    times: int | None
    lasts: float | None
    seconds: float | None
    code: int | None
    status: int | None
    limit: int | None
    accepts: bool
    hits: int
    until: str | None
    over: bool


def fault(armed: ArmedFault, now: float) -> FaultView:
    """Return an armed fault as it is shown."""
    settings = armed.fault
    return FaultView(
        id=armed.id,
        kind=settings.kind,
        operation=settings.operation,
        number=settings.number if settings.number == "*" else f"+{settings.number}",
        probability=settings.probability,
        seed=settings.seed,
        times=settings.times,
        lasts=settings.lasts,
        seconds=settings.seconds,
        code=settings.code,
        status=settings.status,
        limit=settings.limit,
        accepts=settings.carries_out,
        hits=armed.hits,
        until=None if armed.until is None else iso(armed.until),
        over=armed.over(now),
    )


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """An incoming message, as a subscriber sent it."""

    id: str
    sender: str
    recipient: str
    text: str
    created_at: str


def incoming(message: Incoming) -> IncomingMessage:
    """Return an incoming message as it is shown."""
    return IncomingMessage(message.id, message.sender, message.recipient, message.text, iso(message.at))
