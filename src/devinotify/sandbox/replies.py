"""Replies in the gateway's exact form: errors, dates, ids, states. Pure."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from devinotify.gateway.codes import ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_DATE = "/Date(-62135596800000)/"
"""0001-01-01, .NET's least DateTime: what the gateway sends in a date that may not be null."""

NULL_DATE = (
    "The parameters dictionary contains a null entry for parameter '{parameter}' of non-nullable type 'DateTime' "
    "for method 'System.Web.Mvc.ActionResult In(System.String, DateTime, DateTime)' in "
    "'RestService.Controllers.SmsController'. An optional parameter must be a reference type, a nullable type, "
    "or be declared as an optional parameter. Parameter name: parameters"
)
"""The Desc that comes with Code 9 where a date is missing (the API's own example)."""


JSON = b"application/json; charset=utf-8"


class Reply(NamedTuple):
    """One HTTP answer: status, body, the error's Code where it is one, the methods of a 405, and its media type."""

    status: int
    body: bytes
    code: int | None = None
    allow: str = ""
    media: bytes = JSON


class Refused(Exception):
    """A request that the gateway refuses: a Code of the error table and a Desc."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


def reason(reply: Reply) -> str:
    """Return what a refusal says: its Desc, or its HTTP status where it is not an error of the gateway's."""
    if reply.code is None:
        return f"HTTP status {reply.status}"
    return str(json.loads(reply.body)["Desc"])


def missing(name: str) -> str:
    """Return the Desc of Code 1: ``MessageID can not be null or empty Parameter name: messageid``."""
    return f"{name} can not be null or empty Parameter name: {name.lower()}"


def dumps(value: object) -> bytes:
    r"""Return JSON in UTF-8 with slashes as ``\/``, the way the gateway writes its dates.

    A slash stands in JSON only inside strings, where both spellings mean the same.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()


def error(code: int, description: str, status: int | None = None) -> Reply:
    """Return ``{"Code": …, "Desc": …}`` with the status of the error table, or with ``status``."""
    body = dumps({"Code": code, "Desc": description})
    return Reply(ERRORS[code].http_status if status is None else status, body, code)


def quoted(value: str) -> Reply:
    """Return a string in quotation marks."""
    return Reply(200, f'"{value}"'.encode())


def message_ids(ids: Iterable[str]) -> Reply:
    """Return a list of message ids; they hold nothing that JSON would escape."""
    return Reply(200, ('["' + '","'.join(ids) + '"]').encode())


HTML_PAGE = """<!DOCTYPE html>
<html>
<head><title>{status} {reason}</title></head>
<body>
<h1>{status} {reason}</h1>
<p>The server is temporarily unable to service your request. Please try again later.</p>
</body>
</html>
"""


def html_page(status: int) -> Reply:
    """Return a page as proxies and load balancers answer with in the gateway's place."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Error"
    return Reply(status, HTML_PAGE.format(status=status, reason=reason).encode(), media=b"text/html; charset=utf-8")


def document(value: object) -> Reply:
    """Return any JSON document."""
    return Reply(200, dumps(value))


def date(seconds: float | None) -> str | None:
    """Return ``/Date(milliseconds)/``, or ``None`` for no date."""
    return None if seconds is None else f"/Date({int(seconds * 1000)})/"
