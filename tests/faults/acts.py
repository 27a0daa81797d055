"""Ways to answer a request wrongly, or not at all, and doors that let nobody in: the words of the scenarios."""

from __future__ import annotations

import gzip
import select
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tests.faults.line import Line
from tests.faults.server import Act, Door, Exchange, FaultServer, answer, error_body, handshake, head

if TYPE_CHECKING:
    import socket

IDS = '["579700854169272358"]'
"""A well-formed reply to a send to one recipient."""
HTML = (
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Server Error in '/' Application.</h1>"
    "</body></html>"
)

End = Callable[[Line], None]


def close(line: Line) -> None:
    """End with FIN and without TLS's goodbye."""
    line.close()


def goodbye(line: Line) -> None:
    """End properly, with TLS's goodbye."""
    line.close(notify=True)


def reset(line: Line) -> None:
    """End with RST."""
    line.reset()


def hold(line: Line) -> None:
    """Leave the connection open and say no more."""
    line.hold()
    line.close()


def ignore(line: Line) -> None:
    """Leave the connection open, and neither read from it nor say more."""
    line.stopping.wait(60)
    line.close()


def stay(line: Line) -> None:
    """Leave the connection open and read the next request from it."""


def raw(data: bytes | str, end: End = close) -> Act:
    """Read the request, send these bytes, and end so."""

    def act(exchange: Exchange) -> None:
        exchange.receive()
        exchange.line.write(data.encode() if isinstance(data, str) else data)
        end(exchange.line)

    return act


def framed(body: bytes | str, end: End = close, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Act:
    """Read the request, send a reply with these headers and no others, and end so."""
    data = body.encode() if isinstance(body, str) else body
    return raw(head(status, headers or {}) + data, end)


def reply(
    body: bytes | str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    content_type: str = "application/json",
) -> Act:
    """Read the request and send a whole, well-formed reply on a connection that stays."""

    def act(exchange: Exchange) -> None:
        exchange.receive()
        exchange.reply(body, status, headers, content_type=content_type)

    return act


def html(status: int, headers: Mapping[str, str] | None = None) -> Act:
    """Answer with a page, as proxies and broken services do."""
    return reply(HTML, status, headers, content_type="text/html")


def code(number: int | str, status: int, description: str = "Some words") -> Act:
    """Answer with an error in the gateway's own format."""
    return reply(error_body(number, description), status)


def redirect(status: int, location: str = "") -> Act:
    """Send the client elsewhere: to another path of this server unless told."""

    def act(exchange: Exchange) -> None:
        exchange.receive()
        exchange.reply(HTML, status, {"Location": location or f"{exchange.server.base}/elsewhere"})

    return act


def unanswered(end: End) -> Act:
    """Read the request and answer nothing."""
    return raw(b"", end)


def partly_read(count: int, end: End) -> Act:
    """Read the headers and ``count`` bytes of the body, and end so."""

    def act(exchange: Exchange) -> None:
        exchange.receive_part(count)
        end(exchange.line)

    return act


def drip(data: bytes, at_once: bytes = b"", every: float = 0.1) -> Act:
    """Read the request and send ``data`` one byte at a time, ``every`` seconds, after some bytes at once."""

    def act(exchange: Exchange) -> None:
        exchange.receive()
        exchange.line.write(at_once)
        exchange.line.drip(data, every)
        exchange.line.close()

    return act


def endless(data: bytes, every: float = 0.05) -> Act:
    """Read the request and send ``data`` again and again, every so many seconds, until the client has enough."""

    def act(exchange: Exchange) -> None:
        exchange.receive()
        exchange.line.write(b"HTTP/1.1 200 OK\r\n" if data.startswith(b"X-") else b"")
        while not exchange.line.stopping.wait(every) and not exchange.line.abandoned():
            exchange.line.write(data)
        exchange.line.close()

    return act


def chunked(*pieces: str, last: str = "0\r\n\r\n", end: End = stay) -> Act:
    """Answer in chunks, each sent on its own."""

    def act(exchange: Exchange) -> None:
        exchange.receive()
        exchange.line.write(head(200, {"Transfer-Encoding": "chunked"}))
        for piece in pieces:
            exchange.line.write(f"{len(piece.encode()):x};note=1\r\n{piece}\r\n".encode())
        exchange.line.write(last.encode())
        end(exchange.line)

    return act


def after_interim(*interim: bytes) -> Act:
    """Send interim replies before the real one."""

    def act(exchange: Exchange) -> None:
        exchange.line.write(b"".join(interim))
        answer(exchange)

    return act


def beneath_tls(data: bytes) -> Act:
    """Read the request and send bytes past the encryption."""

    def act(exchange: Exchange) -> None:
        exchange.receive()
        exchange.line.write_beneath_tls(data)
        exchange.line.hold()
        exchange.line.close()

    return act


def closing(exchange: Exchange) -> None:
    """Answer well, say that the connection stays, and close it all the same."""
    answer(exchange)
    exchange.line.close(notify=True)


def coded(body: str, coding: str) -> Act:
    """Answer with a compressed body."""
    data = gzip.compress(body.encode()) if coding == "gzip" else zlib.compress(body.encode())
    return reply(data, headers={"Content-Encoding": coding})


# Doors


def door_closed(sock: socket.socket, server: FaultServer) -> None:
    """End the connection with FIN before anything is said on it."""
    sock.close()


def door_left(sock: socket.socket, server: FaultServer) -> None:
    """Let the connection in, and end it before anything is asked on it."""
    through = handshake(sock, server)
    if through is not None:
        Line(through, 0, server.stopping).close()


def door_reset(sock: socket.socket, server: FaultServer) -> None:
    """End the connection with RST when the client has said something, on TLS its hello."""
    sock.recv(1)
    Line(sock, 0, server.stopping).reset()


def door_silent(sock: socket.socket, server: FaultServer) -> None:
    """Say nothing: on TLS the handshake never ends."""
    sock.recv(4096)
    hold(Line(sock, 0, server.stopping))


def door_dripping(sock: socket.socket, server: FaultServer) -> None:
    """Send a TLS handshake record one byte at a time."""
    sock.recv(4096)
    line = Line(sock, 0, server.stopping)
    line.drip(b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" + bytes(1000))
    line.close()


def door_plaintext(sock: socket.socket, server: FaultServer) -> None:
    """Answer a TLS hello in plain HTTP, as a server on the wrong port does."""
    sock.recv(4096)
    line = Line(sock, 0, server.stopping)
    line.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    line.close()


def inside(count: int, end: End) -> Door:
    """Return a door that lets the connection in, reads ``count`` bytes of the request, and ends so."""

    def door(sock: socket.socket, server: FaultServer) -> socket.socket | None:
        through = handshake(sock, server)
        if through is not None:
            line = Line(through, 0, server.stopping)
            # Not before the client has begun to send: earlier, connecting itself may fail, which is another fault.
            select.select([through], [], [], 5)
            if count:
                line.take(count)
                server.record_part()
            end(line)
        return None

    return door
