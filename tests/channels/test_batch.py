"""Sending to many: the good ones get it once, the culprits are found, and nothing is tried in vain."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import exceptions as errors
from devinotify.channels.batch import (
    REFUSED_ALONE,
    accepted,
    blames_a_recipient,
    deliver,
    ends_it,
    failed,
    names_nobody,
)
from devinotify.exceptions import DevinotifyError, InvalidArgument, NotSent, OutcomeUnknown, Verdict, ViberRejected
from devinotify.models import Receipt
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Gateway:
    """Takes batches, and refuses one with a culprit in it by an error of its own for each request."""

    def __init__(self, culprits: Iterable[str] = (), error: Callable[[str], DevinotifyError] = InvalidArgument) -> None:
        self.culprits = frozenset(culprits)
        self.error = error
        self.requests: list[tuple[str, ...]] = []
        self.sent: list[str] = []

    def post(self, some: Iterable[str]) -> list[Receipt]:
        """Take a batch."""
        self.requests.append(tuple(some))
        if self.culprits.intersection(some):
            raise self.error("no")
        self.sent += some
        return [Receipt(recipient, (f"id{recipient}",), 1) for recipient in some]


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[str], set[str], int]:
    """Return recipients, the culprits among them, and the size of a batch."""
    recipients = [str(number) for number in range(draw(st.integers(1, 60)))]
    culprits = draw(st.sets(st.sampled_from(recipients), max_size=len(recipients)))
    return recipients, culprits, draw(st.integers(1, 70))


@given(lists())
def test_exactly_the_good_ones_are_sent_once(drawn: tuple[list[str], set[str], int]) -> None:
    """Whoever the culprits are, everybody else gets the message, nobody twice."""
    recipients, culprits, batch = drawn
    gateway = Gateway(culprits)
    outcomes = deliver("sms", recipients, gateway.post, batch=batch)
    assert [recipient for recipient in recipients if recipient not in culprits] == sorted(gateway.sent, key=int)
    assert recipients == [outcome.recipient for outcome in outcomes]
    assert culprits == {outcome.recipient for outcome in outcomes if outcome.verdict is Verdict.REJECTED}


@given(lists())
def test_culprits_cost_few_requests(drawn: tuple[list[str], set[str], int]) -> None:
    """A batch of n takes one request, and at most 2·log2(n) further ones for each culprit in it."""
    recipients, culprits, batch = drawn
    gateway = Gateway(culprits)
    deliver("sms", recipients, gateway.post, batch=batch)
    allowed = 0.0
    for start in range(0, len(recipients), batch):
        some = recipients[start : start + batch]
        allowed += 1 + 2 * math.log2(len(some)) * len(culprits.intersection(some))
    assert len(gateway.requests) <= allowed + 1e-9


@table("size, step", [(2, 1), (3, 1), (5, 1), (7, 1), (9, 1), (100, 1), (1000, 9)])
@pytest.mark.untraced
def test_one_culprit_wherever_it_stands(size: int, step: int) -> None:
    """One culprit is found within the bound in every place of the batch; of 1,000 in every ninth, the last too."""
    recipients = [str(number) for number in range(size)]
    most = 0
    for culprit in recipients[::step]:
        gateway = Gateway([culprit])
        deliver("sms", recipients, gateway.post)
        most = max(most, len(gateway.requests) - 1)
    assert most <= 2 * math.log2(size)


def test_a_culprit_is_asked_alone() -> None:
    """Nobody is refused without having been asked alone, since a refusal may have had another reason."""
    gateway = Gateway(["2"])
    deliver("sms", ["0", "1", "2"], gateway.post)
    assert ("2",) in gateway.requests


@table("kind", [errors.Forbidden, errors.InvalidOperation])
@table("size", [2, 3, 10, 1000])
def test_a_refusal_that_names_nobody_may_be_about_one(size: int, kind: type[DevinotifyError]) -> None:
    """Wherever it stands it is found, and the others get the message once."""
    recipients = [str(number) for number in range(size)]
    for place in {0, size // 2, size - 1}:
        gateway = Gateway([recipients[place]], kind)
        outcomes = deliver("sms", recipients, gateway.post)
        assert [recipients[place]] == [one.recipient for one in outcomes if one.verdict is not Verdict.ACCEPTED]
        assert (size - 1, size - 1) == (len(gateway.sent), len(set(gateway.sent)))
        assert len(gateway.requests) <= 1 + 2 * math.ceil(math.log2(size))


@table("kind", [errors.Forbidden, errors.InvalidOperation])
def test_an_account_that_is_refused_is_found_by_few_requests(kind: type[DevinotifyError]) -> None:
    """Nobody passes: after three that are refused alone the rest, in further batches too, is not tried."""
    recipients = [str(number) for number in range(3000)]
    gateway = Gateway(recipients, kind)
    outcomes = deliver("sms", recipients, gateway.post)
    assert {Verdict.REJECTED} == {outcome.verdict for outcome in outcomes}
    assert REFUSED_ALONE == sum(len(some) == 1 for some in gateway.requests)
    assert len(gateway.requests) <= math.ceil(math.log2(1000)) + 2 * REFUSED_ALONE


@table("error", [errors.NotEnoughCredits("x"), errors.Unauthorized("x"), errors.InvalidArgument("x")])
def test_what_names_the_account_or_a_recipient_names_somebody(error: DevinotifyError) -> None:
    """These are not divided as if they might be about anybody."""
    assert not names_nobody(error)


def test_batches() -> None:
    """A long list goes out in batches, in order."""
    gateway = Gateway()
    deliver("sms", ["1", "2", "3", "4", "5"], gateway.post, batch=2)
    assert [("1", "2"), ("3", "4"), ("5",)] == gateway.requests


def test_nobody() -> None:
    """An empty list makes no request."""
    gateway = Gateway()
    assert ([], []) == (deliver("sms", [], gateway.post), gateway.requests)


@table("kind", [NotSent, errors.Unauthorized])
def test_what_ends_one_ends_all(kind: type[DevinotifyError]) -> None:
    """Once the gateway is out of reach, or refuses the login, the other batches are not tried."""
    gateway = Gateway(["1"], kind)
    outcomes = deliver("sms", ["1", "2", "3"], gateway.post, batch=1)
    assert [("1",)] == gateway.requests
    assert [kind] * 3 == [type(outcome.error) for outcome in outcomes]


@table("word", ["not-permitted", "error-account-locked", "error-route-not-found"])
def test_a_word_about_the_account_ends_all(word: str) -> None:
    """No other batch of a locked account is tried, and none is divided in search of somebody to blame."""
    gateway = Gateway(["1"], partial(errors.ViberRejected, reason=word))
    outcomes = deliver("viber", ["1", "2", "3"], gateway.post, batch=2)
    assert ([("1", "2")], {"rejected"}) == (gateway.requests, {str(outcome.verdict) for outcome in outcomes})


def test_unknown_concerns_its_own_batch() -> None:
    """A batch of unknown outcome is not sent again, and the next one is sent."""
    gateway = Gateway(["1"], OutcomeUnknown)
    outcomes = deliver("sms", ["1", "2", "3", "4"], gateway.post, batch=2)
    assert [("1", "2"), ("3", "4")] == gateway.requests
    assert ["unknown", "unknown", "accepted", "accepted"] == [outcome.verdict for outcome in outcomes]


def test_unknown_within_a_bisection() -> None:
    """A half of unknown outcome stays so; the other half is still tried."""
    gateway = Gateway(["1", "4"])

    def post(some: Iterable[str]) -> list[Receipt]:
        if tuple(some) == ("1", "2"):
            raise OutcomeUnknown("no answer")
        return gateway.post(some)

    outcomes = deliver("sms", ["1", "2", "3", "4"], post)
    assert ["unknown", "unknown", "accepted", "rejected"] == [outcome.verdict for outcome in outcomes]


BLAMING = {errors.InvalidArgument, errors.InvalidPhoneNumber}


def every_error() -> list[type[DevinotifyError]]:
    """Return every error class of ours."""
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DevinotifyError)]


@table("kind", every_error())
def test_which_errors_blame_a_recipient(kind: type[DevinotifyError]) -> None:
    """Of all errors without a word, two may be about one recipient of many."""
    assert (kind in BLAMING) == blames_a_recipient(kind("no"))


@table(
    "word, blames",
    [
        ("error-address-format", True),
        ("error-address-not-specified", True),
        ("error-address-unknown", True),
        ("error-content-not-specified", False),
        ("error-subject-format", False),
        ("error-subject-not-specified", False),
        ("error-subject-unknown", False),
        ("error-system", False),
        ("error-validity-period-seconds-format", False),
    ],
)
def test_which_words_blame_a_recipient(word: str, blames: bool) -> None:
    """Of the words of Viber, those about addresses may be about one recipient of many."""
    assert blames == blames_a_recipient(ViberRejected("no", reason=word))


@table("error", [InvalidArgument, ViberRejected])
def test_unknown_blames_nobody(error: type[InvalidArgument | ViberRejected]) -> None:
    """What may have been sent is not sent again in halves, whatever the gateway says about addresses."""
    refusal = error("no", verdict=Verdict.UNKNOWN)
    if isinstance(refusal, ViberRejected):
        refusal.reason = "error-address-format"
    assert not blames_a_recipient(refusal)


@table("kind", every_error())
def test_which_errors_end_it(kind: type[DevinotifyError]) -> None:
    """What fails for everybody ends it: no way to the gateway, a plugin at fault, a refused login."""
    assert (kind in {NotSent, errors.PluginError, errors.Unauthorized}) == ends_it(kind("no"))


def test_accepted() -> None:
    """An accepted outcome has its receipt and one attempt that says the same."""
    receipt = Receipt("+79161234567", ("1",), 1)
    outcome = accepted("sms", "+79161234567", receipt)
    (attempt,) = outcome.attempts
    assert (Verdict.ACCEPTED, receipt, None) == (outcome.verdict, outcome.receipt, outcome.error)
    assert ("sms", Verdict.ACCEPTED, receipt, None) == (
        attempt.channel,
        attempt.verdict,
        attempt.receipt,
        attempt.error,
    )


def test_failed() -> None:
    """A failed outcome has the verdict of its error, and one attempt that says the same."""
    error = OutcomeUnknown("no answer")
    outcome = failed("viber", "+79161234567", error)
    (attempt,) = outcome.attempts
    assert (Verdict.UNKNOWN, None, error) == (outcome.verdict, outcome.receipt, outcome.error)
    assert ("viber", Verdict.UNKNOWN, error) == (attempt.channel, attempt.verdict, attempt.error)
