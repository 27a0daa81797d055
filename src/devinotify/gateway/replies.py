"""Reply bodies to values: leniently where the API's own documentation is damaged, strictly everywhere else. Pure.

The documented damage is unquoted keys, a missing comma, ``\\Date(…)`` and escaped quotes. What cannot be read
raises Misfit, never a guess.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from devinotify.gateway.codes import sms_status, viber_status
from devinotify.models import IncomingSms, SmsState, SmsStatistics, ViberState

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


def _refuse_constant(name: str) -> Decimal:
    raise ValueError(f"{name} is no JSON")


def _loads(text: str, repairs: Sequence[Callable[[str], str]] = _REPAIRS) -> Any:  # noqa: ANN401 - any JSON
    for repair in repairs:
        try:
            return json.loads(repair(text), parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, ArithmeticError, RecursionError):
            continue
    raise Misfit("the body is no JSON")


def error_body(text: str) -> tuple[int, str] | None:
    """Return Code and Desc of a well-formed error body, or ``None`` where the body is none."""
    try:
        found = _object(_loads(text))
    except Misfit:
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
        raise Misfit("the body is no object")
    return _lowered(document)


def _objects(document: object) -> list[dict[str, Any]]:
    if not isinstance(document, list):
        raise Misfit("the body is no list")
    return [_object(item) for item in document]


_MOST_DIGITS = 27  # prices are added up, and past this the sum of two is no longer exact, or overflows


def _decimal(value: object, what: str) -> Decimal:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise Misfit(f"{what} is no number")
    number = Decimal(value)
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise Misfit(f"{what} is out of range")
    return number


def _price(value: object) -> Decimal | None:
    return None if value is None else _decimal(value, "Price")


def _count(value: object, what: str) -> int:
    number = _integer(value)
    if number is None:
        raise Misfit(f"{what} is no whole number")
    return number


def _string(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise Misfit(f"{what} is no text")
    return value


def _id(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value
    raise Misfit("an id is neither text nor a number")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_DATE = -62135596800000  # 0001-01-01, which .NET writes for a date that was never set


def _date(value: object) -> datetime | None:
    if value is None:
        return None
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise Misfit("a date is malformed")
    milliseconds = int(match[1])
    if milliseconds == _NO_DATE:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise Misfit("a date is out of range") from None


_SESSION_ID = re.compile(r"[0-9A-Za-z-]{36}")


def _scalar(reply: Reply) -> str:
    # A number or a word that is cut is still one, so only a reply that declared its length is believed.
    if not reply.framed:
        raise Misfit("the reply does not declare its length")
    return decode(reply.body).strip()


def parse_session_id(reply: Reply) -> str:
    """Return the session id: 36 characters, in quotes or not; raise Misfit."""
    text = _scalar(reply)
    bare = text[1:-1] if text[:1] == text[-1:] == '"' else text
    if not _SESSION_ID.fullmatch(bare):
        raise Misfit("the body is no session id")
    return bare


def parse_balance(reply: Reply) -> Decimal:
    """Return the balance; raise Misfit."""
    return _decimal(_loads(_scalar(reply), (str,)), "the balance")


def parse_ids(reply: Reply) -> tuple[str, ...]:
    """Return the ids of a send, in their order; raise Misfit."""
    document = _loads(decode(reply.body), (str,))
    if not isinstance(document, list):
        raise Misfit("the body is no list of ids")
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


def parse_sms_state(reply: Reply) -> SmsState:
    """Return the state of an SMS segment; raise Misfit."""
    return _sms_state(_object(_loads(decode(reply.body))))


def parse_viber_state(reply: Reply) -> ViberState:
    """Return the state of a Viber message with its resent SMS; raise Misfit."""
    found = _object(_loads(decode(reply.body)))
    values = _state_fields(found)
    resent = found.get("resentsms")
    return ViberState(
        status=viber_status(values["code"]),
        resent_sms=() if resent is None else tuple(map(_sms_state, _objects(resent))),
        **values,
    )


def parse_incoming(reply: Reply) -> list[IncomingSms]:
    """Return the incoming messages; raise Misfit."""
    return [
        IncomingSms(
            id=_id(found.get("id")),
            text=_string(found.get("data"), "Data"),
            sender=_id(found.get("sourceaddress")),
            recipient=_id(found.get("destinationaddress")),
            # The seed and the vendor's page spell this key differently.
            created_at=_date(found.get("createdateutc", found.get("createddateutc"))),
        )
        for found in _objects(_loads(decode(reply.body)))
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


def parse_statistics(reply: Reply) -> SmsStatistics:
    """Return the counts of a period; raise Misfit."""
    found = _object(_loads(decode(reply.body)))
    counts = {ours: _count(found.get(theirs.lower()), theirs) for ours, theirs in _STATISTICS_FIELDS.items()}
    return SmsStatistics(**counts, delivery_ratio=_decimal(found.get("deliveryratio"), "DeliveryRatio"))
