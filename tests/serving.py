"""Serves an ASGI application with uvicorn, as people do, on a free port."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from tests.waiting import LONGEST, ended

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def served(app: Any, loop: str = "asyncio") -> Iterator[str]:  # noqa: ANN401 - any ASGI application
    """Run the application, and give its URL; its lifespan ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_level="warning", lifespan="on", loop=loop)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until = time.monotonic() + LONGEST
        while not server.started and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)  # uvicorn tells it in no other way
        assert server.started
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            ended(thread)
