"""Where in the queue this process has come to."""

from __future__ import annotations

import time

from devinotify.outbox.postgres import claiming

LOOK_EVERY = 1.0
"""Seconds for which rows that are passed by are not looked for."""


class Positions:
    """From where on this process looks through the queue: what is before that was taken, unless it is said otherwise.

    A snapshot that somebody holds, such as a dump's, keeps the dead lines of all that was claimed since: read through
    again for each claim, they are what makes it slow. Every ``look_every`` seconds the head is looked at all the same.
    """

    def __init__(self, look_every: float = LOOK_EVERY) -> None:
        self._look_every = look_every
        self._places: dict[int | None, claiming.Place] = {}
        self._until = 0.0

    def since(self, account: int | None) -> claiming.Place:
        """Return from where on to look for an account's rows."""
        if time.monotonic() >= self._until:
            self.reset()
        return self._places.get(account, claiming.START)

    def taken(self, account: int | None, place: claiming.Place) -> None:
        """Take it that rows before this place are taken."""
        if not self._places:
            self._until = time.monotonic() + self._look_every
        self._places[account] = place

    def reset(self) -> None:
        """Look from the head again: something was put back."""
        self._places.clear()
