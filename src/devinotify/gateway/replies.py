"""Reply bodies to values: what can be read is read, and nothing is guessed. Pure.

The API's own documents are damaged: unquoted keys, a missing comma, ``\\Date(…)``, escaped quotes. A field that cannot
be read is absent (``None``, or an empty text), and does not make the rest unreadable. What a reply is about must be
there: a balance, a state's number, the ids of a send. Where that is missing, Misfit is raised.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from devinotify.gateway.codes import sms_status, viber_status
from devinotify.models import IncomingSms, SmsState, SmsStatistics, ViberState
from devinotify.redact import Secret

if TYPE_CHECKING:
    from devinotify.gateway.http1 import Reply


class Misfit(ValueError):
    """The body does not fit the operation; the message says why and quotes nothing of it."""


_INT32 = 2**31  # the API is a .NET service, whose codes and states are Int32


def decode(body: bytes) -> str:
    """Return the body as text, without a byte-order mark, whatever its bytes are."""
    # Not by the codec utf-8-sig: it is imported when it is first used, and a process that forks at that moment leaves
    # its child with a lock that nobody will ever release.
    return body.removeprefix(codecs.BOM_UTF8).decode(errors="replace")


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


def _no_number(_: str) -> None:
    """Return ``None`` for NaN and the infinities, as .NET writes the ratio of nothing: the field is absent."""


# Made once: ``json.loads`` makes one for each text, which takes as long as reading a reply.
_decoder = json.JSONDecoder(strict=False, parse_float=Decimal, parse_constant=_no_number)


_SPACE = " \t\r\n"
"""What may stand around a JSON text (RFC 8259, section 2)."""

DEEPEST = 100
"""Lists and objects within each other that are read; the API's documents have two. A parser that runs into the end of
the stack makes whatever finalizers Python runs down there fail, unheard."""

_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def _is_deep(text: str) -> bool:
    if len(text) <= DEEPEST or text.count("[") + text.count("{") <= DEEPEST:
        return False
    return max(accumulate(_STEPS.get(sign, 0) for sign in _SIGNS.findall(text))) > DEEPEST


def _loads(text: str, repairs: Sequence[Callable[[str], str]] = _REPAIRS) -> Any:  # noqa: ANN401 - any JSON
    for repair in repairs:
        try:
            repaired = repair(text).strip(_SPACE)
            if not _is_deep(repaired):
                value, end = _decoder.raw_decode(repaired)
                if end == len(repaired):
                    return value
        except (ValueError, ArithmeticError, RecursionError):
            continue
    raise Misfit("the body is not JSON")


def error_body(text: str) -> tuple[int, str] | None:
    """Return Code and Desc of a well-formed error body, or ``None`` where the body is none."""
    try:
        found = _object(_loads(text))
    except Misfit:
        return None
    code, description = _integer(found.get("code")), found.get("desc")
    if code is None or abs(code) >= _INT32 or not isinstance(description, str | None) or description == "ok":
        return None  # "ok" is the one word of the Viber table that means accepted
    return code, Secret(description or "")  # it may quote what was sent


def _lowered(document: dict[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in document.items()}


def _integer(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        return int(value)
    if isinstance(value, Decimal) and abs(value.adjusted()) < _MOST_DIGITS and value == value.to_integral_value():
        return int(value)
    return None


def _object(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise Misfit("the body is not an object")
    return _lowered(document)


def _fields(document: object) -> dict[str, Any]:
    """Return the fields of an object, none where it is not an object."""
    return _lowered(document) if isinstance(document, dict) else {}


_MOST_DIGITS = 27  # prices are added up, and past this the sum of two is no longer exact, or overflows
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")


def _decimal(value: object) -> Decimal | None:
    """Return a number, quoted or not, ``None`` for what is none."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return None
    number = Decimal(value)
    return number if abs(number.adjusted()) <= _MOST_DIGITS else None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _id(value: object) -> str:
    """Return an id or a number as text, an empty one for what is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else ""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_DATE = datetime(1, 1, 1, tzinfo=UTC)  # which .NET writes for a date that was never set


def _date(value: object) -> datetime | None:
    """Return an instant in UTC from .NET's notation, ISO 8601 or milliseconds; ``None`` for what is none."""
    text = value.strip() if isinstance(value, str) else value
    match = _DATE.fullmatch(text) if isinstance(text, str) else None
    milliseconds = _integer(match[1] if match else text)
    try:
        if milliseconds is not None:
            found = _EPOCH + timedelta(milliseconds=milliseconds)
        elif isinstance(text, str):
            read = datetime.fromisoformat(text)
            found = read.replace(tzinfo=UTC) if read.utcoffset() is None else read.astimezone(UTC)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return None if found == _NO_DATE else found


_SESSION_ID = re.compile(r"[!-~]{1,256}")
_NO_SESSION_ID = re.compile(r"""[\s"'<>{}\[\]]|\A(?:null|true|false|ok)\Z""", re.IGNORECASE)


def _scalar(reply: Reply) -> str:
    # A number or a word that is cut is still one, so only a reply that declared its length is believed.
    if not reply.framed:
        raise Misfit("the reply does not declare its length")
    return decode(reply.body).strip()


