"""An emulator behind a real HTTP server, run in a thread of its own."""

from __future__ import annotations

import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify.sandbox.bodies import MAX_BYTES
from devinotify.words import installing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify.sandbox.access import Access
    from devinotify.sandbox.emulator import Emulator
    from devinotify.sandbox.events import Closing
    from devinotify.sandbox.serving import ServerOfThread

MISSING_EXTRA = f"the sandbox needs starlette and uvicorn: {installing('sandbox')}"
KEEP_ALIVE = 30
"""Seconds that an idle connection is kept open."""
REQUEST_TIMEOUT = 30.0
"""Seconds that a request's head, and then its body, have to arrive."""
_GRACE = 2
"""Seconds that running requests have to end when the server is stopped."""
STOP_TIMEOUT = 30.0
"""Seconds after which a server that was told to stop is said to hang; a loaded machine needs some of them."""


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named since asyncio turns Nagle's algorithm off only where it is; with it on, every answer
    # on a kept connection waits some 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # There it would let two servers share the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    return listener


class _Running(NamedTuple):
    """A server at work."""

    server: ServerOfThread
    thread: threading.Thread
    port: int
    closing: Closing


class Server:
    """Serves an emulator while it runs; it can be started and stopped any number of times.

    ``shown_password`` is what the page's examples show. ``request_timeout`` is in seconds, and so is ``stop_timeout``,
    after which one that was told to stop is said to hang.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        host: str,
        port: int,
        shown_password: str,
        rules: Access,
        request_timeout: float = REQUEST_TIMEOUT,
        stop_timeout: float = STOP_TIMEOUT,
        ssl_certfile: str | Path | None = None,
        ssl_keyfile: str | Path | None = None,
    ) -> None:
        self._emulator = emulator
        self._host = host
        self._wanted_port = port
        self._shown_password = shown_password
        self._rules = rules
        self._request_timeout = request_timeout
        self._stop_timeout = stop_timeout
        tls = {"ssl_certfile": ssl_certfile, "ssl_keyfile": ssl_keyfile}
        self._tls: dict[str, Any] = {name: value for name, value in tls.items() if value is not None}
        self._running: _Running | None = None

    def __bool__(self) -> bool:
        return self._running is not None

    @property
    def scheme(self) -> str:
        """What its URLs begin with."""
        return "https" if "ssl_certfile" in self._tls else "http"

    @property
    def port(self) -> int:
        """The port it listens on; RuntimeError while it is not running."""
        if not self._running:
            raise RuntimeError("the sandbox is not running")
        return self._running.port

    def start(self) -> None:
        """Start serving, and return once it answers.

        Raises OSError where the port is taken, RuntimeError where it is running already, ValueError where
        the database's file cannot be used, ImportError where the extra is not installed.
        """
        if self._running:
            raise RuntimeError("the sandbox is running already")
        try:
            import uvicorn

            from devinotify.sandbox.app import make_app
            from devinotify.sandbox.connections import Connections
            from devinotify.sandbox.events import Closing
            from devinotify.sandbox.serving import ServerOfThread
        except ImportError as missing:
            raise ImportError(MISSING_EXTRA, name=missing.name) from missing
        connections, closing = Connections(request_timeout=self._request_timeout), Closing()
        config = uvicorn.Config(
            make_app(self._emulator, self._shown_password, rules=self._rules, connections=connections, closing=closing),
            # On h11, installed or not what is faster: it takes request lines of a size that a bulk may need.
            http=connections.protocol(),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
            # A bulk may carry its addresses in the query: the request line must be let in to be answered.
            h11_max_incomplete_event_size=MAX_BYTES + 65536,
            **self._tls,
        )
        config.load()  # Here and not in the thread, so that a bad certificate is raised to the caller.
        listener = _bind(self._host, self._wanted_port)
        try:
            with self._emulator.lock:
                self._emulator.open_archive()
        except BaseException:
            listener.close()
            raise
        server = ServerOfThread(config)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="devinotify-sandbox", daemon=True
        )
        # The socket listens already: a client that connects before the loop turns waits in its backlog.
        thread.start()
        self._running = _Running(server, thread, listener.getsockname()[1], closing)

    def soon(self, work: Callable[[], object]) -> None:
        """Have the loop that serves call something when it comes round; nothing happens where it is not running."""
        if self._running:
            self._running.server.soon(work, self._stop_timeout)

    def stop(self) -> None:
        """Stop serving: running requests have 2 seconds to end. Nothing happens where it is not running.

        Raises RuntimeError where the server has not ended after ``stop_timeout``; another call waits for it again.
        """
        if self._running:
            seconds = self._stop_timeout
            self._running.server.exit(seconds)
            self._running.closing.close()
            self._running.thread.join(seconds)
            if self._running.thread.is_alive():
                raise RuntimeError(f"the sandbox was told to stop, and has not ended after {seconds:g} seconds")
            self._running = None
            with self._emulator.lock:
                self._emulator.store.detach()
