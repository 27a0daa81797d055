"""Requests as they came in, with every secret masked before they are kept. Pure."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from devinotify.sandbox import bodies
from devinotify.sandbox.bodies import MAX_BYTES, TOO_LARGE
from devinotify.sandbox.operations import OPERATIONS, SECRETS
from devinotify.sandbox.params import element
from devinotify.sandbox.replies import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"
KEPT_BYTES = 8192
"""Bytes that are kept of a query and of a body each: any single message fits."""
KEPT_HEADERS = 40
KEPT_CHARACTERS = 500
"""Characters that are kept of a header's value and of a path."""

_ITEMS = 200
"""Elements that are kept of a list in JSON, and parts of a multipart body."""
_KNOWN = frozenset(parameter.name.lower() for op in OPERATIONS for parameter in op.parameters) - SECRETS
_WORD = re.compile(r"[A-Za-z_]{1,32}", re.ASCII)
_HARMLESS = frozenset(
    {
        *(b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"cache-control", b"connection"),
        *(b"content-encoding", b"content-length", b"content-type", b"expect", b"host", b"transfer-encoding"),
        *(b"user-agent", b"via", b"x-request-id", b"traceparent"),
    }
)
"""Headers whose values are shown; any other may hold a secret."""


@dataclass(slots=True)
class RequestRecord:
    """One request as it came in, without its secrets: login, password, session id, and whatever the API does not name.

    ``at`` is in seconds since the epoch; ``operation`` is ``None`` where the path is not one of the API's;
    ``query`` and ``body`` are still encoded; ``code`` is the error's Code or ``None``, ``status`` 0 where no
    answer was given; ``fault`` names what was made to go wrong; ``archived_as`` is its number in the archive,
    ``serial`` that of this run; ``took`` is in seconds, from the request's last byte to its answer.
    """

    at: float
    method: str
    path: str
    operation: str | None
    query: str = ""
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 0
    code: int | None = None
    fault: str = ""
    archived_as: int = 0
    serial: int = 0
    took: float = 0.0

    @property
    def parameters(self) -> dict[str, tuple[str, ...]]:
        """The parameters, decoded, by their names in lower case."""
        media = next((value for name, value in self.headers if name.lower() == "content-type"), "").encode()
        pairs = bodies.form(self.query.encode())
        with contextlib.suppress(Refused):  # A body that could not be read has none.
            pairs += bodies.read(media, self.body.encode())
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            values.setdefault(element(name)[0], []).append(value)
        return {name: tuple(given) for name, given in values.items()}

    @property
    def raw(self) -> str:
        """The request as it stood on the wire, but for its secrets and for what was cut."""
        target = f"{self.path}?{self.query}" if self.query else self.path
        head = "".join(f"{name}: {value}\n" for name, value in self.headers)
        return f"{self.method} {target} HTTP/1.1\n{head}\n{self.body}"


def masked_form(form: bytes, most: int = KEPT_BYTES) -> str:
    """Return a query or a form body, still encoded, cut, and with all masked that is not one of the API's parameters.

    A misspelt password is a password too, so only what the API names is kept.
    """
    shown = form[:most].decode("utf-8", "replace")
    pieces = [_masked_pair(piece) for piece in shown.split("&")] if shown else []
    if len(form) > most:
        pieces.append(f"… {len(form) - most} more bytes")
    return "&".join(pieces)


def masked_body(content_type: bytes, body: bytes, most: int = KEPT_BYTES) -> str:
    """Return a body of any type like that: JSON as JSON and multipart as multipart, of long lists the beginning."""
    media = bodies.media_type(content_type)
    if not body or media == bodies.FORM:
        return masked_form(body, most)
    try:
        if len(body) > MAX_BYTES:
            raise Refused(2, TOO_LARGE)
        shown = _masked_json(body) if media == bodies.JSON else _masked_parts(content_type, body)
    except Refused:
        return MASK  # Nobody knows what stands in it.
    return shown if len(shown) <= most else MASK


def _is_known(name: str) -> bool:
    return element(name)[0] in _KNOWN


def _shown_name(name: str) -> str:
    return name if _is_known(name) or _WORD.fullmatch(name) else MASK


def _masked_json(body: bytes) -> str:
    def kept(name: str, value: object) -> object:
        if not _is_known(name):
            return MASK
        if type(value) is list and len(value) > _ITEMS:
            return [*value[:_ITEMS], f"… {len(value) - _ITEMS} more"]
        return value

    shown = {_shown_name(name): kept(name, value) for name, value in bodies.members(body)[:_ITEMS]}
    return json.dumps(shown, ensure_ascii=False).encode("utf-8", "replace").decode()


def _masked_parts(content_type: bytes, body: bytes) -> str:
    boundary = bodies.boundary(content_type).decode("latin-1")
    fields = bodies.parts(content_type, body)
    lines = []
    for name, value in fields[:_ITEMS]:
        shown = value if _is_known(name) else MASK
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{_shown_name(name)}"\r\n\r\n{shown}\r\n')
    lines.append(f"--{boundary}--\r\n")
    if len(fields) > _ITEMS:
        lines.append(f"… {len(fields) - _ITEMS} more parts")
    return "".join(lines)


def _masked_pair(piece: str) -> str:
    name, equals, _ = piece.partition("=")
    if not equals:
        return MASK if piece else ""
    if _is_known(name) or _is_known(unquote_plus(name)):
        return piece
    return f"{name if _WORD.fullmatch(name) else MASK}={MASK}"


def masked_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Return the first headers of a request as text, with the values masked that may be secret."""
    shown = []
    for name, value in list(headers)[:KEPT_HEADERS]:
        text = value[:KEPT_CHARACTERS].decode("latin-1") if name.lower() in _HARMLESS else MASK
        shown.append((name[:KEPT_CHARACTERS].decode("latin-1"), text))
    return tuple(shown)
