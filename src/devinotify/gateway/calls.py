"""The 14 operations as values: what is sent, checked beforehand, and what is made of the reply. Pure.

Each function takes the settings, the caller's arguments and, where it matters, the time, and returns a Call, which
``conversation`` performs; nothing has been asked by then. It raises InvalidInput for what our own checks refuse. The
texts, numbers and ids in a Call are shown by no repr.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from devinotify import phones
from devinotify import text as texts
from devinotify.exceptions import InvalidInput
from devinotify.gateway import checks, wire
from devinotify.instants import iso
from devinotify.models import BulkReceipt, IncomingSms, Receipt
from devinotify.phones.recipients import distinct
from devinotify.redact import Secret, Secrets, hide

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from devinotify.models import SmsState, SmsStatistics, ViberState
    from devinotify.phones import PhoneNumber
    from devinotify.url import DevinoURL

R = TypeVar("R")

Values = Mapping[str, wire.Value]
Ids = tuple[str, ...]

BULK_LIMIT = 20_000
"""Ids that one bulk may bring back (recipients times segments), so that its reply stays under the limit of 1 MB."""

_SECOND = timedelta(seconds=1)


@dataclass(slots=True, repr=False)  # not frozen, as a wire.Request is not
class Call(Generic[R]):
    """One operation with its values, and what its reply is made into.

    ``finish`` takes what ``wire`` reads from the reply. ``recipients`` is how many ids there must be at least.
    ``halves``, where there is one, is asked when the reply was too large: it returns the two calls that together
    bring the same, or ``None`` where there are none, and ``join`` puts their results together. ``advice`` says what to
    do where there are none.
    """

    operation: wire.Operation[Any]
    values: Values
    finish: Callable[[Any], R]
    recipients: int = 1
    halves: Callable[[], tuple[Call[R], Call[R]] | None] | None = None
    join: Callable[[R, R], R] | None = None
    advice: str = ""

    def __repr__(self) -> str:
        return f"<Call of {self.operation.name}>"


# --- the account -----------------------------------------------------------------------------------


def log_in(settings: DevinoURL) -> Call[Secret]:
    """Return the login, which answers a session id."""
    return Call(wire.LOGIN, {"Login": settings.login, "Password": Secret(settings.password)}, Secret)


def balance() -> Call[Decimal]:
    """Return the question for the account's balance."""
    return Call(wire.BALANCE, {}, _as_it_is)


# --- SMS -------------------------------------------------------------------------------------------


def sms_send(
    settings: DevinoURL,
    to: str | PhoneNumber,
    text: str,
    now: datetime,
    *,
    sender: str | None = None,
    send_at: datetime | None = None,
    validity: int | None = None,
) -> Call[Receipt]:
    """Return the sending of one SMS, at once or at an instant."""
    number = _number(settings, to)
    values = _fields(settings, checks.SMS, text, sender, validity)
    at = None if send_at is None else checks.check_send_at(send_at, now)
    return _one(wire.SMS_SEND, number, {**values, "SendDate": at}, _sms_receipt(text, at or now))


def sms_send_by_time_zone(
    settings: DevinoURL,
    to: str | PhoneNumber,
    text: str,
    local_time: datetime,
    now: datetime,
    *,
    sender: str | None = None,
    validity: int | None = None,
) -> Call[Receipt]:
    """Return the sending of one SMS when the recipient's own clock shows ``local_time``."""
    number = _number(settings, to)
    values = _fields(settings, checks.SMS, text, sender, validity)
    at = checks.check_local_time(local_time, now)
    return _one(wire.SMS_SEND_BY_TIME_ZONE, number, {**values, "SendDate": at}, _sms_receipt(text, _latest(at)))


def sms_send_bulk(
    settings: DevinoURL,
    recipients: Iterable[str | PhoneNumber],
    text: str,
    now: datetime,
    *,
    sender: str | None = None,
    send_at: datetime | None = None,
    validity: int | None = None,
) -> Call[BulkReceipt]:
    """Return the sending of one SMS to many, at once or at an instant."""
    values = _fields(settings, checks.SMS, text, sender, validity)
    at = None if send_at is None else checks.check_send_at(send_at, now)
    return _many_sms(settings, wire.SMS_SEND_BULK, recipients, text, {**values, "SendDate": at}, at or now)


