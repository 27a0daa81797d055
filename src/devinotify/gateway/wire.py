"""The 14 operations: values to a request, a reply to a value or an error. Pure.

``build`` makes the request, ``interpret`` reads the reply; the tables between them say everything that
differs from operation to operation. ``replies`` reads the bodies: what it cannot is an UnexpectedResponse.
More than 400 lines: most are those tables, and what reads them belongs beside them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

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
from devinotify.gateway import replies
from devinotify.gateway.codes import ERRORS, OPEN_STATUSES, SUCCESS_CODES, TEMPORARY_STATUSES, VIBER_WORDS
from devinotify.models import SmsState
from devinotify.redact import Secret, conceal, excerpt, hide, scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.gateway.codes import ViberWord
    from devinotify.gateway.http1 import Reply

T = TypeVar("T")
S = TypeVar("S", bound=SmsState)
Value = str | int | datetime | Iterable[str] | None


@dataclass(slots=True, repr=False, unsafe_hash=True)  # not frozen: that takes longer, and each send makes one
class Request:
    """One HTTP request: the method, the path with its query, and the form body of a POST."""

    method: str
    target: str
    body: bytes | None = None

    def __post_init__(self) -> None:
        # The query holds a session id or a password, the body a text and numbers.
        self.target = Secret(self.target)
        self.body = hide(self.body)

    def __repr__(self) -> str:
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
    """One operation of the API. ``is_send`` marks those that a repetition would perform twice.

    ``final_codes`` are error codes after which a read is worth repeating, but not this one. ``answers_secret`` marks
    the one whose reply is itself what no error may show.
    """

    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    parse: Callable[[Reply], T]
    is_send: bool = False
    final_codes: frozenset[int] = frozenset()
    answers_secret: bool = False


DESCRIPTION_LENGTH = 200
"""Characters of the gateway's own words that an error shows; the longest documented one has some 350."""

# --- requests --------------------------------------------------------------------------------------


def build(operation: Operation[Any], values: Mapping[str, Value]) -> Request:
    """Return the request for ``operation`` with ``values`` by parameter name; ``None`` leaves a parameter out.

    GET operations carry a query, POST operations a form body, so that no text and no session id stands in
    the URL of a send. Raises ValueError for a name that the operation does not have or a required one missing,
    InvalidInput for a text that cannot be written as UTF-8.
    """
    # The form is in no variable, which a traceback would show.
    if operation.method == "GET":
        return Request("GET", f"{operation.path}?{'&'.join(_pairs(operation, values))}")
    return Request("POST", operation.path, "&".join(_pairs(operation, values)).encode("ascii"))


def _pairs(operation: Operation[Any], values: Mapping[str, Value]) -> Iterator[str]:
    """Yield each parameter as it is written; a list of them would be shown where a later one cannot be."""
    known, missing = 0, ""
    for parameter in operation.parameters:
        name = parameter.name
        value = values.get(name)
        if value is not None:
            yield parameter.encode(name, value)
        elif parameter.required:
            missing = missing or name
        known += name in values
    if known < len(values):
        unknown = values.keys() - {parameter.name for parameter in operation.parameters}
        raise ValueError(f"{operation.name} has no parameter {', '.join(sorted(unknown))}")
    if missing:
        raise ValueError(f"{operation.name} needs {missing}")


