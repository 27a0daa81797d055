"""The connections of one event loop to one gateway: at most so many, handed out in turn, kept while they are fresh."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from devinotify.exceptions import NotSent
from devinotify.gateway.aio.connection import open_connection
from devinotify.gateway.failures import bare, unconnected
from devinotify.gateway.route import CONNECT_TIMEOUT, IDLE_LIMIT

if TYPE_CHECKING:
    from devinotify.gateway.aio.connection import Connection
    from devinotify.gateway.route import Route

GOODBYE = 1.0
"""Seconds that the ends of connections are waited for on closing."""


class Pool:
    """Hands out connections and takes them back. A new one is made only where none is idle, so there are never more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, route: Route, size: int) -> None:
        self._loop = loop
        self._route = route
        # Not a Semaphore: its acquire is to be awaited even by one who need not wait, and takes six times as long.
        self._free = size
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: deque[tuple[Connection, float]] = deque()
        self._open: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def take_kept(self) -> Connection | None:
        """Return a connection where one is idle and nobody waits, ``None`` otherwise. It is to be given back."""
        connection = self._kept() if self._free else None
        if connection is not None:
            self._free -= 1
        return connection

    async def take(self, deadline: float) -> Connection:
        """Return a connection by the loop's ``deadline``; raises NotSent. It is to be given back, whatever happens."""
        if self._free:
            self._free -= 1
        else:
            await self._turn(deadline)
        try:
            return self._kept() or await self._connect(deadline)
        except BaseException:  # a cancellation too: whoever waits next is not to wait for ever
            self._release()
            raise

    def give_back(self, connection: Connection, *, reusable: bool) -> None:
        """Take a connection back, and let the next who waits have one."""
        self._release()
        if not reusable or self._closed:
            connection.close()
            return
        self._idle.append((connection, self._loop.time()))
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(IDLE_LIMIT, self._sweep)

    def drop(self) -> None:
        """Close what is idle, and keep nothing from now on."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection, _ in self._idle:
            connection.close()
        self._idle.clear()

    async def aclose(self) -> None:
        """Close what is idle, and return when its sockets are closed."""
        self.drop()
        ending = [connection.lost for connection in self._open if connection.is_ending]
        if ending:
            await asyncio.wait(ending, timeout=GOODBYE)

    async def _turn(self, deadline: float) -> None:
        turn = self._loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except BaseException as error:
            if not turn.cancel() and not turn.cancelled():  # given to one who is cancelled before he hears of it
                self._release()
            if isinstance(error, TimeoutError):
                raise NotSent(f"no connection to {self._route.name} was free in time") from bare(error)
            raise

    def _release(self) -> None:
        """Hand on the right to a connection: to the first who waits, before anybody who comes later."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _kept(self) -> Connection | None:
        oldest = self._loop.time() - IDLE_LIMIT
        while self._idle:
            connection, since = self._idle.pop()
            if since > oldest and connection.is_usable:
                return connection
            connection.close()
        return None

    async def _connect(self, deadline: float) -> Connection:
        until = min(deadline, self._loop.time() + CONNECT_TIMEOUT)
        try:
            async with asyncio.timeout_at(until):
                return await open_connection(self._route, self._open)
        except (OSError, ValueError) as error:
            raise unconnected(self._route.name, error) from bare(error)

    def _sweep(self) -> None:
        """Close what has been idle for too long; the oldest stand first."""
        oldest = self._loop.time() - IDLE_LIMIT
        while self._idle and self._idle[0][1] <= oldest:
            self._idle.popleft()[0].close()
        self._sweeper = None
        if self._idle:
            self._sweeper = self._loop.call_at(self._idle[0][1] + IDLE_LIMIT, self._sweep)
