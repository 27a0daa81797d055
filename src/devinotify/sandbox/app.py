"""The sandbox as an ASGI application: gateway under ``/rest``, control API under ``/sandbox``, page at ``/``.

The gateway's own path is plain ASGI, since every microsecond of it is paid by each message; the control
API and the page, which people use, are on starlette.
"""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as StarletteRoute

from devinotify.sandbox import control, page, params, service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from devinotify.sandbox.emulator import Emulator

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_CONTROL_BODY = 64 * 1024
"""Bytes of a control request's body."""

MAX_DRAINED = 8 * params.MAX_BYTES
"""Bytes of an oversized body that are read and thrown away, so that its sender gets to read the refusal."""

_HEADERS = (
    (b"Content-Type", b"application/json; charset=utf-8"),
    (b"Cache-Control", b"private"),
)
_KEEP_ALIVE = (b"Connection", b"Keep-Alive")
_CLOSE = (b"connection", b"close")


async def _read(receive: Receive) -> bytes | None:
    """Return the request's body, one that is too long cut just past the limit; ``None`` where the client has gone."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        if size <= params.MAX_BYTES:
            chunks.append(chunk)
        size += len(chunk)
        if not message.get("more_body", False) or size > MAX_DRAINED:
            return b"".join(chunks)


def make_app(emulator: Emulator, password: str = page.PLACEHOLDER) -> ASGIApp:
    """Return the ASGI application that serves an emulator; ``password`` is what the page's examples show for it."""
    rest = _control_app(emulator, password)

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path == "/" or path == "/sandbox" or path.startswith("/sandbox/"):
            await rest(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return
        reply = service.answer(emulator, scope["method"], path, scope["query_string"], body)
        headers = [*_HEADERS, (b"Content-Length", b"%d" % len(reply.body))]
        if _CLOSE not in scope["headers"]:
            headers.append(_KEEP_ALIVE)
        if reply.allow:
            headers.append((b"Allow", reply.allow.encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    return app


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _origin_allowed(request: Request) -> bool:
    """Return whether a request comes from this machine's own page or from no page at all.

    A web site that a developer visits could otherwise read the inbox (by a name that it makes resolve to
    loopback) or press its buttons (by a form posted here).
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    try:
        parts = urlsplit(f"//{host}")
        local = _is_loopback(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        return False
    return local and (origin is None or origin == f"{request.url.scheme}://{host}")


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status, {"cache-control": "no-store"})


async def _given(request: Request) -> Mapping[str, object]:
    if request.method != "POST":
        return dict(parse_qsl(request.url.query, keep_blank_values=True))
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_CONTROL_BODY:
            raise HTTPException(413, f"the body is larger than {MAX_CONTROL_BODY} bytes")
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the body must be a JSON object")
    return given


def _endpoint(emulator: Emulator, routes: Mapping[str, control.Route]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not _origin_allowed(request):
            return _error(403, "only this machine, by a loopback name, may use the control API")
        route = routes["GET" if request.method == "HEAD" else request.method]
        try:
            document = control.answer(emulator, route, await _given(request))
        except ValueError as wrong:
            return _error(400, str(wrong))
        return Response(
            json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n",
            media_type="application/json",
            headers={"cache-control": "no-store", "x-content-type-options": "nosniff"},
        )

    return endpoint


def _control_app(emulator: Emulator, password: str) -> ASGIApp:
    async def index(request: Request) -> Response:
        if not _origin_allowed(request):
            return _error(403, "only this machine, by a loopback name, may see the page")
        base = f"{request.url.scheme}://{request.headers['host']}/rest"
        response = Response(page.render(emulator, base, password))
        response.raw_headers.extend(page.HEADERS)
        return response

    async def failed(_: Request, failure: Exception) -> Response:
        refusal = cast(HTTPException, failure)
        return JSONResponse({"error": refusal.detail}, refusal.status_code, refusal.headers)

    routes = [
        StarletteRoute(path, _endpoint(emulator, by_method), methods=list(by_method))
        for path, by_method in control.BY_PATH.items()
    ]
    return Starlette(
        routes=[StarletteRoute("/", index, methods=["GET"]), *routes],
        exception_handlers={HTTPException: failed},
    )
