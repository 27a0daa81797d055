"""Who may use the sandbox: this machine, by a loopback name, and where it listens elsewhere whoever has the token.

A web site that a developer visits could otherwise read the inbox or log in as demo (by a name that it makes
resolve to loopback), press buttons or send (by a form posted here). So the Host of every request is looked at
where the sandbox listens on loopback, and its Origin in any case. The gateway's own API asks for no token, and
takes requests from pages that this machine serves; the page and the control API from their own page alone.

With a token set, programs show it as ``Authorization: Bearer …``; people give it once to the page's own form
and get a cookie, which holds an id of its own and not the token. Neither is kept in clear.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from devinotify.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import HTTPConnection

COOKIE = "devinotify_sandbox"
WRONG = "wrong"
"""The query of the page for who gave another token."""
MIN_TOKEN = 16
"""Characters that a token has at least."""
MAX_TOKEN = 256
VISIT = 12 * 3600
"""Seconds that a browser stays signed in."""

FOREIGN = "only this machine, by a loopback name, may use the control API"
FOREIGN_CALL = "only this machine, by a loopback name and from no other site's page, may call this sandbox"
NO_TOKEN = "the token is missing or wrong: send it as Authorization: Bearer …"  # noqa: S105 - what is said of it


def check_token(token: str) -> None:
    """Pass a token that is long enough; raises ValueError otherwise."""
    if not (MIN_TOKEN <= len(token) <= MAX_TOKEN and token.isascii() and token.isprintable() and " " not in token):
        raise ValueError(f"the token must have {MIN_TOKEN} to {MAX_TOKEN} printable ASCII characters without spaces")


class Access:
    """The rule, the token's digest, and the browsers that are signed in, ``most_visitors`` at a time.

    ``remote``: it listens on another address than loopback, where a request may name any host.
    """

    def __init__(self, token: str | None = None, *, remote: bool = False, most_visitors: int = 1000) -> None:
        self._key = secrets.token_bytes(32)
        self._token = None if token is None else self._digest(token)
        self._remote = remote
        self._most_visitors = most_visitors
        self._visitors: OrderedDict[bytes, float] = OrderedDict()

    def _digest(self, secret: str) -> bytes:
        return hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), key=self._key, digest_size=24).digest()

    @property
    def needs_token(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    def is_token(self, given: str) -> bool:
        """Return whether this is the token."""
        return self._token is not None and hmac.compare_digest(self._digest(given), self._token)

    def sign_in(self, now: float) -> str:
        """Return the cookie of a browser that has shown the token; ``now`` is any clock's seconds."""
        visitor = secrets.token_urlsafe(32)
        self._visitors[self._digest(visitor)] = now + VISIT
        if len(self._visitors) > self._most_visitors:
            self._visitors.popitem(last=False)
        return visitor

    def _is_ours(self, host: str) -> bool:
        """Return whether a request may name this host: where the sandbox listens on loopback, a loopback name."""
        try:
            parts = urlsplit(f"//{host}")
            named = bool(parts.hostname) and (parts.port or 80) > 0
        except ValueError:
            return False
        return named and (self._remote or is_loopback(parts.hostname or ""))

    def own_origin(self, request: HTTPConnection) -> bool:
        """Return whether a request comes from the sandbox's own page or from no page at all."""
        host = request.headers.get("host", "")
        origin = request.headers.get("origin")
        return self._is_ours(host) and (origin is None or origin == f"{request.url.scheme}://{host}")

    def may_call(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Return whether a request to the gateway's API names this machine and comes from no other site's page."""
        host, origin = "", None
        for name, value in headers:
            if name == b"host":
                host = value.decode("latin-1")
            elif name == b"origin":
                origin = value.decode("latin-1")
        return self._is_ours(host) and (origin is None or _is_local(origin, host))

    def admits(self, request: HTTPConnection, now: float) -> bool:
        """Return whether a request shows the token or a signed-in browser's cookie, where one is needed."""
        if self._token is None:
            return True
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(token.strip()):
            return True
        cookies = SimpleCookie()
        try:
            cookies.load(request.headers.get("cookie", ""))
        except CookieError:
            return False
        return COOKIE in cookies and now < self._visitors.get(self._digest(cookies[COOKIE].value), 0.0)


def _is_local(origin: str, host: str) -> bool:
    """Return whether a page's origin is the host that the request names, or on this machine."""
    try:
        parts = urlsplit(origin)
        return parts.netloc == host or is_loopback(parts.hostname or "")
    except ValueError:
        return False
