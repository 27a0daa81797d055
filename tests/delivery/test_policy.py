"""The policy of a fallback, walked to its end: every state, every error, every verdict, under each rule."""

from __future__ import annotations

import itertools

from devinotify import exceptions as errors
from devinotify.delivery.policy import POLICY, REFUSALS, STATES, Fate, NextStep, fate_of_send, fate_of_status
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.gateway.codes import SMS_STATES
from devinotify.models import DeliveryStatus
from devinotify.url import ON_UNKNOWN
from tests.tables import table

RULES = ("continue", "stop")

AFTER_STATE = {
    # code of the gateway: what follows while patience lasts, and what once it is over
    -1: (NextStep.WATCH, NextStep.GO_ON),
    -2: (NextStep.WATCH, NextStep.GO_ON),
    -98: (NextStep.GO_ON, NextStep.GO_ON),
    0: (NextStep.NOTHING, NextStep.NOTHING),
    10: (NextStep.GO_ON, NextStep.GO_ON),
    11: (NextStep.GO_ON, NextStep.GO_ON),
    41: (NextStep.GO_ON, NextStep.GO_ON),
    42: (NextStep.GO_ON, NextStep.GO_ON),
    46: (NextStep.GO_ON, NextStep.GO_ON),
    47: (NextStep.GO_ON, NextStep.GO_ON),
    48: (NextStep.GO_ON, NextStep.GO_ON),
    69: (NextStep.GO_ON, NextStep.GO_ON),
    99: (NextStep.WATCH, NextStep.GO_ON),
    255: (NextStep.WATCH, NextStep.GO_ON),
}
"""The states of protocol.md: an SMS that ended undelivered, or is not delivered in time, goes on."""

AFTER_REFUSAL = {
    errors.ArgumentMissing: NextStep.NOTHING,
    errors.InvalidArgument: NextStep.NOTHING,
    errors.InvalidSession: NextStep.NOTHING,
    errors.Unauthorized: NextStep.NOTHING,
    errors.NotEnoughCredits: NextStep.NOTHING,
    errors.InvalidOperation: NextStep.GO_ON,
    errors.Forbidden: NextStep.GO_ON,
}
"""A refusal goes on unless Viber shares its reason: the number, the login, the balance. Every other one goes on."""

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DevinotifyError)]


def test_the_rules_are_those_of_the_url() -> None:
    """The tables know the rules that a URL can give."""
    assert RULES == ON_UNKNOWN


def test_the_policy_is_complete() -> None:
    """Every fate has a step under every rule, and nothing else has."""
    assert set(itertools.product(Fate, RULES)) == set(POLICY)


@table("fate", [fate for fate in Fate if fate is not Fate.UNKNOWN])
def test_the_rule_matters_for_unknown_alone(fate: Fate) -> None:
    """``on_unknown`` changes nothing for what is known."""
    assert POLICY[fate, "continue"] is POLICY[fate, "stop"]


@table("rule, step", [("continue", NextStep.GO_ON), ("stop", NextStep.NOTHING)])
def test_after_an_unknown_sms(rule: str, step: NextStep) -> None:
    """An SMS of unknown outcome goes on at once, unless the rule is to stop."""
    assert step is POLICY[fate_of_send(Verdict.UNKNOWN, errors.OutcomeUnknown()), rule]


def test_every_state_is_asked_about() -> None:
    """The table of this test has every state of the gateway's."""
    assert set(SMS_STATES) == set(AFTER_STATE)


@table("rule", RULES)
@table("overdue", [False, True])
@table("code", AFTER_STATE)
def test_after_every_state(code: int, overdue: bool, rule: str) -> None:
    """Every state of the gateway leads to its step, in time and too late, under each rule."""
    status = SMS_STATES[code].status
    assert AFTER_STATE[code][overdue] is POLICY[fate_of_status(status, overdue=overdue), rule]


def test_every_status_has_a_fate() -> None:
    """The table of statuses is complete."""
    assert set(DeliveryStatus) == set(STATES)


@table("status", DeliveryStatus)
def test_patience_concerns_what_is_under_way(status: DeliveryStatus) -> None:
    """What is decided is the same when patience is over; what is not becomes overdue."""
    expected = STATES[status] if status.is_final else Fate.OVERDUE
    assert expected is fate_of_status(status, overdue=True)


@table("rule", RULES)
@table("kind", ERRORS)
def test_after_every_rejection(kind: type[DevinotifyError], rule: str) -> None:
    """A rejection by each error class goes on, unless Viber shares the reason."""
    error = kind("no", verdict=Verdict.REJECTED) if kind not in _WITHOUT_VERDICT else kind("no")
    expected = next((step for base, step in AFTER_REFUSAL.items() if issubclass(kind, base)), NextStep.GO_ON)
    assert expected is POLICY[fate_of_send(Verdict.REJECTED, error), rule]


_WITHOUT_VERDICT = {errors.InvalidPhoneNumber}
"""Classes whose constructor takes no verdict."""


def test_a_rejection_without_an_error_goes_on() -> None:
    """A plugin may answer a rejection without its reason: nothing was sent, so the next channel may try."""
    assert Fate.REFUSED_HERE is fate_of_send(Verdict.REJECTED, None)


def test_a_plugins_own_error_counts_as_its_base() -> None:
    """An error class that a plugin derives is treated as what it is derived from."""

    class TopUpNeeded(errors.NotEnoughCredits):
        """The account is empty."""

    assert Fate.REFUSED_EVERYWHERE is fate_of_send(Verdict.REJECTED, TopUpNeeded())


@table("kind", ERRORS)
@table("retryable", [False, True])
def test_after_not_sent(kind: type[DevinotifyError], retryable: bool) -> None:
    """What did not reach the gateway is tried again where that may help; what our checks refuse ends there."""
    error = kind("no")
    error.retryable = retryable
    expected = NextStep.RETRY if retryable else NextStep.NOTHING
    assert {expected} == {POLICY[fate_of_send(Verdict.NOT_SENT, error), rule] for rule in RULES}


def test_not_sent_without_an_error_ends() -> None:
    """Nothing says that trying again would help."""
    assert Fate.REFUSED_EVERYWHERE is fate_of_send(Verdict.NOT_SENT, None)


def test_an_accepted_sms_is_watched() -> None:
    """An accepted SMS waits for its delivery."""
    assert NextStep.WATCH is POLICY[fate_of_send(Verdict.ACCEPTED, None), "continue"]


@table("kind", ERRORS)
def test_unknown_is_unknown_whatever_the_error(kind: type[DevinotifyError]) -> None:
    """No error class turns an unknown outcome into another fate."""
    assert Fate.UNKNOWN is fate_of_send(Verdict.UNKNOWN, kind("no"))


def test_every_refusal_is_reached() -> None:
    """No row of the table is dead: each class is an error of ours."""
    assert set(REFUSALS) <= set(ERRORS)
