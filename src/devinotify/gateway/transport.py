"""One request to the gateway and its reply, over pooled connections, with an honest account of failures.

Connections are those of ``connection``; the exchange on them is ours, because the one question that matters to a
send, whether its first byte had left when things broke, cannot be answered from the exceptions of a general HTTP
client. Nothing is retried here, no redirect is followed, and no URL is logged.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from dataclasses import replace
from functools import partial
from ssl import SSLEOFError, SSLWantReadError, SSLWantWriteError
from typing import TYPE_CHECKING, cast

from urllib3.exceptions import HTTPError
from urllib3.util.wait import wait_for_socket

from devinotify.exceptions import DevinotifyError, NotSent
from devinotify.gateway.connection import RECEIVE, connection_factory
from devinotify.gateway.failures import bare, broken, unconnected, unmade
from devinotify.gateway.http1 import BadReply, Reply, ReplyParser, may_go_on
from devinotify.gateway.route import CONNECT_TIMEOUT, IDLE_LIMIT, find_route
from devinotify.gateway.serialiser import Serialiser
from devinotify.redact import SecretBytes

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from urllib3.connection import HTTPConnection

    from devinotify.gateway.wire import Request

_CLOSED_EARLY = (BrokenPipeError, ConnectionResetError, SSLEOFError)
"""How it shows on a write that the other side has closed, without TLS and with it."""
_NOT_NOW = (BlockingIOError, SSLWantReadError, SSLWantWriteError)
"""How it shows that nothing can be read or written without waiting, without TLS and with it."""


class Transport:
    """Exchanges requests with one gateway; safe to share between threads, and after a fork.

    ``timeout`` is in seconds and bounds one exchange from start to end. ``ca`` is a file or folder of CA
    certificates, and ``route`` says what is looked at without it, and where proxies come from; all that is read
    once, here. Raises InvalidURL where the CA or the proxy cannot be used.
    """

    def __init__(
        self,
        gateway: str,
        *,
        timeout: float,
        ca: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = partial(find_route, gateway, ca)
        self._route = self._find()
        self._clock = clock
        self._timeout = timeout
        self._name = self._route.name
        self._pool = connection_factory(self._route)
        self._serialise = Serialiser(gateway)
        self._idle: deque[tuple[HTTPConnection, float]] = deque()
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"<Transport to {getattr(self, '_name', 'nowhere')}>"  # printers ask while it is being made, too

    def exchange(self, request: Request) -> Reply:
        """Return the whole reply to ``request``.

        Raises NotSent where the request provably did not begin to leave, and OutcomeUnknown where it did
        and no whole reply came within the deadline.
        """
        deadline = self._clock() + self._timeout
        try:
            data = self._serialise(request)
            connection = self._checkout(deadline)
        except DevinotifyError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is and whose fault: nothing has left
            raise unmade(self._name, error) from bare(error)
        reusable = False
        try:
            reply = self._converse(connection.sock, data, deadline)
            reusable = reply.keep_alive
        except (OSError, BadReply) as error:
            raise broken(self._name, error) from bare(error)
        finally:
            if reusable:
                self._idle.append((connection, self._clock()))
            else:
                _end(connection)
        return reply

    def close(self) -> None:
        """Close the idle connections; a later exchange opens new ones."""
        with contextlib.suppress(IndexError):
            while True:
                _end(self._idle.pop()[0])

    def _checkout(self, deadline: float) -> HTTPConnection:
        if self._pid != os.getpid():
            # The connections are the parent's, which goes on using them: here they are closed without a word on them.
            inherited, self._idle, self._pid = self._idle, deque(), os.getpid()
            for connection, _ in inherited:
                _end(connection)
        oldest = self._clock() - IDLE_LIMIT
        with contextlib.suppress(IndexError):
            while True:
                connection, since = self._idle.pop()
                if since > oldest and connection.is_connected:
                    return connection
                _end(connection)
        return self._connect(deadline)

    def _connect(self, deadline: float) -> HTTPConnection:
        if self._route.is_patched:
            self._route = self._find()
            self._pool = connection_factory(self._route)
        pool = self._pool
        connection = cast("HTTPConnection", pool._new_conn())
        connection.timeout = min(CONNECT_TIMEOUT, max(deadline - self._clock(), 0.001))
        try:
            if pool.proxy is not None:
                pool._prepare_proxy(connection)  # opens the tunnel and connects
            else:
                connection.connect()
            if _has_ended(connection.sock):
                raise ConnectionAbortedError
        except (OSError, HTTPError, ValueError) as error:
            _end(connection)
            raise unconnected(self._name, error) from bare(error)
        except BaseException:  # an interrupt: the half-made connection must not leak
            _end(connection)
            raise
        return connection

    def _converse(self, sock: socket.socket, data: bytes, deadline: float) -> Reply:
        parser, early, whole = ReplyParser(), None, False
        # A server may refuse early and close: its reply, if there is one, still says what happened.
        with contextlib.suppress(*_CLOSED_EARLY):
            early = self._send(sock, data, parser, deadline)
            whole = early is None
        reply = early
        while reply is None:
            sock.settimeout(self._remaining(deadline))
            reply = _receive(sock, parser)
        return reply if whole and may_go_on(reply, len(data)) else replace(reply, keep_alive=False)

    def _send(self, sock: socket.socket, data: bytes, parser: ReplyParser, deadline: float) -> Reply | None:
        """Write a request, and return the reply that came before it was written whole, if one did.

        A server that refuses early may neither close nor read on: it is listened to where nothing can be written.
        """
        if self._clock() >= deadline:
            raise NotSent(f"could not connect to {self._name} in time")
        sock.settimeout(0)
        view = memoryview(data)
        while view:
            try:
                view = view[sock.send(view) :]
                continue
            except _NOT_NOW as blocked:  # TLS may have taken some of it, and goes on there when it is given the same
                writes = not isinstance(blocked, SSLWantReadError)
            wait_for_socket(sock, read=True, write=writes, timeout=self._remaining(deadline))
            with contextlib.suppress(*_NOT_NOW):
                if reply := _receive(sock, parser):
                    return reply
        return None

    def _remaining(self, deadline: float) -> float:
        remaining = deadline - self._clock()
        if remaining <= 0:
            raise TimeoutError
        return remaining


def _receive(sock: socket.socket, parser: ReplyParser) -> Reply | None:
    """Read some more of a reply, and return it when it is whole."""
    received = SecretBytes(sock.recv(RECEIVE))
    return parser.feed(received) if received else parser.close()


def _has_ended(sock: socket.socket) -> bool:
    """Whether a connection on which nothing was asked is over, or says something all the same."""
    sock.settimeout(0)
    try:
        sock.recv(1)  # what TLS itself has to say behind its handshake is read by the way
    except _NOT_NOW:
        return False
    except OSError:
        pass
    return True


def _end(connection: HTTPConnection) -> None:
    # Its socket is gone whatever the system says of it, and an error that is under way must come out.
    with contextlib.suppress(OSError):
        connection.close()
