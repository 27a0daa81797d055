"""The first of a host's addresses that can be connected to, as RFC 8305 has it ("happy eyeballs").

Written out here, since asyncio offers it with its own name resolution alone (in the loop's default executor, whose
threads others use up), and uvloop not at all.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinotify.gateway.resolution import Address

HEAD_START = 0.25
"""Seconds that one address has before the next is tried beside it (RFC 8305, section 8)."""


async def connect_to_one(addresses: Iterable[Address], *, head_start: float = HEAD_START) -> socket.socket:
    """Return a socket that is connected to one of the addresses; raise the last failure where there is none.

    ``head_start`` is in seconds, as HEAD_START.
    """
    waiting = deque(alternating(addresses))
    if len(waiting) == 1:
        return await _connect(waiting[0])
    failure: BaseException = socket.gaierror("the name has no address")
    running: set[asyncio.Task[socket.socket]] = set()
    connected: socket.socket | None = None
    try:
        while connected is None and (waiting or running):
            if waiting:
                running.add(asyncio.create_task(_connect(waiting.popleft())))
            patience = head_start if waiting else None
            done, _ = await asyncio.wait(running, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if error := task.exception():
                    running.discard(task)
                    failure = error
                elif connected is None:
                    running.discard(task)
                    connected = task.result()
        await _break_off(running)
    except BaseException:  # a cancellation, in the last wait too: neither a socket nor an attempt is left behind
        if connected is not None:
            connected.close()
        await _break_off(running)
        raise
    if connected is None:
        raise failure
    return connected


async def _break_off(attempts: set[asyncio.Task[socket.socket]]) -> None:
    for task in attempts:
        task.add_done_callback(_close_late)
        task.cancel()
    if attempts:
        await asyncio.wait(attempts)


def _close_late(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


def alternating(addresses: Iterable[Address]) -> list[Address]:
    """Return the addresses with their families in turn, each family in its order."""
    families: dict[object, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    rounds = itertools.zip_longest(*families.values())
    return [address for each in rounds for address in each if address is not None]


async def _connect(address: Address) -> socket.socket:
    family, kind, protocol, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)  # noqa: FBT003 - it takes no keyword
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, place)
    except BaseException:  # a cancellation too: the half-made connection must not leak
        sock.close()
        raise
    return sock
