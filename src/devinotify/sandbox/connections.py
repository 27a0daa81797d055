"""Below HTTP: the open connections, so that a fault can end one as networks do."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import MutableMapping

_LINGER_OFF = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER with a time of 0: closing the socket sends RST in place of FIN."""


class Connections:
    """The transports of a server's connections, by the client's address and port, which name a connection."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """Return the protocol class with which a server keeps this register."""
        transports = self._transports

        class RegisteredProtocol(H11Protocol):
            """uvicorn's HTTP protocol, which notes its transport while it is open."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base does
                super().connection_made(transport)
                if self.client:
                    transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return RegisteredProtocol

    def _of(self, scope: MutableMapping[str, Any]) -> asyncio.Transport | None:
        """Return the transport of a request, or ``None`` where its client has ended the connection itself."""
        client = scope["client"]
        return None if client is None else self._transports.get(tuple(client))  # none: it left before it was seen

    def close(self, scope: MutableMapping[str, Any]) -> None:
        """Close a request's connection, once all that was written has gone out."""
        transport = self._of(scope)
        if transport is not None:
            transport.close()

    def reset(self, scope: MutableMapping[str, Any]) -> None:
        """Reset a request's connection: its client sees ECONNRESET."""
        transport = self._of(scope)
        if transport is None:
            return
        # A connection that its client has closed already has no socket left to set.
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        transport.abort()
