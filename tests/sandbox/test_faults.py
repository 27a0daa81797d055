"""Faults as a register: which one strikes, how often, and for how long."""

from __future__ import annotations

import re
from typing import Any

import pytest

from devinotify.sandbox.faults import KINDS, Fault, Faults
from tests.tables import table

SEND = "Sms/Send"


def armed(*given: Fault) -> Faults:
    """Return a register with these faults, armed at 0."""
    register = Faults()
    for fault in given:
        register.add(fault, 0.0)
    return register


def struck(register: Faults, operation: str = SEND, numbers: tuple[str, ...] = (), now: float = 0.0) -> str | None:
    """Return the kind of the fault that strikes a request, or ``None``."""
    plan = register.plan(operation, numbers, now, in_session=operation != "User/SessionID")
    return plan.fault.kind if plan and plan.fault else None


@table(
    "fault, operation, numbers, expected",
    [
        (Fault("drop"), SEND, (), "drop"),
        (Fault("drop", operation=SEND), SEND, (), "drop"),
        (Fault("drop", operation=SEND), "Sms/State", (), None),
        (Fault("drop", number="79161234567"), SEND, ("79031234567", "79161234567"), "drop"),
        (Fault("drop", number="79161234567"), SEND, ("79031234567",), None),
        (Fault("expired-session"), "User/SessionID", (), None),
        (Fault("drop", probability=0), SEND, (), None),
    ],
)
def test_what_a_fault_concerns(fault: Fault, operation: str, numbers: tuple[str, ...], expected: str | None) -> None:
    """A fault strikes what it is meant for, and nothing else."""
    assert expected == struck(armed(fault), operation, numbers)


def test_the_first_decides_and_latencies_add_up() -> None:
    """Of two faults the first armed decides; what delays does so besides."""
    register = armed(
        Fault("latency", seconds=1),
        Fault("error"),
        Fault("drop"),
        Fault("latency", seconds=0.5),
        Fault("latency", seconds=9, probability=0),
    )
    plan = register.plan(SEND, (), 0.0)
    assert plan is not None
    assert (1.5, "error", [1, 1, 0, 1, 0]) == (
        sum(latency.fault.seconds or 0.0 for latency in plan.latencies),
        plan.fault and plan.fault.kind,
        [one.hits for one in register],
    )


def test_a_latency_alone_leaves_the_answer() -> None:
    """A request that is only delayed has no fault."""
    register = armed(Fault("latency", seconds=0.5))
    assert (tuple(register), None) == register.plan(SEND, (), 0.0)


def test_times_are_counted() -> None:
    """A fault that has struck as often as it may is over."""
    register = armed(Fault("drop", times=2))
    assert ["drop", "drop", None] == [struck(register) for _ in range(3)]


def test_time_passes() -> None:
    """A fault that lasts is over at its end."""
    register = armed(Fault("outage", lasts=60))
    assert ["outage", None] == [struck(register, now=59.9), struck(register, now=60.0)]


def test_a_seed_repeats() -> None:
    """The same seed makes the same requests fail; about as many as the probability says."""

    def run(seed: int) -> list[str | None]:
        register = armed(Fault("drop", probability=0.3, seed=seed))
        return [struck(register) for _ in range(200)]

    first = run(7)
    assert (True, False) == (first == run(7), first == run(8))
    assert 30 < 200 - first.count(None) < 90


def test_faults_are_removed() -> None:
    """A fault goes by its number, and all go at once; numbers are never used twice."""
    register = armed(Fault("drop"), Fault("reset"))
    assert (True, False) == (register.remove(1), register.remove(1))
    assert "reset" == struck(register)
    register.clear()
    assert (False, 3) == (bool(register), register.add(Fault("half"), 0.0).id)


def test_they_are_capped() -> None:
    """There is an end to how many are kept."""
    register = Faults(most=1)
    register.add(Fault("drop"), 0.0)
    with pytest.raises(ValueError, match="more than 1 faults are armed already; remove some first"):
        register.add(Fault("drop"), 0.0)


