"""What the steps that one recipient's message has taken come to: rows of an outbox read as one outcome. Pure."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify.channels.batch import failed
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.models import Attempt, Outcome, SmsState
from devinotify.outbox.states import VERDICT_OF, RowState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinotify.outbox import Row


def joined(first: Outcome, then: Outcome) -> Outcome:
    """Return the outcome of two parts of a story: delivered comes before accepted, that before unknown, else the later.

    The attempts of both are kept, in order.
    """
    decided = then if _rank(then) >= _rank(first) else first
    return replace(decided, channel=first.channel, attempts=(*first.attempts, *then.attempts), row=first.row)


def _rank(outcome: Outcome) -> int:
    status = outcome.status
    return 3 if status is not None and status.is_delivered else _RANKS[outcome.verdict]


_RANKS: Mapping[Verdict, int] = MappingProxyType(
    {Verdict.ACCEPTED: 2, Verdict.UNKNOWN: 1, Verdict.REJECTED: 0, Verdict.NOT_SENT: 0}
)


def pending(outcome: Outcome) -> Outcome:
    """Return the outcome of a story whose next step is still to be taken: nobody else may send it again meanwhile."""
    if outcome.verdict in (Verdict.ACCEPTED, Verdict.UNKNOWN):
        return outcome
    last = outcome.attempts[-1].channel if outcome.attempts else outcome.channel
    error = DevinotifyError(
        f"the {last} step was {outcome.verdict}, and the next step of {outcome.channel} is still to come:"
        " Notifier.wait or a worker on this outbox takes that step",
        verdict=Verdict.UNKNOWN,
    )
    error.__cause__ = outcome.error
    return replace(outcome, verdict=Verdict.UNKNOWN, error=error)


def outcome_of(rows: Sequence[Row], channel: str) -> Outcome:
    """Return the outcome that the rows of one recipient, its steps in order, stand for on ``channel``."""
    outcome: Outcome | None = None
    for row in rows:
        verdict = row.state.verdict
        if verdict is None:
            continue
        attempt = Attempt(row.channel, verdict, row.receipt, None if row.receipt else row.exception())
        step = Outcome(
            row.recipient, verdict, channel, attempt.receipt, attempt.error, (attempt,), row_state(row), rows[0].id
        )
        outcome = step if outcome is None else joined(outcome, step)
    if outcome is None:
        error = DevinotifyError("the send is under way in another process", verdict=Verdict.UNKNOWN)
        return replace(failed(channel, rows[0].recipient, error), row=rows[0].id)
    return outcome if is_over(rows) else pending(outcome)


def ended(row: Row) -> Outcome:
    """Return the outcome of a row that has ended without a receipt."""
    verdict, error = VERDICT_OF[row.state], row.exception()
    return Outcome(
        row.recipient, verdict, row.channel, None, error, (Attempt(row.channel, verdict, error=error),), row=row.id
    )


def is_over(rows: Sequence[Row]) -> bool:
    """Whether the story that the rows tell is over: delivered, or nothing more to come and nothing to look at."""
    return any(row.state is RowState.DELIVERED for row in rows) or not any(
        row.state in (RowState.QUEUED, RowState.CLAIMED) or row.next_poll_at is not None for row in rows
    )


def row_state(row: Row) -> SmsState | None:
    """Return the delivery state that the outbox has recorded, or ``None``."""
    if row.status is None:
        return None
    return SmsState(row.status, row.status_code or 0, price=row.price)
