"""The connections that requests travel on, made within a time: names, proxies, tunnels and TLS.

They are urllib3's (TLS, host name checks and proxies are its), but for what takes time: resolving, connecting and
opening a tunnel share one deadline here, which general clients do not have.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_auth_from_url, get_environ_proxies, select_proxy
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import create_urllib3_context, make_headers

from devinotify.exceptions import InvalidURL
from devinotify.gateway.http1 import ReplyParser
from devinotify.gateway.resolution import resolve
from devinotify.redact import Secret
from devinotify.url import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_TIMEOUT = 5.0
"""Seconds that connecting may take, from the name's resolution to the end of the TLS handshake."""
RECEIVE = 64 * 1024
"""Bytes asked for at once: a whole reply, nearly always."""
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


class _Bounded:
    """Connects within the connection's timeout, which all addresses, a proxy's tunnel and the handshake share."""

    _until = 0.0

    def _new_conn(self) -> socket.socket:
        connection: HTTPConnection = self  # type: ignore[assignment]  # a mixin: it stands before urllib3's class
        self._until = time.monotonic() + float(connection.timeout or CONNECT_TIMEOUT)
        failure: OSError = socket.gaierror("the name has no address")
        host = connection._dns_host.strip("[]")
        for family, kind, protocol, address in resolve(host, connection.port, self._remaining()):
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
        place = f"{name}:{connection._tunnel_port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        lines += [Secret(f"{key}: {value}") for key, value in connection._tunnel_headers.items()]  # type: ignore[attr-defined]  # http.client's
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        parser = ReplyParser(tunnel=True)
        reply = None
        while reply is None:
            self._bound(sock)
            received = sock.recv(RECEIVE)
            reply = parser.feed(received) if received else parser.close()
        if not 200 <= reply.status < 300:
            raise OSError(f"the proxy refused the tunnel with status {reply.status}")
        self._bound(sock)

    def _bound(self, sock: socket.socket) -> None:
        sock.settimeout(self._remaining())

    def _remaining(self) -> float:
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining


class _PlainConnection(_Bounded, HTTPConnection):
    """urllib3's plain connection with the bounded connect."""


class _TLSConnection(_Bounded, HTTPSConnection):
    """urllib3's TLS connection with the bounded connect."""


def connection_factory(gateway: str, host: str, port: int | None, ca: str | None) -> HTTPConnectionPool:
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
    proxy = Secret(proxy if "://" in proxy else f"http://{proxy}")
    login, password = map(Secret, get_auth_from_url(proxy))
    try:
        manager = ProxyManager(
            proxy,
            proxy_headers=make_headers(proxy_basic_auth=f"{login}:{password}") if login else None,
            ssl_context=context,
            proxy_ssl_context=context,
        )
        return manager.connection_from_url(gateway)
    except (HTTPError, ValueError):
        pass
    # Raised out here, so that the other error, which holds the proxy's URL, is not part of the traceback.
    raise InvalidURL("the proxy in the environment cannot be used: it must be an http:// or https:// URL")


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
        raise InvalidURL(f"bad value for ca: {path} is not a readable file or folder of CA certificates") from None
    return context


def _ca_paths(ca: str | None) -> Iterator[str]:
    if ca:
        yield ca
    for variable in _CA_VARIABLES:
        if value := os.environ.get(variable):
            yield value
    yield DEFAULT_CA_BUNDLE_PATH
