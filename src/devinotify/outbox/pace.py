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

LONGEST = 3600.0
"""Seconds beyond its own that a booking may lie ahead; one that lies further is of a clock that has been set back."""


class StoredPace(NamedTuple):
    """A pace as it stands in the store."""

    rate: float
    """Messages a second."""
    next_at: float
    """When the next booking begins, if it is not over: seconds since the epoch, by the store's clock."""

    def booked(self, number: int, now: float) -> tuple[StoredPace, float]:
        """Return the pace after so many messages, and how many seconds their sender has to wait.

        Fewer than none gives back what was booked and not used.
        """
        length = number / self.rate
        begins = self.next_at
        if begins > now + LONGEST + abs(length) or (begins < now and number > 0):
            begins = now
        return StoredPace(self.rate, begins + length), max(begins - now, 0.0)


def check_rate(rate: float) -> float:
    """Return a rate; raise InvalidInput for what is not one."""
    if not 0 < rate < math.inf:
        raise InvalidInput("a pace is a number of messages a second, more than 0")
    return rate
