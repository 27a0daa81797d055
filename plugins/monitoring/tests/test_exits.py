"""The exit codes: what each host makes of them."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from devinotify import RowState, Verdict

from devinotify_monitoring import EXITS, PROFILES, AlertStatus
from devinotify_monitoring.exits import STATUSES, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REPEATS: Mapping[str, Callable[[int], bool]] = {
    "zabbix": lambda code: code != 0,
    "checkmk": lambda code: code == 1,
    "nagios": lambda _: False,
    "icinga": lambda _: False,
}
"""Whether a host runs the command again for what it exits with."""


def test_every_host_and_every_status() -> None:
    """The tables have no gap."""
    assert list(PROFILES) == list(EXITS) == list(REPEATS)
    assert {set(AlertStatus) == set(codes) for codes in EXITS.values()} == {True}
    assert set(RowState) == set(STATUSES)


@pytest.mark.parametrize("profile", list(PROFILES))
def test_what_may_have_gone_out(profile: str) -> None:
    """No host repeats what was sent or may have been."""
    codes = EXITS[profile]
    assert [False] * 3 == [
        REPEATS[profile](codes[status]) for status in (AlertStatus.ACCEPTED, AlertStatus.STORED, AlertStatus.UNKNOWN)
    ]


@pytest.mark.parametrize("profile", ["zabbix", "checkmk"])
def test_what_never_left(profile: str) -> None:
    """A host that can repeat does so where that sends it."""
    assert [True] * 2 == [
        REPEATS[profile](EXITS[profile][status]) for status in (AlertStatus.WAITING, AlertStatus.NOT_STORED)
    ]


@pytest.mark.parametrize("profile", list(PROFILES))
def test_failures_are_seen(profile: str) -> None:
    """What was not sent is a failure on each host; a mistake has the code of wrong usage, click's own."""
    refused = [
        EXITS[profile][status]
        for status in (AlertStatus.REJECTED, AlertStatus.NOT_SENT, AlertStatus.WAITING, AlertStatus.NOT_STORED)
    ]
    assert all(refused)
    assert (0, 0, 2) == tuple(
        EXITS[profile][status] for status in (AlertStatus.ACCEPTED, AlertStatus.STORED, AlertStatus.MISTAKE)
    )


def test_statuses_keep_the_verdict() -> None:
    """A row with a verdict is told by it; without one it waits, or may be on its way."""
    names = {
        Verdict.ACCEPTED: AlertStatus.ACCEPTED,
        Verdict.REJECTED: AlertStatus.REJECTED,
        Verdict.NOT_SENT: AlertStatus.NOT_SENT,
    }
    for state, status in STATUSES.items():
        told = AlertStatus.WAITING if state is RowState.QUEUED else AlertStatus.UNKNOWN
        assert status is names.get(state.verdict, told) if state.verdict is not None else status is told


def test_worst() -> None:
    """Of several recipients the one counts for whom something is still to be done, then the failure."""
    order = [AlertStatus.ACCEPTED, AlertStatus.UNKNOWN, AlertStatus.NOT_SENT, AlertStatus.REJECTED, AlertStatus.WAITING]
    assert {
        (one, other): order[max(order.index(one), order.index(other))] for one, other in permutations(order, 2)
    } == {(one, other): worst([one, other]) for one, other in permutations(order, 2)}
