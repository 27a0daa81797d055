"""The 14 operations: values to a request, a reply to a value or an error. Pure.

``build`` makes the request, ``interpret`` reads the reply; the tables between them say everything that
differs from operation to operation. Replies are read leniently where the API's own documentation is
damaged (unquoted keys, a missing comma, ``\\Date(…)``) and strictly everywhere else: what cannot be
understood is an UnexpectedResponse, never a guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote, quote_plus

from devinotify.exceptions import (
    DevinotifyError,
    GatewayError,
    InvalidInput,
    NotSent,
    OutcomeUnknown,
    Unauthorized,
    UnexpectedResponse,
    Verdict,
    ViberRejected,
)
from devinotify.gateway.codes import ERRORS, VIBER_WORDS, sms_status, viber_status
from devinotify.models import IncomingSms, SmsState, SmsStatistics, ViberState
from devinotify.redact import excerpt, scrub

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.gateway.http1 import Reply

T = TypeVar("T")
S = TypeVar("S", bound=SmsState)
Value = str | int | datetime | Sequence[str] | None


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """One HTTP request: the method, the path with its query, and the form body of a POST."""

    method: str
    target: str
    body: bytes | None = None

    def __repr__(self) -> str:
        # The query holds a session id or a password, the body a text and numbers.
        return f"<Request {self.method} {self.target.partition('?')[0]}>"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation: its name in the API's tables, and how its value is written.

    ``secret`` marks a value that no error may show.
    """

    name: str
    encode: Callable[[str, Any], str]
    required: bool = True
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One operation of the API. ``is_send`` marks those that a repetition would perform twice."""

    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    parse: Callable[[Reply], T]
    is_send: bool = False


DESCRIPTION_LENGTH = 200
"""Characters of the gateway's own words that an error shows; the longest documented one has some 350."""

_LEAST_SECRET = 3  # characters; replacing a shorter one would leave nothing of the reply to recognise

_INT32 = 2**31  # the API is a .NET service, whose codes and states are Int32


class _Misfit(ValueError):
    """The body does not fit the operation."""


# --- requests --------------------------------------------------------------------------------------


def build(operation: Operation[Any], values: Mapping[str, Value]) -> Request:
    """Return the request for ``operation`` with ``values`` by parameter name; ``None`` leaves a parameter out.

    GET operations carry a query, POST operations a form body, so that no text and no session id stands in
    the URL of a send. Raises ValueError for a name that the operation does not have or a required one missing,
    InvalidInput for a text that cannot be written as UTF-8.
    """
    unknown = values.keys() - {parameter.name for parameter in operation.parameters}
    if unknown:
        raise ValueError(f"{operation.name} has no parameter {', '.join(sorted(unknown))}")
    pairs = []
    for parameter in operation.parameters:
        value = values.get(parameter.name)
        if value is not None:
            pairs.append(parameter.encode(parameter.name, value))
        elif parameter.required:
            raise ValueError(f"{operation.name} needs {parameter.name}")
    form = "&".join(pairs)
    if operation.method == "GET":
        return Request("GET", f"{operation.path}?{form}")
    return Request("POST", operation.path, form.encode("ascii"))


def _text(name: str, value: str) -> str:
    try:
        return f"{name}={quote_plus(value)}"
    except UnicodeEncodeError:
        raise InvalidInput(f"{name} holds a lone surrogate, which no encoding can carry") from None


def _number(name: str, value: int) -> str:
    return f"{name}={value:d}"


def _numbers(name: str, values: Sequence[str]) -> str:
    # Digits need no escaping, and a campaign has a million of them.
    return f"{name}=" + f"&{name}=".join(values)


def _texts(name: str, values: Sequence[str]) -> str:
    return "&".join(_text(name, value) for value in values)


def _instant(name: str, value: datetime) -> str:
    return _clock(name, value.astimezone(UTC))


def _clock(name: str, value: datetime) -> str:
    return f"{name}={value.replace(microsecond=0, tzinfo=None).isoformat().replace(':', '%3A')}"


# --- replies ---------------------------------------------------------------------------------------


