"""A proxy before the server that loses a COMMIT on its way, or its answer, and can fall silent."""

from __future__ import annotations

import contextlib
import socket
import threading
from enum import Enum, auto
from typing import Self


class Cut(Enum):
    """What is lost, and the connection with it."""

    COMMIT = auto()
    """The COMMIT itself: nothing is changed."""
    ANSWER = auto()
    """The answer to it: all is changed."""
    STATEMENT = auto()
    """The answer to a statement that is a transaction of its own."""
    REQUEST = auto()
    """Such a statement itself: nothing is changed."""


_ALONE = (b".add_one(", b".take(", b".settle(")
"""What is called by statements that may be transactions of their own."""


class Proxy:
    """Listens on ``port`` for the server on another; ``cut`` is done once, and None again then.

    While it is ``away`` a new connection ends at once; those that are open go on."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.cut: Cut | None = None
        self.away: bool = False
        self._speaks = threading.Event()
        self._speaks.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = [self._listening]
        threading.Thread(target=self._accept, daemon=True).start()

    def is_done(self) -> bool:
        """Whether what was to be cut has been."""
        return self.cut is None

    def drop(self) -> None:
        """End all connections, and let no new one through while it is ``away``, which it is from now on."""
        self.away = True
        for each in self._open[1:]:
            _end(each)

    def silence(self) -> None:
        """Let nothing through, in neither direction, and end no connection: a link that is half open."""
        self._speaks.clear()

    def speak(self) -> None:
        """Let through what was held back, and all else."""
        self._speaks.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.speak()
        for each in self._open:
            _end(each)

    @staticmethod
    def relay(one: socket.socket, other: socket.socket) -> None:
        """Let all through from one to the other, until either ends."""
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        _end(one)
        _end(other)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self.away:
                    _end(client)
                    continue
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                lost = threading.Event()
                threading.Thread(target=self._up, args=(client, server, lost), daemon=True).start()
                threading.Thread(target=self._down, args=(server, client, lost), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                commits = b"COMMIT\0" in data  # and not READ COMMITTED
                alone = any(each in data for each in _ALONE)
                if (commits and self.cut is Cut.COMMIT) or (alone and self.cut is Cut.REQUEST):
                    self.cut = None
                    break
                if (commits and self.cut is Cut.ANSWER) or (alone and self.cut is Cut.STATEMENT):
                    self.cut = None
                    lost.set()
                self._speaks.wait(60)
                server.sendall(data)
        _end(client)
        _end(server)

    def _down(self, server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if lost.is_set():
                    break
                self._speaks.wait(60)
                client.sendall(data)
        _end(client)
        _end(server)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
