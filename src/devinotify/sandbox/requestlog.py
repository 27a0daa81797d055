"""Requests as they came in, with every secret masked before they are kept. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

from devinotify.sandbox.operations import OPERATIONS, SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"
KEPT_BYTES = 8192
"""Bytes that are kept of a query and of a body each: any single message fits."""
KEPT_HEADERS = 40
KEPT_CHARACTERS = 500
"""Characters that are kept of a header's value and of a path."""

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

    ``at`` is in seconds since the epoch; ``operation`` is ``None`` where the path is none of the API's;
    ``query`` and ``body`` are still encoded; ``code`` is the error's Code or ``None``, ``status`` 0 where no
    answer was given; ``fault`` names what was made to go wrong; ``archived_as`` is its number in the archive.
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

    @property
    def parameters(self) -> dict[str, tuple[str, ...]]:
        """The parameters, decoded, by their names in lower case."""
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(f"{self.query}&{self.body}", keep_blank_values=True, errors="replace"):
            values.setdefault(name.lower(), []).append(value)
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


def _masked_pair(piece: str) -> str:
    name, equals, _ = piece.partition("=")
    if not equals:
        return MASK if piece else ""
    if name.lower() in _KNOWN or unquote_plus(name).lower() in _KNOWN:
        return piece
    return f"{name if _WORD.fullmatch(name) else MASK}={MASK}"


def masked_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Return the first headers of a request as text, with the values masked that may be secret."""
    shown = []
    for name, value in list(headers)[:KEPT_HEADERS]:
        text = value[:KEPT_CHARACTERS].decode("latin-1") if name.lower() in _HARMLESS else MASK
        shown.append((name[:KEPT_CHARACTERS].decode("latin-1"), text))
    return tuple(shown)
