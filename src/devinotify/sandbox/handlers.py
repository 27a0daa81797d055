"""What each operation of the gateway does, once its request has been read: the documented checks, then the answer.

The checks come in the order that the API documents: required parameters, session, balance, numbers,
sender, length. (Dates and the validity are read right after the session.)

Where the API says nothing, this was decided:

- An unknown path is 404, a wrong method 405, both with Code 6. Reads are answered to POST too, sends to POST alone.
- A request over 1 MiB or 50,000 parameters is Code 2, and so is a body that is not what its type announces. So
  is a text over its length, Viber's included.
- Below ``/rest/v2`` a wrong Login or Password is Code 4, as it is for the login.
- A SendDate that has passed sends at once. A wall clock's time that comes twice is the first of the two.
- An accepted message is charged, whatever becomes of it; a refused request costs nothing. A resent SMS is
  charged when Viber fails; one that the balance does not cover is an SMS that the platform rejected.
- A message without Validity, or with 0, is valid for a day. At its end an SMS becomes 46, a Viber message 7.
- An id of the other channel is as unknown as one never given out: 255, on Viber/State too.
- A number that stands twice in a bulk gets the message twice.
- Statistics count SMS segments by the instant of sending, each in one counter; Total leaves out Errors, and
  DeliveryRatio is Delivered in per cent of Total. Only messages still kept are counted.
- Sms/In without minDateUTC reaches back a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from devinotify import text as texts
from devinotify.gateway import codes
from devinotify.sandbox import checks, replies
from devinotify.sandbox.account import SessionCheck
from devinotify.sandbox.operations import Action
from devinotify.sandbox.replies import Refused, Reply
from devinotify.sandbox.views import STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from devinotify.sandbox.emulator import Emulator
    from devinotify.sandbox.fates import NumberFate
    from devinotify.sandbox.messages import PlatformMessage
    from devinotify.sandbox.operations import Operation
    from devinotify.sandbox.params import Arguments
    from devinotify.sandbox.requestlog import RequestRecord

DAY = 86400.0
INCOMING_REACH = 366 * DAY
"""Seconds back that minDateUTC may lie: a year, and a day for leap years and time zones."""
STATISTICS_RANGE = 90 * DAY
STATISTICS_TOO_LONG = "Нельзя указывать диапазон дат более 90 дней."
WHOLE_SECOND = 1.0
"""Dates in requests name whole seconds, so the end of a period includes all of its last one."""

UNKNOWN_STATE = 255
WRONG_LOGIN = (4, "Invalid user login or password")
SESSION_ERRORS = {
    SessionCheck.EXPIRED: (4, "SessionID expired"),
    SessionCheck.UNKNOWN: (3, "Invalid session id"),
}
REFUSALS = {
    5: "Not enough credits",
    6: checks.INVALID_SENDER,
    7: "Forbidden",
    8: "Gateway error",
    9: "Internal server error",
}

_COUNTERS: Mapping[str, frozenset[int]] = {
    "Sent": frozenset({-1, -10}),
    "Delivered": frozenset({0}),
    "Errors": frozenset({-98, -97, 10, 11, 41, 47, 99, 255}),
    "InProcess": frozenset({-2, -20, -30, -40}),
    "Expired": frozenset({46}),
    "Rejected": frozenset({42, 48, 69}),
}
"""Which SMS states each of the statistics counts: no state twice, as in the API's example, whose counts add up."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation: its arguments, its instant, and its entry in the log."""

    operation: Operation
    arguments: Arguments
    now: float
    record: RequestRecord


def perform(emulator: Emulator, call: Call) -> Reply:
    """Return the answer to a call; raises Refused where the gateway refuses it."""
    arguments = call.arguments
    for parameter in call.operation.parameters:
        if parameter.code is not None and not arguments.given(parameter.name):
            raise Refused(parameter.code, parameter.absence)
    if call.operation.in_session:
        error = SESSION_ERRORS.get(emulator.account.check(arguments.scalar("SessionID"), call.now))
        if error is not None:
            raise Refused(*error)
    elif call.operation.v2 and not emulator.account.is_right(arguments.scalar("Login"), arguments.scalar("Password")):
        raise Refused(*WRONG_LOGIN)
    return _HANDLERS[call.operation.action](emulator, call)


