"""The sandbox as an ASGI application: gateway under ``/rest``, control API under ``/sandbox``, page at ``/``.

The gateway's own path is plain ASGI, since every microsecond of it is paid by each message; the control
API and the page, which people use, are on starlette.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route as StarletteRoute

from devinotify.sandbox import access, control, events, openapi, page, replies, service
from devinotify.sandbox.access import Access
from devinotify.sandbox.bodies import MAX_BYTES
from devinotify.sandbox.emulator import NotFound
from devinotify.sandbox.events import Closing
from devinotify.sandbox.exports import Download

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from starlette.types import ASGIApp

    from devinotify.sandbox.emulator import Emulator
    from devinotify.sandbox.faults import ArmedFault, Strike
    from devinotify.sandbox.replies import Reply
    from devinotify.sandbox.service import Received

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_CONTROL_BODY = 64 * 1024
"""Bytes of a control request's body."""

MAX_DRAINED = 8 * MAX_BYTES
"""Bytes of an oversized body that are read and thrown away, so that its sender gets to read the refusal."""

HEALTH = "/healthz"
"""Where a container's health check asks."""

_PLAIN = b"text/plain; charset=utf-8"
_CACHE = (b"Cache-Control", b"private")
_KEEP_ALIVE = (b"Connection", b"Keep-Alive")
_CLOSE = (b"connection", b"close")
_JSON_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Cutter(Protocol):
    """What can end a request's connection in place of an answer."""

    def close(self, scope: Scope) -> None:
        """Close it, once all that was written has gone out."""

    def reset(self, scope: Scope) -> None:
        """Reset it."""


class NoCutter:
    """In place of a server that knows its connections: a fault of the connection is an error of the application."""

    def close(self, scope: Scope) -> None:
        """Raise ConnectionAbortedError."""
        raise ConnectionAbortedError(f"a fault ends the connection of {scope['method']} {scope['path']}")

    reset = close


async def _read(receive: Receive) -> bytes | None:
    """Return the request's body, one that is too long cut just past the limit; ``None`` where the client has gone."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        if size <= MAX_BYTES:
            chunks.append(chunk)
        size += len(chunk)
        if not message.get("more_body", False) or size > MAX_DRAINED:
            return b"".join(chunks)


def make_app(
    emulator: Emulator,
    password: str = page.PLACEHOLDER,
    *,
    rules: Access | None = None,
    connections: Cutter | None = None,
    closing: Closing | None = None,
    most_streams: int = events.MAX_STREAMS,
) -> ASGIApp:
    """Return the ASGI application that serves an emulator; ``password`` is what the page's examples show for it.

    ``connections`` carries out the faults of the connection; without it they are errors of the application.
    """
    rules = rules or Access()
    closing = closing or Closing()
    rest = _control_app(emulator, password, rules, closing, most_streams)
    gateway = _Gateway(emulator, rules, connections or NoCutter(), closing)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith("/rest"):
            await gateway.serve(scope, receive, send)
        elif path == HEALTH:
            await _answer(scope, send, _health(emulator, scope["method"]))
        elif path in page.PATHS or path == "/sandbox" or path.startswith(("/sandbox/", page.STATIC)):
            await rest(scope, receive, send)
        else:
            await gateway.serve(scope, receive, send)

    return app


class _Gateway:
    """The gateway's API, with whatever is to go wrong with it."""

    def __init__(self, emulator: Emulator, rules: Access, connections: Cutter, closing: Closing) -> None:
        self._emulator = emulator
        self._rules = rules
        self._connections = connections
        self._closing = closing

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._rules.may_call(scope["headers"]):
            # Not a byte of the body is waited for.
            received = service.Received(scope["method"], scope["path"], scope["query_string"], b"", scope["headers"])
            await _answer(scope, send, service.turn_away(self._emulator, received, access.FOREIGN_CALL))
            return
        body = await _read(receive)
        if body is None:
            return
        received = service.Received(scope["method"], scope["path"], scope["query_string"], body, scope["headers"])
        plan = service.plan(self._emulator, received)
        if plan is None:
            await _answer(scope, send, service.answer(self._emulator, received))
        else:
            await self._go_wrong(plan, received, scope, receive, send)

    async def _wait(self, latency: ArmedFault) -> None:
        """Wait as long as the latency takes, or until it is disarmed, by whichever thread, or the server is stopped."""
        loop, gone = asyncio.get_running_loop(), asyncio.Event()

        def let_go() -> None:
            loop.call_soon_threadsafe(gone.set)

        with self._emulator.lock:
            if latency.disarmed:
                return
            latency.held.add(let_go)
        try:
            with self._closing.sets(gone), contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), latency.fault.seconds or 0.0)
        finally:
            with self._emulator.lock:
                latency.held.discard(let_go)

    async def _go_wrong(self, plan: Strike, received: Received, scope: Scope, receive: Receive, send: Send) -> None:
        for latency in plan.latencies:
            await self._wait(latency)
        fault = plan.fault
        if fault is None:
            await _answer(scope, send, service.answer(self._emulator, received, fault="latency"))
            return
        if fault.carries_out:
            accepted = service.answer(self._emulator, received, fault=fault.kind)
            reply = service.answer_of(fault) or accepted
        else:
            reply = service.spoil(self._emulator, received, fault)
        if fault.kind in ("reset", "outage"):
            self._connections.reset(scope)
        elif fault.kind == "drop":
            self._connections.close(scope)
        elif fault.kind == "half":
            await _answer(scope, send, reply, half=True)
            self._connections.close(scope)
        else:
            await _answer(scope, send, reply)
            return
        # The server would answer in our place if this returned before the connection is down.
        while (await receive())["type"] != "http.disconnect":
            pass


