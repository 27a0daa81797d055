"""The session of a client that threads share: logged in on first use, renewed once when it ends.

What is known of it is ``conversation.SessionState``'s; here are the lock and the clock. However many threads find the
session expired, one of them logs in and the rest wait for it.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError
from devinotify.gateway.conversation import SessionState, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable


class Session:
    """Hands out the current session id; ``login`` asks the gateway for a new one and may raise."""

    def __init__(self, login: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._login = login
        self._clock = clock
        self.state: SessionState = SessionState()
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"<Session {'open' if self.state.is_open else 'not open'}>"

    def current(self) -> str:
        """Return the id of a session that is good, logging in where there is none; raise what the login raises."""
        return self.get(None)

    def renewed(self, refused: str) -> str:
        """Return a session id other than ``refused``: the one that another thread got meanwhile, or a new one."""
        return self.get(refused)

    def get(self, refused: str | None) -> str:
        """Return a good id, other than ``refused`` where that is one."""
        found = self.state.look(self._clock(), refused)
        if not isinstance(found, Ticket):
            return found
        with self._own_lock():
            return self.state.turn(found, self._clock()) or self._log_in()

    def forget(self) -> None:
        """Drop the session; the next use logs in."""
        self.state.forget()

    def _log_in(self) -> str:
        asked_at = self._clock()
        try:
            session_id = self._login()
            self.state.granted(session_id, asked_at)
        except DevinotifyError as error:
            self.state.failed(error, self._clock())
            raise
        finally:
            self.state.ended()
        return session_id

    def _own_lock(self) -> threading.Lock:
        if self._pid != os.getpid():
            # The lock may have been held in the parent when it forked; nobody here will release it.
            self._lock, self._pid = threading.Lock(), os.getpid()
        return self._lock
