"""The night: a span of wall-clock time that may cross midnight. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Self

from devinotify import InvalidInput

_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Night:
    """The wall-clock times from ``start`` up to, and without, ``end``; it crosses midnight where it starts later.

    Raises InvalidInput where both are equal: that could mean always as well as never.
    """

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise InvalidInput("the night must end at another time than it starts")

    @classmethod
    def parse(cls, written: str) -> Self:
        """Return the night that ``22:00-08:00`` means; raises InvalidInput for anything else."""
        match = _SPAN.fullmatch(written.strip())
        try:
            if match is None:
                raise ValueError
            hour, minute, end_hour, end_minute = map(int, match.groups())
            start, end = time(hour, minute), time(end_hour, end_minute)
        except ValueError:
            raise InvalidInput(f"{written!r} is not a night: write it as 22:00-08:00") from None
        return cls(start, end)

    def __contains__(self, moment: datetime) -> bool:
        """Whether a clock that shows the date and time of ``moment`` shows night."""
        shown = moment.time()
        if self.start < self.end:
            return self.start <= shown < self.end
        return shown >= self.start or shown < self.end

    def morning(self, moment: datetime) -> datetime:
        """Return when the night that ``moment`` lies in ends, on the same wall clock: naive."""
        later = self.start > self.end and moment.time() >= self.start
        return datetime.combine(moment.date() + timedelta(days=later), self.end)
