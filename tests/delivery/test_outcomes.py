"""What is done with outcomes before a caller has them: errors named better, verdicts kept, observers told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from devinotify import exceptions, hookimpl, make_plugin_manager
from devinotify.channels.batch import accepted, failed
from devinotify.delivery.outcomes import record
from devinotify.delivery.story import joined
from devinotify.exceptions import (
    DevinotifyError,
    InvalidOperation,
    NotEnoughCredits,
    NotSent,
    OutcomeUnknown,
    Verdict,
)
from devinotify.models import Message, Outcome, Receipt
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, TWO = "+79161234567", "+79161234568"
MESSAGE = Message("Hello", (ONE, TWO))
ERRORS = [kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, DevinotifyError)]


class TopUpNeeded(NotEnoughCredits):
    """An error of a plugin's, whose constructor takes what it likes."""

    def __init__(self, amount: int) -> None:
        super().__init__(f"top up {amount} roubles", code=5, verdict=Verdict.NOT_SENT, retryable=True)
        self.amount = amount


class Mapper:
    """A plugin that maps errors by a function, and keeps those it was asked about."""

    def __init__(self, answer: Callable[[DevinotifyError], object]) -> None:
        self.answer = answer
        self.asked: list[DevinotifyError] = []

    @hookimpl
    def devinotify_map_error(self, error: DevinotifyError) -> object:
        """Map an error."""
        self.asked.append(error)
        return self.answer(error)


def recorded(plugin: object, *outcomes: Outcome) -> list[Outcome]:
    """Return the outcomes as they are recorded with a plugin."""
    return [*record(make_plugin_manager(plugin, discover=False), MESSAGE, outcomes)]


def test_map_error() -> None:
    """A plugin's error takes the place of the core's, with the verdict and operation of that one, and it as cause."""
    error = NotEnoughCredits("no", code=5, operation="Sms/Send")
    (outcome,) = recorded(Mapper(lambda _: TopUpNeeded(100)), failed("sms", ONE, error))
    better = outcome.error
    assert isinstance(better, TopUpNeeded)
    assert ("top up 100 roubles", 100, Verdict.REJECTED, "Sms/Send", error) == (
        str(better),
        better.amount,
        better.verdict,
        better.operation,
        better.__cause__,
    )
    assert better is outcome.attempts[0].error


def test_map_error_keeps_a_cause_of_its_own() -> None:
    """A cause that the plugin has given stays."""
    cause = ValueError("why")
    better = TopUpNeeded(1)
    better.__cause__ = cause
    (outcome,) = recorded(Mapper(lambda _: better), failed("sms", ONE, NotEnoughCredits("no")))
    assert outcome.error is not None
    assert cause is outcome.error.__cause__


def test_map_error_is_not_asked_about_what_was_accepted() -> None:
    """Without an error there is nothing to map."""
    mapper = Mapper(lambda _: None)
    outcome = accepted("sms", ONE, Receipt(ONE, ("1",), 1))
    assert ([outcome], []) == (recorded(mapper, outcome), mapper.asked)


@pytest.mark.untraced
@table("verdict", [Verdict.REJECTED, Verdict.NOT_SENT, Verdict.UNKNOWN])
@table("kind", ERRORS)
def test_map_error_never_changes_a_verdict(kind: type[DevinotifyError], verdict: Verdict) -> None:
    """Whatever class a plugin answers with, the verdict is the core's, and unknown is never retryable."""
    error = DevinotifyError("no", verdict=verdict)
    better = kind("better")
    better.retryable = True
    (outcome,) = recorded(Mapper(lambda _: better), failed("sms", ONE, error))
    assert outcome.error is not None
    assert (verdict, verdict) == (outcome.verdict, outcome.error.verdict)
    assert (verdict is not Verdict.UNKNOWN) == outcome.error.retryable


def test_map_error_that_writes_to_what_it_was_given() -> None:
    """A plugin that softens the very error it was given changes nothing."""

    def soften(error: DevinotifyError) -> DevinotifyError:
        error.verdict, error.retryable = Verdict.NOT_SENT, True
        return error

    (outcome,) = recorded(Mapper(soften), failed("sms", ONE, OutcomeUnknown("no answer")))
    assert outcome.error is not None
    assert (Verdict.UNKNOWN, False) == (outcome.error.verdict, outcome.error.retryable)


