"""One message, sent once: stored under its key, sent by whoever comes first, told by the outbox to the rest.

Airflow runs a callback again where it is not sure that it ran: after a worker or a triggerer was lost, from the task's
own process and from the DAG processor. Whoever comes later finds what became of the message.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError, InvalidInput, RowState, Verdict, mask_number

if TYPE_CHECKING:
    from devinotify import Notifier

OPEN: Mapping[RowState, Verdict] = MappingProxyType(
    {RowState.QUEUED: Verdict.NOT_SENT, RowState.CLAIMED: Verdict.UNKNOWN}
)
"""What the states that stand for no verdict yet mean for the send, once nobody here tries any more."""

WITHOUT_ERROR: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.NOT_SENT: "another process gave it up",
        Verdict.UNKNOWN: "another process has begun with it, and has not ended",
    }
)
"""What is told of a recipient whose row has no error."""

SOME = 500
"""Recipients in one claim."""
LOOK_EVERY = 0.1
"""Seconds between two looks at what another process is sending."""

To = str | Iterable[str] | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a message for one recipient."""

    recipient: str
    """Masked."""
    verdict: Verdict
    error: DevinotifyError | None = None

    @property
    def again(self) -> bool:
        """Whether it may be sent again: it provably never left, and another try may succeed."""
        return self.verdict is Verdict.NOT_SENT and self.error is not None and self.error.retryable

    def __str__(self) -> str:
        return f"{self.verdict}: {self.recipient}: {self.error or WITHOUT_ERROR.get(self.verdict, '')}"


@dataclass(frozen=True, slots=True)
class Order:
    """A text for some people: sent once however often it is asked for, where it has a key."""

    text: str
    to: To = None
    title: str | None = None
    channel: str | None = None
    key: str | None = None

    def send(self, notifier: Notifier) -> list[Standing]:
        """Send it to whom it was not sent before, and return how it stands with each recipient.

        Raises DevinotifyError where there is nobody to send to, or the outbox cannot be used.
        """
        rows, refused = self._store(notifier)
        found = _settled(notifier, list(rows.values()))
        standings = [Standing(mask_number(to), error.verdict, error) for to, error in refused.items()]
        for recipient, number in rows.items():
            row = found.get(number)
            # A row that is gone was given up by another, who could not send it either.
            state, error = (RowState.NOT_SENT, None) if row is None else (row.state, row.exception())
            standings.append(Standing(mask_number(recipient), state.verdict or OPEN[state], error))
        return standings

    def _store(self, notifier: Notifier) -> tuple[dict[str, int], dict[str, DevinotifyError]]:
        """Return the row of each recipient, stored now or then, and the errors of those that nothing is stored for."""
        enqueued = notifier.enqueue(self.text, self.to, key=self.key, title=self.title, channel=self.channel)
        rows, refused = dict(enqueued.rows), dict(enqueued.refused)
        if not enqueued.known:
            return rows, refused
        notifier.following().outbox.recover()  # whoever was at it may be dead: then it is unknown, and stays so
        # Who has no row any more has got nothing: it was given up. Under a key of its own, which is known in its turn.
        again = 0
        while left := [to for to, error in notifier.resolve(self.to).items() if error is None and to not in rows]:
            again += 1
            enqueued = notifier.enqueue(
                self.text, left, key=f"{self.key} {again}", title=self.title, channel=self.channel
            )
            rows |= enqueued.rows
            refused |= enqueued.refused
            if not enqueued.known:
                break
        return rows, refused


def _settled(notifier: Notifier, rows: list[int]) -> dict[int, Any]:
    """Send what nobody has begun, wait for what somebody has, give up what did not leave; return the rows by number."""
    outbox = notifier.following().outbox
    while True:
        _deliver(notifier, rows)
        found = {row.id: row for row in outbox.get_all(rows)}
        # Nobody is to send it later, when its failure has been told.
        left = [number for number, row in found.items() if row.state is RowState.QUEUED]
        try:
            outbox.forget(left)
        except InvalidInput:  # somebody has begun with one of them since
            continue
        return found


def _deliver(notifier: Notifier, rows: list[int]) -> None:
    """Send the rows that nobody else has begun, and wait for those that somebody has."""
    following, account = notifier.following(), notifier.url.account
    outbox = following.outbox
    until = time.monotonic() + 2 * notifier.url.timeout
    while True:
        while batch := outbox.claim(SOME, rows=rows, account=account):
            following.deliver(batch)
        if time.monotonic() > until or not any(row.state is RowState.CLAIMED for row in outbox.get_all(rows)):
            return
        time.sleep(LOOK_EVERY)
        outbox.recover()
