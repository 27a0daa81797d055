"""The client of an event loop: the 14 operations of the gateway as coroutines.

What is asked and what is made of the replies is ``calls``; in which order and how often, ``conversation``.
``AsyncClient`` leads that conversation over ``aio.transport`` and ``aio.session``, for any number of tasks.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import random
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidURL, NotSent, OutcomeUnknown
from devinotify.gateway import conversation
from devinotify.gateway.aio.abandoned import Abandoned, recipients_of
from devinotify.gateway.aio.resources import AsyncSms, AsyncUser, AsyncViber
from devinotify.gateway.aio.session import Session
from devinotify.gateway.aio.transport import Transport
from devinotify.gateway.conversation import Exchange, LogIn, Pause, SessionState
from devinotify.gateway.route import find_route
from devinotify.gateway.serialiser import Serialiser
from devinotify.gateway.settings import read_settings
from devinotify.redact import hide

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType

    from devinotify.gateway.aio.connection import Outcome
    from devinotify.gateway.calls import Call
    from devinotify.gateway.client import Client
    from devinotify.gateway.conversation import Conversation, Instruction
    from devinotify.gateway.http1 import Reply
    from devinotify.redact import Secret
    from devinotify.url import DevinoURL

R = TypeVar("R")

log: logging.Logger = logging.getLogger(__name__)

_INHERITED: list[object] = []
"""What a fork left us of our parent's: never used, and never closed, since the parent goes on with it."""


class WrongLoop(InvalidInput, RuntimeError):
    """The client is in use on another event loop; nothing was sent."""


class _Bound:
    """What belongs to one event loop of one process."""

    def __init__(self, transport: Transport, session: Session) -> None:
        self.loop = asyncio.get_running_loop()
        self.pid = os.getpid()
        self.transport = transport
        self.session = session


