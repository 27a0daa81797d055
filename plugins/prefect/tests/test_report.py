"""The report: what is told of outcomes, and whether they may be sent again."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from devinotify import InvalidURL, NotSent, Outcome, OutcomeUnknown, Verdict

from devinotify_prefect.report import report_of, report_on


def outcome(verdict: Verdict, number: int = 4567) -> Outcome:
    """Return an outcome of this verdict."""
    return Outcome(f"+7916123{number}", verdict, "sms")


@pytest.mark.parametrize("verdicts", list(combinations_with_replacement(Verdict, 2)), ids="-".join)
def test_what_follows_from_verdicts(verdicts: tuple[Verdict, Verdict]) -> None:
    """It is accepted if it was by everybody, and may be sent again if nobody can have got it."""
    report = report_on([outcome(each) for each in verdicts])
    assert (set(verdicts) == {Verdict.ACCEPTED}) is report.accepted
    assert set(verdicts).isdisjoint({Verdict.ACCEPTED, Verdict.UNKNOWN}) is report.repeatable


def test_has_a_line_for_each_reason() -> None:
    """Numbers with one reason share a line; of more than five, it tells how many."""
    many = [outcome(Verdict.REJECTED, number) for number in range(1000, 1007)]
    lines = report_on([outcome(Verdict.ACCEPTED), *many]).text.splitlines()
    named = ", ".join(f"+7916***{number}" for number in range(1000, 1005))
    assert ["+7916***4567: accepted", f"{named} and 2 more: rejected"] == lines


@pytest.mark.parametrize(
    ("error", "text", "repeatable"),
    [
        (InvalidURL("the password is missing"), "not_sent: the password is missing", True),
        (NotSent("nothing listens"), "not_sent: nothing listens", True),
        (OutcomeUnknown("it broke"), "unknown, it may have been sent: it broke", False),
        (ValueError("+79161234567"), "unknown, it may have been sent: ValueError", False),
    ],
    ids=["input", "not sent", "unknown", "foreign"],
)
def test_an_error(error: Exception, text: str, repeatable: bool) -> None:
    """An error of the core has its verdict; of another nothing is known, and its words are not shown."""
    report = report_of(error)
    assert (text, False, repeatable) == (report.text, report.accepted, report.repeatable)
