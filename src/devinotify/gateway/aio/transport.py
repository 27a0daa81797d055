"""One request to the gateway and its reply on an event loop, with an honest account of failures and cancellations.

The point of no return is the write: asyncio writes at once, so from right before it the request may have left. Nothing
is retried here, no redirect is followed, and no URL is logged.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError, NotSent
from devinotify.gateway.aio.pool import Pool
from devinotify.gateway.departure import require_departure
from devinotify.gateway.failures import bare, broken, unmade
from devinotify.gateway.http1 import Reply, ReplyParser

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify.gateway.aio.connection import Connection, Outcome
    from devinotify.gateway.route import Route
    from devinotify.gateway.serialiser import Serialiser
    from devinotify.gateway.wire import Request


class Transport:
    """Exchanges requests with one gateway, on one event loop; ``timeout`` (seconds) bounds one exchange as a whole."""

    def __init__(self, route: Route, serialise: Serialiser, *, timeout: float, size: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._name = route.name
        self._serialise = serialise
        self._timeout = timeout
        self.pool: Pool = Pool(self._loop, route, size)

    async def exchange(self, request: Request, leave_behind: Callable[[asyncio.Future[Outcome]], object]) -> Reply:
        """Return the whole reply to ``request``.

        Raises NotSent where the request provably did not begin to leave, and OutcomeUnknown where it did and no whole
        reply came within the deadline. Cancelled before it began to leave, nothing is sent. Cancelled later, the
        exchange goes on: ``leave_behind`` is given the future of its outcome, for ``read``; cancelling that ends it.
        """
        deadline = self._loop.time() + self._timeout
        try:
            data = self._serialise(request)
            connection = self.pool.take_kept() or await self.pool.take(deadline)
        except DevinotifyError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is and whose fault: nothing has left
            raise unmade(self._name, error) from bare(error)
        try:
            if request.method == "POST":  # as every send is, and nothing else
                require_departure()
            if self._loop.time() >= deadline:
                raise NotSent(f"could not connect to {self._name} in time")
        except BaseException:
            self.pool.give_back(connection, reusable=True)
            raise
        answer = connection.begin(data, ReplyParser(), deadline)
        try:
            outcome = await answer
        except asyncio.CancelledError:
            rest = connection.rest()
            rest.add_done_callback(partial(self._end, connection))
            leave_behind(rest)
            raise
        self._end(connection, answer)
        return self.read(outcome)

    def read(self, outcome: Outcome) -> Reply:
        """Return the reply that an exchange came to; raise OutcomeUnknown where it came to none."""
        if isinstance(outcome, Reply):
            return outcome
        raise broken(self._name, outcome) from bare(outcome)

    def _end(self, connection: Connection, answer: asyncio.Future[Outcome]) -> None:
        outcome = None if answer.cancelled() else answer.result()  # cancelled where the loop ends
        self.pool.give_back(connection, reusable=isinstance(outcome, Reply) and outcome.keep_alive)