def parse_session_id(reply: Reply) -> str:
    """Return the session id: one printable token, in quotes or not; raise Misfit.

    The documented one has 36 characters; other hosts of the same API have others.
    """
    text = _scalar(reply)
    bare = text[1:-1] if text[:1] == text[-1:] == '"' else text
    if not _SESSION_ID.fullmatch(bare) or _NO_SESSION_ID.search(bare):
        raise Misfit("the body is not a session id")
    return bare


def parse_balance(reply: Reply) -> Decimal:
    """Return the balance, quoted or not; raise Misfit."""
    balance = _decimal(_loads(_scalar(reply), (str,)))
    if balance is None:
        raise Misfit("the balance is not a number")
    return balance


# Words where ids were due, as in ["error-system"]: a refusal or a failure, and nobody can say which.
_WORD = re.compile(r"\s*(?:error-[a-z-]+|not-permitted|ok)\s*", re.IGNORECASE)


class Words(Misfit):
    """There are words where ids were due; ``ids`` are those that stand among them."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        super().__init__("there are words where ids were due")
        self.ids = ids


def parse_ids(reply: Reply) -> tuple[str, ...]:
    """Return the ids of a send, in their order; raise Misfit, Words where some of them are words of the service."""
    document = _loads(decode(reply.body), (str,))
    if not isinstance(document, list):
        raise Misfit("the body is not a list of ids")
    # Nearly all ids are digits, which are asked for at once: a campaign has a million of them, in bulks of a thousand.
    if set(map(type, document)) == {str} and all(document) and "".join(document).isdecimal():
        return tuple(document)
    ids = tuple(map(_id, document))
    if not all(ids):
        raise Misfit("an id is neither text nor a number")
    if any(map(_WORD.fullmatch, ids)):
        raise Words(tuple([each for each in ids if not _WORD.fullmatch(each)]))
    return ids


_UNKNOWN_STATE = 255  # the gateway's own number for a message that it does not know


def _state_fields(found: Mapping[str, Any], code: int) -> dict[str, Any]:
    return {
        "code": code,
        "description": _string(found.get("statedescription")),
        "created_at": _date(found.get("creationdateutc")),
        "submitted_at": _date(found.get("submitteddateutc")),
        "reported_at": _date(found.get("reporteddateutc")),
        "updated_at": _date(found.get("timestamputc")),
        "price": _decimal(found.get("price")),
    }


def _state(reply: Reply) -> tuple[dict[str, Any], int]:
    found = _object(_loads(decode(reply.body)))
    code = _integer(found.get("state"))
    if code is None:
        raise Misfit("State is not a whole number")
    return found, code


def parse_sms_state(reply: Reply) -> SmsState:
    """Return the state of an SMS segment; raise Misfit."""
    found, code = _state(reply)
    return SmsState(sms_status(code), message_id=_id(found.get("id")), **_state_fields(found, code))


def _resent(document: object) -> SmsState:
    """Return one SMS of a resend; one that cannot be read is of unknown state, since it is not to be passed over."""
    found = _fields(document)
    code = _integer(found.get("state"))
    code = _UNKNOWN_STATE if code is None else code
    return SmsState(sms_status(code), message_id=_id(found.get("id")), **_state_fields(found, code))


def parse_viber_state(reply: Reply) -> ViberState:
    """Return the state of a Viber message with its resent SMS; raise Misfit."""
    found, code = _state(reply)
    resent = found.get("resentsms")
    if not isinstance(resent, list):
        resent = [] if resent is None else [resent]
    return ViberState(viber_status(code), resent_sms=tuple(map(_resent, resent)), **_state_fields(found, code))


# The seed, the vendor's page and the vendor's clients spell this key in three ways.
_RECEIVED_AT = ("createdateutc", "createddateutc", "creationdateutc")


def _received(document: object) -> IncomingSms:
    found = _fields(document)
    return IncomingSms(
        id=_id(found.get("id")),
        text=_string(found.get("data")),
        sender=_id(found.get("sourceaddress")),
        recipient=_id(found.get("destinationaddress")),
        created_at=next((at for key in _RECEIVED_AT if (at := _date(found.get(key))) is not None), None),
    )


_NOTHING = IncomingSms("", "", "", "")


def parse_incoming(reply: Reply) -> list[IncomingSms]:
    """Return the incoming messages, each with what can be read of it; raise Misfit where that is nothing of any."""
    document = _loads(decode(reply.body))
    if not isinstance(document, list):
        raise Misfit("the body is not a list")
    messages = list(map(_received, document))
    if messages and all(message == _NOTHING for message in messages):
        raise Misfit("the list holds no messages")
    return messages


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


def parse_statistics(reply: Reply) -> SmsStatistics:
    """Return the counts of a period, ``None`` for one that cannot be read; raise Misfit where none can."""
    found = _object(_loads(decode(reply.body)))
    counts = {ours: _integer(found.get(theirs.lower())) for ours, theirs in _STATISTICS_FIELDS.items()}
    if all(count is None for count in counts.values()):
        raise Misfit("the body holds no counts")
    return SmsStatistics(**counts, delivery_ratio=_decimal(found.get("deliveryratio")))
