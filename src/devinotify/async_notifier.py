"""``Notifier`` for an event loop: the same arguments and outcomes, awaited.

Hooks, channels and the outbox are sync, and stay so: the work is a ``Notifier``'s, in a few threads of its own. So
nothing is written twice, no plugin blocks the loop, and the loop's default executor, whose threads others use up, is
not asked for any. A send that comes by none of them leaves from the loop itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import threading
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar
from weakref import WeakKeyDictionary

from devinotify.closing import tell
from devinotify.delivery.on_loop import AT_ONCE
from devinotify.delivery.recipients import hidden
from devinotify.executor import Executor
from devinotify.gateway.aio import AsyncClient
from devinotify.notifier import Notifier
from devinotify.redact import hide

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable
    from datetime import datetime
    from types import TracebackType

    from devinotify.delivery.on_loop import OnLoop
    from devinotify.delivery.orders import Enqueued
    from devinotify.delivery.recipients import Given
    from devinotify.exceptions import DevinotifyError
    from devinotify.models import IncomingSms, Outcome
    from devinotify.plugins import PluginManager
    from devinotify.url import DevinoURL

log: logging.Logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 4
"""Calls that are at work at a time; the others wait in order. More would take turns from the loop, and gain little."""

AHEAD = 2
"""Calls handed over for each thread, so that none of them waits for the loop between two."""


class AsyncNotifier:
    """Sends a text to people, as ``Notifier`` does, without blocking the event loop; an asynchronous context manager.

    The settings are those of ``Notifier``; the plugins' hooks are called in threads, in the context of the caller, so
    that they see its context variables. At most ``threads`` calls are at work at a time.

    Within ``async with``, on its loop, ``notify`` to one recipient on a channel of one step sends on the loop itself,
    up to a hundred at a time, where no plugin has a hook that a send comes by, and the URL neither aliases nor limits.

    A call that is cancelled returns at once. What it has begun is finished behind it and recorded as always: by the
    hooks, and in the outbox where there is one. What it has not begun is not done. ``aclose``, which ``async with``
    calls, waits for what was begun. Raises what ``Notifier`` raises on construction, which opens the outbox.
    """

    def __init__(
        self,
        url: str | DevinoURL | None = None,
        *,
        plugins: PluginManager | None = None,
        patience: float | None = None,
        poll: float | None = None,
        on_unknown: str | None = None,
        outbox: str | None = None,
        threads: int = THREADS,
    ) -> None:
        url = hide(url)
        self.notifier: Notifier = Notifier(
            url, plugins=plugins, patience=patience, poll=poll, on_unknown=on_unknown, outbox=outbox
        )
        self.url: DevinoURL = self.notifier.url
        self._handed_over = AHEAD * threads
        self._executor = Executor(threads, "devinotify-async")
        self._on_loop: OnLoop | None = None
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<AsyncNotifier {getattr(self, 'url', 'of bad settings')}>"

    async def __aenter__(self) -> Self:
        # Not without it: a loop that is not taken leave of, as one for each call is, would keep its connections open.
        if self._on_loop is None or self._on_loop.loop.is_closed():
            self._on_loop = self.notifier.on_loop(AsyncClient.beside(self.notifier.client, max_connections=AT_ONCE))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        executor: Executor | None = getattr(self, "_executor", None)  # there is none where the settings were bad
        if executor is not None and executor.is_open:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            executor.close()

    async def aclose(self) -> None:
        """Wait for what was begun, then close the outbox and the client; using the notifier again opens new ones.

        Cancelled, it returns at once, and they are closed behind it when what was begun is done.
        """
        failed = sys.exc_info()[1] is not None  # the thread that closes would not know of it
        on_loop = self._on_loop
        try:
            if on_loop is not None and on_loop.loop is asyncio.get_running_loop():
                self._on_loop = None
                await on_loop.aclose()
            await self._executor.idle()
            await self._run(self.notifier.close)
        except Exception as failure:
            if not failed:
                raise
            tell(log, "the notifier", failure)
        except BaseException:
            self._executor.close(self._close_behind)
            raise
        finally:
            self._executor.close()

    def _close_behind(self) -> None:
        """Close the outbox and the client in the thread that ends last: nobody hears of a failure but the log."""
        try:
            self.notifier.close()
        except Exception as failure:  # noqa: BLE001 - whatever it is, there is no caller to raise it to
            tell(log, "the notifier", failure)

    async def notify(
        self,
        text: str,
        to: Given | Iterable[Given] | None = None,
        *,
        title: str | None = None,
        channel: str | None = None,
        tags: str | Iterable[str] | None = (),
        send_at: datetime | None = None,
    ) -> list[Outcome]:
        """Send ``text`` and return one Outcome per distinct recipient, as ``Notifier.notify`` does."""
        text, to, title = hide(text), hidden(to), hide(title)
        on_loop = self._on_loop
        if on_loop is not None and on_loop.takes(to, channel):
            return await on_loop.notify(text, to, title, channel, tags, send_at)
        return await self._run(self.notifier.notify, text, to, title=title, channel=channel, tags=tags, send_at=send_at)

    async def enqueue(
        self,
        text: str,
        to: Given | Iterable[Given] | None = None,
        *,
        key: str | None = None,
        title: str | None = None,
        channel: str | None = None,
        tags: str | Iterable[str] | None = (),
        send_at: datetime | None = None,
        deadline: datetime | None = None,
        connection: object | None = None,
    ) -> Enqueued:
        """Store ``text`` durably, to be sent by a worker, as ``Notifier.enqueue`` does.

        A ``connection`` that is awaited cannot be used: call the SQL function ``devinotify.enqueue`` on it.
        """
        text, to, title = hide(text), hidden(to), hide(title)
        return await self._run(
            self.notifier.enqueue,
            text,
            to,
            key=key,
            title=title,
            channel=channel,
            tags=tags,
            send_at=send_at,
            deadline=deadline,
            connection=connection,
        )

    async def resolve(self, to: Given | Iterable[Given] | None = None) -> dict[str, DevinotifyError | None]:
        """Return who would get a message for ``to``, as ``Notifier.resolve`` does."""
        to = hidden(to)
        return await self._run(self.notifier.resolve, to)

    async def run(self, work: Callable[[Notifier], R]) -> R:
        """Return what ``work`` makes of the ``Notifier`` in one of the threads: for what has no method here."""
        return await self._run(work, self.notifier)

    async def wait(self, outcomes: Iterable[Outcome], timeout: float | None = None) -> list[Outcome]:
        """Watch accepted messages until their delivery is decided, as ``Notifier.wait`` does.

        A thread is taken for each look, and none between looks, so that any number of deliveries may be waited for.
        """
        context = contextvars.copy_context()
        looks = self.notifier.looks(outcomes, timeout)
        while True:
            pause, decided = await self._run_in(context, _next_look, looks)
            if decided is not None:
                return decided
            if pause:
                await asyncio.sleep(pause)

    async def incoming(
        self, handle: Callable[[IncomingSms], object] | None = None, *, since: datetime | None = None
    ) -> list[IncomingSms]:
        """Return the SMS from subscribers that are new since the last time, as ``Notifier.incoming`` does.

        ``handle`` is called in a thread. Cancelled, it leaves what it has not begun to tell of for the next time.
        """
        stopped = threading.Event()
        try:
            return await self._run(self.notifier.incoming, handle, since=since, stopped=stopped.is_set)
        except asyncio.CancelledError:
            stopped.set()
            raise

    def _run(self, work: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> Coroutine[Any, Any, R]:
        return self._run_in(contextvars.copy_context(), work, *arguments, **options)

    async def _run_in(
        self, context: contextvars.Context, work: Callable[P, R], *arguments: P.args, **options: P.kwargs
    ) -> R:
        async with self._turn():
            return await self._executor.run(context, partial(work, *arguments, **options))

    def _turn(self) -> asyncio.Semaphore:
        """Return what callers on this loop wait for: handing work over costs more than waiting for one's turn here."""
        loop = asyncio.get_running_loop()
        turns = self._turns.get(loop)
        if turns is None:
            turns = self._turns[loop] = asyncio.Semaphore(self._handed_over)
        return turns


def _next_look(looks: Generator[float, None, list[Outcome]]) -> tuple[float, list[Outcome] | None]:
    """Return the seconds before the next look, or what all of them came to."""
    try:
        return next(looks), None
    except StopIteration as end:
        return 0.0, end.value
