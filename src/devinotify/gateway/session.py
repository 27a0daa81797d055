"""The session: logged in on first use, shared by threads, renewed once when it ends.

However many threads find the session expired, one of them logs in and the rest wait for it; however often
a login fails, the gateway is asked again only after a pause.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.gateway.codes import SESSION_LIFETIME
from devinotify.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

RENEW_EARLY = 5 * 60
"""Seconds before its end at which a session is renewed, so that it does not end under way."""
LOGIN_AGAIN = Backoff(1.0, most=30.0)
"""Seconds after a login that the gateway did not grant during which no other is tried."""


@dataclass(frozen=True, slots=True, repr=False)
class _Granted:
    """A session id and the clock's time until which it is used."""

    id: str
    until: float


class Session:
    """Hands out the current session id; ``login`` asks the gateway for a new one and may raise.

    A login whose request reached the gateway and failed is not repeated for a pause that doubles from 1 to
    30 seconds; callers get the same error meanwhile. One that never reached it (refused, no DNS) costs the
    gateway nothing and may be tried again at once.
    """

    def __init__(self, login: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._login = login
        self._clock = clock
        self._granted: _Granted | None = None
        self._failure: DevinotifyError | None = None
        self._paused_until = 0.0
        self._refusals = 0
        self._attempts = 0
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"<Session {'open' if self._granted else 'not open'}>"

    def current(self) -> str:
        """Return the id of a session that is good, logging in where there is none; raise what the login raises."""
        granted = self._granted
        if granted is not None and self._clock() < granted.until:
            return granted.id
        return self._renew(granted)

    def renewed(self, refused: str) -> str:
        """Return a session id other than ``refused``: the one that another thread got meanwhile, or a new one."""
        granted = self._granted
        if granted is not None and granted.id != refused and self._clock() < granted.until:
            return granted.id
        return self._renew(granted)

    def forget(self) -> None:
        """Drop the session; the next use logs in."""
        self._granted = None

    def _renew(self, seen: _Granted | None) -> str:
        attempts = self._attempts
        with self._own_lock():
            if self._granted is not seen and self._granted is not None:
                return self._granted.id
            if self._failure is not None and (attempts != self._attempts or self._clock() < self._paused_until):
                # Another thread's login failed while this one waited for it, or failed just now.
                raise _copy(self._failure)
            self._granted = None
            asked_at = self._clock()  # the gateway counts from some time between this and the reply
            try:
                session_id = self._login()
            except DevinotifyError as error:
                self._note(error)
                raise
            finally:
                self._attempts += 1  # at its end, so that whoever came while it ran sees that it waited for it
            self._granted = _Granted(session_id, asked_at + SESSION_LIFETIME - RENEW_EARLY)
            self._failure = None
            self._refusals = 0
            return session_id

    def _note(self, error: DevinotifyError) -> None:
        self._failure = _copy(error)
        if error.verdict is Verdict.NOT_SENT:
            self._paused_until = self._clock()
        else:
            self._refusals += 1
            self._paused_until = self._clock() + LOGIN_AGAIN.pause(self._refusals)

    def _own_lock(self) -> threading.Lock:
        if self._pid != os.getpid():
            # The lock may have been held in the parent when it forked; nobody here will release it.
            self._lock, self._pid = threading.Lock(), os.getpid()
        return self._lock


def _copy(error: DevinotifyError) -> DevinotifyError:
    """Return an equal error: one object raised in many threads would gather all their tracebacks."""
    twin = type(error)(*error.args)
    twin.__dict__.update(error.__dict__)
    return twin
