"""The ASGI app: routes, who may post, and the answers. What is answered follows ``acceptance``."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import weakref
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from devinotify_webhook import access, dialects, openapi, twilio
from devinotify_webhook.errors import NotStored, NotUnderstood
from devinotify_webhook.house import House
from devinotify_webhook.loading import load
from devinotify_webhook.metrics import CONTENT_TYPE, Metrics
from devinotify_webhook.orders import Posted, Reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from devinotify import Outbox
    from starlette.requests import Request

    from devinotify_webhook.acceptance import Taken
    from devinotify_webhook.config import Config, Receiver
    from devinotify_webhook.dialects import Dialect

log: logging.Logger = logging.getLogger(__name__)

HEALTH = ("/healthz", "/-/healthy")
"""Where who would restart it asks whether to: by the names of Kubernetes and of Prometheus."""
DEFAULT = "default"
"""The receiver where a path names none."""
IDEMPOTENCY = "idempotency-key"
"""The header that names what is one message, however often it is posted."""


class _Refused(Exception):
    """A request that is answered before it is read to its end."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


_opening = threading.Lock()  # over the houses of all apps


class Webhook(Starlette):
    """The app of a configuration; mounted in another one, it begins with the first request.

    ``worker``: it sends what it stores; otherwise ``devinotify worker`` does, on the same outbox. ``local``: it is
    served on a loopback address and nowhere else. ``outbox`` is one of the caller's, in place of the one that the
    configuration names; it is not closed here. Raises ConfigError where the configuration cannot be used. ``close``
    ends the worker; so does the lifespan of a server that serves the app itself, and the end of the process.
    """

    def __init__(
        self, config: Config, *, worker: bool = True, local: bool = False, outbox: Outbox | None = None
    ) -> None:
        self.config: Config = config
        self.metrics: Metrics = Metrics()
        self._works = worker
        self._local = local
        self._reader = Reader(config, self.metrics)
        self._said: set[tuple[str, str]] = set()
        self._outbox = outbox
        self._house: House | None = self._open()
        atexit.register(_close, weakref.ref(self))
        super().__init__(routes=self._routes(), lifespan=_lifespan)

    def _routes(self) -> list[Route]:
        posts = ["POST", "PUT"]
        routes = []
        for name, methods in (("alertmanager", posts), ("grafana", posts), ("sms", ["GET", *posts])):
            answer = self._answering(name)
            routes += [_route(path, answer, methods) for path in (f"/{name}", f"/{name}/{{receiver}}")]
        return [
            *routes,
            Route(twilio.MESSAGES, self._counted("twilio", self._twilio), methods=["POST"]),
            Route(twilio.MESSAGE, self._counted("twilio", self._twilio_state), methods=["GET"]),
            *(Route(path, self._healthy) for path in HEALTH),
            Route("/-/ready", self._ready),
            Route("/metrics", self._exposition),
            Route("/openapi.json", self._description),
        ]

    @property
    def house(self) -> House:
        """What the app holds in this process."""
        with _opening:
            if self._house is None or self._house.pid != os.getpid():
                self._house = self._open()
            return self._house

    @property
    def is_healthy(self) -> bool:
        """Whether a restart would help nothing; an outbox that is away is no affair of a restart's."""
        house = self._house
        return house is None or house.is_healthy

    def _open(self) -> House:
        return House(self.config, self.metrics, worker=self._works, outbox=self._outbox)

    def close(self) -> None:
        """End the worker after what it is sending, and let the outbox go; the next request opens it again."""
        with _opening:
            house, self._house = self._house, None
        if house is not None and house.pid == os.getpid():
            house.close()

    # --- answers

    def _counted(
        self, route: str, answer: Callable[[Request], Awaitable[tuple[str, Response]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def counted(request: Request) -> Response:
            receiver, response = await answer(request)
            self.metrics.count("requests", route, receiver, str(response.status_code))
            return response

        return counted

    def _answering(self, route: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> tuple[str, Response]:
            name = request.path_params.get("receiver", DEFAULT)
            receiver = self.config.receiver(name)
            if receiver is None:
                return "", dialects.error(404, "there is no such receiver")
            own = dialects.Own(self._reader, route, receiver, name)
            return receiver.name, await self._take(receiver, request, own)

        return self._counted(route, answer)

    async def _take(self, receiver: Receiver, request: Request, dialect: Dialect) -> Response:
        try:
            posted = await self._posted(receiver, request)
            taken = await self._in_a_thread(self._store, receiver, dialect, posted)
        except _Refused as refused:
            return dialect.error(refused.status, refused.reason)
        except NotUnderstood as error:
            self._say(receiver, str(error))
            return dialect.error(400, str(error))
        except NotStored as error:
            log.warning("receiver %s: not stored: %s", receiver.name, error)
            return dialect.error(503, str(error))
        self._said = {said for said in self._said if said[0] != receiver.name}
        return dialect.stored(taken)

    def _store(self, receiver: Receiver, dialect: Dialect, posted: Posted) -> list[Taken]:
        try:
            orders = dialect.orders(posted)
        except RecursionError:
            raise NotUnderstood("the body goes too deep") from None
        return self.house.desk.take(receiver, orders)

    async def _in_a_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401 - whatever work takes
        return await asyncio.get_running_loop().run_in_executor(self.house.pool, work, *arguments)

    async def _posted(self, receiver: Receiver, request: Request) -> Posted:
        """Return what came; raise _Refused for who may not post, and for what is too long or too slow.

        What breaks off is NotUnderstood: it is logged like any other body that nothing can be made of.
        """
        if not access.admits(receiver, request, local=self._local):
            raise _Refused(401, "the token is missing or wrong" if receiver.is_guarded else _NO_TOKEN)
        body = bytearray()
        try:
            async with asyncio.timeout(self.config.timeout):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > self.config.body_limit:
                        raise _Refused(413, f"the body has more than {self.config.body_limit} bytes")
        except TimeoutError:
            raise _Refused(408, "the body did not arrive in time") from None
        except ClientDisconnect:
            raise NotUnderstood("the body broke off") from None
        return Posted(
            bytes(body),
            request.headers.get("content-type", ""),
            request.scope.get("query_string", b""),
            request.headers.get(IDEMPOTENCY),
        )

    def _say(self, receiver: Receiver, reason: str) -> None:
        """Log why a body cannot be understood: once, until the receiver has understood one."""
        level = logging.DEBUG if (receiver.name, reason) in self._said else logging.WARNING
        self._said.add((receiver.name, reason))
        log.log(level, "receiver %s: a body that cannot be understood: %s", receiver.name, reason)

    async def _healthy(self, request: Request) -> Response:  # noqa: ARG002 - a route's signature
        return PlainTextResponse("healthy\n") if self.is_healthy else PlainTextResponse("the worker hangs\n", 503)

    async def _ready(self, request: Request) -> Response:  # noqa: ARG002 - a route's signature
        trouble = await self._in_a_thread(self.house.trouble)
        return PlainTextResponse("ready\n") if trouble is None else PlainTextResponse(f"{trouble}\n", 503)

    async def _exposition(self, request: Request) -> Response:  # noqa: ARG002 - a route's signature
        gauges = await self._in_a_thread(lambda: list(self.house.gauges()))
        return Response(self.metrics.exposition(gauges), media_type=CONTENT_TYPE)

    async def _description(self, request: Request) -> Response:  # noqa: ARG002 - a route's signature
        return JSONResponse(openapi.document())

    # --- Twilio's API

    async def _twilio(self, request: Request) -> tuple[str, Response]:
        sid = request.path_params["sid"]
        receiver = self.config.of_sid(sid)
        if receiver is None:
            return "", twilio.error(404, "there is no such account")
        return receiver.name, await self._take(receiver, request, twilio.Post(self._reader, receiver, sid))

    async def _twilio_state(self, request: Request) -> tuple[str, Response]:
        sid = request.path_params["sid"]
        receiver = self.config.of_sid(sid)
        if receiver is None:
            return "", twilio.error(404, "there is no such account")
        if not access.admits(receiver, request, local=self._local):
            return receiver.name, twilio.error(401, "the token is missing or wrong")
        row = await self._in_a_thread(twilio.row_of, self.house.outbox, request.path_params["message"])
        if row is None:
            return receiver.name, twilio.error(404, "there is no such message")
        return receiver.name, JSONResponse(twilio.state(sid, row))


_NO_TOKEN = "this receiver has no token, so it serves programs of this machine alone"  # noqa: S105 - what is said of it


def _route(path: str, answer: Callable[[Request], Awaitable[Response]], methods: list[str]) -> Route:
    route = Route(path, answer, methods=methods)
    if route.methods is not None:
        route.methods.discard("HEAD")  # it comes along with GET, and a look must not send
    return route


def _after_fork_in_child() -> None:
    global _opening
    _opening = threading.Lock()  # a thread of the parent's may hold the other; a child opens a house of its own anyway


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _close(app: weakref.ref[Webhook]) -> None:
    found = app()
    if found is not None:
        found.close()


@asynccontextmanager
async def _lifespan(app: Webhook) -> AsyncIterator[None]:
    app.house.pool  # noqa: B018 - the worker begins with it
    try:
        yield
    finally:
        await asyncio.to_thread(app.close)


def app(config: str | os.PathLike[str] | Mapping[str, Any] | Config | None = None, *, worker: bool = True) -> Webhook:
    """Return the ASGI app of a configuration: a TOML file's path, a mapping of the same shape, or a ``Config``.

    Without one, the account of DEVINOTIFY_URL sends whatever is posted to the targets on that URL. ``worker``: the app
    sends what it stores; otherwise ``devinotify worker`` does, on the same outbox. Raises ConfigError.
    """
    return Webhook(load(config), worker=worker)
