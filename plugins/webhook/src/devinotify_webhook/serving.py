"""The server: uvicorn on one socket, with limits on what a connection may hold and for how long."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from devinotify.systemd import Supervisor
from devinotify.translation import _

from devinotify_webhook.errors import ConfigError
from devinotify_webhook.protocol import protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devinotify_webhook.webhook import Webhook

KEEP_ALIVE = 30
"""Seconds that an idle connection is kept open."""
CONNECTIONS = 200
"""Connections at a time; more are answered 503."""
GRACE = 10
"""Seconds that requests under way have to end when the server is stopped."""


def serve(app: Webhook, say: Callable[[str], object]) -> None:
    """Serve an app until SIGINT or SIGTERM; ``say`` is told where, once it listens.

    Raises ConfigError where the address cannot be listened on.
    """
    config = app.config
    with _listening(config.host, config.port) as listener, _signals_over():
        host, port = listener.getsockname()[:2]
        server = _Supervised(
            uvicorn.Config(
                app,
                http=protocol(config.timeout),
                lifespan="on",
                ws="none",
                log_config=None,
                access_log=False,  # the metrics count requests, and a query may hold a text
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
                limit_concurrency=CONNECTIONS,
            ),
            app,
        )
        say(_("listening on {url}", url=f"http://{f'[{host}]' if ':' in host else host}:{port}"))
        sys.stdout.flush()
        server.run(sockets=[listener])


class _Supervised(uvicorn.Server):
    """uvicorn's server, which tells the service manager when it serves, and that its loop and the worker come round."""

    def __init__(self, config: uvicorn.Config, app: Webhook) -> None:
        super().__init__(config)
        self._app = app
        self._supervisor = Supervisor.of()

    async def main_loop(self) -> None:
        """Serve, now that all is started."""
        self._supervisor.ready("serving")
        signs = asyncio.create_task(self._give_signs())
        try:
            await super().main_loop()
        finally:
            signs.cancel()
            self._supervisor.stopping()

    async def _give_signs(self) -> None:
        while (every := self._supervisor.every) is not None:
            if self._app.is_healthy:
                self._supervisor.lives()
            await asyncio.sleep(every)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named since asyncio turns Nagle's algorithm off only where it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with listener:
        try:
            if sys.platform != "win32":  # there it would let two servers share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(2048)
        except OSError as error:
            taken = ": another program listens there" if error.errno == errno.EADDRINUSE else ""
            raise ConfigError(f"listen: {host}:{port}: {error.strerror or type(error).__name__}{taken}") from None
        yield listener


@contextmanager
def _signals_over() -> Iterator[None]:
    """Let a signal that uvicorn has ended for end nothing else: it raises it again for whoever handled it before."""
    former: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        former[number] = signal.signal(number, lambda *_signal: None)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
