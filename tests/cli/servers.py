"""Gateways that do what a sandbox should not: a real server on loopback with the replies that it is given."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

PASSWORD = "Zq7-correct-horse-battery"
SESSION = "Z5CYSZEKDL1DPICU37WEHQVOYKP0T1GSLHX1"


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ScriptedGateway:
    """A gateway that logs everybody in, answers each resource with a body, and closes where it has none.

    ``replies`` maps a resource in lower case, ``sms/send``, to the body of a 200. ``received`` lists the
    resources of the requests that were read to their end; ``reached`` is set with the first that has no reply.
    """

    def __init__(self, replies: Mapping[str, str] | None = None, hold: bool = False) -> None:
        self.received: list[str] = []
        self.reached = threading.Event()
        self.released = threading.Event()
        if not hold:
            self.released.set()
        script = {"user/sessionid": f'"{SESSION}"', **(replies or {})}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                resource = urlsplit(self.path).path.removeprefix("/rest/").lower()
                outer.received.append(resource)
                body = script.get(resource)
                if body is None:
                    outer.reached.set()
                    outer.released.wait(60)
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST = answer  # noqa: N815 - the server's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's name
                """Log nothing: the path holds a password."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"devino://demo:{PASSWORD}@DEVINO?gateway=http://127.0.0.1:{self._server.server_port}/rest"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        ended(self._thread)
        self._server.server_close()
