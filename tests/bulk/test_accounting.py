"""The law of campaigns: for any input and any faults, the categories add up to the rows, and nobody gets it twice."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from devinotify.bulk import Campaign, Category, End, Speed, Tally
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

SOME = numbers(40)
CELLS = (
    st.sampled_from(SOME)
    | st.sampled_from(["8" + number[2:] for number in SOME])
    | st.sampled_from(["", "12345", "+7495123456", "не номер", "=1+1", "+79161000000,+79161000001", "8 800 200 06 00"])
    | st.text(
        st.characters(codec="utf-8", exclude_characters="\r\n\0;\"'", exclude_categories=["Cc", "Zl", "Zp"]), max_size=8
    )
)
ROWS = st.lists(CELLS, max_size=60)
FAULTS = st.lists(
    st.fixed_dictionaries(
        {
            "fault": st.sampled_from(
                [
                    {"kind": "error", "code": 2},
                    {"kind": "error", "code": 5},
                    {"kind": "error", "code": 6},
                    {"kind": "error", "code": 9},
                    {"kind": "status", "status": 429},
                    {"kind": "status", "status": 503},
                    {"kind": "html"},
                    {"kind": "expired-session"},
                    {"kind": "reset"},
                    {"kind": "drop"},
                    {"kind": "half"},
                ]
            ),
            "probability": st.sampled_from([0.3, 1.0]),
            "times": st.integers(1, 3),
            "seed": st.integers(0, 2**32),
        }
    ),
    max_size=3,
)
SEND = ("Sms/Send", "Sms/SendBulk")


def written(rows: list[str], way: str) -> bytes:
    """Return the rows as a file of a format."""
    if way == "jsonl":
        return "".join(json.dumps({"phone": row, "name": "Ann"}) + "\n" for row in rows).encode()
    return "".join(f"{line};Ann\n" for line in ["phone", *rows]).encode("utf-8-sig")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    rows=ROWS,
    faults=FAULTS,
    way=st.sampled_from(["csv", "jsonl"]),
    personal=st.booleans(),
    batch=st.sampled_from([1, 3, 7, 50]),
    limits=st.lists(st.integers(1, 20), max_size=2),
)
def test_the_categories_add_up(
    gateway: Sandbox,
    rows: list[str],
    faults: list[dict[str, Any]],
    way: str,
    personal: bool,
    batch: int,
    limits: list[int],
) -> None:
    """After each run every row is in one category; what arrived is the accepted, once, and some of the unknown."""
    assume(rows or not personal)  # an empty list of JSON lines has no column that a template could name
    gateway.reset()
    for fault in faults:
        for operation in SEND:
            gateway.add_fault(
                operation=operation,
                probability=fault["probability"],
                times=fault["times"],
                seed=fault["seed"],
                **fault["fault"],
            )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"input.{way}")
        path.write_bytes(written(rows, way))
        text: dict[str, Any] = (
            {"template": "Hello {name}" if way == "jsonl" else "Hello {Ann}"} if personal else {"text": "Hello"}
        )
        with Campaign(gateway.url, path, journal=Path(folder, "c.db"), **text) as campaign:
            plan = campaign.plan()
            assert plan.rows == plan.recipients + plan.duplicates + plan.invalid
            ends = [End.LIMIT]
            for limit in [*limits, None, None, None, None]:
                result = campaign.run(Speed(connections=3, batch=batch, limit=limit))
                ends.append(result.end)
                check(result.tally, plan.rows, Counter(m.recipient for m in gateway.messages()))
            if ends[-1] is End.DONE:
                assert 0 == result.tally.waiting


def check(tally: Tally, rows: int, arrived: Counter[str]) -> None:
    """Fail where the account does not fit the rows or what arrived."""
    assert rows == tally.rows == sum(tally.of(each) for each in Category)
    assert {1} >= set(arrived.values())
    accepted = tally.accepted + tally.unknown
    # A repeated number counts once for each of its rows.
    assert tally.accepted - tally.duplicates <= len(arrived) <= accepted
