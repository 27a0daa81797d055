"""Every fault of the table, over plain HTTP and TLS, on fresh connections and kept ones, met by both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from devinotify.exceptions import NotSent
from tests.faults.harness import run
from tests.faults.kinds import KINDS, HastyDriven
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.faults.certificates import Certificates
    from tests.faults.harness import Report

SLACK = 5.0
"""Seconds that a busy machine may add to a deadline."""
BACKOFFS = 0.7
"""Seconds that the pauses between four attempts take at most."""


PARTS = 16
"""Into how many tests the table is dealt, so that the waits of one part are beside those of others."""


def ways(part: int, *, chosen: bool) -> Iterator[object]:
    """Yield every fault of a part with each client, in the chosen one of its ways or in all others.

    The whole product is walked once. Under the other Pythons each client meets each fault in one of its ways, the first
    or the last: over plain HTTP the one, over TLS the other. What a fault comes to is not Python's affair, and what
    Python's sockets and TLS do differently shows in any of its ways.
    """
    for scenario in SCENARIOS[part::PARTS]:
        for kind in KINDS:
            one = scenario.runs[0 if kind == "blocking" else -1]
            for over, kept in scenario.runs:
                if ((over, kept) == one) is chosen:
                    yield pytest.param(
                        *(KINDS[kind], scenario, over, kept),
                        id=f"{kind}, {scenario.name}, {over}, {'kept' if kept else 'fresh'}",
                    )


def test_names_are_unique() -> None:
    """Two scenarios of one name could not be told apart."""
    names = [scenario.name for scenario in SCENARIOS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.untraced
@pytest.mark.parametrize("part", range(PARTS))
def test_a_fault_is_told_and_does_no_harm(certificates: Certificates, part: int) -> None:
    """The sender hears exactly what is known about the message, in time; nothing goes out twice or shows a secret.

    One exchange, looked at from each side: to have each looked at by a test of its own, it would have to be made anew.
    """
    walk(certificates, ways(part, chosen=True))


@pytest.mark.once
@pytest.mark.parametrize("part", range(PARTS))
def test_a_fault_is_told_in_all_of_its_other_ways(certificates: Certificates, part: int) -> None:
    """Over plain HTTP and TLS, on a fresh connection and on a kept one."""
    walk(certificates, ways(part, chosen=False))


class OnUvloop(HastyDriven):
    """An AsyncClient on uvloop, called as the blocking client is."""

    new_loop = staticmethod(uvloop.new_event_loop)


@pytest.mark.once
@pytest.mark.parametrize("part", range(PARTS))
def test_a_fault_of_the_connection_is_told_alike_on_uvloop(certificates: Certificates, part: int) -> None:
    """Its transports and its TLS are not asyncio's own, and break in ways of theirs."""
    # A reply that came whole is read alike on any loop: what its words mean is left out.
    met = [each for each in SCENARIOS if not each.whole or each.timeout < 1.0]
    walk(
        certificates,
        [
            pytest.param(OnUvloop, each, over, kept, id=f"{each.name}, {over}, {'kept' if kept else 'fresh'}")
            for each in met[part::PARTS]
            for over, kept in each.runs
        ],
    )


def walk(certificates: Certificates, cases: Iterable[object]) -> None:
    """Have each kind of client meet each fault as it is told to."""

    @table("kind, scenario, over, kept", cases)
    def is_told(kind: Callable[..., Any], scenario: Scenario, over: str, kept: bool) -> None:
        check(run(certificates, kind, scenario, over, kept=kept), scenario, kept=kept)

    is_told()


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
