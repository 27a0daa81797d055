"""The session of a client that tasks share: logged in on first use by a task of its own, renewed once when it ends.

What is known of it is ``conversation.SessionState``'s. The login is nobody's: cancelling one who waits for it fails
no other, and however many wait, the gateway is asked once.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError, NotSent
from devinotify.gateway.conversation import SessionState, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from devinotify.redact import Secret


class Session:
    """Hands out the current session id; ``login`` asks the gateway for a new one and may raise.

    ``state`` may be that of a session before, whose id is still good: the gateway does not care who uses it.
    """

    def __init__(self, login: Callable[[], Coroutine[Any, Any, Secret]], state: SessionState) -> None:
        self._login = login
        self._state = state
        self._clock = time.monotonic
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def known(self, refused: str | None) -> Secret | None:
        """Return a good id, other than ``refused`` where that is one, if there is one already."""
        found = self._state.look(self._clock(), refused)
        return None if isinstance(found, Ticket) else found

    async def get(self, refused: str | None) -> Secret:
        """Return a good id, other than ``refused`` where that is one; raise what the login raises.

        Raises NotSent where ``aclose`` has broken it off.
        """
        found = self._state.look(self._clock(), refused)
        if not isinstance(found, Ticket):
            return found
        while not self._closed:
            task = self._task
            if task is None:
                known = self._state.turn(found, self._clock())
                if known is not None:
                    return known
                task = self._task = asyncio.create_task(self._log_in(), name="devinotify login")
                # By a callback, since a task that is cancelled before it has begun runs no line of its own.
                task.add_done_callback(self._end)
            await asyncio.wait((task,))
            if not task.cancelled() and (fault := task.exception()):
                raise fault
        raise NotSent("the client was closed while it logged in")

    async def aclose(self) -> None:
        """Break off a login that is under way: whoever waits for it has sent nothing."""
        self._closed = True
        if self._task is not None:
            task = self._task
            task.cancel()
            await asyncio.wait((task,))

    async def _log_in(self) -> None:
        asked_at = self._clock()
        try:
            self._state.granted(await self._login(), asked_at)
        except DevinotifyError as error:
            self._state.failed(error, self._clock())

    def _end(self, _: asyncio.Task[None]) -> None:
        self._state.ended()
        self._task = None
