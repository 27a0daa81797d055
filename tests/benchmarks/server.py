"""A gateway that costs next to nothing: a process of its own that answers every request at once.

What is measured beside it is the client. Plain sockets and one thread per connection; TLS by trustme.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import ssl
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import certifi
import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

SESSION_ID = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _reply(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nCache-Control: private\r\nConnection: Keep-Alive\r\n"
        b"Content-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )


_LOGIN = _reply(b'"%b"' % SESSION_ID)


def _answer(head: bytes, body: bytes) -> bytes:
    if head.startswith(b"GET"):
        return _LOGIN
    count = body.count(b"DestinationAddress")
    return _reply(b"[%b]" % b",".join(b'"579700854169272%03d"' % (number % 1000) for number in range(count)))


def _serve_connection(sock: socket.socket, delay: float) -> None:
    buffer = b""
    with contextlib.suppress(OSError), sock:
        while True:
            end = buffer.find(b"\r\n\r\n")
            length = 0
            if end >= 0:
                lowered = buffer[:end].lower()
                at = lowered.find(b"content-length:")
                if at >= 0:
                    length = int(lowered[at + 15 :].split(b"\r\n", 1)[0])
            if end < 0 or len(buffer) < end + 4 + length:
                data = sock.recv(65536)
                if not data:
                    return
                buffer += data
                continue
            head, body = buffer[:end], buffer[end + 4 : end + 4 + length]
            buffer = buffer[end + 4 + length :]
            if delay:
                time.sleep(delay)
            sock.sendall(_answer(head, body))


def _serve(pipe: Connection, certificate: str | None, delay: float) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    pipe.send(listener.getsockname()[1])

    def handle(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            _serve_connection(context.wrap_socket(sock, server_side=True) if context else sock, delay)

    while True:
        sock, _ = listener.accept()
        threading.Thread(target=handle, args=(sock,), daemon=True).start()


@contextlib.contextmanager
def fast_gateway(*, tls: bool = True, delay: float = 0.0) -> Iterator[tuple[str, str | None]]:
    """Run the server; yield its base URL and the path of its CA; ``delay`` is in seconds per request."""
    with TemporaryDirectory() as folder:
        certificate = ca = None
        if tls:
            authority = trustme.CA()
            certificate, ca = str(Path(folder, "server.pem")), str(Path(folder, "ca.pem"))
            authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
            # A bundle as large as those that people have: its parsing is part of a new connection's price.
            Path(ca).write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, certificate, delay), daemon=True)
        process.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{ours.recv()}/rest", ca
        finally:
            process.kill()
            process.join()
