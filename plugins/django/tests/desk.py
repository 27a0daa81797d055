"""An address of one's own that what comes in is posted to."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message


class Desk:
    """What was posted, and the statuses that are answered next; 204 when there are none left."""

    def __init__(self, answers: list[int]) -> None:
        self.answers = answers
        self.posts: list[tuple[Message, bytes]] = []
        self.url = ""

    @property
    def texts(self) -> list[str]:
        """The texts of what was posted."""
        return [json.loads(body)["text"] for _, body in self.posts]


@contextmanager
def desk(answers: list[int]) -> Iterator[Desk]:
    """Yield an address that is served inside the block."""
    kept = Desk(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.posts.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(kept.answers.pop(0) if kept.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    kept.url = f"http://127.0.0.1:{server.server_port}/replies"
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
