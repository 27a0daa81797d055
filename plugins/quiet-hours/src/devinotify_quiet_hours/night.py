"""The night: a span of wall-clock time that may cross midnight. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Self

from devinotify import InvalidInput

if TYPE_CHECKING:
    from devinotify.bulk import Window

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

    @classmethod
    def outside(cls, window: Window) -> Self:
        """Return the span in which a daily window is shut."""
        return cls(window.closes, window.opens)

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


Spans = tuple[Night, ...]
"""Spans of the day in which nothing goes out."""


def is_open(one: Night, other: Night) -> bool:
    """Whether two spans leave any time of the day free between them."""
    day = datetime(2000, 1, 1)  # noqa: DTZ001 - any day of a wall clock
    ends = [datetime.combine(day, span.end) for span in (one, other)]
    return any(end not in one and end not in other for end in ends)


def opening(moment: datetime, shut: Spans) -> datetime:
    """Return the first time from ``moment`` on, on the same wall clock, in none of the spans: there is one."""
    while (span := next((span for span in shut if moment in span), None)) is not None:
        moment = span.morning(moment)
    return moment
