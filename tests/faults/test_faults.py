"""Every fault of the table, over plain HTTP and TLS, on fresh connections and kept ones, met by both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import uvloop

from devinotify.exceptions import NotSent
from tests.driven import KINDS, Driven
from tests.faults.harness import run
from tests.faults.scenarios import SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.certificates import Certificates
    from tests.faults.harness import Report

SLACK = 5.0
"""Seconds that a busy machine may add to a deadline."""
BACKOFFS = 0.7
"""Seconds that the pauses between four attempts take at most."""


def cases() -> Iterator[object]:
    """Yield every fault with each client and in each of its ways.

    The whole product is walked once. Under the other Pythons each client meets each fault in one of its ways, the first
    or the last: over plain HTTP the one, over TLS the other. What a fault comes to is not Python's affair, and what
    Python's sockets and TLS do differently shows in any of its ways.
    """
    for scenario in SCENARIOS:
        for kind in KINDS:
            chosen = scenario.runs[0 if kind == "blocking" else -1]
            for over, kept in scenario.runs:
                yield pytest.param(
                    *(kind, scenario, over, kept),
                    id=f"{kind}-{scenario.name}-{over}-{'kept' if kept else 'fresh'}",
                    marks=() if (over, kept) == chosen else pytest.mark.once,
                )


def test_names_are_unique() -> None:
    """Two scenarios of one name could not be told apart."""
    names = [scenario.name for scenario in SCENARIOS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(("kind", "scenario", "over", "kept"), [*cases()])
def test_a_fault_is_told_and_does_no_harm(
    certificates: Certificates, kind: str, scenario: Scenario, over: str, kept: bool
) -> None:
    """The sender hears exactly what is known about the message, in time; nothing goes out twice or shows a secret.

    One exchange, looked at from each side: to have each looked at by a test of its own, it would have to be made anew.
    """
    check(run(certificates, KINDS[kind], scenario, over, kept=kept), scenario, kept=kept)


class OnUvloop(Driven):
    """An AsyncClient on uvloop, called as the blocking client is."""

    new_loop = staticmethod(uvloop.new_event_loop)


@pytest.mark.once
@pytest.mark.parametrize(
    "scenario",
    # A reply that came whole is read alike on any loop: what its words mean is left out.
    [pytest.param(each, id=each.name) for each in SCENARIOS if not each.whole or each.timeout < 1.0],
)
def test_a_fault_of_the_connection_is_told_alike_on_uvloop(certificates: Certificates, scenario: Scenario) -> None:
    """Its transports and its TLS are not asyncio's own, and break in ways of theirs."""
    for over, kept in scenario.runs:
        check(run(certificates, OnUvloop, scenario, over, kept=kept), scenario, kept=kept)


def check(report: Report, scenario: Scenario, *, kept: bool) -> None:
    """All that was seen of a fault is as the table has it."""
    check_verdict(report, scenario)
    check_requests(report, scenario, kept=kept)
    check_deadline(report, scenario)
    check_secrets(report)


def check_verdict(report: Report, scenario: Scenario) -> None:
    """The verdict and the error are right."""
    expected = scenario.error if isinstance(scenario.error, tuple) else (scenario.error,)
    assert (scenario.verdict, True) == (report.verdict, report.error in expected), report.shown


def check_requests(report: Report, scenario: Scenario, *, kept: bool) -> None:
    """The server reads the one POST, whole or in part, and nothing else anywhere.

    What never left is tried up to three times more, on connections of its own; a wrong certificate once.
    """
    operation = "viber/send" if scenario.viber else "sms/send"
    expected = [operation] * scenario.received, scenario.partly, 0 if kept else scenario.connections
    assert expected == (report.operations, report.partly, report.connections)


def check_deadline(report: Report, scenario: Scenario) -> None:
    """No reply, however slow, keeps the sender longer than the timeout for each attempt."""
    attempts = 4 if scenario.error is NotSent else 1
    assert report.seconds < attempts * scenario.timeout + (BACKOFFS if attempts > 1 else 0) + SLACK


def check_secrets(report: Report) -> None:
    """No password, session id, number or text stands in a log line, a repr, an error or a traceback."""
    leaked = [secret for secret in report.secrets if secret in report.shown]
    assert leaked == []
