"""An AsyncClient that is called as a Client is: what holds of one is tried on the other by the same tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Self

from devinotify import Client
from devinotify.gateway.aio import AsyncClient
from tests.waiting import ended


class Driven:
    """Calls an AsyncClient on an event loop in a thread of its own, and waits for what it answers."""

    new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    new_client: Callable[..., AsyncClient] = AsyncClient

    def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - the client's own
        self.client = type(self).new_client(*arguments, **settings)
        self.url = self.client.url
        self.user, self.sms, self.viber = (
            _Driven(self, each) for each in (self.client.user, self.client.sms, self.client.viber)
        )
        self.complaints: list[str] = []
        self._loop = type(self).new_loop()
        self._loop.set_exception_handler(lambda _, context: self.complaints.append(str(context)))
        self._thread = threading.Thread(target=self._loop.run_forever, name="driven loop", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return repr(self.client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        tasks = self.run(_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        ended(self._thread)
        self._loop.close()
        assert ([], []) == (tasks, self.complaints)

    def close(self) -> None:
        """Close the client, which may be used again."""
        self.run(self.client.aclose())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever it answers
        """Return what a coroutine comes to on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


async def _others() -> list[str]:
    """Return the tasks that are left on the loop."""
    return [str(task) for task in asyncio.all_tasks() - {asyncio.current_task()}]


class _Driven:
    """One resource, whose methods wait."""

    def __init__(self, owner: Driven, resource: object) -> None:
        self._owner = owner
        self._resource = resource

    def __repr__(self) -> str:
        return repr(self._resource)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, getattr(self._resource, name))

    def _call(self, method: Callable[..., Any], *arguments: object, **options: object) -> object:
        return self._owner.run(method(*arguments, **options))


KINDS: dict[str, Any] = {"blocking": Client, "asyncio": Driven}
"""The kinds of client that the same tests are run over, by their names in test ids."""
