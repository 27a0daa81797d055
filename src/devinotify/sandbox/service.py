"""The gateway's API: a request's parts in, the documented answer out. No HTTP server is involved.

What an operation does stands in ``handlers.py``; here are the frame around it, the log, and what faults
answer in its place.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from devinotify.gateway import codes
from devinotify.sandbox import checks, handlers, operations, params, replies
from devinotify.sandbox.account import SessionCheck
from devinotify.sandbox.faults import EXPIRED_SESSION, RATE
from devinotify.sandbox.messages import MAX_ADDRESS, RefusedSend
from devinotify.sandbox.operations import Action
from devinotify.sandbox.replies import Refused, Reply
from devinotify.sandbox.requestlog import KEPT_CHARACTERS, RequestRecord, masked_body, masked_form, masked_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from devinotify.sandbox.emulator import Emulator
    from devinotify.sandbox.faults import Fault, Strike
    from devinotify.sandbox.operations import Operation
    from devinotify.sandbox.params import Arguments

_log = logging.getLogger(__name__)

_SHOWN_RECIPIENTS = 200
"""Recipients of a refused bulk that are kept."""
_SHOWN_SENDER = 64

NOT_FOUND = "No such resource: the base URL ends in /rest or /rest/v2, and the resources below it are those of the API"
_DESCRIPTIONS = {
    1: replies.missing("Data"),
    2: checks.INVALID_ADDRESS,
    3: "Invalid session id",
    4: "SessionID expired",
    **handlers.REFUSALS,
}
"""What stands beside each code where a fault answers it."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request's parts, as they came in; ``began`` is when its last byte had."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    headers: Iterable[tuple[bytes, bytes]] = ()
    began: float = field(default_factory=time.perf_counter)

    @property
    def content_type(self) -> bytes:
        """What its body is, or nothing."""
        return next((value for name, value in self.headers if name.lower() == b"content-type"), b"")

    def arguments(self) -> Arguments:
        """Return its parameters; raises Refused where they cannot be read."""
        return params.merge(self.query, self.body, self.content_type)


def answer(emulator: Emulator, received: Received, *, fault: str = "") -> Reply:
    """Return the gateway's answer to a request, and log the request without its secrets.

    ``fault`` is what goes wrong with this answer on its way, for the log.
    """
    with emulator.lock:
        operation, record = _record(emulator, received, fault)
        try:
            if operation is None:
                reply = replies.error(6, NOT_FOUND, status=404)
            elif received.method not in operation.methods:
                allowed = ", ".join(operation.methods)
                reply = replies.error(6, f"{operation.name} takes {allowed}", status=405)._replace(allow=allowed)
            else:
                arguments = received.arguments()
                reply = handlers.perform(emulator, handlers.Call(operation, arguments, record.at, record))
        except Refused as refusal:
            reply = replies.error(refusal.code, refusal.description)
        except Exception as failure:  # noqa: BLE001 - whatever fails here, the client is owed the documented form
            # The type alone: a traceback's last line could show a number or a text.
            _log.error("The sandbox failed at %s: %s", record.operation, type(failure).__name__)
            reply = replies.error(9, handlers.REFUSALS[9])
        _close(emulator, received, record, reply)
        if operation is not None and reply.code is not None:
            _refuse(emulator, operation, received, record, reply)
    return reply


def _record(emulator: Emulator, received: Received, fault: str) -> tuple[Operation | None, RequestRecord]:
    operation = operations.find(received.path)
    record = RequestRecord(
        emulator.now(),
        received.method[:KEPT_CHARACTERS],
        received.path[:KEPT_CHARACTERS],
        operation.name if operation else None,
        masked_form(received.query),
        masked_body(received.content_type, received.body),
        masked_headers(received.headers),
        fault=fault,
    )
    return operation, record


def _close(emulator: Emulator, received: Received, record: RequestRecord, reply: Reply) -> None:
    record.status, record.code = reply.status, reply.code
    record.took = time.perf_counter() - received.began
    emulator.store.answered(record)
    emulator.changed()


def _shown(value: str, most: int) -> str:
    # A lone surrogate, which JSON's escapes can bring in, can be neither shown nor written to a file.
    return value[:most].encode("utf-8", "replace").decode()


_CHANNELS = {Action.SEND_SMS: "sms", Action.SEND_VIBER: "viber"}


