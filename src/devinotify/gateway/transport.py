"""One request to the gateway and its reply, over pooled connections, with an honest account of failures.

Connections are urllib3's (TLS, host name checks, proxies and tunnels are its); the exchange on them is
ours, because the one question that matters to a send, whether its first byte had left when things broke,
cannot be answered from the exceptions of a general HTTP client. Nothing is retried here, no redirect is
followed, and no URL is logged.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_auth_from_url, get_environ_proxies, select_proxy
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import create_urllib3_context, make_headers

from devinotify.exceptions import InvalidURL, NotSent, OutcomeUnknown
from devinotify.gateway.http1 import BadReply, Reply, ReplyParser
from devinotify.url import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify.gateway.wire import Request

CONNECT_TIMEOUT = 5.0
"""Seconds that connecting may take, from the first address to the end of the TLS handshake."""
IDLE_LIMIT = 4.0
"""Seconds after which an idle connection is not used again: servers close theirs from 5 seconds on, and a
request that meets the closing is of unknown outcome."""
_RECEIVE = 64 * 1024  # bytes asked for at once: a whole reply, nearly always
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Transport:
    """Exchanges requests with one gateway; safe to share between threads, and after a fork.

    ``timeout`` is in seconds and bounds one exchange from start to end. ``ca`` is a file or folder of CA
    certificates; without it REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR are looked
    at, in this order, then certifi's bundle. Proxies are read from the environment once, here, and passed
    by for a loopback gateway. Raises InvalidURL where the CA or the proxy cannot be used.
    """

    def __init__(
        self,
        gateway: str,
        *,
        timeout: float,
        ca: str | None = None,
        user_agent: str = "devinotify",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(gateway)
        host = parts.hostname or ""
        self._clock = clock
        self._timeout = timeout
        self._name = f"{host}:{parts.port}" if parts.port else host
        self._pool = _connection_factory(gateway, host, parts.port, ca)
        self._path = parts.path
        self._head = (
            f"Host: {parts.netloc}\r\nUser-Agent: {user_agent}\r\n"
            "Accept: application/json\r\nAccept-Encoding: identity\r\nConnection: keep-alive\r\n"
        ).encode("ascii")
        self._idle: deque[tuple[HTTPConnection, float]] = deque()
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"<Transport to {self._name}>"

    def exchange(self, request: Request) -> Reply:
        """Return the whole reply to ``request``.

        Raises NotSent where the request provably did not begin to leave, and OutcomeUnknown where it did
        and no whole reply came within the deadline.
        """
        deadline = self._clock() + self._timeout
        data = self._serialise(request)
        connection = self._checkout(deadline)
        reusable = False
        try:
            reply = self._converse(connection.sock, data, deadline)
            reusable = reply.keep_alive
        except (OSError, BadReply) as error:
            raise OutcomeUnknown(
                f"{self._name} was being sent the request when the exchange broke: {_reason(error)}"
            ) from error
        finally:
            if reusable:
                self._idle.append((connection, self._clock()))
            else:
                connection.close()
        return reply

    def close(self) -> None:
        """Close the idle connections; a later exchange opens new ones."""
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop()[0].close()

    def _serialise(self, request: Request) -> bytes:
        line = f"{request.method} {self._path}{request.target} HTTP/1.1\r\n".encode("ascii")
        if request.body is None:
            return line + self._head + b"\r\n"
        return b"%b%bContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b" % (
            line,
            self._head,
            len(request.body),
            request.body,
        )

    def _checkout(self, deadline: float) -> HTTPConnection:
        if self._pid != os.getpid():
            # The sockets belong to the parent, which goes on using them.
            self._idle, self._pid = deque(), os.getpid()
        oldest = self._clock() - IDLE_LIMIT
        with contextlib.suppress(IndexError):
            while True:
                connection, since = self._idle.pop()
                if since > oldest and connection.is_connected:
                    return connection
                connection.close()
        return self._connect(deadline)

    def _connect(self, deadline: float) -> HTTPConnection:
        pool = self._pool
        connection = cast("HTTPConnection", pool._new_conn())
        connection.timeout = min(CONNECT_TIMEOUT, max(deadline - self._clock(), 0.001))
        try:
            if pool.proxy is not None:
                pool._prepare_proxy(connection)  # opens the tunnel and connects
            else:
                connection.connect()
        except (OSError, HTTPError, ValueError) as error:
            connection.close()
            raise NotSent(
                f"could not connect to {self._name}: {_reason(error)}",
                retryable=not _is_certificate_error(error),
            ) from error
        except BaseException:  # an interrupt: the half-made connection must not leak
            connection.close()
            raise
        return connection

    def _converse(self, sock: socket.socket, data: bytes, deadline: float) -> Reply:
        # A server may refuse early and close: its reply, if there is one, still says what happened.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._send(sock, data, deadline)
        parser = ReplyParser()
        while True:
            sock.settimeout(self._remaining(deadline))
            received = sock.recv(_RECEIVE)
            if not received:
                return parser.close()
            reply = parser.feed(received)
            if reply is not None:
                return reply

    def _send(self, sock: socket.socket, data: bytes, deadline: float) -> None:
        sent = 0
        view = memoryview(data)
        while sent < len(data):
            remaining = deadline - self._clock()
            if remaining <= 0:
                raise TimeoutError if sent else NotSent(f"could not connect to {self._name} in time")
            sock.settimeout(remaining)
            sent += sock.send(view[sent:])

    def _remaining(self, deadline: float) -> float:
        remaining = deadline - self._clock()
        if remaining <= 0:
            raise TimeoutError
        return remaining


class _Bounded:
    """Connects within the connection's timeout, which all addresses, a proxy's tunnel and the handshake share."""

    _until = 0.0

    def _new_conn(self) -> socket.socket:
        connection: HTTPConnection = self  # type: ignore[assignment]  # a mixin: it stands before urllib3's class
        self._until = time.monotonic() + float(connection.timeout or CONNECT_TIMEOUT)
        failure: OSError = socket.gaierror("the name has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            connection._dns_host.strip("[]"), connection.port, 0, socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._bound(sock)
                sock.connect(address)
                self._bound(sock)
            except OSError as error:
                failure = error
                sock.close()
            else:
                return sock
        raise failure

    def _tunnel(self) -> None:
        """Ask the proxy for a tunnel; a proxy that refuses, drips or answers rubbish is an OSError in time."""
        connection: HTTPConnection = self  # type: ignore[assignment]  # as above
        # Whether an address of IPv6 comes with its brackets depends on the version of urllib3.
        sock, host = connection.sock, (connection._tunnel_host or "").strip("[]")
        name = f"[{host}]" if ":" in host else host
        lines = [f"CONNECT {name}:{connection._tunnel_port} HTTP/1.1", f"Host: {name}:{connection._tunnel_port}"]
        lines += [f"{header}: {value}" for header, value in connection._tunnel_headers.items()]  # type: ignore[attr-defined]  # http.client's
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        parser = ReplyParser(tunnel=True)
        reply = None
        while reply is None:
            self._bound(sock)
            received = sock.recv(_RECEIVE)
            reply = parser.feed(received) if received else parser.close()
        if not 200 <= reply.status < 300:
            raise OSError(f"the proxy refused the tunnel with status {reply.status}")
        self._bound(sock)

    def _bound(self, sock: socket.socket) -> None:
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        sock.settimeout(remaining)


class _PlainConnection(_Bounded, HTTPConnection):
    """urllib3's plain connection with the bounded connect."""