@table("fails", [False, True])
def test_map_error_that_softens_and_says_nothing(fails: bool) -> None:
    """The same where it answers None, or raises, after it has written."""

    def soften(error: DevinotifyError) -> None:
        error.verdict, error.retryable = Verdict.NOT_SENT, True
        if fails:
            raise RuntimeError("oops")

    (outcome,) = recorded(Mapper(soften), failed("sms", ONE, OutcomeUnknown("no answer")))
    assert outcome.error is not None
    assert (Verdict.UNKNOWN, False) == (outcome.error.verdict, outcome.error.retryable)


def test_map_error_with_one_object_for_all() -> None:
    """A plugin may answer every error with one object: each outcome still has the verdict of its own."""
    better = DevinotifyError("something went wrong")
    outcomes = recorded(
        Mapper(lambda _: better), failed("sms", ONE, OutcomeUnknown("no answer")), failed("sms", TWO, NotSent("no"))
    )
    assert [Verdict.UNKNOWN, Verdict.NOT_SENT] == [outcome.error.verdict for outcome in outcomes if outcome.error]


def test_map_error_is_asked_once_for_what_is_shared() -> None:
    """An error of a whole bulk is mapped once, and is one object afterwards too."""
    error = NotEnoughCredits("no")
    mapper = Mapper(lambda _: TopUpNeeded(1))
    outcomes = recorded(mapper, failed("sms", ONE, error), failed("sms", TWO, error))
    assert ([error], True) == (mapper.asked, outcomes[0].error is outcomes[1].error)


def test_map_error_is_asked_for_each_attempt() -> None:
    """The refusal of a first step is mapped too, where the second was accepted."""
    refused = failed("sms", ONE, InvalidOperation("no"))
    outcome = joined(refused, accepted("viber", ONE, Receipt(ONE, ("1",), 1, "viber")))
    (mapped,) = recorded(Mapper(lambda _: TopUpNeeded(1)), outcome)
    assert (None, Verdict.ACCEPTED) == (mapped.error, mapped.verdict)
    assert [TopUpNeeded, type(None)] == [type(attempt.error) for attempt in mapped.attempts]


@table("answer", ["better", ValueError("better"), 1])
def test_map_error_that_answers_something_else(answer: object, caplog: pytest.LogCaptureFixture) -> None:
    """Where a plugin fails, the error stays as it was, and that is logged."""
    caplog.clear()
    error = NotEnoughCredits("no")
    (outcome,) = recorded(Mapper(lambda _: answer), failed("sms", ONE, error))
    assert error is outcome.error
    assert "in devinotify_map_error; the error stays as it was" in caplog.text


class Observer:
    """A plugin that keeps what it is told, and raises where it should."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.told: list[tuple[Message, Outcome]] = []

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:
        """Keep it."""
        self.told.append((message, outcome))
        if self.fails:
            raise RuntimeError(f"{message.text} {outcome.recipient}")


def test_outcome_recorded() -> None:
    """An observer is told of each outcome, with its message, in order."""
    observer = Observer()
    outcomes = [failed("sms", ONE, NotSent("no")), accepted("sms", TWO, Receipt(TWO, ("1",), 1))]
    assert outcomes == recorded(observer, *outcomes)
    assert [(MESSAGE, outcome) for outcome in outcomes] == observer.told


def test_outcome_recorded_comes_after_mapping() -> None:
    """Observers see the error that the caller sees."""
    observer = Observer()
    manager = make_plugin_manager(Mapper(lambda _: TopUpNeeded(1)), observer, discover=False)
    (outcome,) = record(manager, MESSAGE, [failed("sms", ONE, NotEnoughCredits("no"))])
    assert [(MESSAGE, outcome)] == observer.told


def test_outcome_recorded_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """An observer that raises neither changes an outcome nor silences the next, and what it said is not shown."""
    first, broken, last = Observer(), Observer(fails=True), Observer()
    manager = make_plugin_manager(first, broken, last, discover=False)
    outcome = accepted("sms", ONE, Receipt(ONE, ("1",), 1))
    with caplog.at_level(logging.DEBUG):
        assert [outcome] == record(manager, MESSAGE, [outcome])
    assert [1, 1, 1] == [len(observer.told) for observer in (first, broken, last)]
    assert [
        "the plugin Observer-2 raised RuntimeError in devinotify_outcome_recorded",
    ] == [entry.getMessage() for entry in caplog.records]
