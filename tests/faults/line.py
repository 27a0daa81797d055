"""One connection as a server sees it: reading, writing, and every way to break it off."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

CHUNK = 128
"""Bytes read at a time, so few that a large body is not read along with the headers."""


class Closed(Exception):
    """The connection has ended, by one side or the other."""


class Line:
    """One connection as the server sees it: reading, writing, and every way to break it off."""

    def __init__(self, sock: socket.socket, number: int, stopping: threading.Event) -> None:
        self.sock = sock
        self.number = number
        self.stopping = stopping
        self.buffer = b""

    def fill(self, size: int = CHUNK) -> None:
        """Read a little more; raise Closed at the end."""
        try:
            data = self.sock.recv(size)
        except OSError:
            data = b""
        if not data:
            raise Closed
        self.buffer += data

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        while len(self.buffer) < count:
            self.fill(min(CHUNK, count - len(self.buffer)))
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def take_head(self) -> bytes:
        """Return the request line and headers, without the empty line."""
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head

    def write(self, data: bytes) -> None:
        """Send bytes; raise Closed where the other side has gone."""
        try:
            self.sock.sendall(data)
        except OSError:
            raise Closed from None

    def drip(self, data: bytes, every: float = 0.1) -> None:
        """Send one byte each ``every`` seconds."""
        for byte in data:
            if self.stopping.wait(every) or self.abandoned():
                raise Closed
            self.write(bytes([byte]))

    def abandoned(self) -> bool:
        """Whether the other side has closed, or sent something that nobody asked for."""
        return bool(select.select([self.sock], [], [], 0)[0])

    def hold(self, limit: float = 10) -> None:
        """Say nothing until the other side gives up, ``limit`` seconds at most."""
        until = time.monotonic() + limit
        while not self.stopping.is_set() and not self.abandoned() and time.monotonic() < until:
            select.select([self.sock], [], [], 0.05)

    def close(self, *, notify: bool = False) -> None:
        """Close; ``notify`` says goodbye in TLS first, which a truncated stream lacks."""
        if notify and isinstance(self.sock, ssl.SSLSocket):
            self.sock.settimeout(0)
            with contextlib.suppress(OSError, ValueError):
                self.sock.unwrap()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.sock.close()

    def reset(self) -> None:
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def write_beneath_tls(self, data: bytes) -> None:
        """Send bytes past the encryption, straight into the TCP stream."""
        with socket.socket(fileno=os.dup(self.sock.fileno())) as beneath:
            beneath.sendall(data)