class _TLSConnection(_Bounded, HTTPSConnection):
    """urllib3's TLS connection with the bounded connect."""


def _connection_factory(gateway: str, host: str, port: int | None, ca: str | None) -> HTTPConnectionPool:
    """Return the urllib3 pool that makes our connections; we keep the idle ones ourselves, with their age."""
    if urlsplit(gateway).scheme == "http":
        pool = HTTPConnectionPool(host, port)
        pool.ConnectionCls = _PlainConnection
        return pool
    # One context per client: reading the whole CA bundle costs about 25 ms.
    context = _tls_context(ca)
    proxy = None if is_loopback(host) else select_proxy(gateway, get_environ_proxies(gateway))
    pool = _proxy_pool(proxy, gateway, context) if proxy else HTTPSConnectionPool(host, port, ssl_context=context)
    pool.ConnectionCls = _TLSConnection
    return pool


def _proxy_pool(proxy: str, gateway: str, context: ssl.SSLContext) -> HTTPConnectionPool:
    url = proxy if "://" in proxy else f"http://{proxy}"
    login, password = get_auth_from_url(url)
    headers = make_headers(proxy_basic_auth=f"{login}:{password}") if login else None
    try:
        manager = ProxyManager(url, proxy_headers=headers, ssl_context=context, proxy_ssl_context=context)
        return manager.connection_from_url(gateway)
    except (HTTPError, ValueError):
        raise InvalidURL("the proxy in the environment cannot be used: it must be an http:// or https:// URL") from None


def _tls_context(ca: str | None) -> ssl.SSLContext:
    context = create_urllib3_context()
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    path = next(_ca_paths(ca))
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError:  # ssl.SSLError is one too
        raise InvalidURL(f"bad value for ca: {path} is no readable file or folder of CA certificates") from None
    return context


def _ca_paths(ca: str | None) -> Iterator[str]:
    if ca:
        yield ca
    for variable in _CA_VARIABLES:
        if value := os.environ.get(variable):
            yield value
    yield DEFAULT_CA_BUNDLE_PATH


def _is_certificate_error(error: BaseException) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "TLS failed"),
    (socket.gaierror, "its name cannot be resolved"),
    (ConnectionRefusedError, "the connection was refused"),
    (ConnectionResetError, "the connection was reset"),
    (BrokenPipeError, "the connection was closed"),
    (TimeoutError, "timed out"),
)


def _reason(error: BaseException) -> str:
    """Return why an exchange broke in words of ours: those of the exception may quote what passed over the wire."""
    if isinstance(error, BadReply):
        return str(error)
    for cause in _chain(error):
        for kind, words in _REASONS:
            if isinstance(cause, kind):
                return words
    return "the connection failed"
