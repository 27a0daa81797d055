"""A FastAPI service under uvicorn whose clients go away in the middle of a request."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Request

from tests.faults.server import FaultServer, answer
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from devinotify import AsyncClient
    from devinotify.gateway.aio import Abandoned

pytestmark = pytest.mark.once
CALLERS = 40


def service(client: AsyncClient, sent: list[str]) -> FastAPI:
    """Return a service that sends for its callers, and cancels the send of one who has gone."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    app = FastAPI(lifespan=lifespan)

    async def remind(request: Request) -> dict[str, bool]:
        send = asyncio.create_task(client.sms.send(request.path_params["number"], "hello"))
        gone = asyncio.create_task(_gone(request))
        await asyncio.wait([send, gone], return_when=asyncio.FIRST_COMPLETED)
        for task in (send, gone):
            task.cancel()
        await asyncio.wait([send, gone])
        if not send.cancelled():
            sent.append(send.result().recipient)
        return {"sent": not send.cancelled()}

    app.add_route("/remind/{number}", _as_route(remind), methods=["POST"])
    return app


def _as_route(handler: Any) -> Any:  # noqa: ANN401 - a handler of FastAPI's
    from fastapi.responses import JSONResponse

    async def route(request: Request) -> JSONResponse:
        return JSONResponse(await handler(request))

    return route


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_callers_who_disconnect(server: FaultServer, make: Callable[..., AsyncClient], loop: str) -> None:
    """Each message that the gateway got is known to somebody: the handler, or the callback. None goes twice."""
    told: list[Abandoned] = []
    sent: list[str] = []

    def slow(exchange: Any) -> None:  # noqa: ANN401 - an exchange of the server's
        exchange.server.stopping.wait(0.05)
        answer(exchange)

    server.play_always("sms/send", slow)
    app = service(make(server, max_connections=10, on_abandoned=told.append), sent)
    with served(app, loop) as url:
        place = urlsplit(url)
        callers = []
        for each in range(CALLERS):
            sock = socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60)
            sock.sendall(b"POST /remind/7916%07d HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" % each)
            callers.append(sock)
        for each, sock in enumerate(callers):
            if each % 2:
                server.stopping.wait(0.003)
                sock.close()
        for each, sock in enumerate(callers):
            if not each % 2:
                assert sock.recv(4096).startswith(b"HTTP/1.1 200")
                sock.close()
    received = sorted("+" + request.params["destinationaddress"][0] for request in server.received("sms/send"))
    known = sorted([*sent, *(recipient for each in told for recipient in each.recipients)])
    assert (known, len(known)) == (received, len(set(received)))
    assert len(sent) >= CALLERS // 2