def _log_in(emulator: Emulator, call: Call) -> Reply:
    session = emulator.account.log_in(call.arguments.scalar("Login"), call.arguments.scalar("Password"), call.now)
    if session is None:
        raise Refused(*WRONG_LOGIN)
    return replies.quoted(session)


def _balance(emulator: Emulator, _: Call) -> Reply:
    return Reply(200, f"{emulator.account.balance:f}".encode())


def addresses_of(operation: Operation, arguments: Arguments) -> Sequence[str]:
    """Return the recipients of a request as they are written in it."""
    return arguments.all(operation.recipients) if operation.bulk else [arguments.scalar(operation.recipients)]


def _check_refusals(fates: Sequence[NumberFate], *, words: bool) -> None:
    """Refuse a send to a number whose fate is a refusal."""
    for fate in fates:
        if fate.refusal is not None:
            if words and fate.word:
                raise Refused(8 if fate.word == "error-system" else 1, fate.word)
            raise Refused(fate.refusal, REFUSALS[fate.refusal])


def _afford(emulator: Emulator, cost: Decimal) -> None:
    if cost > emulator.account.balance:
        raise Refused(5, REFUSALS[5])


def _send_sms(emulator: Emulator, call: Call) -> Reply:
    operation, arguments, now = call.operation, call.arguments, call.now
    text = arguments.scalar("Data")
    raw_date = arguments.scalar("SendDate")
    send_date = checks.date(raw_date, "SendDate") if raw_date else None
    validity = checks.sms_validity(arguments.scalar("Validity"))
    addresses = addresses_of(operation, arguments)
    # A text that the length check will refuse is not worth counting to its end.
    segments = texts.count_segments(text[: codes.SMS_MAX_LENGTH + 1])
    cost = emulator.prices["sms"] * (segments * len(addresses))
    _afford(emulator, cost)
    recipients = [checks.sms_address(address) for address in addresses]
    sender = checks.sms_sender(arguments.scalar("SourceAddress"))
    checks.length(text, codes.SMS_MAX_LENGTH)
    fates = [emulator.settings.fate_of(recipient) for recipient in recipients]
    _check_refusals(fates, words=False)
    emulator.account.balance -= cost
    part_ids: list[str] = []
    for recipient, fate in zip(recipients, fates, strict=True):
        due = now
        if send_date is not None and operation.local_time:
            due = checks.local_instant(send_date, emulator.settings.zone_of(recipient))
        elif send_date is not None:
            due = checks.instant(send_date)
        message = emulator.accept_sms(
            operation.name,
            sender=sender,
            recipient=recipient,
            text=text,
            segments=segments,
            now=now,
            due=max(now, due),
            validity=validity,
            fate=fate,
            request=call.record,
            v2=operation.v2,
        )
        part_ids.extend(message.part_ids)
    return replies.message_ids(part_ids)


def _send_viber(emulator: Emulator, call: Call) -> Reply:
    operation, arguments, now = call.operation, call.arguments, call.now
    text = arguments.scalar("Data")
    validity = checks.viber_validity(arguments.scalar("Validity"))
    addresses = addresses_of(operation, arguments)
    cost = emulator.prices["viber"] * len(addresses)
    _afford(emulator, cost)
    recipients = [checks.viber_address(address) for address in addresses]
    sender = checks.viber_sender(arguments.scalar("SourceAddress"))
    checks.length(text, codes.VIBER_MAX_LENGTH)
    fates = [emulator.settings.fate_of(recipient) for recipient in recipients]
    _check_refusals(fates, words=True)
    emulator.account.balance -= cost
    optionals: Sequence[str] = [arguments.scalar("Optional")]
    if operation.bulk:
        optionals = arguments.all("Optionals") or arguments.all("Optional")
    part_ids: list[str] = []
    for recipient, fate, optional in zip_longest(recipients, fates, optionals[: len(recipients)]):
        message = emulator.accept_viber(
            operation.name,
            sender=sender,
            recipient=recipient,
            text=text,
            optional=optional or "",
            now=now,
            validity=validity,
            fate=fate,
            request=call.record,
            resends=operation.resends,
            v2=operation.v2,
        )
        part_ids.extend(message.part_ids)
    return replies.message_ids(part_ids)


