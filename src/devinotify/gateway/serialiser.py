"""Requests as the bytes that go over the wire: one head for a gateway, and what each request adds to it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from devinotify.redact import SecretBytes

if TYPE_CHECKING:
    from devinotify.gateway.wire import Request

_USER_AGENT = "devinotify"
_FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "


class Serialiser:
    """Returns the bytes of a request to one gateway, whose base URL it is made with."""

    def __init__(self, gateway: str) -> None:
        parts = urlsplit(gateway)
        self._path = parts.path.encode("ascii")
        self._head = (
            f" HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: {_USER_AGENT}\r\n"
            "Accept: application/json\r\nAccept-Encoding: identity\r\nConnection: keep-alive\r\n"
        ).encode("ascii")

    def __call__(self, request: Request) -> SecretBytes:
        """Return the request whole, with the length of its form where it has one."""
        # Put together at once, so that the target of a read, which holds its session, is in no variable.
        if request.body is None:
            rest = b"\r\n"
        else:
            rest = SecretBytes(b"".join((_FORM, str(len(request.body)).encode(), b"\r\n\r\n", request.body)))
        return SecretBytes(
            b"".join((request.method.encode(), b" ", self._path, request.target.encode("ascii"), self._head, rest))
        )
