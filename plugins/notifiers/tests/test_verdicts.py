"""The table of verdicts: what may have been sent never makes an error."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from devinotify import NotSent, Outcome, OutcomeUnknown, Verdict
from hypothesis import given
from hypothesis import strategies as st

from devinotify_notifiers import verdicts

A, R, N, U = Verdict.ACCEPTED, Verdict.REJECTED, Verdict.NOT_SENT, Verdict.UNKNOWN


def outcomes(given: list[Verdict]) -> list[Outcome]:
    """Return an outcome for each verdict."""
    return [Outcome(f"+7916123450{number % 10}", verdict, "sms") for number, verdict in enumerate(given)]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ([A], "Success"),
        ([U], "Unknown"),
        ([A, U], "Unknown"),
        ([R], "Failure"),
        ([R, N], "Failure"),
        ([A, R], "Partial"),
        ([U, N], "Partial"),
    ],
)
def test_status(given: list[Verdict], status: str) -> None:
    """Each mixture has its word."""
    assert status == verdicts.report(outcomes(given)).status


@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=6))
def test_errors(given: list[Verdict]) -> None:
    """There are errors exactly where nobody can have got it, and nothing that is not accepted goes untold."""
    report = verdicts.report(outcomes(given))
    assert (not {A, U} & set(given)) == bool(report.errors)
    assert sum(verdict is not A for verdict in given) == len(report.errors + report.warnings)
    assert [] == [line for line in report.errors + report.warnings if "9161234" in line]


def test_error_in_place_of_outcomes() -> None:
    """What ended it all is an error where nothing was sent, else a warning."""
    assert ("Failure", ("away",), ()) == astuple(verdicts.report_of(NotSent("away")))
    warning = "the message may or may not have been sent: lost"
    assert ("Unknown", (), (warning,)) == astuple(verdicts.report_of(OutcomeUnknown("lost")))