_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""The bytes that stand for themselves (RFC 3986, section 2.3)."""
_WRITTEN = ["+" if byte == 0x20 else chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in range(256)]
"""How a form has each byte (the URL standard's application/x-www-form-urlencoded)."""
_written = _WRITTEN.__getitem__


def _text(name: str, value: str) -> str:
    if value.isascii() and value.isalnum():  # ids, numbers, most senders
        return f"{name}={value}"
    try:
        return f"{name}={''.join(map(_written, value.encode()))}"
    except UnicodeEncodeError:
        pass
    # Raised out here, so that the encoding error, which holds the text, is not part of the traceback.
    raise InvalidInput(f"{name} holds a lone surrogate, which no encoding can carry")


def _number(name: str, value: int) -> str:
    return f"{name}={value:d}"


def _numbers(name: str, values: Iterable[str]) -> str:
    # Digits need no escaping, and a campaign has a million of them.
    return f"{name}=" + f"&{name}=".join(values)


def _texts(name: str, values: Iterable[str]) -> str:
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
    refusal = _error_body(reply.body) if b"{" in reply.body else None  # nearly none has, and looking closer takes time
    if refusal is not None and _is_refusal(*refusal, reply.status):
        raise _gateway_error(operation, reply, *refusal, sent or {})
    value, ids, why = _parsed(operation, reply)
    # What may stand for an acceptance, or for a failure of the service itself, is not taken for a refusal.
    doubtful = bool(ids) or why is _WORDS
    if refusal is not None:
        doubtful = doubtful or refusal[0] in SUCCESS_CODES
        why = f"code {scrub(str(refusal[0]))} under HTTP status {reply.status}, which is not a refusal"
    elif not 200 <= reply.status < 300:
        why = f"HTTP status {reply.status} without the documented error body"
    elif why is None and operation.is_send and len(ids) < recipients:
        why = f"{len(ids)} ids for {recipients} recipients"
    if why is not None:
        refused = not doubtful and _is_refused(reply.status)
        raise _unexpected(operation, reply, why, sent or {}, refused=refused, message_ids=ids)
    return cast("T", value)


def _error_body(body: bytes) -> tuple[int, str] | None:
    text = Secret(replies.decode(body))
    return replies.error_body(text) if text.lstrip("\ufeff \t\r\n").startswith("{") else None


def _is_refusal(code: int, description: str, status: int) -> bool:
    """Whether a well-formed error body refuses: not with the codes of success, nor below 400 with unknown ones."""
    if _word(description) is not None:
        return True
    return code not in SUCCESS_CODES and (code in ERRORS or status >= 400)


def _is_refused(status: int) -> bool:
    """Whether a status alone, without an error body and without ids, says that nothing was done."""
    return 300 <= status < 500 and status not in OPEN_STATUSES


_WORDS = "there are words where ids were due"


def _parsed(operation: Operation[Any], reply: Reply) -> tuple[Any, tuple[str, ...], str | None]:
    """Return the value that the body holds, the ids among it where the operation sends, and why it does not fit."""
    try:
        value = operation.parse(reply)
    except replies.Words as words:
        return None, words.ids, _WORDS
    except replies.Misfit as misfit:
        return None, (), str(misfit)
    return value, value if operation.is_send else (), None


def _word(description: str) -> ViberWord | None:
    return VIBER_WORDS.get(description.strip().lower())


def _without_secrets(operation: Operation[Any], sent: Mapping[str, Value], text: str) -> str:
    """Return ``text`` without what was sent: texts, numbers and ids, in whole or in part, however they are written."""
    values = {parameter: sent.get(parameter.name) for parameter in operation.parameters if parameter.secret}
    wholes = [value for value in values.values() if isinstance(value, str)]
    lists = [value for value in values.values() if isinstance(value, Iterable) and not isinstance(value, str)]
    text = text[:_LOOKED_AT]
    if operation.answers_secret:
        text = _PIECE_OF_TOKEN.sub("***", text)
    return conceal(text, wholes, itertools.chain.from_iterable(lists), known=_OWN_WORDS)


_LOOKED_AT = 8192  # characters of a reply: more than any error shows, markup included
_PIECE_OF_TOKEN = re.compile(r"\b(?:(?=[A-Za-z]*\d)[A-Za-z\d]{6,}|[A-Z]{6,})\b")
_OWN_WORDS = " ".join(
    [
        *(row.meaning for row in ERRORS.values()),
        *VIBER_WORDS,
        *("Invalid user login or password", "SessionID expired", "Invalid source address", "Parameter name: messageid"),
        *("MessageID can not be null or empty", "Bad Gateway", "Service Unavailable", "Gateway Timeout", "Not Found"),
        *("Server Error in Application", "Internal Server Error", "Too Many Requests", "Request Timeout"),
        "Нельзя указывать диапазон дат более 90 дней.",
    ]
)
"""What gateways and proxies say by themselves, so that a text of the same words does not make an error unreadable."""


def _gateway_error(
    operation: Operation[Any], reply: Reply, code: int, description: str, sent: Mapping[str, Value]
) -> GatewayError:
    status = reply.status
    shown = excerpt(_without_secrets(operation, sent, description), DESCRIPTION_LENGTH)
    word = _word(description)
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
        "retryable": (read_retryable or status >= 500) and not operation.is_send and code not in operation.final_codes,
    }
    message = f"{operation.name}: {meaning} (code {scrub(str(code))}, HTTP {status}): {shown or 'no description'}"
    error: GatewayError
    if word is not None:
        error = ViberRejected(message, reason=word.word, **details)
    else:
        error = (row.error if row is not None else GatewayError)(message, **details)
    error.retry_after = reply.retry_after
    return error


