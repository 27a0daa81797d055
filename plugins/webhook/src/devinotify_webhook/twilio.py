"""The shape of Twilio's API, for programs that post to nothing else: only their base URL changes. Pure, but one look.

``POST /twilio/2010-04-01/Accounts/{sid}/Messages.json`` with ``To``, ``Body`` and, unused, ``From``; the account is a
receiver's name, or its ``sid``. The id of a message is that of its first row in the outbox.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from devinotify import RowState
from starlette.responses import JSONResponse

from devinotify_webhook import bodies
from devinotify_webhook.errors import NotUnderstood
from devinotify_webhook.plain import Plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinotify import Outbox
    from starlette.responses import Response

    from devinotify_webhook.acceptance import Taken
    from devinotify_webhook.config import Receiver
    from devinotify_webhook.orders import Order, Posted, Reader

_ACCOUNT = "/twilio/2010-04-01/Accounts/{sid}"
MESSAGES = f"{_ACCOUNT}/Messages.json"
MESSAGE = f"{_ACCOUNT}/Messages/{{message}}.json"

_ID = re.compile(r"SM([0-9a-f]{32})")
_CODES: Mapping[int, int] = MappingProxyType({400: 21602, 401: 20003, 404: 20404, 408: 20408, 413: 20413, 503: 20503})
"""Twilio's own number of an error by its status: what its clients show."""
NO_BODY, NO_TO, BAD_TO = 21602, 21604, 21211

STATES: Mapping[RowState, str] = MappingProxyType(
    {
        RowState.QUEUED: "queued",
        RowState.CLAIMED: "sending",
        RowState.ACCEPTED: "sent",
        RowState.DELIVERED: "delivered",
        RowState.FAILED: "undelivered",
        RowState.REJECTED: "failed",
        RowState.NOT_SENT: "failed",
        # It may have been sent, and nobody should send it again: what Twilio says of a message on its way.
        RowState.UNKNOWN: "sent",
    }
)
"""What is said of a row in Twilio's words."""


@dataclass(frozen=True, slots=True, repr=False)
class TwilioMessage:
    """A message that was posted in Twilio's words; ``sender`` is only told back."""

    plain: Plain
    sender: str | None


_NOTHING = TwilioMessage(Plain(""), None)


class Post:
    """The dialect of one post to an account: its errors have Twilio's numbers for what is wrong with the message."""

    def __init__(self, reader: Reader, receiver: Receiver, sid: str) -> None:
        self._reader = reader
        self._receiver = receiver
        self._sid = sid
        self._found = _NOTHING

    def orders(self, posted: Posted) -> list[Order]:
        """Return the order of the message."""
        self._found = message(posted)
        return [self._reader.of_text(self._receiver, self._receiver.name, self._found.plain, posted.key)]

    def stored(self, taken: list[Taken]) -> Response:
        """Return what Twilio answers to a message that it has taken."""
        (one,) = taken
        return JSONResponse(_created(self._sid, self._found, one), 201)

    def error(self, status: int, reason: str) -> Response:
        """Return an error in Twilio's words."""
        return error(status, reason, _code_of(self._found) if status == 400 else None)


def message(posted: Posted) -> TwilioMessage:
    """Return the message of a request; raise NotUnderstood where its text is missing."""
    posted_fields = bodies.fields(posted.content_type, posted.body, posted.query)
    fields = {name.lower(): bodies.text_of(value) for name, value in posted_fields.items()}
    text = fields.get("body", "")
    if not text.strip():
        raise NotUnderstood("Body is missing")
    to = fields.get("to", "").strip()
    return TwilioMessage(Plain(text, (to,) if to else ()), fields.get("from") or None)


def _created(sid: str, found: TwilioMessage, taken: Taken) -> dict[str, Any]:
    to = found.plain.to[0] if found.plain.to else None
    return _resource(sid, _id(taken.rows[0]), "queued", to=to, sender=found.sender, text=found.plain.text)


def row_of(outbox: Outbox, message_id: str) -> Any:  # noqa: ANN401 - a row, whose class is not public
    """Return the row of a message by the id that was told, or ``None``."""
    match = _ID.fullmatch(message_id)
    return outbox.get(int(match[1], 16)) if match else None


def state(sid: str, row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row, whose class is not public
    """Return what Twilio tells of a message; of its number and text nothing."""
    return _resource(sid, _id(row.id), STATES[row.state], to=None, sender=None, text=None)


def error(status: int, reason: str, code: int | None = None) -> Response:
    """Return an error in Twilio's words."""
    number = _CODES.get(status, 20000) if code is None else code
    return JSONResponse({"code": number, "message": reason, "more_info": "", "status": status}, status)


def _code_of(found: TwilioMessage) -> int:
    """Return Twilio's number of what is wrong with a message."""
    if not found.plain.text:
        return NO_BODY
    return BAD_TO if found.plain.to else NO_TO


def _id(row: int) -> str:
    return f"SM{row:032x}"


def _resource(
    sid: str, message_id: str, status: str, *, to: str | None, sender: str | None, text: str | None
) -> dict[str, Any]:
    now = format_datetime(datetime.now(UTC))
    path = f"/2010-04-01/Accounts/{sid}/Messages/{message_id}"
    return {
        "account_sid": sid,
        "api_version": "2010-04-01",
        "body": text,
        "date_created": now,
        "date_sent": None,
        "date_updated": now,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "sid": message_id,
        "status": status,
        "subresource_uris": {"media": f"{path}/Media.json"},
        "to": to,
        "uri": f"{path}.json",
    }
