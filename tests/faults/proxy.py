"""A small CONNECT proxy on a loopback port that leads every name to one server, or fails on the way."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from tests.faults.line import Closed, Line
from tests.waiting import ended

if TYPE_CHECKING:
    import ssl

    from tests.faults.server import FaultServer

Manner = Callable[["Proxy", Line], None]


class Proxy:
    """A proxy before ``server``; a context manager. ``manner`` is what it does with a CONNECT once it has read it.

    ``asked`` holds the heads of the CONNECT requests; ``overheard`` everything that passed through the
    tunnels to the server, as the proxy sees it.
    """

    def __init__(
        self, server: FaultServer, manner: Manner, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.server = server
        self.manner = manner
        self.tls = tls
        self.asked: list[str] = []
        self.overheard = b""
        self.stopping = threading.Event()
        self.host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._acceptor = threading.Thread(target=self._accept, name="proxy-acceptor", daemon=True)

    @property
    def url(self) -> str:
        """The proxy's URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=60):
            ended(self._acceptor)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        ended(*self._threads)

    def start(self, work: Callable[[], None]) -> threading.Thread:
        """Run ``work`` in a thread that the end of the proxy waits for."""
        thread = threading.Thread(target=work, name="proxy", daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def keep(self, sock: socket.socket) -> None:
        """Break this socket off at the end, so that no thread waits on it for ever."""
        self._sockets.append(sock)

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self.stopping.is_set():
                sock.close()
                return
            self.start(lambda sock=sock: self._serve(sock))  # type: ignore[misc]  # the default binds this socket

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.closing(Line(sock, 0, self.stopping)) as line:
            self.keep(sock)
            try:
                if self.tls is not None:
                    line.sock = self.tls.wrap_socket(sock, server_side=True)
                    self.keep(line.sock)
                self.asked.append(line.take_head().decode("latin-1"))
                self.manner(self, line)
            except (Closed, OSError):
                # Whoever goes first, the other end hears it below.
                pass


def tunnel(proxy: Proxy, line: Line) -> None:
    """Lead the connection to the server, whatever name was asked for."""
    tunnel_after(0)(proxy, line)


def tunnel_after(seconds: float) -> Manner:
    """Return a manner that tunnels after a pause."""
    return _tunnel(seconds)


def tunnel_until(count: int) -> Manner:
    """Return a manner that tunnels, and breaks off when the client has sent so many bytes."""
    return _tunnel(0, count)


def _tunnel(seconds: float, most: float = float("inf")) -> Manner:
    def manner(proxy: Proxy, line: Line) -> None:
        proxy.stopping.wait(seconds)
        with socket.create_connection(("127.0.0.1", proxy.server.port), timeout=60) as onward:
            onward.settimeout(None)
            proxy.keep(onward)
            line.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

            def back() -> None:
                with contextlib.suppress(OSError):
                    while data := onward.recv(4096):
                        line.sock.sendall(data)
                with contextlib.suppress(OSError):
                    line.sock.shutdown(socket.SHUT_WR)

            returning = proxy.start(back)
            with contextlib.suppress(OSError):
                while data := line.sock.recv(4096):
                    proxy.overheard += data
                    if len(proxy.overheard) > most:
                        break
                    onward.sendall(data)
            with contextlib.suppress(OSError):
                onward.shutdown(socket.SHUT_WR)
            ended(returning)

    return manner


def say(data: bytes) -> Manner:
    """Return a manner that answers the CONNECT with these bytes and closes."""

    def manner(proxy: Proxy, line: Line) -> None:
        if data:
            line.write(data)

    return manner


def refuse(status: int, headers: str = "") -> Manner:
    """Return a manner that refuses the CONNECT with a status."""
    return say(f"HTTP/1.1 {status} No\r\n{headers}Content-Length: 2\r\n\r\nNo".encode())


def silent(proxy: Proxy, line: Line) -> None:
    """Never answer the CONNECT."""
    line.hold()


def dripping(proxy: Proxy, line: Line) -> None:
    """Answer the CONNECT one byte at a time: it takes 1.7 seconds."""
    line.drip(b"HTTP/1.1 200 OK\r\n")
