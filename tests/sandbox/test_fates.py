"""The tables of fates, walked to their ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devinotify import phones
from devinotify.gateway.codes import ERRORS, SMS_STATES, VIBER_STATES, VIBER_WORDS
from devinotify.sandbox.fates import (
    FATES,
    LIFECYCLES,
    MAGIC_NUMBERS,
    RESENT_AFTER,
    NumberFate,
    TimelineStep,
    Transition,
    timeline,
)
from tests.tables import table

every_fate = table("fate", FATES.values())


@every_fate
def test_magic_numbers_are_valid_mobiles(fate: NumberFate) -> None:
    """A magic number passes every check of a recipient."""
    number = f"790000000{fate.ending}"
    assert (number, fate) == (phones.normalize("+" + number, "RU").digits, MAGIC_NUMBERS[number])


def test_endings_are_unique() -> None:
    """No two fates share an ending."""
    assert len(FATES) == len(MAGIC_NUMBERS)


@every_fate
def test_states_are_documented(fate: NumberFate) -> None:
    """A fate leads only through states of its channel's table."""
    assert {step.state for step in fate.sms} <= set(SMS_STATES)
    assert {step.state for step in fate.viber} <= set(VIBER_STATES)


@every_fate
def test_refusals_are_documented(fate: NumberFate) -> None:
    """A refusal is a Code of the error table, and its word one of the Viber words."""
    assert fate.refusal is None or fate.refusal in ERRORS
    assert fate.word is None or fate.word in VIBER_WORDS


def test_every_state_can_be_had() -> None:
    """Each documented state of either channel is some fate's."""
    sms = {step.state for fate in FATES.values() for step in fate.sms} | {LIFECYCLES["sms"].queued}
    viber = {step.state for fate in FATES.values() for step in fate.viber} | {LIFECYCLES["viber"].queued}
    assert (set(SMS_STATES), set(VIBER_STATES)) == (sms, viber)


def test_resends_follow_failures() -> None:
    """A resend follows the states that mean failure."""
    assert {4, 5, 7} == set(RESENT_AFTER)


def test_an_ordinary_message_is_delivered() -> None:
    """An SMS is queued until its sending, then sent, then delivered."""
    states = timeline(FATES["delivered"].sms, LIFECYCLES["sms"], created=0, due=10, expires=100)
    assert (Transition(0, -2), Transition(10.2, -1), Transition(11.0, 0)) == states


def test_what_is_under_way_expires() -> None:
    """A message still with the network at the end of its validity expires then."""
    states = timeline(FATES["slow"].sms, LIFECYCLES["sms"], created=0, due=0, expires=30)
    assert (Transition(0, -2), Transition(5, -1), Transition(30, 46)) == states


def test_what_is_decided_does_not_expire() -> None:
    """A Viber message read after the end of its validity was delivered before it."""
    states = timeline(FATES["read"].viber, LIFECYCLES["viber"], created=0, due=0, expires=1.5)
    assert [0, 1, 2, 3] == [state for _, state in states]


@given(
    st.lists(st.floats(0, 100), max_size=3).map(
        # As in every fate: with the network first, decided after that.
        lambda delays: [TimelineStep(after, state) for after, state in zip(sorted(delays), (-1, 0, 46), strict=False)]
    ),
    st.floats(0, 100),
    st.floats(1, 100),
)
def test_timelines_go_forward_and_end_decided(steps: list[TimelineStep], wait: float, validity: float) -> None:
    """Instants never go back, and no timeline ends in a state that is under way."""
    life = LIFECYCLES["sms"]
    states = timeline(steps, life, created=0, due=wait, expires=wait + validity)
    instants = [at for at, _ in states]
    assert sorted(instants) == instants
    assert states[-1].state not in life.open