class AsyncClient:
    """A client of the gateway for one event loop: ``client.user``, ``client.sms`` and ``client.viber``.

    An asynchronous context manager, for any number of tasks. The settings are those of ``Client``, and so are the
    operations, their results and errors. At most ``max_connections`` are open; who comes then waits, in order. Nothing
    is sent on construction, which needs no loop; the first operation logs in. Raises InvalidURL for bad settings.

    A send that is cancelled before its request began to leave is not sent. One that is cancelled later raises
    CancelledError at once, goes on without its caller until its deadline, and is then told to ``on_abandoned``, in the
    context of the caller; without one a line of the log tells the operation and the verdict. What ``on_abandoned`` is
    never told of was not sent. ``aclose``, which ``async with`` calls, waits for such sends.
    """

    _bound: _Bound | None = None
    _repetition = staticmethod(conversation.repetition)

    def __init__(
        self,
        url: str | DevinoURL | None = None,
        *,
        login: str | None = None,
        password: str | None = None,
        sender: str | None = None,
        gateway: str | None = None,
        region: str | None = None,
        timeout: float | None = None,
        ca: str | None = None,
        insecure: bool | None = None,
        validity: int | None = None,
        max_connections: int = 100,
        on_abandoned: Callable[[Abandoned], object] | None = None,
    ) -> None:
        url, password = hide(url), hide(password)
        self.url: DevinoURL = read_settings(
            url,
            login=login,
            password=password,
            sender=sender,
            gateway=gateway,
            region=region,
            timeout=timeout,
            ca=ca,
            insecure=insecure,
            validity=validity,
        )
        if max_connections < 1:
            raise InvalidURL("bad value for max_connections: it must be at least 1")
        self._size = max_connections
        self._on_abandoned = _log if on_abandoned is None else on_abandoned
        self._route = find_route(self.url.gateway, self.url.ca)
        self._serialise = Serialiser(self.url.gateway)
        self._state = SessionState()
        self._shares_session = False
        self._left_behind: dict[asyncio.Task[object], bool] = {}  # and whether it is a send
        self.user: AsyncUser = AsyncUser(self)
        self.sms: AsyncSms = AsyncSms(self)
        self.viber: AsyncViber = AsyncViber(self)

    @classmethod
    def beside(cls, client: Client, *, max_connections: int = 100) -> AsyncClient:
        """Return one with the settings of a blocking client, whose session it shares and leaves to it in the end."""
        other = cls(client.url, max_connections=max_connections)
        other._state, other._shares_session = client.session, True
        return other

    def __repr__(self) -> str:
        return f"<AsyncClient {getattr(self, 'url', 'of bad settings')}>"  # printers ask while it is being made, too

    async def __aenter__(self) -> Self:
        self._here()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        bound = self._bound
        if bound is None or bound.pid != os.getpid():
            return
        warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
        if not bound.loop.is_closed():
            bound.loop.call_soon_threadsafe(bound.transport.pool.drop)

    async def aclose(self) -> None:
        """Wait for sends that go on without their callers, close the connections and forget the session.

        Using the client again opens new ones, and may do so on another event loop.
        """
        if self._bound is None:
            return
        bound = self._here()
        try:
            while sends := [task for task, is_send in self._left_behind.items() if is_send]:
                await asyncio.wait(sends)
        finally:
            self._bound = None
            await bound.session.aclose()
            if not self._shares_session:
                self._state.forget()
            # A read or a login that nobody waits for, and what is left where the closing itself was cancelled.
            for task in self._left_behind:
                task.cancel()
            if self._left_behind:
                await asyncio.wait(self._left_behind)
            await bound.transport.pool.aclose()

    def call(self, call: Call[R]) -> Coroutine[Any, Any, R]:
        """Perform one operation within a session, renewing it once where the gateway asks for that."""
        return self._lead(conversation.converse(call, random.random, self._repetition), call)

    async def _log_in(self) -> Secret:
        return await self._lead(conversation.log_in(self.url, random.random, self._repetition), None)

    async def _lead(self, talk: Conversation[R], call: Call[R] | None) -> R:
        """Lead a conversation to its end, as ``conversation.lead`` does, but for the awaiting."""
        bound = self._here()
        leave_behind = partial(self._leave_behind, bound, talk, call)
        answer: Callable[[Any], Instruction] = talk.send
        result: object = None
        try:
            while True:
                instruction = answer(result)
                answer = talk.send
                try:
                    match instruction:
                        case Exchange(request):
                            result = await bound.transport.exchange(request, leave_behind)
                        case LogIn(refused):
                            result = bound.session.known(refused) or await bound.session.get(refused)
                        case Pause(seconds):
                            await asyncio.sleep(seconds)
                            result = None
                except DevinotifyError as error:
                    answer, result = talk.throw, error
        except StopIteration as end:
            value: R = end.value
            return value

    def _here(self) -> _Bound:
        """Return what belongs to the running loop, made on first use there; raise WrongLoop on a second one."""
        bound, loop = self._bound, asyncio.get_running_loop()
        if bound is not None and bound.pid != os.getpid():
            _INHERITED.append((bound, self._left_behind))
            bound, self._left_behind = None, {}
        if bound is None:
            transport = Transport(self._route, self._serialise, timeout=self.url.timeout, size=self._size)
            bound = self._bound = _Bound(transport, Session(self._log_in, self._state))
        elif bound.loop is not loop:
            raise WrongLoop(
                "this client is in use on another event loop: make one for each, or aclose() it there before"
            )
        return bound

    # Sends that go on without their callers

    def _leave_behind(
        self, bound: _Bound, talk: Conversation[Any], call: Call[Any] | None, rest: asyncio.Future[Outcome]
    ) -> None:
        work = _finish(talk, rest, bound.transport.read)
        task: asyncio.Task[object] = asyncio.create_task(work, name="devinotify abandoned exchange")
        self._left_behind[task] = call is not None and call.operation.is_send
        # Told by a callback, so that it is told even of a task that is cancelled before it has begun.
        task.add_done_callback(partial(self._tell, call, rest), context=contextvars.copy_context())

    def _tell(self, call: Call[Any] | None, rest: asyncio.Future[Outcome], task: asyncio.Task[object]) -> None:
        is_send = self._left_behind.pop(task)
        error: BaseException | None
        if task.cancelled():
            rest.cancel()
            error = OutcomeUnknown("the event loop ended while the reply was waited for")
        else:
            error = task.exception()
        if call is None or not is_send:
            return
        if error is not None and not isinstance(error, DevinotifyError):
            error = OutcomeUnknown(f"the reply could not be read: {type(error).__name__}")
        if error is not None and error.operation is None:
            error.operation = call.operation.name
        receipt: Any = None if error is not None else task.result()
        try:
            self._on_abandoned(Abandoned(call.operation.name, recipients_of(call), receipt, error))
        except Exception as fault:  # noqa: BLE001 - the callback is the caller's, and may raise anything
            log.error("on_abandoned raised %s", type(fault).__name__)


async def _finish(talk: Conversation[Any], rest: asyncio.Future[Outcome], read: Callable[[Outcome], Reply]) -> object:
    """Return what a conversation comes to without its caller: the exchange under way ends it, and is not repeated."""
    try:
        try:
            reply = read(await rest)
        except OutcomeUnknown as error:
            talk.throw(error)
        else:
            talk.send(reply)
    except StopIteration as end:
        return end.value
    talk.close()
    raise NotSent("it was refused for its session, and not sent again: its caller had gone", retryable=True)


def _log(abandoned: Abandoned) -> None:
    log.warning("%s was cancelled after it had begun to leave; it is %s", abandoned.operation, abandoned.verdict)
