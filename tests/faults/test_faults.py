"""Every fault of the table, over plain HTTP and TLS, on fresh connections and kept ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from devinotify.exceptions import NotSent
from tests.faults.harness import Report
from tests.faults.scenarios import SCENARIOS, Scenario

Run = Callable[[Scenario, str, bool], Report]

CASES = [
    pytest.param(scenario, over, kept, id=f"{scenario.name}-{over}-{'kept' if kept else 'fresh'}")
    for scenario in SCENARIOS
    for over, kept in scenario.runs
]
every_case = pytest.mark.parametrize(("scenario", "over", "kept"), CASES)

SLACK = 5.0
"""Seconds that a busy machine may add to a deadline."""
BACKOFFS = 0.7
"""Seconds that the pauses between four attempts take at most."""


def test_names_are_unique() -> None:
    """Two scenarios of one name would share one report."""
    names = [scenario.name for scenario in SCENARIOS]
    assert sorted(set(names)) == sorted(names)


@every_case
def test_the_verdict_and_the_error_are_right(run: Run, scenario: Scenario, over: str, kept: bool) -> None:
    """The sender hears exactly what is known about the message."""
    report = run(scenario, over, kept)
    expected = scenario.error if isinstance(scenario.error, tuple) else (scenario.error,)
    assert (scenario.verdict, True) == (report.verdict, report.error in expected), report.shown


@every_case
def test_nothing_is_sent_twice_and_no_connection_tried_too_often(
    run: Run, scenario: Scenario, over: str, kept: bool
) -> None:
    """The server reads the one POST, whole or in part, and nothing else anywhere.

    What never left is tried up to three times more, on connections of its own; a wrong certificate once.
    """
    report = run(scenario, over, kept)
    operation = "viber/send" if scenario.viber else "sms/send"
    expected = [operation] * scenario.received, scenario.partly, 0 if kept else scenario.connections
    assert expected == (report.operations, report.partly, report.connections)


@every_case
def test_the_deadline_holds(run: Run, scenario: Scenario, over: str, kept: bool) -> None:
    """No reply, however slow, keeps the sender longer than the timeout for each attempt."""
    report = run(scenario, over, kept)
    attempts = 4 if scenario.error is NotSent else 1
    assert report.seconds < attempts * scenario.timeout + (BACKOFFS if attempts > 1 else 0) + SLACK


@every_case
def test_nothing_secret_is_shown(run: Run, scenario: Scenario, over: str, kept: bool) -> None:
    """No password, session id, number or text stands in a log line, a repr, an error or a traceback."""
    report = run(scenario, over, kept)
    leaked = [secret for secret in report.secrets if secret in report.shown]
    assert leaked == []
