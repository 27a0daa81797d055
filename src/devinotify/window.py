"""A daily window: the hours, by the recipient's own clock, in which a campaign may send. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Self

from devinotify.exceptions import InvalidInput

EXAMPLE = "10-20 or 10:30-20:00"
"""How a window is written."""

_SPAN = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?\s*-\s*([0-9]{1,2})(?::([0-9]{2}))?")
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Window:
    """The wall-clock times from ``opens`` up to, and without, ``closes``, of the same day; midnight closes it as 0:00.

    Written ``10-20`` or ``10:30-20:00``. Raises InvalidInput where it closes before it opens, or is never shut.
    """

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens == self.closes == time():
            raise InvalidInput(f"the window {self} is the whole day: leave it out")
        if self.opens == self.closes:
            raise InvalidInput(f"the window {self} is empty: it closes as it opens")
        if self.closes != time() and self.closes < self.opens:
            raise InvalidInput(
                f"the window {self} closes before it opens: it is of one day, from the earlier time to the later"
            )

    @classmethod
    def parse(cls, written: str) -> Self:
        """Return the window that is written; raises InvalidInput, which says what is wrong, for anything else."""
        found = _SPAN.fullmatch(written.strip())
        if found is None:
            raise InvalidInput(f"{written!r} is not a window: write it as {EXAMPLE}, by the recipient's clock")
        opens, closes = _time(found[1], found[2]), _time(found[3], found[4], ends=True)
        return cls(opens, closes)

    def __contains__(self, shown: time) -> bool:
        """Whether a clock that shows this time is in it."""
        return self.opens <= shown and (self.closes == time() or shown < self.closes)

    def __str__(self) -> str:
        closes = "24:00" if self.closes == time() else f"{self.closes:%H:%M}"
        return f"{self.opens:%H:%M}-{closes}"


def _time(hour: str, minute: str | None, *, ends: bool = False) -> time:
    hours, minutes = int(hour), int(minute or 0)
    if ends and (hours, minutes) == (_HOURS, 0):
        return time()
    try:
        return time(hours, minutes)
    except ValueError:
        shown = hour if minute is None else f"{hour}:{minute}"
        last = "24:00" if ends else "23:59"
        raise InvalidInput(f"{shown} is not a time of the day: a window is from 0:00 to {last} at most") from None