def sms_send_by_time_zone_to_addresses(
    settings: DevinoURL,
    recipients: Iterable[str | PhoneNumber],
    text: str,
    local_time: datetime,
    now: datetime,
    *,
    sender: str | None = None,
    validity: int | None = None,
) -> Call[BulkReceipt]:
    """Return the sending of one SMS to many, to each when its own clock shows ``local_time``."""
    values = _fields(settings, checks.SMS, text, sender, validity)
    at = checks.check_local_time(local_time, now)
    operation = wire.SMS_SEND_BY_TIME_ZONE_TO_ADDRESSES
    return _many_sms(settings, operation, recipients, text, {**values, "SendDate": at}, _latest(at))


def sms_state(message_id: str) -> Call[SmsState]:
    """Return the question for the state of one segment."""
    return _state(wire.SMS_STATE, message_id)


def sms_incoming(since: datetime, until: datetime, now: datetime) -> Call[list[IncomingSms]]:
    """Return the question for the messages received in a period; one that brings too many can be halved."""
    start, end = checks.check_incoming_period(since, until, now)
    return _incoming(start, end)


def sms_statistics(start: datetime, end: datetime) -> Call[SmsStatistics]:
    """Return the question for the counts of a period."""
    first, last = checks.check_statistics_period(start, end)
    return Call(wire.SMS_STATISTICS, {"startDateTime": first, "endDateTime": last}, _as_it_is)


# --- Viber -----------------------------------------------------------------------------------------


def viber_send(
    settings: DevinoURL,
    to: str | PhoneNumber,
    text: str,
    now: datetime,
    *,
    sender: str | None = None,
    validity: int | None = None,
    optional: str | None = None,
    resend: bool = False,
) -> Call[Receipt]:
    """Return the sending of one Viber message; with ``resend`` the platform sends an SMS where Viber fails."""
    number = _number(settings, to)
    values = _fields(settings, checks.VIBER, text, sender, validity)
    operation = wire.VIBER_SEND_WITH_RESEND if resend else wire.VIBER_SEND
    receipt = partial(Receipt, channel="viber", sent_at=now, resends=resend)
    return _one(operation, number, {**values, "Optional": optional}, receipt)


def viber_send_bulk(
    settings: DevinoURL,
    recipients: Iterable[str | PhoneNumber],
    text: str,
    now: datetime,
    *,
    sender: str | None = None,
    validity: int | None = None,
    optionals: Iterable[str] | None = None,
    resend: bool = False,
) -> Call[BulkReceipt]:
    """Return the sending of one Viber message to many, each with a free parameter of its own if there are any."""
    values = _fields(settings, checks.VIBER, text, sender, validity)
    given = recipients if isinstance(recipients, str | bytes) else Secrets(recipients)
    numbers = _numbers(settings, given, 1)
    if optionals is not None:
        checked = checks.check_optionals(optionals, len(given))
        # Duplicates are dropped, so each number keeps the parameter of its first appearance.
        first: dict[str, str] = {}
        for recipient, optional in zip(given, checked, strict=True):
            first.setdefault(_number(settings, recipient).e164, Secret(optional))
        optionals = [first[number] for number in numbers]
    operation = wire.VIBER_SEND_WITH_RESEND_BULK if resend else wire.VIBER_SEND_BULK
    receipt = partial(BulkReceipt, channel="viber", sent_at=now, resends=resend)
    return _many(operation, numbers, {**values, "Optionals": optionals}, receipt)


def viber_state(message_id: str) -> Call[ViberState]:
    """Return the question for the state of one Viber message."""
    return _state(wire.VIBER_STATE, message_id)


# --- what they share -------------------------------------------------------------------------------


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - what the operation's own parser gives
    return value


def _number(settings: DevinoURL, recipient: str | PhoneNumber) -> PhoneNumber:
    return phones.normalize(recipient, region=settings.region)


