"""Which incoming messages are new, by what the gateway says of them: pure rules, told apart from clocks and stores.

The gateway tells of a period, and of each message when it came, by its own clock. Ours may be wrong, and a message may
be told of late. So we remember which messages were told of, by their ids, and go back from the newest of them for as
long as one may be late. Our clock only ever makes the period longer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from devinotify.models import IncomingSms

FIRST = timedelta(days=1)
"""How far the first reading of all goes back: by so much our clock may be ahead then."""
LATE = timedelta(hours=1)
"""By how much later than a newer message the gateway may tell of one, and it is still found."""
SILENCE = timedelta(days=7)
"""How long a period may grow while no message comes: by so much our clock may be ahead, and none is missed."""
AHEAD = timedelta(days=1)
"""How far into the future a period reaches: by so much our clock may be behind, and none is held up."""
REACH = timedelta(days=364)
"""How far back the gateway is asked at all: it keeps messages for a year."""


_NEVER = datetime.max.replace(tzinfo=UTC)


class Period(NamedTuple):
    """What is asked for."""

    since: datetime
    until: datetime


def period(cursor: datetime, now: datetime) -> Period:
    """Return what to ask for where everything up to ``cursor`` was told of but for what comes late.

    A cursor that lies ahead was moved by a clock that was wrong, or is read by one: then all that came lately is asked
    for.
    """
    start = cursor if cursor <= now + AHEAD else now - SILENCE
    return Period(max(start - LATE, now - REACH), max(start, now) + AHEAD)


def untold(came: Mapping[str, IncomingSms], told: Collection[str], owed: Collection[str]) -> dict[str, IncomingSms]:
    """Return the messages that are new, or owed to somebody, by their keys: the oldest first, undated ones last."""
    found = {key: message for key, message in came.items() if key not in told or key in owed}
    return dict(sorted(found.items(), key=lambda item: item[1].created_at or _NEVER))


def still_owed(owed: frozenset[str], here: frozenset[str], at: datetime, now: datetime) -> frozenset[str]:
    """Return to whom a message of ``at`` is owed yet.

    Who is not here may be at another reader that shares the outbox, for a week: then nobody waits any more for who may
    have gone for good, since all that came in meanwhile is asked for again and again until then.
    """
    return owed & here if at < now - SILENCE else owed


def kept_until(message: IncomingSms, asked: Period) -> datetime:
    """Return the time that is remembered with a message: its own, or where that cannot be the period's end."""
    at = message.created_at
    return asked.until if at is None or at > asked.until else at


def advanced(cursor: datetime, messages: Iterable[IncomingSms], now: datetime) -> datetime:
    """Return the cursor when all of ``messages`` were told of: the newest one's time, which cannot be after ``now``."""
    newest = max((message.created_at for message in messages if message.created_at is not None), default=cursor)
    return max(cursor, min(newest, now), now - SILENCE)


def outlived(told: Mapping[str, datetime], came: Collection[str], asked: Period) -> list[str]:
    """Return the keys that need not be remembered: older than what is asked for, and not among those that came."""
    return [key for key, at in told.items() if at < asked.since and key not in came]
