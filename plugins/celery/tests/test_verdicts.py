"""The table of what a task is told of its rows."""

from __future__ import annotations

import pytest
from devinotify import DevinotifyError, InvalidArgument, NotSent, RowState, Verdict

from devinotify_celery.verdicts import FAILURES, LEAST, Standing, failure, pause


def standing(state: RowState, **fields: object) -> Standing:
    """Return a recipient in this state."""
    return Standing("+7916***4567", state, **fields)  # type: ignore[arg-type]


def test_every_state_has_a_verdict_or_is_open() -> None:
    """Only what waits or is being sent is open."""
    assert {RowState.QUEUED, RowState.CLAIMED} == {state for state in RowState if standing(state).verdict is None}


def test_a_verdict_is_its_states_name_or_accepted() -> None:
    """What was accepted stays so, delivered or not."""
    assert {"accepted"} == {
        str(standing(state).verdict) for state in (RowState.ACCEPTED, RowState.DELIVERED, RowState.FAILED)
    }
    same = (RowState.REJECTED, RowState.NOT_SENT, RowState.UNKNOWN)
    assert [str(state) for state in same] == [str(standing(state).verdict) for state in same]


@pytest.mark.parametrize("state", RowState)
def test_fails_for_refusals_alone(state: RowState) -> None:
    """What may have been sent is no failure."""
    error = InvalidArgument("no")
    found = failure([standing(RowState.ACCEPTED), standing(state, error=error)])
    assert (error if state.verdict in FAILURES else None) is found


def test_a_failure_without_an_error_is_one_all_the_same() -> None:
    """Its verdict is the row's."""
    found = failure([standing(RowState.NOT_SENT)])
    assert (DevinotifyError, Verdict.NOT_SENT) == (type(found), found and found.verdict)


def test_nothing_open_is_not_waited_for() -> None:
    """All is told."""
    assert pause([standing(RowState.ACCEPTED), standing(RowState.UNKNOWN)], 0.0, 5.0) is None


def test_the_first_that_is_due_is_waited_for() -> None:
    """By the outbox's own backoff, and never in a hurry."""
    rows = [standing(RowState.QUEUED, due=130.0), standing(RowState.QUEUED, due=110.0), standing(RowState.CLAIMED)]
    assert 10.0 == pause(rows, 100.0, 5.0)
    assert LEAST == pause(rows, 200.0, 5.0)


def test_what_another_sends_is_looked_at_again() -> None:
    """After a while."""
    assert 5.0 == pause([standing(RowState.CLAIMED, error=NotSent("x"))], 0.0, 5.0)


def test_a_result_that_is_open_is_told_as_unknown() -> None:
    """Nobody may take it for not sent."""
    assert "unknown" == standing(RowState.CLAIMED).as_result()["verdict"]
