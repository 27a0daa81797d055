"""What Apprise's retries must not repeat: a memory for the attempts of one notification.

From 2.0 on Apprise brings one (``remember`` and ``recall``). Before, from 1.11 to 1.13, it calls ``notify`` again
and again with nothing that ties the calls together; but it reads the plugin's ``wait`` once for each notification,
right before the first attempt and in the same thread or task, and that is where ours begins. Older ones do not retry.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

from apprise import NotifyBase

from devinotify_apprise.versions import REMEMBERS


class _Memory:
    """What the attempts of one notification share; ``piece`` counts the parts that Apprise has split it into."""

    def __init__(self, owner: NotifyBase) -> None:
        self.owner = id(owner)
        self.message: object = None
        self.piece = -1
        self.facts: dict[tuple[int, object], Any] = {}


_current: ContextVar[_Memory | None] = ContextVar("devinotify_apprise_memory", default=None)


def _begin(plugin: RetryAware) -> float:
    _current.set(_Memory(plugin))
    return plugin._wait


def _set_wait(plugin: RetryAware, seconds: float) -> None:
    plugin._wait = seconds


class RetryAware(NotifyBase):
    """An Apprise plugin with a memory that lasts over the attempts of one notification, in every version."""

    _wait = 0.0
    if not REMEMBERS:
        wait: property = property(_begin, _set_wait)

    def notify(self, *args: Any, **kwargs: Any) -> bool:  # noqa: ANN401 - Apprise's signature
        """Send one attempt; return whether every recipient's message was accepted."""
        if REMEMBERS:
            return bool(super().notify(*args, **kwargs))
        message = (args, sorted(kwargs.items()))
        memory = _current.get()
        if memory is None or memory.owner != id(self) or memory.message not in (None, message):
            memory = _Memory(self)
        memory.message = message
        memory.piece = -1
        token = _current.set(memory)
        try:
            accepted = bool(super().notify(*args, **kwargs))
        finally:
            _current.reset(token)
        if accepted:
            memory.owner = 0  # what comes next is another notification
        return accepted

    async def async_notify(self, *args: Any, **kwargs: Any) -> bool:  # noqa: ANN401 - Apprise's signature
        """Send one attempt in a thread; return whether every recipient's message was accepted."""
        if REMEMBERS:
            return bool(await super().async_notify(*args, **kwargs))
        # Apprise's own would lose the context, and with it the memory.
        return await asyncio.to_thread(self.notify, *args, **kwargs)

    def next_piece(self) -> None:
        """Turn to the next part of the notification, in the order of the calls of ``send``."""
        memory = _current.get()
        if memory is not None:
            memory.piece += 1

    def note(self, key: object, value: Any) -> None:  # noqa: ANN401 - whatever the attempts have to share
        """Keep a value for the later attempts at this part of the notification."""
        if REMEMBERS:
            self.remember(key, value)
        elif (memory := _current.get()) is not None:
            memory.facts[memory.piece, key] = value

    def noted(self, key: object) -> Any:  # noqa: ANN401 - whatever the attempts have to share
        """Return what an earlier attempt noted, or ``None``."""
        if REMEMBERS:
            return self.recall(key)
        memory = _current.get()
        return None if memory is None else memory.facts.get((memory.piece, key))
