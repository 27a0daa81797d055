"""What ``notifiers`` is told of a message: one table. Pure.

A Response with errors raises, or has its command fail, and whoever sends again after that sends to everybody. So there
are errors only where nobody can have got the message; all else is a warning, and a status of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from devinotify import Verdict, mask_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify import DevinotifyError, Outcome

SUCCESS = "Success"
"""Accepted for everybody; one of the two that ``notifiers`` has."""
FAILURE = "Failure"
"""Nobody can have got it; the other one."""
UNKNOWN = "Unknown"
"""It may or may not have been sent: an answer was lost."""
PARTIAL = "Partial"
"""Some have got it, or may have, and others cannot."""

_WORDS = {
    Verdict.UNKNOWN: "may or may not have been sent",
    Verdict.REJECTED: "was refused",
    Verdict.NOT_SENT: "was not sent",
}
_REFUSED = frozenset({Verdict.REJECTED, Verdict.NOT_SENT})


@dataclass(frozen=True, slots=True)
class Report:
    """What a Response tells, and what the log is told where the Response has no errors."""

    status: str
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def report(outcomes: Sequence[Outcome]) -> Report:
    """Return what is told of these outcomes, with masked numbers."""
    lines = tuple(
        f"the message to {mask_number(outcome.recipient)} {_WORDS[outcome.verdict]}: {outcome.error}"
        for outcome in outcomes
        if outcome.verdict in _WORDS
    )
    verdicts = {outcome.verdict for outcome in outcomes}
    if verdicts <= _REFUSED:
        return Report(FAILURE, errors=lines)
    if verdicts & _REFUSED:
        return Report(PARTIAL, warnings=lines)
    return Report(UNKNOWN if Verdict.UNKNOWN in verdicts else SUCCESS, warnings=lines)


def report_of(error: DevinotifyError) -> Report:
    """Return what is told where there are no outcomes, because an error ended it all."""
    if error.verdict in _REFUSED:
        return Report(FAILURE, errors=(str(error),))
    return Report(UNKNOWN, warnings=(f"the message may or may not have been sent: {error}",))
