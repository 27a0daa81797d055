"""The pace that all who send from one outbox keep together: who is about to send books his messages first. Pure.

Each booking begins where the one before it ends, so that whoever asks first goes first, and who asks often gets no
more than his turn. The time is the store's: the clocks of the machines that share it do not matter.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from devinotify.exceptions import InvalidInput

EVERYBODY = ""
"""Stands for the account of the pace that holds for all who have none of their own."""

SET_BACK = 60.0
"""Seconds by which the clock has to show less than at the last booking to have been set back: two that book at the same
moment may be told the time in another order than they book."""


class StoredPace(NamedTuple):
    """A pace as it stands in the store."""

    rate: float
    """Messages a second."""
    next_at: float
    """When the next booking begins, if it is not over: seconds since the epoch, by the store's clock."""
    booked_at: float | None = None
    """The latest moment at which anybody has booked, by the same clock; ``None`` before the first booking."""

    def booked(self, number: int, now: float) -> tuple[StoredPace, float]:
        """Return the pace after so many messages, and how many seconds their sender has to wait.

        Fewer than none gives back what was booked and not used. However far ahead the next booking lies, it is kept:
        a slow pace that many ask for is booked for days. What was booked by a clock that has been set back is dropped.
        """
        latest = now if self.booked_at is None else self.booked_at
        set_back = now < latest - SET_BACK
        begins = self.next_at
        if set_back or (begins < now and number > 0):
            begins = now
        booked_at = now if set_back else max(latest, now)
        return StoredPace(self.rate, begins + number / self.rate, booked_at), max(begins - now, 0.0)


def check_rate(rate: float) -> float:
    """Return a rate; raise InvalidInput for what is not one."""
    if not 0 < rate < math.inf:
        raise InvalidInput("a pace is a number of messages a second, more than 0")
    return rate
