"""An address of one's own that documents are posted to."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from tests.waiting import ended

if TYPE_CHECKING:
    from email.message import Message


class Desk:
    """An address that is posted to: answers with the next of ``answers``, and 204 when there are none left.

    No post is answered before ``held`` is set, where it is given.
    """

    def __init__(self, answers: list[int], held: threading.Event | None = None) -> None:
        self.posts: list[tuple[Message, bytes]] = []
        self._came = threading.Condition()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with desk._came:
                    desk.posts.append((self.headers, body))
                    desk._came.notify_all()
                if held is not None:
                    held.wait(60)
                self.send_response(answers.pop(0) if answers else 204)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/replies?key=s3cret"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        ended(self._thread)

    def wait(self, count: int) -> bool:
        """Return whether so many posts came, within a minute."""
        with self._came:
            return self._came.wait_for(lambda: len(self.posts) >= count, 60)

    @property
    def texts(self) -> list[str]:
        """The texts of what was posted."""
        return [json.loads(body)["text"] for _, body in self.posts]