def _numbers(settings: DevinoURL, recipients: Iterable[str | PhoneNumber], segments: int) -> Secrets[str]:
    """Return the distinct numbers in E.164: no value is made of each, as a campaign has a million of them."""
    if isinstance(recipients, str | bytes):
        raise InvalidInput("recipients must be a list of numbers, not one text")
    numbers = Secrets(distinct(recipients, settings.region))
    if not len(numbers):
        raise InvalidInput("the list of recipients is empty")
    if len(numbers) * segments > BULK_LIMIT:
        raise InvalidInput(
            f"{len(numbers)} recipients of {segments} segments are too many for one bulk:"
            f" split the list so that recipients times segments stay at {BULK_LIMIT} or below"
        )
    return numbers


def _fields(
    settings: DevinoURL, constraints: checks.Constraints, text: str, sender: str | None, validity: int | None
) -> dict[str, wire.Value]:
    return {
        "Data": hide(constraints.check_text(text)),
        "SourceAddress": constraints.check_sender(settings.sender if sender is None else sender),
        "Validity": constraints.check_validity(settings.validity if validity is None else validity),
    }


def _latest(local_time: datetime) -> datetime:
    """Return the last instant at which some clock shows ``local_time``, so that no state is given up too early."""
    return local_time.replace(tzinfo=checks.LAST_ZONE).astimezone(UTC)


def _sms_receipt(text: str, sent_at: datetime) -> Callable[..., Receipt]:
    # Of the plain text: a Secret is slower to take apart.
    return partial(Receipt, estimated_segments=texts.count_segments(str(text)), sent_at=sent_at)


def _one(
    operation: wire.Operation[Ids], number: PhoneNumber, values: Values, receipt: Callable[..., Receipt]
) -> Call[Receipt]:
    def finish(ids: Ids) -> Receipt:
        return receipt(recipient=number.e164, message_ids=ids, segments=len(ids))

    return Call(operation, {**values, "DestinationAddress": Secret(number.digits)}, finish)


def _many(
    operation: wire.Operation[Ids],
    numbers: Secrets[str],
    values: Values,
    receipt: Callable[..., BulkReceipt],
) -> Call[BulkReceipt]:
    def finish(ids: Ids) -> BulkReceipt:
        return receipt(recipients=tuple(numbers), message_ids=ids)

    digits = Secrets([number[1:] for number in numbers])
    return Call(operation, {**values, "DestinationAddresses": digits}, finish, recipients=len(numbers))


def _many_sms(
    settings: DevinoURL,
    operation: wire.Operation[Ids],
    recipients: Iterable[str | PhoneNumber],
    text: str,
    values: Values,
    sent_at: datetime,
) -> Call[BulkReceipt]:
    segments = texts.count_segments(str(text))
    numbers = _numbers(settings, recipients, segments)
    return _many(operation, numbers, values, partial(BulkReceipt, estimated_segments=segments, sent_at=sent_at))


def _state(operation: wire.Operation[wire.S], message_id: str) -> Call[wire.S]:
    # Some ids hold the recipient's number.
    checked = Secret(checks.check_message_id(message_id))
    return Call(operation, {"messageId": checked}, partial(wire.named, message_id=str(checked)))


def _incoming(start: datetime, end: datetime) -> Call[list[IncomingSms]]:
    def halves() -> tuple[Call[list[IncomingSms]], Call[list[IncomingSms]]] | None:
        seconds = (end - start) // _SECOND
        if seconds < 2:
            return None
        middle = start + seconds // 2 * _SECOND
        # They share a second where they can: whether a period's ends belong to it, the API does not say.
        return _incoming(start, min(middle + _SECOND, end - _SECOND)), _incoming(middle, end)

    # No list of a part of a second can be had, and no filter either.
    advice = (
        f"ask for what was received before {iso(start)} and after {iso(end)} apart,"
        " and Devino's support for the messages in between"
    )
    values = {"minDateUTC": start, "maxDateUTC": end}
    return Call(wire.SMS_INCOMING, values, list, halves=halves, join=_without_twins, advice=advice)


def _without_twins(first: list[IncomingSms], second: list[IncomingSms]) -> list[IncomingSms]:
    """Return the messages of both halves, those that stand in both once."""
    known = {message.id or message for message in first}
    return first + [message for message in second if (message.id or message) not in known]
