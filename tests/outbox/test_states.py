"""The tables of a row's life."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.exceptions import InvalidInput, Verdict
from devinotify.outbox import RowState, states
from tests.tables import table

ENDS = {
    RowState.QUEUED: {RowState.CLAIMED},
    RowState.CLAIMED: {
        RowState.QUEUED,
        RowState.ACCEPTED,
        RowState.REJECTED,
        RowState.NOT_SENT,
        RowState.UNKNOWN,
    },
    RowState.ACCEPTED: {RowState.DELIVERED, RowState.FAILED},
}


@table("before", RowState)
@table("after", RowState)
def test_transition(before: RowState, after: RowState) -> None:
    """Every pair of states is either drawn in the design or refused."""
    if after in ENDS.get(before, set()):
        states.require(before, after)
    else:
        with pytest.raises(InvalidInput, match=f"{before} cannot become {after}"):
            states.require(before, after)


def test_codes_are_part_of_the_format() -> None:
    """The numbers in the file mean the same for ever."""
    expected = {
        "queued": 0,
        "claimed": 1,
        "accepted": 2,
        "rejected": 3,
        "not_sent": 4,
        "unknown": 5,
        "delivered": 6,
        "failed": 7,
    }
    assert expected == dict(states.CODES)


def test_every_verdict_leads_to_a_state_of_its_name() -> None:
    """The four verdicts and the four states they lead to share their names."""
    assert {verdict: RowState(str(verdict)) for verdict in Verdict} == dict(states.VERDICTS)


def test_only_unknown_takes_force() -> None:
    """What provably reached nobody may be sent again freely, what may have been sent only by force."""
    expected = {RowState.REJECTED: False, RowState.NOT_SENT: False, RowState.UNKNOWN: True}
    assert expected == dict(states.RETRIES)


def test_unknown_is_never_forgotten_to_make_room() -> None:
    """What waits for a person's decision does not vanish by itself, nor does what is yet to be sent."""
    assert set(RowState) - {RowState.UNKNOWN, RowState.QUEUED, RowState.CLAIMED} == states.FINISHED


def test_a_fallback_goes_on_from_what_was_sent_or_refused() -> None:
    """There is no next step from what is yet to be sent, nor from what was delivered."""
    assert set(RowState) - {RowState.QUEUED, RowState.CLAIMED, RowState.DELIVERED} == states.STEPS


def test_the_truth_may_come_late() -> None:
    """An unknown row becomes whatever its claim tells; of one that was queued again only that it went out counts."""
    expected = {RowState.UNKNOWN: ENDS[RowState.CLAIMED], RowState.QUEUED: {RowState.ACCEPTED}}
    assert expected == dict(states.LATE)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_is_bounded(attempts: int, jitter: float) -> None:
    """A wait is at least half of the first one and at most the longest."""
    assert 2.5 <= states.BACKOFF.pause(attempts, jitter) <= 900.0


def test_backoff_doubles() -> None:
    """Each attempt waits twice as long as the one before."""
    assert [5.0, 10.0, 20.0, 40.0] == [states.BACKOFF.pause(attempts, 1.0) for attempts in (1, 2, 3, 4)]


@table("age, expected", [(0, 15.0), (60, 15.0), (400, 100.0), (86400, 1800.0)])
def test_poll_delay(age: float, expected: float) -> None:
    """Looks at a delivery become rarer with its age, between their bounds."""
    assert expected == states.poll_delay(age)


def test_a_state_has_a_verdict_or_is_open() -> None:
    """A verdict's own name, or accepted, delivered or not; only what waits or is being sent is open."""
    assert {verdict: verdict for verdict in Verdict} | {
        RowState.QUEUED: None,
        RowState.CLAIMED: None,
        RowState.DELIVERED: Verdict.ACCEPTED,
        RowState.FAILED: Verdict.ACCEPTED,
    } == {str(state): state.verdict for state in RowState}
