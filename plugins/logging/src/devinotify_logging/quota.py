"""What alerts may cost: a token bucket for messages, a daily cap for segments. Pure; the caller brings the clock.

The cap keeps enough back for one last message, the notice that alerts are paused, so that it is never exceeded. A quota
is an account's: handlers of other limits take from the same one, and each is held to its own limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from devinotify_logging.settings import Rate


@dataclass(frozen=True, slots=True)
class QuotaLimits:
    """How many messages at a time (``burst``), how quickly more may follow, how many segments in a day."""

    rate: Rate
    burst: int
    daily: int


class Quota(NamedTuple):
    """What is used: messages of the burst as of ``at`` (seconds since the epoch), segments on ``day``, an ordinal.

    ``paused`` is the daily limit whose notice went out on that day, 0 for none: a greater one still lets alerts out.
    """

    used: float
    at: float
    day: int
    spent: int
    paused: int


class Go(NamedTuple):
    """The message may go out now.

    It tells of ``more`` equal records, and of ``others``, which other processes or handlers counted and left.
    """

    more: int = 0
    others: int = 0


class Wait(NamedTuple):
    """It may not yet: ask again in so many ``seconds``."""

    seconds: float


class Pause(NamedTuple):
    """The day's segments are used: ``notify`` says that this is the moment for the one notice, already paid for."""

    notify: bool


def full(now: float, day: int) -> Quota:
    """Return a quota that nothing was spent from."""
    return Quota(0.0, now, day, 0, 0)


def spend(
    quota: Quota,
    limits: QuotaLimits,
    now: float,
    day: int,
    segments: int,
    recipients: int = 1,
    *,
    closing: bool = False,
) -> tuple[Quota, Go | Wait | Pause]:
    """Return the quota after a message of ``segments`` to each of ``recipients`` was asked for, and whether it may go.

    A clock that was put back refills nothing; a new day, whichever, begins with nothing spent. The ``closing`` message
    of a process may be one more than the rate allows, in advance: the next then has to wait for two.
    """
    refill = max(0.0, now - quota.at) * limits.rate.per_second
    quota = quota._replace(used=max(0.0, quota.used - refill), at=now)
    if day != quota.day:
        quota = quota._replace(day=day, spent=0, paused=0)
    if limits.daily <= quota.paused:
        return quota, Pause(notify=False)
    cost = segments * recipients
    if quota.spent + cost + recipients > limits.daily:
        # The notice is one segment for each; where the cap is smaller than that, not even it is sent.
        affordable = quota.spent + recipients <= limits.daily
        return (
            quota._replace(paused=limits.daily, spent=quota.spent + (recipients if affordable else 0)),
            Pause(notify=affordable),
        )
    over = quota.used + 1 - limits.burst - (1 if closing else 0)
    if over > _ROUNDING:
        return quota, Wait(over / limits.rate.per_second)
    return quota._replace(used=quota.used + 1, spent=quota.spent + cost), Go()


_ROUNDING = 1e-9  # a wait computed from the rate may end a rounding error short of a whole token
