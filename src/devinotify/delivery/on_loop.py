"""What an event loop sends itself: one text to one recipient, where nothing on its way may block.

Hooks, the outbox and what plugins bring are sync, and belong into threads, of which there are a few. Without them a
send is a request that is written and one that is read, which a loop does for a hundred at a time, and for less than
half of what handing it to a thread costs.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from devinotify.channels.direct import Direct
from devinotify.delivery.recipients import is_one
from devinotify.gateway.aio.resources import Ready
from devinotify.gateway.aio.warmup import warm_up_for
from devinotify.redact import forget_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from devinotify.channels.protocol import Channel
    from devinotify.delivery.pipeline import Pipeline
    from devinotify.delivery.recipients import Given
    from devinotify.exceptions import DevinotifyError
    from devinotify.gateway.aio import AsyncClient
    from devinotify.models import Message, Outcome
    from devinotify.url import DevinoURL

    Read = Callable[
        [
            str,
            Given | Iterable[Given] | None,
            str | None,
            str | None,
            str | Iterable[str] | None,
            datetime | None,
        ],
        tuple[Message, dict[str, DevinotifyError | None]],
    ]
    """Returns the message and its recipients, of what ``Notifier.notify`` is given."""

AT_ONCE = 100
"""Sends under way at a time, as many as the client has connections; the others wait in order, and no deadline runs."""


class OnLoop:
    """Sends on the event loop that it is made on, by ``client``, which it closes, for one Notifier."""

    def __init__(
        self, client: AsyncClient, read: Read, channels: Mapping[str, Channel], pipeline: Pipeline, settings: DevinoURL
    ) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self._client = client
        self._ready = Ready(client)
        self._read = read
        self._channels = channels
        self._pipeline = pipeline
        self._settings = settings
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._taken = 0  # turns, for closing
        self._closing: asyncio.Task[None] | None = None

    def takes(self, to: Given | Iterable[Given] | None, channel: str | None) -> bool:
        """Whether a send to ``to`` on ``channel``, as ``notify`` is given them, waits for nothing but the gateway."""
        return (
            asyncio.get_running_loop() is self.loop
            and isinstance(self._channels.get(self._settings.channel if channel is None else channel), Direct)
            and self._pipeline.is_bare
            and is_one(self._settings.targets if to is None else to)
        )

    async def notify(
        self,
        text: str,
        to: Given | Iterable[Given] | None,
        title: str | None,
        channel: str | None,
        tags: str | Iterable[str] | None,
        send_at: datetime | None,
    ) -> list[Outcome]:
        """Send what ``takes`` has found to be for this loop, and return its Outcome, as ``Notifier.notify`` does.

        Cancelled before its request began to leave, nothing is sent; cancelled later, the client finishes it.
        """
        handled = sys.exception()
        async with self._turns:
            await warm_up_for(self._settings.targets if to is None else to, self._settings.region)
            message, found = self._read(text, to, title, channel, tags, send_at)
            try:
                refused = {recipient: error for recipient, error in found.items() if error is not None}
                if refused:
                    return self._pipeline.refuse(message, refused)
                one_step = self._channels[message.channel]
                assert isinstance(one_step, Direct)  # noqa: S101 - as ``takes`` has seen
                return await self._pipeline.send_awaited(message, one_step, self._ready)
            except BaseException as error:  # cancelled, or a fault of our own
                forget_variables(error, handled)
                del found, message  # numbers, which would be seen in this frame
                raise

    async def aclose(self) -> None:
        """Wait for what was begun, then close the client; cancelled, return at once and do both behind it."""
        self._closing = asyncio.create_task(self._close(), name="devinotify closing")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        try:
            await self._take_turns()
        except asyncio.CancelledError:
            # The loop ends, and so do all who have a turn: what they leave behind is waited for, by the client.
            await self._take_turns()
            raise
        finally:
            await self._client.aclose()

    async def _take_turns(self) -> None:
        """Return when nobody has a turn any more: each comes back behind all who had come before."""
        while self._taken < AT_ONCE:
            await self._turns.acquire()
            self._taken += 1
