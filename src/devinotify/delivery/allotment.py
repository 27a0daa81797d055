"""Whom of a message's recipients the limits leave room for, and what they take of it: counts are texts by key. Pure.

A count stands under a key that begins with the day on which its period is over, so that what is over comes first, and
tells neither number nor name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from devinotify.limits import MESSAGES, Count, LimitUsage, Price, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from devinotify.limits import Limit
    from devinotify.models import Message

NEAR = Decimal("0.8")
"""The part of a limit from which on it is told of."""
_NOTHING = Price(Decimal(0))


@lru_cache(maxsize=4096)  # a batch's, asked for several times
def _digest(scope: str, on: str) -> str:
    return sha256("\0".join((scope, on)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Charge:
    """A limit that a message counts against, until when it does, and at which ``price`` where it is on money."""

    limit: Limit
    over: datetime
    price: Price = _NOTHING
    _begin: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Once, and not for each of a thousand recipients.
        object.__setattr__(self, "_begin", f"{self.over:%Y-%m-%d} {self.limit.period} {self.limit.unit} ")

    def key(self, recipient: str) -> str:
        """Return the key of its count, of a recipient's own where it is on each of them."""
        scope = self.limit.scope
        on = recipient if scope is Scope.RECIPIENT else self.limit.name
        return self._begin + _digest(scope, on)

    def takes(self, segments: int) -> Decimal:
        """Return what a message of so many segments takes of it; one of none was not sent."""
        if self.limit.is_money:
            return self.price.of(segments)
        return Decimal(min(segments, 1) if self.limit.unit == MESSAGES else segments)

    def usage(self, count: Count) -> LimitUsage:
        """Return how much of it is used by a count."""
        return LimitUsage(self.limit, count.used, self.over)


def charges(limits: Iterable[Limit], message: Message, sender: str, price: Price | None, now: datetime) -> list[Charge]:
    """Return the limits that a message counts against; ``now`` is aware, in the zone whose days and months count."""
    on = {Scope.SENDER: {sender}, Scope.TAG: message.tags}
    return [charge(limit, now, price) for limit in limits if limit.scope not in on or limit.name in on[limit.scope]]


def charge(limit: Limit, now: datetime, price: Price | None = None) -> Charge:
    """Return what counts against a limit now."""
    return Charge(limit, limit.period.over(now), price or _NOTHING)


@dataclass(slots=True)
class Allotment:
    """Whom there is room for, the others with the limit that has none, the counts then, and limits to tell of."""

    admitted: tuple[str, ...]
    refused: dict[str, Charge] = field(default_factory=dict)
    counts: dict[str, str | None] = field(default_factory=dict)
    near: list[LimitUsage] = field(default_factory=list)


def allot(against: Sequence[Charge], segments: int, recipients: Sequence[str], kept: Mapping[str, str]) -> Allotment:
    """Return whom the limits leave room for, the first of them first; ``kept`` is what stands under their keys now.

    A message that a limit would never have room for is refused to all.
    """
    counts = {key: Count.read(kept.get(key)) for key in keys(against, recipients)}
    refused: dict[str, Charge] = {}
    for own in (one for one in against if one.limit.scope is Scope.RECIPIENT):
        most = own.limit.amount - own.takes(segments)
        refused |= {to: own for to in recipients if to not in refused and counts[own.key(to)].used > most}
    fit = [to for to in recipients if to not in refused]
    for shared in (one for one in against if one.limit.scope is not Scope.RECIPIENT):
        each = shared.takes(segments)
        left = shared.limit.amount - counts[shared.key("")].used
        room = len(fit) if not each else max(int((left / each).to_integral_value(ROUND_FLOOR)), 0)
        refused |= dict.fromkeys(fit[room:], shared)
        fit = fit[:room]
    found = Allotment(tuple(fit), refused)
    if not fit:
        return found
    for key, (one, number) in _numbers(against, fit).items():
        count = counts[key]
        after = count._replace(used=count.used + one.takes(segments) * number)
        amount = one.limit.amount
        if one.limit.scope is not Scope.RECIPIENT and after.used >= amount * NEAR and after.told < amount:
            after = after._replace(told=amount)
            found.near.append(one.usage(after))
        found.counts[key] = after.written()
    return found


def corrected(
    against: Sequence[Charge], segments: int, actual: Mapping[str, int], kept: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the counts once it is known how many segments each message took that was counted as ``segments``."""
    counts = {key: Count.read(kept.get(key)) for key in keys(against, tuple(actual))}
    for one in against:
        for to, number in actual.items():
            key = one.key(to)
            used = counts[key].used + one.takes(number) - one.takes(segments)
            counts[key] = counts[key]._replace(used=max(used, Decimal(0)))
    return {key: count.written() for key, count in counts.items()}


def keys(against: Iterable[Charge], recipients: Sequence[str]) -> list[str]:
    """Return the keys of all counts that a message to these recipients touches."""
    return list(_numbers(against, recipients))


def _numbers(against: Iterable[Charge], recipients: Sequence[str]) -> dict[str, tuple[Charge, int]]:
    """Return how many of the recipients each count is of, by its key."""
    found: dict[str, tuple[Charge, int]] = {}
    for one in against:
        if one.limit.scope is Scope.RECIPIENT:
            found |= {one.key(to): (one, 1) for to in recipients}
        else:
            found[one.key("")] = (one, len(recipients))
    return found