def _unexpected(
    operation: Operation[Any],
    reply: Reply,
    why: str,
    sent: Mapping[str, Value],
    *,
    refused: bool,
    message_ids: tuple[str, ...] = (),
) -> UnexpectedResponse:
    start = excerpt(_without_secrets(operation, sent, replies.decode(reply.body)))
    later = reply.status >= 500 or reply.status < 300 or reply.status in TEMPORARY_STATUSES
    error = UnexpectedResponse(
        f"{operation.name}: {why}" + (f"; the reply begins {start!r}" if start else "; the reply is empty"),
        http_status=reply.status,
        excerpt=start,
        message_ids=message_ids,
        operation=operation.name,
        verdict=Verdict.REJECTED if refused else Verdict.UNKNOWN,
        # Repeating a refused send is safe, repeating one of unknown outcome is not.
        retryable=refused and reply.status == 429 if operation.is_send else later,
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


# --- the tables ------------------------------------------------------------------------------------

_SESSION = Parameter("SessionID", _text, secret=True)
_SENDER = Parameter("SourceAddress", _text)
_TO = Parameter("DestinationAddress", _text, secret=True)
_TO_MANY = Parameter("DestinationAddresses", _numbers, secret=True)
_DATA = Parameter("Data", _text, secret=True)
_VALIDITY = Parameter("Validity", _number, required=False)
_SEND_AT = Parameter("SendDate", _instant, required=False)
_LOCAL_TIME = Parameter("SendDate", _clock)
_OPTIONAL = Parameter("Optional", _text, required=False, secret=True)
_OPTIONALS = Parameter("Optionals", _texts, required=False, secret=True)
_MESSAGE_ID = Parameter("messageId", _text)


def _read(name: str, parse: Callable[[Reply], T], *parameters: Parameter) -> Operation[T]:
    return Operation(name, "GET", f"/{name}", parameters, parse)


def _send(name: str, *parameters: Parameter) -> Operation[tuple[str, ...]]:
    return Operation(name, "POST", f"/{name}", (_SESSION, _SENDER, *parameters), replies.parse_ids, is_send=True)


LOGIN = replace(
    _read(
        "User/SessionID", replies.parse_session_id, Parameter("Login", _text), Parameter("Password", _text, secret=True)
    ),
    path="/user/sessionid",
    answers_secret=True,
    final_codes=frozenset({9}),  # some hosts refuse wrong credentials so, and the same password again changes nothing
)
BALANCE = _read("User/Balance", replies.parse_balance, _SESSION)
SMS_SEND = _send("Sms/Send", _TO, _DATA, _VALIDITY, _SEND_AT)
SMS_SEND_BY_TIME_ZONE = _send("Sms/SendByTimeZone", _TO, _DATA, _VALIDITY, _LOCAL_TIME)
SMS_SEND_BULK = _send("Sms/SendBulk", _TO_MANY, _DATA, _VALIDITY, _SEND_AT)
SMS_SEND_BY_TIME_ZONE_TO_ADDRESSES = _send("Sms/SendByTimeZoneToAddresses", _TO_MANY, _DATA, _VALIDITY, _LOCAL_TIME)
SMS_STATE = _read("Sms/State", replies.parse_sms_state, _SESSION, _MESSAGE_ID)
SMS_INCOMING = _read(
    "Sms/In", replies.parse_incoming, _SESSION, Parameter("minDateUTC", _instant), Parameter("maxDateUTC", _instant)
)
SMS_STATISTICS = _read(
    "Sms/Statistics",
    replies.parse_statistics,
    _SESSION,
    Parameter("startDateTime", _instant),
    Parameter("endDateTime", _instant),
)
VIBER_SEND = _send("Viber/Send", _TO, _DATA, _VALIDITY, _OPTIONAL)
VIBER_SEND_BULK = _send("Viber/SendBulk", _TO_MANY, _DATA, _VALIDITY, _OPTIONALS)
VIBER_SEND_WITH_RESEND = _send("Viber/SendWithResend", _TO, _DATA, _VALIDITY, _OPTIONAL)
VIBER_SEND_WITH_RESEND_BULK = _send("Viber/SendWithResendBulk", _TO_MANY, _DATA, _VALIDITY, _OPTIONALS)
VIBER_STATE = _read("Viber/State", replies.parse_viber_state, _SESSION, _MESSAGE_ID)

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
