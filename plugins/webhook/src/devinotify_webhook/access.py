"""Who may post to a receiver: whoever shows its token or its password; where it has neither, programs of this machine.

A web page that somebody on this machine has open can post here as well, so a receiver without a token refuses what a
browser sends. Secrets are compared in constant time, by digests under a key of this process.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from devinotify import is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request

    from devinotify_webhook.config import Receiver

_KEY = secrets.token_bytes(32)
_OF_BROWSERS = ("origin", "sec-fetch-site")
"""Headers that browsers set and pages cannot take away."""


def admits(receiver: Receiver, request: Request, *, local: bool) -> bool:
    """Return whether a request may post to a receiver; ``local``: the server listens on this machine alone.

    A token may come as ``Authorization: Bearer``, or as the password of Basic with any user.
    """
    if receiver.is_guarded:
        return _shows_secret(receiver, request.headers.get("authorization", ""))
    if any(name in request.headers for name in _OF_BROWSERS):
        return False
    if local and not is_loopback(_host(request.headers.get("host", ""))):
        return False  # a page whose name was made to mean this machine
    client = request.client
    # A name in place of an address is that of a test's own client, or of no network at all.
    return client is None or not _is_address(client.host) or is_loopback(client.host)


def _shows_secret(receiver: Receiver, header: str) -> bool:
    scheme, _, shown = header.partition(" ")
    shown = shown.strip()
    if scheme.lower() == "bearer":
        return _same(shown, receiver.token)
    if scheme.lower() != "basic":
        return False
    try:
        user, _, password = b64decode(shown, validate=True).decode("utf-8").partition(":")
    except ValueError:
        return False
    own = _same(user, receiver.user) & _same(password, receiver.password)
    return own or _same(password, receiver.token)


def _same(shown: str, secret: str | None) -> bool:
    if secret is None:
        return False
    return hmac.compare_digest(_digest(shown), _digest(secret))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=_KEY).digest()


def _host(named: str) -> str:
    try:
        return urlsplit(f"//{named}").hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdecimal()