def _health(emulator: Emulator, method: str) -> Reply:
    """Return the answer to who asks whether it serves: in no log, behind no fault and no token, and telling nothing.

    Any host may be named, as health checks do.
    """
    if method not in ("GET", "HEAD"):
        return replies.Reply(405, b"", allow="GET, HEAD", media=_PLAIN)
    with emulator.lock:  # which each message needs
        return replies.Reply(200, b"healthy\n", media=_PLAIN)


async def _answer(scope: Scope, send: Send, reply: Reply, *, half: bool = False) -> None:
    headers = [(b"Content-Type", reply.media), _CACHE, (b"Content-Length", b"%d" % len(reply.body))]
    if _CLOSE not in scope["headers"]:
        headers.append(_KEEP_ALIVE)
    if reply.allow:
        headers.append((b"Allow", reply.allow.encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = reply.body[: len(reply.body) // 2] if half else reply.body
    await send({"type": "http.response.body", "body": body, "more_body": half})


def _error(status: int, message: str) -> JSONResponse:
    headers = {**_JSON_HEADERS, "www-authenticate": "Bearer"} if status == 401 else _JSON_HEADERS
    return JSONResponse({"error": message}, status, headers)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_CONTROL_BODY:
            raise HTTPException(413, f"the body is larger than {MAX_CONTROL_BODY} bytes")
    return body


async def _given(request: Request) -> Mapping[str, object]:
    if request.method != "POST":
        return dict(parse_qsl(request.url.query, keep_blank_values=True))
    body = await _body(request)
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(given, dict):
        raise ValueError("the body must be a JSON object")
    return given


def _refusal(rules: Access, request: Request) -> JSONResponse | None:
    if not rules.own_origin(request):
        return _error(403, access.FOREIGN)
    if not rules.admits(request, time.monotonic()):
        return _error(401, access.NO_TOKEN)
    return None


def _json(document: object) -> Response:
    # A lone surrogate, which JSON's escapes can bring in, is not a reason to fail.
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    return Response(text.encode("utf-8", "replace"), media_type="application/json", headers=_JSON_HEADERS)


def _file(download: Download) -> Response:
    headers = {**_JSON_HEADERS, "content-disposition": f'attachment; filename="{download.name}"'}
    return Response(download.content.encode("utf-8", "replace"), media_type=download.media, headers=headers)


def _endpoint(
    emulator: Emulator, rules: Access, routes: Mapping[str, control.Route]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        refusal = _refusal(rules, request)
        if refusal is not None:
            return refusal
        route = routes["GET" if request.method == "HEAD" else request.method]
        try:
            given = await _given(request)
            if route.slow:
                return _json(await asyncio.to_thread(control.answer, emulator, route, given))
            answer = control.answer(emulator, route, given)
            return _file(answer) if isinstance(answer, Download) else _json(answer)
        except ValueError as wrong:
            return _error(400, str(wrong))
        except NotFound as missing:
            return _error(404, str(missing))

    return endpoint


class _Events:
    """The stream of changes as an endpoint."""

    def __init__(self, emulator: Emulator, rules: Access, closing: Closing, most: int) -> None:
        self._emulator = emulator
        self._rules = rules
        self._closing = closing
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        refusal = _refusal(self._rules, request)
        if refusal is None and self._emulator.live.watchers >= self._most:
            refusal = _error(503, f"more than {self._most} pages are open")
        if refusal is not None:
            await refusal(scope, receive, send)
        else:
            await events.stream(self._emulator, self._closing, receive, send)


def _control_app(emulator: Emulator, password: str, rules: Access, closing: Closing, most_streams: int) -> ASGIApp:
    files = page.files()

    async def file(request: Request) -> Response:
        """Answer with a file of the page; those say nothing of what arrived."""
        if not rules.own_origin(request):
            return _error(403, access.FOREIGN)
        name = request.path_params.get("name", page.INDEX)
        if name == page.INDEX and not rules.admits(request, time.monotonic()):
            name = page.LOGIN_AGAIN if request.url.query == access.WRONG else page.LOGIN
        found = files.get(name)
        if found is None:
            return _error(404, "there is no such file")
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers={**page.HEADERS, "etag": found.etag})
        return Response(found.content, media_type=found.media, headers={**page.HEADERS, "etag": found.etag})

    async def sign_in(request: Request) -> Response:
        if not rules.own_origin(request):
            return _error(403, access.FOREIGN)
        form = dict(parse_qsl((await _body(request)).decode("utf-8", "replace")))
        if not rules.is_token(form.get("token", "")):
            return RedirectResponse(f"/?{access.WRONG}", 303, _JSON_HEADERS)
        reply = RedirectResponse("/", 303, _JSON_HEADERS)
        reply.set_cookie(
            access.COOKIE,
            rules.sign_in(time.monotonic()),
            max_age=access.VISIT,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return reply

    async def description(request: Request) -> Response:
        return _refusal(rules, request) or _json(openapi.document(emulator.account.login, rules.needs_token))

    async def examples(request: Request) -> Response:
        refusal = _refusal(rules, request)
        base = f"{request.url.scheme}://{request.headers.get('host', '')}/rest"
        return refusal or _json(page.examples(base, emulator.account.login, password))

    async def failed(_: Request, failure: Exception) -> Response:
        refusal = cast(HTTPException, failure)
        return JSONResponse({"error": refusal.detail}, refusal.status_code, refusal.headers)

    routes = [
        StarletteRoute(path, _endpoint(emulator, rules, by_method), methods=list(by_method))
        for path, by_method in control.BY_PATH.items()
    ]
    return Starlette(
        routes=[
            StarletteRoute("/", file, methods=["GET"]),
            StarletteRoute(page.STATIC + "{name}", file, methods=["GET"]),
            StarletteRoute("/login", sign_in, methods=["POST"]),
            StarletteRoute("/openapi.json", description, methods=["GET"]),
            StarletteRoute("/sandbox/examples", examples, methods=["GET"]),
            StarletteRoute("/sandbox/events", _Events(emulator, rules, closing, most_streams), methods=["GET"]),
            *routes,
        ],
        exception_handlers={HTTPException: failed},
    )
