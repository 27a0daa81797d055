"""What a task is told of its rows in the outbox, and what it does then: one table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from devinotify import DevinotifyError, RowState, Verdict

FAILURES: frozenset[Verdict] = frozenset({Verdict.REJECTED, Verdict.NOT_SENT})
"""What a task fails for. What may have been sent (``unknown``) is returned: whatever is raised may be tried again."""

LEAST = 1.0
"""Seconds until a task looks again, at least."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One recipient of a task, as it stands in the outbox."""

    recipient: str
    """Masked."""
    state: RowState
    ids: tuple[str, ...] = ()
    """The gateway's, masked: they may hold the number."""
    row: int | None = None
    due: float | None = None
    """From when on it may be sent, as long as it is queued: seconds since the epoch."""
    error: DevinotifyError | None = None

    @property
    def verdict(self) -> Verdict | None:
        """What is known about the send, ``None`` while it is open."""
        return self.state.verdict

    def as_result(self) -> dict[str, Any]:
        """Return what the task's result tells of it."""
        verdict = self.verdict or Verdict.UNKNOWN
        return {"recipient": self.recipient, "verdict": str(verdict), "ids": list(self.ids), "row": self.row}


def failure(standings: list[Standing]) -> DevinotifyError | None:
    """Return the error that a task fails with: the first recipient's who was refused, or ``None``."""
    for standing in standings:
        if standing.verdict in FAILURES:
            return standing.error or DevinotifyError("it was not sent", verdict=standing.verdict)
    return None


def pause(standings: list[Standing], now: float, under_way: float) -> float | None:
    """Return in how many seconds a task looks again, ``None`` where nothing is open.

    When the first row that is queued is due; ``under_way`` where all that is open is being sent by another.
    """
    due = [standing.due for standing in standings if standing.state is RowState.QUEUED and standing.due is not None]
    if due:
        return max(min(due) - now, LEAST)
    return under_way if any(standing.verdict is None for standing in standings) else None