def _state_document(message: PlatformMessage | None, now: float, channel: str) -> dict[str, object]:
    if message is None or message.channel != channel or message.forgotten(now):
        code, created, submitted, reported, price = UNKNOWN_STATE, None, None, None, None
    else:
        code = message.at(now).state
        if code != UNKNOWN_STATE:
            created, submitted, reported = message.created, message.submitted(now), message.reported(now)
            price = float(message.price)
        else:
            created, submitted, reported, price = None, None, None, None
    known = STATES[channel].get(code) or codes.SMS_STATES[UNKNOWN_STATE]
    return {
        "State": code,
        "CreationDateUtc": replies.date(created),
        "SubmittedDateUtc": replies.date(submitted),
        "ReportedDateUtc": replies.date(reported),
        "TimeStampUtc": replies.date(reported) or replies.NO_DATE,
        "StateDescription": known.description,
        "Price": price,
    }


def _sms_state(emulator: Emulator, call: Call) -> Reply:
    message, now = emulator.store.by_part(call.arguments.scalar("MessageID")), call.now
    return replies.document(_state_document(message, now, "sms"))


def _viber_state(emulator: Emulator, call: Call) -> Reply:
    message, now = emulator.store.by_part(call.arguments.scalar("MessageID")), call.now
    document = _state_document(message, now, "viber")
    if document["State"] != UNKNOWN_STATE and message is not None and message.resent is not None:
        sms = message.resent
        document["ResentSms"] = [{**_state_document(sms, now, "sms"), "Id": part} for part in sms.part_ids]
    return replies.document(document)


def _period(start: float, end: float, names: tuple[str, str]) -> None:
    if end <= start:
        raise Refused(2, f"{names[1]} must be later than {names[0]}")


def _incoming(emulator: Emulator, call: Call) -> Reply:
    arguments, now = call.arguments, call.now
    raw_start = arguments.scalar("minDateUTC")
    earliest = now - INCOMING_REACH
    start = checks.instant(checks.date(raw_start, "minDateUTC")) if raw_start else earliest
    end = checks.instant(checks.date(arguments.scalar("maxDateUTC"), "maxDateUTC"))
    if start < earliest:
        raise Refused(2, "minDateUTC can not be more than one year ago Parameter name: mindateutc")
    _period(start, end, ("minDateUTC", "maxDateUTC"))
    return replies.document(
        [
            {
                "Data": message.text,
                "SourceAddress": message.sender,
                "DestinationAddress": message.recipient,
                "ID": message.id,
                "CreateDateUtc": replies.date(message.at),
            }
            for message in emulator.store.incoming
            if start <= message.at < end + WHOLE_SECOND
        ]
    )


def _statistics(emulator: Emulator, call: Call) -> Reply:
    arguments, now = call.arguments, call.now
    names = ("startDateTime", "endDateTime")
    start, end = (checks.instant(checks.date(arguments.scalar(name), name)) for name in names)
    _period(start, end, names)
    if end - start > STATISTICS_RANGE:
        raise Refused(2, STATISTICS_TOO_LONG)
    counts = dict.fromkeys(_COUNTERS, 0)
    for message in emulator.store:
        if message.channel == "sms" and start <= message.due < end + WHOLE_SECOND:
            state = message.at(now).state
            counts[next(name for name, states in _COUNTERS.items() if state in states)] += len(message.part_ids)
    total = sum(counts.values()) - counts["Errors"]
    ratio = round(100 * counts["Delivered"] / total, 2) if total else 0
    return replies.document(
        {**counts, "Total": total, "TotalWithErrors": total + counts["Errors"], "DeliveryRatio": ratio}
    )


_HANDLERS: Mapping[Action, Callable[[Emulator, Call], Reply]] = {
    Action.LOGIN: _log_in,
    Action.BALANCE: _balance,
    Action.SEND_SMS: _send_sms,
    Action.SEND_VIBER: _send_viber,
    Action.SMS_STATE: _sms_state,
    Action.VIBER_STATE: _viber_state,
    Action.INCOMING: _incoming,
    Action.STATISTICS: _statistics,
}
