"""The page's files and the lines that send a first message. The page asks no other host for anything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files as resources
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from devinotify.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACEHOLDER = "PASSWORD"
"""What the examples show in place of a password that is not the published default."""

INDEX = "index.html"
LOGIN = "login.html"
LOGIN_AGAIN = "login-again.html"
"""The same, which says that the token was wrong."""
STATIC = "/static/"
PATHS = frozenset({"/", "/login", "/openapi.json"})
"""Paths outside ``/static/`` and ``/sandbox`` that are the page's."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
            " base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        # Not no-referrer: with it, browsers send the form for the token with the origin "null".
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cache-control": "no-cache",
    }
)
"""Nothing but the sandbox's own files may load or run, no text may become markup, and no other page may frame it."""

_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is served."""

    content: bytes
    media: str
    etag: str


def files() -> dict[str, File]:
    """Return the page's files by their names, those that it shares with the report among them; there are no others."""
    found = {}
    folders = (resources(package).joinpath("static") for package in ("devinotify", "devinotify.sandbox"))
    for entry in chain.from_iterable(folder.iterdir() for folder in folders):
        media = next((media for ending, media in _MEDIA.items() if entry.name.endswith(ending)), None)
        if media:
            found[entry.name] = _file(entry.read_bytes(), media)
    login = found[LOGIN]
    return {**found, LOGIN_AGAIN: _file(login.content.replace(b" hidden>", b">"), login.media)}


def _file(content: bytes, media: str) -> File:
    return File(content, media, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


_CURL = """SESSION=$(curl -s '{base}/user/sessionid?login={login}&password={password}' | tr -d '"')
curl '{base}/Sms/Send' -d "SessionID=$SESSION" -d SourceAddress=DEVINO \\
  -d DestinationAddress=79161234567 --data-urlencode 'Data=Hello'"""

_V2 = """curl '{base}/v2/Sms/Send' -d Login={login} -d Password={password} -d SourceAddress=DEVINO \\
  -d DestinationAddress=79161234567 --data-urlencode 'Data=Hello'"""

_PYTHON = """from devinotify import Client

with Client("{url}") as client:
    print(client.sms.send("+79161234567", "Hello"))"""


def client_url(base: str, login: str, password: str, sender: str = "DEVINO", *, ca: str | None = None) -> str:
    """Return the ``devino://`` URL with which a client talks to the gateway at a base URL."""
    parts = urlsplit(base)
    named, secret, by = (quote(part, safe="") for part in (login, password, sender))
    trusted = f"&ca={quote(ca)}" if ca else ""
    # Without it a client refuses to speak in the clear to another host.
    plain = "" if parts.scheme == "https" or is_loopback(parts.hostname or "") else "&insecure=yes"
    return f"devino://{named}:{secret}@{by}?gateway={quote(base, safe=':/[]')}{trusted}{plain}"


def examples(base: str, login: str, password: str) -> dict[str, str]:
    """Return the lines that send a first message, for a shell and in Python; ``base`` is the gateway's base URL."""
    url = client_url(base, login, password)
    names = {"base": base, "url": url, "login": quote(login, safe=""), "password": quote(password, safe="")}
    return {
        "base": base,
        "url": url,
        "curl": _CURL.format(**names),
        "v2": _V2.format(**names),
        "python": _PYTHON.format(**names),
    }