def interpret(
    operation: Operation[T], reply: Reply, *, recipients: int = 1, sent: Mapping[str, Value] | None = None
) -> T:
    """Return what the reply to ``operation`` says; raise what it refuses, with the verdict of a send.

    The order is that of the design: a well-formed error body decides first, then the status, then whether
    the body fits. ``recipients`` is how many the request had: a reply with fewer ids is not understood.
    ``sent`` are the values of the request, of which the errors show none that is secret, should the reply
    quote it. Raises GatewayError or UnexpectedResponse.
    """
    hide = partial(_without_secrets, operation, sent or {})
    text = _decode(reply.body)
    refusal = _error_body(text) if text.lstrip("\ufeff \t\r\n").startswith("{") else None
    if refusal is not None:
        raise _gateway_error(operation, reply, *refusal, hide)
    if not 200 <= reply.status < 300:
        raise _unexpected(operation, reply, f"HTTP status {reply.status} without the documented error body", hide)
    try:
        value = operation.parse(reply)
    except _Misfit as misfit:
        raise _unexpected(operation, reply, str(misfit), hide) from None
    if operation.is_send and isinstance(value, tuple) and len(value) < recipients:
        raise _unexpected(operation, reply, f"{len(value)} ids for {recipients} recipients", hide, message_ids=value)
    return value


# How a reply may quote a value of the request, apart from HTML's many ways: as it is, escaped for a URL, for JSON.
_QUOTATIONS: tuple[Callable[[str], str], ...] = (
    str,
    quote_plus,
    quote,
    lambda value: json.dumps(value)[1:-1],
    lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
)


