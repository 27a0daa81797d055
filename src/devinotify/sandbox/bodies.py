"""A request's body as pairs of name and value: a form, JSON or multipart, as an ASP.NET binder takes them. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import parse_qsl

from devinotify.sandbox.replies import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Pairs = list[tuple[str, str]]

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data"

MAX_BYTES = 1024 * 1024
"""Bytes that the body, and the query, may each have: a bulk of some 25,000 recipients fits."""
MAX_FIELDS = 50_000
"""Name and value pairs in one request."""
TOO_LARGE = f"The request is larger than {MAX_BYTES} bytes or has more than {MAX_FIELDS} parameters"

NOT_JSON = "The body is not a JSON object of texts, numbers and lists of them"
NOT_MULTIPART = "The body is not the multipart/form-data that its Content-Type announces"

_BOUNDARY = re.compile(rb""";\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_NAME = re.compile(rb"""[;\s]name=(?:"([^"]{0,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_FILE = re.compile(rb"""[;\s]filename\*?=""", re.IGNORECASE)


class Members(list[tuple[str, object]]):
    """A JSON object, with members of one name kept apart."""


def media_type(content_type: bytes) -> str:
    """Return which of the three a body is; what is neither JSON nor multipart is read as a form."""
    name = content_type.partition(b";")[0].strip().lower().decode("latin-1")
    if name in (JSON, "text/json") or (name.startswith("application/") and name.endswith("+json")):
        return JSON
    return MULTIPART if name == MULTIPART else FORM


def read(content_type: bytes, body: bytes) -> Pairs:
    """Return the parameters in a body; raises Refused (Code 2) where it is not what its type announces."""
    pairs = _READERS[media_type(content_type)](content_type, body)
    if len(pairs) > MAX_FIELDS:
        raise Refused(2, TOO_LARGE)
    return pairs


def form(encoded: bytes) -> Pairs:
    """Return the pairs of a query or a form; broken UTF-8 becomes U+FFFD, never an error."""
    if encoded.count(b"&") >= MAX_FIELDS:
        raise Refused(2, TOO_LARGE)
    # A body sent raw (curl -d 'Data=Привет') is UTF-8 too.
    return parse_qsl(encoded.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")


def members(body: bytes) -> Members:
    """Return the members of a JSON object, numbers as they are written; raises Refused for anything else."""
    if not body.strip():
        return Members()
    try:
        document = json.loads(
            body, object_pairs_hook=Members, parse_int=str, parse_float=str, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        raise Refused(2, NOT_JSON) from None
    if not isinstance(document, Members):
        raise Refused(2, NOT_JSON)
    return document


def boundary(content_type: bytes) -> bytes:
    """Return what stands between the parts of a multipart body; raises Refused where the type does not tell."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Refused(2, NOT_MULTIPART)
    return found[1] or found[2]


def parts(content_type: bytes, body: bytes) -> Pairs:
    """Return the fields of a multipart body, files left out; raises Refused where it is not one."""
    if not body:
        return []
    delimiter = b"\r\n--" + boundary(content_type)
    if body.count(delimiter) >= MAX_FIELDS:
        raise Refused(2, TOO_LARGE)
    _, *pieces = (b"\r\n" + body).split(delimiter)
    if not pieces or not pieces[-1].startswith(b"--"):
        raise Refused(2, NOT_MULTIPART)
    fields: Pairs = []
    for piece in pieces[:-1]:
        # The head's lines end in an empty one; the first break belongs to the delimiter's own line.
        head, end, value = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not end or name is None:
            raise Refused(2, NOT_MULTIPART)
        if not _FILE.search(head):
            given = (name[1] or name[2] or b"").replace(b"%22", b'"')
            fields.append((given.decode("utf-8", "replace"), value.decode("utf-8", "replace")))
    return fields


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _json(_: bytes, body: bytes) -> Pairs:
    pairs: Pairs = []
    for name, value in members(body):
        if value is not None:  # null is an absent value.
            given = value if type(value) is list else [value]
            pairs += [(_text(name), "" if one is None else _scalar(one)) for one in given]
    return pairs


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise Refused(2, NOT_JSON)
    return _text(value)


def _text(text: str) -> str:
    """Return a text of JSON with half surrogate pairs, which its escapes can make, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_READERS: Mapping[str, Callable[[bytes, bytes], Pairs]] = {
    FORM: lambda _, body: form(body),
    JSON: _json,
    MULTIPART: parts,
}
