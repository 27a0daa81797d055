"""Server-sent events: one whenever something has changed, made or reached by time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from devinotify.sandbox.clock import iso

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, MutableMapping

    from devinotify.sandbox.emulator import Emulator

MAX_STREAMS = 64
"""Streams at a time: one is each open page."""

PAUSE = 0.2
"""Seconds between two events at least, so that a thousand messages a second make five events."""

PING = 15.0
"""Seconds after which a line goes out in any case, so that proxies keep the stream open."""

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),
]


class Closing:
    """What ends streams and latencies when the server is stopped, from whichever thread."""

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def event(self) -> asyncio.Event:
        """Return the event of the running loop."""
        loop = asyncio.get_running_loop()
        if self._event is None or self._loop is not loop:
            self._event, self._loop = asyncio.Event(), loop
        return self._event

    def close(self) -> None:
        """Set it; nothing happens where nobody has asked for it."""
        if self._event is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds, or until the server is stopped."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.event().wait(), seconds)

    @contextlib.contextmanager
    def sets(self, event: asyncio.Event) -> Iterator[None]:
        """Have another event of the running loop set too when the server is stopped, inside the block."""
        over = asyncio.ensure_future(self.event().wait())
        over.add_done_callback(lambda _: event.set())
        try:
            yield
        finally:
            over.cancel()


async def changes(emulator: Emulator, closing: Closing, *, ping: float = PING) -> AsyncGenerator[bytes]:
    """Yield an event now and after every change, in the form of the wire, until the server is stopped."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def wake() -> None:
        # From any thread; one call is enough for many changes.
        if not changed.is_set():
            loop.call_soon_threadsafe(changed.set)

    ending = closing.event()
    with closing.sets(changed), emulator.live.woken(wake):
        while not ending.is_set():
            changed.clear()
            with emulator.lock:
                now = emulator.now()
                version = emulator.live.version
                due = emulator.store.next_change(now) if emulator.clock.running else None
            document = json.dumps({"version": version, "now": iso(now)})
            yield f"id: {version}\nevent: change\ndata: {document}\n\n".encode()
            await closing.sleep(PAUSE)
            while not (ending.is_set() or changed.is_set()):
                left = ping if due is None else min(ping, due - emulator.clock.now())
                if left <= 0:
                    break
                try:
                    # Awaited here, in no task of its own: one that a client leaves behind would be told of on stderr.
                    await asyncio.wait_for(changed.wait(), left)
                except TimeoutError:
                    if left == ping:
                        yield b": still here\n\n"


async def stream(
    emulator: Emulator,
    closing: Closing,
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer a request with the stream of changes, until its client leaves or the server is stopped."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def serve() -> None:
        async with contextlib.aclosing(changes(emulator, closing)) as events:
            async for event in events:
                await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    tasks = {asyncio.ensure_future(left()), asyncio.ensure_future(serve())}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
