"""What is told of a send, and whether it may be made again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify import DevinotifyError, Verdict, mask_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify import Outcome

NOT_THERE = frozenset({Verdict.REJECTED, Verdict.NOT_SENT})
"""The verdicts on what certainly reached nobody."""
SHOWN = 5
"""Numbers that one line names; of more, it tells how many."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a notification: ``text`` has a line for each reason, without whole numbers and texts.

    ``accepted``: by everybody. ``repeatable``: nobody can have got it, so that sending it again reaches nobody twice.
    """

    text: str
    accepted: bool
    repeatable: bool


def report_on(outcomes: Sequence[Outcome]) -> Report:
    """Return the report on what became of a notification for each of its recipients."""
    recipients: dict[str, list[str]] = {}
    for outcome in outcomes:
        recipients.setdefault(_reason(outcome.verdict, outcome.error), []).append(mask_number(outcome.recipient))
    verdicts = {outcome.verdict for outcome in outcomes}
    return Report(
        "\n".join(f"{_named(numbers)}: {reason}" for reason, numbers in recipients.items()),
        accepted=verdicts == {Verdict.ACCEPTED},
        repeatable=verdicts <= NOT_THERE,
    )


def report_of(error: Exception) -> Report:
    """Return the report on a notification that was broken off by an error."""
    if isinstance(error, DevinotifyError):
        return Report(_reason(error.verdict, error), accepted=False, repeatable=error.verdict in NOT_THERE)
    # The words of an error that is not ours may hold a text or a number.
    return Report(_reason(Verdict.UNKNOWN, type(error).__name__), accepted=False, repeatable=False)


def _reason(verdict: Verdict, error: object) -> str:
    told = f"{verdict}, it may have been sent" if verdict is Verdict.UNKNOWN else f"{verdict}"
    return told if error is None else f"{told}: {error}"


def _named(numbers: Sequence[str]) -> str:
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return ", ".join(numbers[:SHOWN]) + more
