"""uvicorn's server in a thread of its own: it tells when its loop serves, so that it is stopped no sooner."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


class ServerOfThread(uvicorn.Server):
    """uvicorn's server, told to exit by another thread.

    Where that is told while it starts, uvicorn returns with its listener open: a port that stays taken, and a loop of
    uvloop's that waits for ever to be closed.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._serving = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until it is told to exit; what an ``exit`` waits for is told, come what may."""
        try:
            super().run(sockets)
        finally:
            self._serving.set()  # it never will, where it could not start

    async def main_loop(self) -> None:
        """Serve, now that all is started."""
        self._loop = asyncio.get_running_loop()
        self._serving.set()
        await super().main_loop()

    def soon(self, work: Callable[[], object], most: float) -> None:
        """Have its loop call something when it comes round; that it serves is waited for ``most`` seconds."""
        self._serving.wait(most)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    def exit(self, most: float) -> None:
        """Tell it to exit, once it serves; that is waited for ``most`` seconds."""
        self._serving.wait(most)
        self.should_exit = True
