"""Below HTTP: the open connections, what one may hold and for how long, and how a fault ends it as networks do."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import MutableMapping

_LINGER_OFF = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER with a time of 0: closing the socket sends RST in place of FIN."""

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Connections:
    """The transports of a server's connections, by the client's address and port, which name a connection.

    A request's head, and then its body, each have ``request_timeout`` seconds to arrive. One that was answered
    before its body had ended is read on for ``linger`` seconds and ``most_drained`` bytes, so that its sender
    gets to read the answer. All unfinished requests together hold ``most_held`` bytes; the one that would be
    past them is cut off.
    """

    def __init__(
        self,
        *,
        request_timeout: float = 30.0,
        linger: float = 2.0,
        most_drained: int = 8 * 1024 * 1024,
        most_held: int = 64 * 1024 * 1024,
    ) -> None:
        self.request_timeout = request_timeout
        self.linger = linger
        self.most_drained = most_drained
        self.most_held = most_held
        self.held = 0
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """Return the protocol class with which a server keeps this register."""
        register = self

        class RegisteredProtocol(_BoundedProtocol):
            """The bounded protocol with this register."""

            connections_register = register

        return RegisteredProtocol

    def add(self, client: tuple[str, int], transport: asyncio.Transport) -> None:
        """Note an open connection."""
        self._transports[client] = transport

    def discard(self, client: tuple[str, int]) -> None:
        """Forget a closed one."""
        self._transports.pop(client, None)

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


class _BoundedProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which bounds what has begun and not ended: uvicorn waits for that, and reads it on."""

    connections_register: Connections

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **options)
        self._held = 0
        self._drained = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timed: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base does
        super().connection_made(transport)
        if self.client:
            self.connections_register.add(self.client, transport)
        self._watch(0)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client:
            self.connections_register.discard(self.client)
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch(len(data))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch(0)

    def _watch(self, size: int) -> None:
        """Start, go on with, or end the watch over a request, after ``size`` more bytes."""
        register = self.connections_register
        state = self.conn.their_state
        in_body = state is h11.SEND_BODY
        # Between two requests uvicorn's own time limit of idle connections holds.
        in_head = state is h11.IDLE and (self.cycle is None or bool(self.conn.trailing_data[0]))
        if self.transport.is_closing() or not (in_body or in_head):
            self._stop_watching()
            return
        answered = in_body and self.cycle.response_complete
        stage = (self.cycle, in_body, answered)
        if stage != self._timed:
            self._stop_watching()
            self._timed = stage
            seconds = register.linger if answered else register.request_timeout
            self._timer = self.loop.call_later(seconds, self._over)
        if answered:
            self._drained += size
            if self._drained > register.most_drained:
                self.transport.close()
            return
        self._held += size
        register.held += size
        if register.held > register.most_held:
            self.transport.abort()

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timed = None
        self.connections_register.held -= self._held
        self._held = self._drained = 0

    def _over(self) -> None:
        """End a connection whose request has taken too long."""
        if self.conn.their_state is h11.IDLE or not self.cycle.response_started:
            self.transport.write(_TOO_SLOW)
        self.transport.close()
