"""What alerts may cost: a token bucket for messages, a daily cap for segments. Pure; the caller brings the clock.

The cap keeps enough back for one last message, the notice that alerts are paused, so that it is never exceeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from devinotify_logging.settings import Rate


@dataclass(frozen=True, slots=True)
class Limits:
    """How many messages at a time (``burst``), how quickly more may follow, how many segments in a day."""

    rate: Rate
    burst: int
    daily: int


class Quota(NamedTuple):
    """What is left: ``tokens`` as of ``at`` (seconds since the epoch), segments ``spent`` on ``day``, an ordinal.

    ``paused`` says that the notice of that day went out.
    """

    tokens: float
    at: float
    day: int
    spent: int
    paused: bool


class Go(NamedTuple):
    """The message may go out now."""


class Wait(NamedTuple):
    """It may not yet: ask again in so many ``seconds``."""

    seconds: float


class Pause(NamedTuple):
    """The day's segments are used: ``notify`` says that this is the moment for the one notice, already paid for."""

    notify: bool


Grant = Go | Wait | Pause


def full(limits: Limits, now: float, day: int) -> Quota:
    """Return a quota that nothing was spent from."""
    return Quota(float(limits.burst), now, day, 0, paused=False)


def spend(
    quota: Quota, limits: Limits, now: float, day: int, segments: int, recipients: int = 1
) -> tuple[Quota, Grant]:
    """Return the quota after a message of ``segments`` to each of ``recipients`` was asked for, and whether it may go.

    A clock that was put back refills nothing; a new day, whichever, begins with nothing spent.
    """
    refill = max(0.0, now - quota.at) * limits.rate.per_second
    quota = quota._replace(tokens=min(float(limits.burst), quota.tokens + refill), at=now)
    if day != quota.day:
        quota = quota._replace(day=day, spent=0, paused=False)
    if quota.paused:
        return quota, Pause(notify=False)
    cost = segments * recipients
    if quota.spent + cost + recipients > limits.daily:
        # The notice is one segment for each; where the cap is smaller than that, not even it is sent.
        affordable = quota.spent + recipients <= limits.daily
        return (
            quota._replace(paused=True, spent=quota.spent + (recipients if affordable else 0)),
            Pause(notify=affordable),
        )
    if quota.tokens < 1 - _ROUNDING:
        return quota, Wait((1 - quota.tokens) / limits.rate.per_second)
    return quota._replace(tokens=max(0.0, quota.tokens - 1), spent=quota.spent + cost), Go()


_ROUNDING = 1e-9  # a wait computed from the rate may end a rounding error short of a whole token
