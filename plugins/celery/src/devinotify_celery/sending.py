"""One send under one key: stored, claimed and sent here where nobody has before, and told as the outbox has it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify import InvalidInput, RowState, mask_number

from devinotify_celery.verdicts import Standing, pause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify import Notifier, Outbox

SOME = 500
"""Recipients in one claim: no more are of unknown outcome where the process is killed."""
LONGEST_TURN = 10.0
"""Seconds that a task waits, at most, for its turn at the outbox's pace: for longer it comes back."""
UNDER_WAY = 5.0
"""Seconds until a task looks again whether what another is sending has come to an end."""
LOOK_EVERY = 0.1
"""Seconds between two looks of a caller that waits for another to end."""


class Sent(NamedTuple):
    """How a message stands with each recipient, and in how many seconds to look again: ``None`` where all is told."""

    standings: list[Standing]
    again: float | None


class Sending:
    """A text to some people under a key, by one Notifier: whoever comes with that key again finds what became of it."""

    def __init__(self, notifier: Notifier, key: str | None, text: str, to: Any, options: dict[str, Any]) -> None:  # noqa: ANN401 - as notify takes it
        self._notifier = notifier
        self._account = notifier.url.account
        enqueued = notifier.enqueue(text, to, key=key, **options)
        self._rows = list(enqueued.rows.values())
        self._refused = [
            Standing(mask_number(recipient), RowState.NOT_SENT, error=error)
            for recipient, error in enqueued.refused.items()
        ]
        self._following = notifier.following()
        self._outbox: Outbox = self._following.outbox
        if enqueued.known:
            self._outbox.recover()  # whoever was at it may be dead: then it is unknown, and stays so

    def send(self) -> Sent:
        """Send what waits to be sent and is nobody's; raise DevinotifyError where the outbox cannot be used."""
        rows = self._outbox.get_all(self._rows)
        now = self._outbox.now()
        wait = self._deliver([row.id for row in rows if row.state is RowState.QUEUED and _is_due(row, now)])
        told = self._told()
        return Sent(told, wait or pause(told, self._outbox.now(), UNDER_WAY))  # the time has gone on meanwhile

    def cancel(self) -> list[Standing]:
        """Give up what is queued, so that nobody sends it later, and return how all stands: what is open is unknown.

        For a caller that will not come back. What another is sending at the moment is waited for.
        """
        told = self._told()
        until = time.monotonic() + 2 * self._notifier.url.timeout
        while any(standing.verdict is None for standing in told):
            queued = [each.row for each in told if each.state is RowState.QUEUED and each.row is not None]
            try:
                self._outbox.forget(queued)
            except InvalidInput:  # one has been claimed since
                told = self._told()
                continue
            under_way = {each.row for each in told if each.state is RowState.CLAIMED}
            told = [_given_up(each) if each.row in queued else each for each in told]
            if not under_way or time.monotonic() > until:
                break
            time.sleep(LOOK_EVERY)
            now = {each.row: each for each in self._standings()}
            told = [now.get(each.row, each) if each.row in under_way else each for each in told]
        return told

    def _deliver(self, rows: Sequence[int]) -> float | None:
        """Send rows, some at a time and at the outbox's pace; return the seconds until the rest has its turn."""
        pace = self._outbox.pace(self._account) if rows else None
        size = SOME if pace is None else max(1, min(SOME, int(pace)))
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            if pace is not None:
                wait = self._outbox.reserve(len(some), self._account)
                if wait > LONGEST_TURN:
                    self._outbox.reserve(-len(some), self._account)
                    return wait
                time.sleep(wait)
            batch = self._outbox.claim(len(some), rows=some, account=self._account)
            if batch is not None:
                self._following.deliver(batch)
            if pace is not None and (unused := len(some) - (0 if batch is None else len(batch))):
                self._outbox.reserve(-unused, self._account)
        return None

    def _told(self) -> list[Standing]:
        """Return how all stands now, those that were refused at once too."""
        return [*self._standings(), *self._refused]

    def _standings(self) -> list[Standing]:
        """Return how the rows stand now; one that was forgotten is told no more."""
        return [self._standing(row) for row in self._outbox.get_all(self._rows)]

    def _standing(self, row: Any) -> Standing:  # noqa: ANN401 - a row of the outbox
        shown = self._outbox.describe(row) if row.message_ids else None  # for the ids, which it masks
        return Standing(
            mask_number(row.recipient),
            row.state,
            () if shown is None else tuple(shown["message_ids"]),
            row.id,
            row.next_attempt_at,
            row.exception(),
        )


def _is_due(row: Any, now: float) -> bool:  # noqa: ANN401 - a row of the outbox
    return row.next_attempt_at is None or bool(row.next_attempt_at <= now)


def _given_up(standing: Standing) -> Standing:
    return replace(standing, state=RowState.NOT_SENT, due=None)


def moment(given: Any, name: str) -> Any:  # noqa: ANN401 - what a message has; anything else is refused by the Notifier
    """Return a time that came as text (ISO 8601) as a datetime, and everything else as it is.

    Raises InvalidInput for a text that is not a time.
    """
    if not isinstance(given, str):
        return given
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise InvalidInput(f"{name} is a datetime, or one in ISO 8601") from None
