"""The law of campaigns: for any input and any faults, the categories add up to the rows, and nobody gets it twice."""

from __future__ import annotations

import csv
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from devinotify import phones
from devinotify.bulk import Campaign, Category, End, Journal, Speed, Tally
from devinotify.bulk.report import write_report
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

pytestmark = pytest.mark.once

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
    if way == "lines":
        return "".join(f"{row}\n" for row in rows).encode("utf-16")
    sign = "\t" if way == "tsv" else ";"
    return "".join(f"{line}{sign}Ann\n" for line in ["phone", *rows]).encode("utf-8-sig")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    rows=ROWS,
    faults=FAULTS,
    way=st.sampled_from(["csv", "tsv", "jsonl", "lines"]),
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
    personal = personal and way != "lines"  # nor has one number a line
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
        with Campaign(gateway.url, path, journal=Path(folder, "c.db"), format=way, **text) as campaign:
            plan = campaign.plan()
            assert plan.rows == plan.recipients + plan.duplicates + plan.invalid
            ends = [End.LIMIT]
            for limit in [*limits, None, None, None, None]:
                result = campaign.run(Speed(connections=3, batch=batch, limit=limit))
                ends.append(result.end)
                check(result.tally, plan.rows, Counter(m.recipient for m in gateway.messages()))
            if ends[-1] is End.DONE:
                assert 0 == result.tally.waiting
        with Journal(Path(folder, "c.db")) as journal:
            write_report(journal, csv_file=Path(folder, "out.csv"))
        with Path(folder, "out.csv").open(encoding="utf-8-sig", newline="") as file:
            lines = {int(line["row"]): line for line in csv.DictReader(file)}
        assert (plan.rows, set(range(1, plan.rows + 1))) == (len(lines), set(lines))
        assert Counter({each.value: result.tally.of(each) for each in Category if result.tally.of(each)}) == Counter(
            line["category"] for line in lines.values()
        )
        kept = [row for row in rows if row.strip()] if way == "lines" else rows
        for row, line in lines.items():
            if line["category"] != "invalid" and not line["error"]:
                assert phones.normalize(kept[row - 1]).e164 == line["recipient"]


def check(tally: Tally, rows: int, arrived: Counter[str]) -> None:
    """Fail where the account does not fit the rows or what arrived."""
    assert rows == tally.rows == sum(tally.of(each) for each in Category)
    assert {1} >= set(arrived.values())
    accepted = tally.accepted + tally.unknown
    # A repeated number counts once for each of its rows.
    assert tally.accepted - tally.duplicates <= len(arrived) <= accepted
