"""A gateway whose answers are those of ``requests``: for a harness that replaces ``requests.post`` and its like.

devinotify keeps its own connections and never calls ``requests``. So each request that really comes in over HTTP is
asked of the replaced function, and what that says, or raises, is what the client meets on the wire.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

SESSION_ID = b'"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"'
NOTHING = (b"", b"null")
"""What the harness answers where a test does not say: the gateway's usual answer stands in its place."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._relay("get", SESSION_ID, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        names = parse_qs(body.decode())
        count = sum(len(names.get(name, ())) for name in ("DestinationAddress", "DestinationAddresses"))
        self._relay("post", b"[%b]" % b",".join([b'"579700854169272358"'] * count), body)

    def _relay(self, method: str, usual: bytes, body: bytes) -> None:
        try:
            reply = getattr(requests, method)(self.path, data=body)
        except requests.RequestException:
            self.close_connection = True  # whatever broke: no answer comes
            return
        content = reply.content if reply.status_code != 200 or reply.content not in NOTHING else usual
        self.send_response(reply.status_code)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing of what is relayed."""


@contextmanager
def bridge() -> Iterator[str]:
    """Run the gateway on a free loopback port; yield its base URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/rest"
        finally:
            server.shutdown()
            thread.join(60)
