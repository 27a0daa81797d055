"""Requests as the bytes that go over the wire: one head for a gateway, and what each request adds to it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from devinotify.redact import SecretBytes

if TYPE_CHECKING:
    from devinotify.gateway.wire import Request

_USER_AGENT = "devinotify"


class Serialiser:
    """Returns the bytes of a request to one gateway, whose base URL it is made with."""

    def __init__(self, gateway: str) -> None:
        parts = urlsplit(gateway)
        self._path = parts.path.encode("ascii")
        self._head = (
            f"Host: {parts.netloc}\r\nUser-Agent: {_USER_AGENT}\r\n"
            "Accept: application/json\r\nAccept-Encoding: identity\r\nConnection: keep-alive\r\n"
        ).encode("ascii")

    def __call__(self, request: Request) -> SecretBytes:
        """Return the request whole, with the length of its form where it has one."""
        head = b"%b %b%b HTTP/1.1\r\n%b"
        parts = (request.method.encode("ascii"), self._path, SecretBytes(request.target, "ascii"), self._head)
        if request.body is None:
            return SecretBytes(head % parts + b"\r\n")
        kind = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
        return SecretBytes(head % parts + kind % len(request.body) + request.body)
