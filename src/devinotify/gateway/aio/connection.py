"""One connection of an event loop: a request is written at once, and its reply, or why there is none, is awaited."""

from __future__ import annotations

import asyncio
import math
import select
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, cast

from devinotify.gateway.aio.racing import connect_to_one
from devinotify.gateway.aio.tls import RECORD, TLS
from devinotify.gateway.http1 import BadReply, Reply, ReplyParser, may_go_on
from devinotify.gateway.resolution import look_up, own
from devinotify.gateway.route import check_tunnel, connect_request
from devinotify.redact import SecretBytes

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from devinotify.gateway.resolution import Address
    from devinotify.gateway.route import Route

Outcome: TypeAlias = Reply | Exception
"""What an exchange came to: the whole reply, or why there is none."""


class Connection(asyncio.BufferedProtocol):
    """A connection that carries one exchange at a time; ``open_connection`` makes it, ``close`` ends it at once.

    It is read into a buffer of its own: asyncio would make and drop one of 256 KiB for each reply.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, among: set[Connection]) -> None:
        self._loop = loop
        self._among = among
        self._transport: asyncio.Transport | None = None
        self._parser: ReplyParser | None = None
        self._answer: asyncio.Future[Outcome] | None = None
        self._outcome: Outcome | None = None
        self._size = 0
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = memoryview(bytearray(RECORD))  # more than most replies have
        self._asked: Callable[[], bool]
        self._tls: TLS | None = None
        self._agreeing: asyncio.Future[None] | None = None
        self.is_over: bool = False
        """Whether it was closed, by either side, as far as the loop has heard."""
        self.lost: asyncio.Future[None] = loop.create_future()

    @property
    def is_ending(self) -> bool:
        """Whether it was closed, and its socket is about to be."""
        return self._transport is not None and self._transport.is_closing()

    @property
    def is_usable(self) -> bool:
        """Whether another request may be written: it is open, and nothing has come on it that nobody asked for.

        The socket itself is asked: a loop that lags has not yet seen what lies there, the end of the connection too.
        """
        transport = self._transport
        if transport is None or self.is_over or transport.is_closing() or self._parser is not None:
            return False
        return not self.is_readable

    @property
    def is_readable(self) -> bool:
        """Whether something lies in the socket that the loop has not read, the end of the connection too."""
        return self._asked()

    def begin(self, data: bytes, parser: ReplyParser, deadline: float | None) -> asyncio.Future[Outcome]:
        """Write a request, and return what the exchange will come to, by the loop's clock until ``deadline``.

        From here on the request may have left. Cancelling what is returned changes nothing about the exchange.
        """
        self._parser = parser
        self._size = len(data)
        self._outcome = None
        self._answer = answer = self._loop.create_future()
        self._deadline = math.inf if deadline is None else deadline
        if self._timer is None or self._deadline < self._timer.when():
            self._wait_until(self._deadline)
        try:
            self._write(data)
        except Exception as error:  # noqa: BLE001 - a loop's own error: some of it may have left all the same
            self._end(error)
        return answer

    def rest(self) -> asyncio.Future[Outcome]:
        """Return what the exchange under way comes to, for somebody else: who awaited it first was cancelled."""
        self._answer = self._loop.create_future()
        if self._outcome is not None:
            self._answer.set_result(self._outcome)
        return self._answer

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Go on in TLS with ``host``, within that with a proxy where there is one already; raise OSError."""
        self._tls = TLS(context, host, self._tls)
        self._agreeing = agreeing = self._loop.create_future()
        self._write(b"")
        await agreeing

    def close(self) -> None:
        """End the connection without waiting for anything."""
        self.is_over = True
        self._wait_until(math.inf)
        if self._transport is not None:
            self._transport.abort()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._asked = _asking(transport.get_extra_info("socket"))
        self._among.add(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop gives it
        """Return where to put what comes next."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Read some more of the reply; what belongs to no request ends the connection."""
        if self._tls is None:
            self._read(SecretBytes(self._buffer[:nbytes]))
            return
        data = self._tls.open(self._buffer[:nbytes])
        if self._agreeing is not None and self._tls.is_agreed:
            self._end_agreeing(None)
        if data:
            self._read(data)
        if self._tls.has_to_say or self._tls.is_over:
            self._write(b"")

    def _read(self, data: SecretBytes) -> None:
        if self._parser is None:
            self.close()
            return
        try:
            reply = self._parser.feed(data)
        except BadReply as error:
            self._end(error)
        else:
            if reply is not None:
                # An early one: what has not left yet would stand before the next request.
                is_early = self._has_unwritten or not may_go_on(reply, self._size)
                self._end(replace(reply, keep_alive=False) if is_early else reply)

    @property
    def _has_unwritten(self) -> bool:
        assert self._transport is not None  # noqa: S101 - it has been read from
        return self._transport.get_write_buffer_size() > 0 or (self._tls is not None and self._tls.has_to_say)

    def _write(self, data: bytes) -> None:
        """Write what makes the other side read ``data``, and whatever TLS has to say beside it."""
        assert self._transport is not None  # noqa: S101 - open_connection returns none without
        if self._tls is None:
            self._transport.write(data)
            return
        self._transport.write(self._tls.seal(data))
        if self._tls.is_over:
            self._end_with_connection(self._tls.fault)
            self.close()

    def eof_received(self) -> None:
        """Take the end of the connection for the end of the reply, where that may be."""
        self.is_over = True
        self._end_with_connection(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits that nothing more comes."""
        self.is_over = True
        self._end_with_connection(error)
        self._wait_until(math.inf)
        if not self.lost.done():
            self.lost.set_result(None)
        self._among.discard(self)

    def _end_with_connection(self, error: Exception | None) -> None:
        self._end_agreeing(error or ConnectionResetError())
        if self._parser is None:
            return
        try:
            self._end(error or self._parser.close())
        except BadReply as cut:
            self._end(cut)

    def _end_agreeing(self, fault: Exception | None) -> None:
        """Tell who waits for the handshake that it is over, or what it failed with."""
        agreeing, self._agreeing = self._agreeing, None
        if agreeing is None or agreeing.done():
            return
        if fault is None:
            agreeing.set_result(None)
        else:
            agreeing.set_exception(fault)

    def _end(self, outcome: Outcome) -> None:
        self._parser = None
        self._outcome = outcome
        if not isinstance(outcome, Reply):
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(outcome)

    # The deadline: one timer serves exchange after exchange, and looks only when it rings at which it is to end

    def _wait_until(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if when == math.inf else self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._parser is None:
            return
        if self._loop.time() < self._deadline:
            self._wait_until(self._deadline)
        else:
            self._end(TimeoutError())


def _asking(sock: socket.socket) -> Callable[[], bool]:
    """Return what tells of a socket whether something can be read from it, its end included, without waiting."""
    if not hasattr(select, "poll"):
        return lambda: bool(select.select([sock], [], [], 0)[0])
    asked = select.poll()  # made once: that takes longer than the asking
    asked.register(sock, select.POLLIN)
    return lambda: bool(asked.poll(0))


async def open_connection(route: Route, among: set[Connection]) -> Connection:
    """Return a connection to the gateway, through its proxy where there is one; raise OSError or BadReply.

    It takes as long as it takes: the caller sets the time. It is ``among`` the others while its socket is open. One
    that the other side has closed meanwhile is an error, too: nothing was sent on it.
    """
    connection = await _open(route, among)
    try:
        while not connection.is_over and connection.is_readable:
            await asyncio.sleep(0)  # what TLS has to say behind its handshake is read meanwhile, or the end
        if connection.is_over:
            raise ConnectionAbortedError
    except BaseException:  # a cancellation too
        connection.close()
        raise
    return connection


async def _open(route: Route, among: set[Connection]) -> Connection:
    loop = asyncio.get_running_loop()
    proxy = route.proxy
    host, port = (route.host, route.port) if proxy is None else (proxy.host, proxy.port)
    context = route.tls if proxy is None or proxy.scheme == "https" else None
    sock = await connect_to_one(await _addresses(host, port))
    connection = Connection(loop, among)
    try:
        await loop.create_connection(lambda: connection, sock=sock)
    except BaseException:  # a cancellation too: the loop closes the socket, but uvloop tells nobody
        connection.connection_lost(None)
        raise
    try:
        if context is not None:
            await connection.start_tls(context, host)
        if proxy is None:
            return connection
        assert route.tls is not None  # noqa: S101 - plain HTTP goes through no proxy
        request = connect_request(route.host, route.port, proxy.headers)
        outcome = await connection.begin(request, ReplyParser(tunnel=True), None)
        if not isinstance(outcome, Reply):
            raise outcome
        check_tunnel(outcome)
        await connection.start_tls(route.tls, route.host)
    except BaseException:  # a cancellation too: the half-made connection must not leak
        connection.close()
        raise
    return connection


async def _addresses(host: str, port: int) -> list[Address]:
    looked_up = look_up(host, port)
    try:
        return await asyncio.wrap_future(looked_up)
    except OSError as error:
        failure = own(error)
    raise failure
