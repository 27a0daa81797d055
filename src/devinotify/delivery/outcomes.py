"""What is done with outcomes before a caller has them: errors named better, observers told."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from devinotify.exceptions import PluginError, Verdict, copied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinotify.exceptions import DevinotifyError
    from devinotify.models import Attempt, Message, Outcome
    from devinotify.plugins import PluginManager

log: logging.Logger = logging.getLogger(__name__)


def record(plugins: PluginManager, message: Message, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Return the outcomes of ``message`` with their errors mapped by the plugins, once the observers have seen them."""
    recorded = outcomes
    if plugins.listens("devinotify_map_error"):
        mapped: dict[int, DevinotifyError] = {}
        recorded = [_mapped(plugins, outcome, mapped) for outcome in recorded]
    if plugins.listens("devinotify_outcome_recorded"):
        for outcome in recorded:
            plugins.observe("devinotify_outcome_recorded", message=message, outcome=outcome)
    return recorded


def _mapped(plugins: PluginManager, outcome: Outcome, mapped: dict[int, DevinotifyError]) -> Outcome:
    """Return the outcome with its errors mapped; ``mapped`` is by the id of an error, which several may share."""
    errors = [attempt.error for attempt in outcome.attempts]
    for error in [*errors, outcome.error]:
        if error is not None and id(error) not in mapped:
            mapped[id(error)] = _better(plugins, error)
    if not any(errors) and outcome.error is None:
        return outcome
    return replace(
        outcome,
        error=None if outcome.error is None else mapped[id(outcome.error)],
        attempts=tuple(_with_error(attempt, mapped) for attempt in outcome.attempts),
    )


def _with_error(attempt: Attempt, mapped: dict[int, DevinotifyError]) -> Attempt:
    return attempt if attempt.error is None else replace(attempt, error=mapped[id(attempt.error)])


def _better(plugins: PluginManager, error: DevinotifyError) -> DevinotifyError:
    """Return what the plugins put in the error's place, with the verdict that stands."""
    verdict, retryable = error.verdict, error.retryable
    try:
        answer: DevinotifyError | None = plugins.hook.devinotify_map_error(error=error)
    except PluginError as fault:
        log.error("%s; the error stays as it was", fault)
        answer = None
    # A plugin may have written to the error that it was given.
    error.verdict, error.retryable = verdict, retryable
    if answer is None or answer is error:
        return error
    better = copied(answer)  # one answer may be that to many errors, and each has a verdict of its own
    better.verdict = verdict
    better.retryable = better.retryable and verdict is not Verdict.UNKNOWN
    better.operation = better.operation or error.operation
    better.__cause__ = answer.__cause__ or error
    return better
