"""The connections that requests travel on, made within a time: names, proxies, tunnels and TLS.

They are urllib3's (TLS, host name checks and proxies are its), but for what takes time: resolving, connecting and
opening a tunnel share one deadline here, which general clients do not have.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from devinotify.gateway.http1 import ReplyParser
from devinotify.gateway.resolution import resolve
from devinotify.gateway.route import CONNECT_TIMEOUT, check_tunnel, connect_request

if TYPE_CHECKING:
    from devinotify.gateway.route import Route

RECEIVE = 64 * 1024
"""Bytes asked for at once: a whole reply, nearly always."""


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
        headers: dict[str, str] = connection._tunnel_headers  # type: ignore[attr-defined]  # http.client's
        sock.sendall(connect_request(host, connection._tunnel_port or 0, headers))
        parser = ReplyParser(tunnel=True)
        reply = None
        while reply is None:
            self._bound(sock)
            received = sock.recv(RECEIVE)
            reply = parser.feed(received) if received else parser.close()
        check_tunnel(reply)
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


def connection_factory(route: Route) -> HTTPConnectionPool:
    """Return the urllib3 pool that makes our connections; we keep the idle ones ourselves, with their age."""
    if route.tls is None:
        pool = HTTPConnectionPool(route.host, route.port)
        pool.ConnectionCls = _PlainConnection
        return pool
    if route.proxy is None:
        pool = HTTPSConnectionPool(route.host, route.port, ssl_context=route.tls)
    else:
        manager = ProxyManager(
            route.proxy.url,
            proxy_headers=route.proxy.headers,
            ssl_context=route.tls,
            proxy_ssl_context=route.tls,
        )
        pool = manager.connection_from_host(route.host, route.port, "https")
    pool.ConnectionCls = _TLSConnection
    return pool