@table(
    "given, reason",
    [
        ({"kind": "fire"}, "no such kind of fault; there are: latency, "),
        ({"kind": "latency"}, "seconds is missing"),
        ({"kind": "outage"}, "lasts is missing"),
        ({"kind": "drop", "seconds": 1}, "seconds is not an argument of drop"),
        ({"kind": "drop", "code": 1}, "code is not an argument of drop"),
        ({"kind": "latency", "seconds": 1, "accepts": True}, "accepts is not an argument of latency"),
        ({"kind": "latency", "seconds": 301}, "seconds must be from 0 to 300"),
        ({"kind": "latency", "seconds": float("nan")}, "seconds must be from 0 to 300"),
        ({"kind": "error", "code": 10}, "code must be a code of the error table: 1, 2"),
        ({"kind": "status", "status": 204}, "status must be from 300 to 599"),
        ({"kind": "drop", "probability": 1.1}, "probability must be from 0 to 1"),
        ({"kind": "drop", "times": 0}, "times must be from 1 to"),
        ({"kind": "drop", "lasts": 0}, "lasts must be more than 0"),
        ({"kind": "drop", "seed": -1}, "seed must be from 0 to"),
        ({"kind": "drop", "limit": 5}, "limit is not an argument of drop"),
        ({"kind": "rate", "limit": 0}, "limit must be from 1 to 10000 requests a second"),
        ({"kind": "rate", "status": 429, "code": 7}, "status and code cannot both be answered: give one of them"),
        ({"kind": "rate", "code": 10}, "code must be a code of the error table"),
    ],
)
def test_wrong_faults(given: dict[str, Any], reason: str) -> None:
    """What makes no sense is refused with the argument's name."""
    with pytest.raises(ValueError, match=re.escape(reason)):
        Fault(**given)


CARRIED_OUT: list[tuple[str, dict[str, Any], bool]] = [
    ("latency", {"seconds": 1}, True),
    ("error", {}, False),
    ("status", {}, False),
    ("html", {}, False),
    ("rate", {}, False),
    ("expired-session", {}, False),
    ("reset", {}, False),
    ("drop", {}, True),
    ("half", {}, True),
    ("outage", {"lasts": 1}, False),
]


@table("kind, own, accepts", CARRIED_OUT)
def test_what_is_carried_out(kind: str, own: dict[str, Any], accepts: bool) -> None:
    """Whether a request is carried out is the kind's to say, where the fault does not."""
    assert accepts is Fault(kind, **own).carries_out


def test_every_kind_is_tested() -> None:
    """The table above names every kind."""
    assert list(KINDS) == [kind for kind, _, _ in CARRIED_OUT]


def passed(register: Faults, instants: list[float]) -> list[bool]:
    """Return which of the requests at these instants a rate lets through."""
    return [register.plan(SEND, (), now) is None for now in instants]


def test_a_rate_lets_so_many_a_second_through() -> None:
    """The vendor names ten requests a second; the eleventh within one is refused, and counts for nothing."""
    register = armed(Fault("rate"))
    assert [True] * 10 + [False] * 3 + [True] == passed(register, [0.0] * 13 + [1.0])
    assert [3] == [one.hits for one in register]


def test_a_rate_looks_back_a_second_from_each_request() -> None:
    """The second slides: what was let through leaves it one by one, and what was refused is not in it."""
    register = armed(Fault("rate", limit=2))
    assert [True, True, False, True, False, True] == passed(register, [0.0, 0.5, 0.9, 1.0, 1.4, 1.5])


def test_what_a_rate_answers() -> None:
    """It answers 429 unless another status or a code is given."""
    settings = [Fault("rate"), Fault("rate", status=503), Fault("rate", code=7, limit=3)]
    assert [(10, 429, None), (10, 503, None), (3, None, 7)] == [
        (fault.limit, fault.status, fault.code) for fault in settings
    ]


def test_a_rate_counts_what_it_concerns() -> None:
    """The requests of another operation do not use it up."""
    register = armed(Fault("rate", limit=1, operation=SEND))
    for _ in range(5):
        assert register.plan("User/Balance", (), 0.0) is None
    assert [True, False] == passed(register, [0.0, 0.0])


def test_what_has_no_session_loses_none() -> None:
    """Below /rest/v2 there is no session that could expire."""
    register = armed(Fault("expired-session"))
    assert register.plan(SEND, (), 0.0, in_session=False) is None