def _without_secrets(operation: Operation[Any], sent: Mapping[str, Value], text: str) -> str:
    from html import unescape  # on demand: its table of entities is needed for errors alone

    values = (sent.get(parameter.name) for parameter in operation.parameters if parameter.secret)
    secrets = (value for value in values if isinstance(value, str) and len(value) >= _LEAST_SECRET)
    forms = {quotation(value) for value in secrets for quotation in _QUOTATIONS}
    text = unescape(text)  # a value that was escaped is then itself; one that was not may hold what looks like entities
    for form in sorted(forms | set(map(unescape, forms)), key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def _gateway_error(
    operation: Operation[Any], reply: Reply, code: int, description: str, hide: Callable[[str], str]
) -> GatewayError:
    status = reply.status
    shown = excerpt(hide(description), DESCRIPTION_LENGTH)
    word = VIBER_WORDS.get(description.strip().lower())
    row = ERRORS.get(code)
    if word is not None:
        verdict, meaning, read_retryable = word.verdict, word.meaning, word.verdict is Verdict.UNKNOWN
    elif row is not None:
        verdict, meaning, read_retryable = row.verdict, row.meaning, row.read_retryable
    else:
        verdict, meaning, read_retryable = Verdict.REJECTED, "the gateway refused", False
    if status >= 500:
        verdict = Verdict.UNKNOWN
    details: dict[str, Any] = {
        "code": code,
        "http_status": status,
        "description": shown,
        "operation": operation.name,
        "verdict": verdict,
        "retryable": (read_retryable or status >= 500) and not operation.is_send,
    }
    message = f"{operation.name}: {meaning} (code {scrub(str(code))}, HTTP {status}): {shown or 'no description'}"
    error: GatewayError
    if word is not None:
        error = ViberRejected(message, reason=word.word, **details)
    else:
        error = (row.error if row is not None else GatewayError)(message, **details)
    error.retry_after = reply.retry_after
    return error


_TEMPORARY = frozenset({408, 425, 429})  # statuses below 500 that a later request may not meet again


def _unexpected(
    operation: Operation[Any],
    reply: Reply,
    why: str,
    hide: Callable[[str], str],
    *,
    message_ids: tuple[str, ...] = (),
) -> UnexpectedResponse:
    refused = 300 <= reply.status < 500 and reply.status != 408
    start = excerpt(hide(_decode(reply.body)))
    later = reply.status >= 500 or reply.status < 300 or reply.status in _TEMPORARY
    error = UnexpectedResponse(
        f"{operation.name}: {why}" + (f"; the reply begins {start!r}" if start else "; the reply is empty"),
        http_status=reply.status,
        excerpt=start,
        message_ids=message_ids,
        operation=operation.name,
        verdict=Verdict.REJECTED if refused else Verdict.UNKNOWN,
        # Repeating a refused send is safe, repeating one of unknown outcome is not.
        retryable=reply.status == 429 if operation.is_send else later,
    )
    error.retry_after = reply.retry_after
    return error


def needs_login(error: DevinotifyError) -> bool:
    """Whether the gateway refused because of the session, so that one repetition after a new login is right."""
    if not isinstance(error, GatewayError) or isinstance(error, ViberRejected) or error.code is None:
        return False
    row = ERRORS.get(error.code)
    return row is not None and row.needs_login and error.verdict is Verdict.REJECTED


def login_failure(error: DevinotifyError, operation: Operation[Any]) -> DevinotifyError:
    """Return the error of a failed login as that of the operation that it was for.

    Nothing of the operation itself was sent, so its verdict is ``not_sent``, or ``rejected`` for wrong credentials.
    """
    if isinstance(error, OutcomeUnknown):
        # What is unknown is the login's outcome alone, and a class that says otherwise would mislead.
        return NotSent(f"the login failed: {error}", operation=operation.name)
    error.operation = operation.name
    error.verdict = Verdict.REJECTED if isinstance(error, Unauthorized) else Verdict.NOT_SENT
    return error


def named(state: S, message_id: str) -> S:
    """Return the state with the id that it was asked for; the reply itself does not repeat it."""
    return replace(state, message_id=message_id)


def _decode(body: bytes) -> str:
    return body.decode("utf-8-sig", "replace")


_DATE = re.compile(r"[\\/]*Date\((-?\d{1,17})([+-]\d{4})?\)[\\/]*")
_QUOTED_DATE = re.compile(r'"[\\/]*(Date\(-?\d{1,17}(?:[+-]\d{4})?\))[\\/]*"')
# A string that never ends is taken to the end of the text: looking for it again from every quote would take hours.
_KEY_OR_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?|(?<=[{,\s])([A-Za-z_]\w*)(?=\s*:)', re.DOTALL)
_MISSING_COMMA = re.compile(r'(?<=[\d"])(\s+)(?="Desc"\s*:)', re.IGNORECASE)


def _repair_dates(text: str) -> str:
    return _QUOTED_DATE.sub(r'"/\1/"', text)


def _repair_quotes(text: str) -> str:
    return _repair_dates(text).replace('\\"', '"')


def _repair_keys(text: str) -> str:
    quoted = _KEY_OR_STRING.sub(lambda match: f'"{match[1]}"' if match[1] else match[0], text)
    return _MISSING_COMMA.sub(r",\1", quoted)


# Tried in order, each on the text as it came, until one of them is JSON: the damage that the API's documents show.
_REPAIRS: tuple[Callable[[str], str], ...] = (str, _repair_dates, _repair_keys, _repair_quotes)


def _refuse_constant(name: str) -> Decimal:
    raise ValueError(f"{name} is no JSON")


def _loads(text: str, repairs: Sequence[Callable[[str], str]] = _REPAIRS) -> Any:  # noqa: ANN401 - any JSON
    for repair in repairs:
        try:
            return json.loads(repair(text), parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, ArithmeticError, RecursionError):
            continue
    raise _Misfit("the body is no JSON")


def _error_body(text: str) -> tuple[int, str] | None:
    """Return Code and Desc of a well-formed error body, or ``None`` where the body is none."""
    try:
        found = _object(_loads(text))
    except _Misfit:
        return None
    code, description = _integer(found.get("code")), found.get("desc")
    if code is None or abs(code) >= _INT32 or not isinstance(description, str | None) or description == "ok":
        return None  # "ok" is the one word of the Viber table that means accepted
    return code, description or ""


def _lowered(document: dict[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in document.items()}


def _integer(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        return int(value)
    return None


def _object(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _Misfit("the body is no object")
    return _lowered(document)


def _objects(document: object) -> list[dict[str, Any]]:
    if not isinstance(document, list):
        raise _Misfit("the body is no list")
    return [_object(item) for item in document]


_MOST_DIGITS = 27  # prices are added up, and past this the sum of two is no longer exact, or overflows


def _decimal(value: object, what: str) -> Decimal:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise _Misfit(f"{what} is no number")
    number = Decimal(value)
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise _Misfit(f"{what} is out of range")
    return number


def _price(value: object) -> Decimal | None:
    return None if value is None else _decimal(value, "Price")


def _count(value: object, what: str) -> int:
    number = _integer(value)
    if number is None:
        raise _Misfit(f"{what} is no whole number")
    return number


def _string(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise _Misfit(f"{what} is no text")
    return value


def _id(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value
    raise _Misfit("an id is neither text nor a number")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_DATE = -62135596800000  # 0001-01-01, which .NET writes for a date that was never set


def _date(value: object) -> datetime | None:
    if value is None:
        return None
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise _Misfit("a date is malformed")
    milliseconds = int(match[1])
    if milliseconds == _NO_DATE:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise _Misfit("a date is out of range") from None


_SESSION_ID = re.compile(r"[0-9A-Za-z-]{36}")


def _scalar(reply: Reply) -> str:
    # A number or a word that is cut is still one, so only a reply that declared its length is believed.
    if not reply.framed:
        raise _Misfit("the reply does not declare its length")
    return _decode(reply.body).strip()


def _parse_session_id(reply: Reply) -> str:
    text = _scalar(reply)
    bare = text[1:-1] if text[:1] == text[-1:] == '"' else text
    if not _SESSION_ID.fullmatch(bare):
        raise _Misfit("the body is no session id")
    return bare


def _parse_balance(reply: Reply) -> Decimal:
    return _decimal(_loads(_scalar(reply), (str,)), "the balance")


def _parse_ids(reply: Reply) -> tuple[str, ...]:
    document = _loads(_decode(reply.body), (str,))
    if not isinstance(document, list):
        raise _Misfit("the body is no list of ids")
    return tuple(map(_id, document))


def _state_fields(found: dict[str, Any]) -> dict[str, Any]:
    description = found.get("statedescription")
    return {
        "code": _count(found.get("state"), "State"),
        "description": description if isinstance(description, str) else "",
        "created_at": _date(found.get("creationdateutc")),
        "submitted_at": _date(found.get("submitteddateutc")),
        "reported_at": _date(found.get("reporteddateutc")),
        "updated_at": _date(found.get("timestamputc")),
        "price": _price(found.get("price")),
    }


def _sms_state(found: dict[str, Any]) -> SmsState:
    values = _state_fields(found)
    message_id = found.get("id")
    return SmsState(
        status=sms_status(values["code"]), message_id="" if message_id is None else _id(message_id), **values
    )


def _parse_sms_state(reply: Reply) -> SmsState:
    return _sms_state(_object(_loads(_decode(reply.body))))


def _parse_viber_state(reply: Reply) -> ViberState:
    found = _object(_loads(_decode(reply.body)))
    values = _state_fields(found)
    resent = found.get("resentsms")
    return ViberState(
        status=viber_status(values["code"]),
        resent_sms=() if resent is None else tuple(map(_sms_state, _objects(resent))),
        **values,
    )


def _parse_incoming(reply: Reply) -> list[IncomingSms]:
    return [
        IncomingSms(
            id=_id(found.get("id")),
            text=_string(found.get("data"), "Data"),
            sender=_id(found.get("sourceaddress")),
            recipient=_id(found.get("destinationaddress")),
            # The seed and the vendor's page spell this key differently.
            created_at=_date(found.get("createdateutc", found.get("createddateutc"))),
        )
        for found in _objects(_loads(_decode(reply.body)))
    ]


_STATISTICS_FIELDS = {
    "sent": "Sent",
    "delivered": "Delivered",
    "errors": "Errors",
    "in_process": "InProcess",
    "expired": "Expired",
    "rejected": "Rejected",
    "total": "Total",
    "total_with_errors": "TotalWithErrors",
}


def _parse_statistics(reply: Reply) -> SmsStatistics:
    found = _object(_loads(_decode(reply.body)))
    counts = {ours: _count(found.get(theirs.lower()), theirs) for ours, theirs in _STATISTICS_FIELDS.items()}
    return SmsStatistics(**counts, delivery_ratio=_decimal(found.get("deliveryratio"), "DeliveryRatio"))


# --- the tables ------------------------------------------------------------------------------------

_SESSION = Parameter("SessionID", _text, secret=True)
_SENDER = Parameter("SourceAddress", _text)
_TO = Parameter("DestinationAddress", _text)
_TO_MANY = Parameter("DestinationAddresses", _numbers)
_DATA = Parameter("Data", _text, secret=True)
_VALIDITY = Parameter("Validity", _number, required=False)
_SEND_AT = Parameter("SendDate", _instant, required=False)
_LOCAL_TIME = Parameter("SendDate", _clock)
_OPTIONAL = Parameter("Optional", _text, required=False)
_OPTIONALS = Parameter("Optionals", _texts, required=False)
_MESSAGE_ID = Parameter("messageId", _text)


def _read(name: str, parse: Callable[[Reply], T], *parameters: Parameter) -> Operation[T]:
    return Operation(name, "GET", f"/{name}", parameters, parse)


def _send(name: str, *parameters: Parameter) -> Operation[tuple[str, ...]]:
    return Operation(name, "POST", f"/{name}", (_SESSION, _SENDER, *parameters), _parse_ids, is_send=True)


LOGIN = replace(
    _read("User/SessionID", _parse_session_id, Parameter("Login", _text), Parameter("Password", _text, secret=True)),
    path="/user/sessionid",
)
BALANCE = _read("User/Balance", _parse_balance, _SESSION)
SMS_SEND = _send("Sms/Send", _TO, _DATA, _VALIDITY, _SEND_AT)
SMS_SEND_BY_TIME_ZONE = _send("Sms/SendByTimeZone", _TO, _DATA, _VALIDITY, _LOCAL_TIME)
SMS_SEND_BULK = _send("Sms/SendBulk", _TO_MANY, _DATA, _VALIDITY, _SEND_AT)
SMS_SEND_BY_TIME_ZONE_TO_ADDRESSES = _send("Sms/SendByTimeZoneToAddresses", _TO_MANY, _DATA, _VALIDITY, _LOCAL_TIME)
SMS_STATE = _read("Sms/State", _parse_sms_state, _SESSION, _MESSAGE_ID)
SMS_INCOMING = _read(
    "Sms/In", _parse_incoming, _SESSION, Parameter("minDateUTC", _instant), Parameter("maxDateUTC", _instant)
)
SMS_STATISTICS = _read(
    "Sms/Statistics",
    _parse_statistics,
    _SESSION,
    Parameter("startDateTime", _instant),
    Parameter("endDateTime", _instant),
)
VIBER_SEND = _send("Viber/Send", _TO, _DATA, _VALIDITY, _OPTIONAL)
VIBER_SEND_BULK = _send("Viber/SendBulk", _TO_MANY, _DATA, _VALIDITY, _OPTIONALS)
VIBER_SEND_WITH_RESEND = _send("Viber/SendWithResend", _TO, _DATA, _VALIDITY, _OPTIONAL)
VIBER_SEND_WITH_RESEND_BULK = _send("Viber/SendWithResendBulk", _TO_MANY, _DATA, _VALIDITY, _OPTIONALS)
VIBER_STATE = _read("Viber/State", _parse_viber_state, _SESSION, _MESSAGE_ID)

OPERATIONS: tuple[Operation[Any], ...] = (
    LOGIN,
    BALANCE,
    SMS_SEND,
    SMS_SEND_BY_TIME_ZONE,
    SMS_SEND_BULK,
    SMS_SEND_BY_TIME_ZONE_TO_ADDRESSES,
    SMS_STATE,
    SMS_INCOMING,
    SMS_STATISTICS,
    VIBER_SEND,
    VIBER_SEND_BULK,
    VIBER_SEND_WITH_RESEND,
    VIBER_SEND_WITH_RESEND_BULK,
    VIBER_STATE,
)
"""All operations of the API."""
