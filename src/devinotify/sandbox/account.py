"""The sandbox's one account: its login, its sessions of 120 minutes and its balance.

Neither the password nor a session id is kept in clear: what is compared are keyed digests.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from enum import Enum
from typing import TYPE_CHECKING

from devinotify.gateway.codes import SESSION_LIFETIME
from devinotify.sandbox import ids

if TYPE_CHECKING:
    from decimal import Decimal


class SessionCheck(Enum):
    """What the account knows of a session id."""

    VALID = "valid"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Account:
    """A login and a password, the sessions they opened, and the money left.

    ``most_sessions`` are remembered, expired ones included; the oldest is forgotten first and is then unknown.
    """

    def __init__(self, login: str, password: str, balance: Decimal, *, most_sessions: int = 10_000) -> None:
        self._most_sessions = most_sessions
        self.login = login
        self.balance: Decimal = balance
        self._initial_balance = balance
        self._key = secrets.token_bytes(32)
        self._password = self._digest(password)
        self._expiry: OrderedDict[bytes, float] = OrderedDict()

    def _digest(self, secret: str) -> bytes:
        return hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), key=self._key, digest_size=24).digest()

    def is_right(self, login: str, password: str) -> bool:
        """Return whether these are the account's login and password."""
        right = hmac.compare_digest(self._digest(password), self._password)
        return hmac.compare_digest(self._digest(login), self._digest(self.login)) and right

    def log_in(self, login: str, password: str, now: float) -> str | None:
        """Return a new session id, or ``None`` where login or password is wrong."""
        if not self.is_right(login, password):
            return None
        session = ids.session_id()
        self._expiry[self._digest(session)] = now + SESSION_LIFETIME
        if len(self._expiry) > self._most_sessions:
            self._expiry.popitem(last=False)
        return session

    def check(self, session: str, now: float) -> SessionCheck:
        """Return whether a session id is valid now, has expired, or was never given out."""
        expiry = self._expiry.get(self._digest(session))
        if expiry is None:
            return SessionCheck.UNKNOWN
        return SessionCheck.VALID if now < expiry else SessionCheck.EXPIRED

    def live_sessions(self, now: float) -> int:
        """Return how many sessions are valid now."""
        return sum(now < expiry for expiry in self._expiry.values())

    def expire_sessions(self, now: float) -> int:
        """End every session and return how many were valid; their ids now answer ``SessionID expired``."""
        live = self.live_sessions(now)
        for digest in self._expiry:
            self._expiry[digest] = now
        return live

    def expire(self, session: str, now: float) -> None:
        """End one session."""
        digest = self._digest(session)
        if digest in self._expiry:
            self._expiry[digest] = min(now, self._expiry[digest])

    def reset(self) -> None:
        """Forget every session and restore the balance."""
        self._expiry.clear()
        self.balance = self._initial_balance