def _refuse(emulator: Emulator, operation: Operation, received: Received, record: RequestRecord, reply: Reply) -> None:
    """Keep what a send was refused with, and what of the message could be read; other operations are not messages."""
    channel = _CHANNELS.get(operation.action)
    if channel is None:
        return
    sender, text, recipients = "", "", list[str]()
    with contextlib.suppress(Refused):  # It cannot be read: the request stands in the log.
        arguments = received.arguments()
        sender, text = arguments.scalar("SourceAddress"), arguments.scalar("Data")
        recipients = list(handlers.addresses_of(operation, arguments))
    emulator.refuse(
        RefusedSend(
            serial=emulator.store.next_refused_serial(),
            channel=channel,
            operation=operation.name,
            sender=_shown(sender, _SHOWN_SENDER),
            recipients=tuple(
                _shown(recipient, MAX_ADDRESS) for recipient in recipients[:_SHOWN_RECIPIENTS] if recipient
            ),
            count=len(recipients),
            text=_shown(text, 2 * codes.SMS_MAX_LENGTH),
            status=reply.status,
            code=reply.code,
            reason=replies.reason(reply),
            created=record.at,
            behind=emulator.store.last_serial,
            request=record,
        )
    )
    emulator.changed()


def turn_away(emulator: Emulator, received: Received, reason: str) -> Reply:
    """Return the refusal of a request that may not be made at all, and log it."""
    with emulator.lock:
        _, record = _record(emulator, received, "")
        reply = replies.error(7, reason)
        _close(emulator, received, record, reply)
    return reply


def plan(emulator: Emulator, received: Received) -> Strike | None:
    """Return what is to go wrong with a request, or ``None`` for nothing: what nearly every request gets."""
    if not emulator.faults:
        return None
    with emulator.lock:
        now = emulator.now()
        operation = operations.find(received.path)
        numbers: frozenset[str] = frozenset()
        if operation is not None and emulator.faults.by_number:
            with contextlib.suppress(Refused):  # It cannot be read, so it concerns no number.
                numbers = _numbers(emulator, operation, received.arguments())
        in_session = operation is None or operation.in_session
        found = emulator.faults.plan(operation.name if operation else "", numbers, now, in_session=in_session)
        if found is not None:
            # Whoever waits for a request that is held hears of it before it is answered; the archive has no faults.
            emulator.live.changed()
        return found


def _numbers(emulator: Emulator, operation: Operation, arguments: Arguments) -> frozenset[str]:
    """Return the digits of the numbers that a request is about: its recipients, or a message's."""
    if operation.action in (Action.SMS_STATE, Action.VIBER_STATE):
        message = emulator.store.by_part(arguments.scalar("MessageID"))
        return frozenset() if message is None else frozenset({message.recipient})
    return frozenset(checks.digits(address) for address in handlers.addresses_of(operation, arguments))


def spoil(emulator: Emulator, received: Received, fault: Fault) -> Reply:
    """Return what a fault answers in place of the gateway, which does not carry the request out, and log it.

    For a fault of the connection the reply is what the gateway would have said: an internal server error.
    """
    with emulator.lock:
        operation, record = _record(emulator, received, fault.kind)
        if fault.kind == EXPIRED_SESSION:
            with contextlib.suppress(Refused):  # It cannot be read, so it has no session.
                session = received.arguments().scalar("SessionID")
                emulator.account.expire(session, record.at)
        answered = answer_of(fault)
        reply = answered or replies.error(9, handlers.REFUSALS[9])
        _close(emulator, received, record, reply)
        if operation is not None and answered is not None:
            _refuse(emulator, operation, received, record, answered)
    return reply


def answer_of(fault: Fault) -> Reply | None:
    """Return what a fault answers, or ``None`` for one that leaves the answer to the gateway or to nobody."""
    make = _SPOILED.get(fault.kind)
    return make(fault) if make else None


_SPOILED: Mapping[str, Callable[[Fault], Reply]] = {
    "error": lambda fault: replies.error(fault.code or 8, _DESCRIPTIONS[fault.code or 8]),
    "status": lambda fault: Reply(fault.status or 503, b""),
    "html": lambda fault: replies.html_page(fault.status or 502),
    RATE: lambda fault: (
        Reply(fault.status, b"") if fault.status else replies.error(fault.code or 7, _DESCRIPTIONS[fault.code or 7])
    ),
    EXPIRED_SESSION: lambda _: replies.error(*handlers.SESSION_ERRORS[SessionCheck.EXPIRED]),
}
