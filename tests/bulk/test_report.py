"""The report: every row as CSV, and a page that stands alone."""

from __future__ import annotations

import csv
import re
import sqlite3
import stat
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from devinotify import Notifier
from devinotify.bulk import Journal
from devinotify.bulk.deliveries import Deliveries
from devinotify.bulk.report import COLUMNS, write_report
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin


@pytest.fixture
def journal(begin: Begin, gateway: Sandbox, tmp_path: Path) -> Path:
    """A campaign whose deliveries are known: two delivered, one expired, one rejected, one repeated, two invalid."""
    some = numbers(4)
    gateway.set_fate(some[2], "expired")
    for operation in ("Sms/Send", "Sms/SendBulk"):
        gateway.add_fault("error", code=2, number=some[3], operation=operation)
    begin("\n".join([*some, some[0], "=1+1", "12345"]), name="a.txt").run()
    path = tmp_path / "campaign.db"
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE rows SET next_poll_at = 0 WHERE next_poll_at IS NOT NULL")
    gateway.advance(60)
    with Journal(path) as opened, Notifier(gateway.url) as notifier:
        assert 3 == Deliveries(notifier, opened).poll()
    return path


def test_every_row_is_in_the_csv(journal: Path, tmp_path: Path) -> None:
    """A line for each row of the input, with ids and status, repeated and refused ones too, no formula in any."""
    target = tmp_path / "out.csv"
    with Journal(journal) as opened:
        write_report(opened, csv_file=target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(COLUMNS) == list(rows[0])
    found = {int(row["row"]): (row["recipient"], row["repeats_row"], row["category"], row["status"]) for row in rows}
    some = numbers(4)
    assert {
        1: (some[0], "", "accepted", "delivered"),
        2: (some[1], "", "accepted", "delivered"),
        3: (some[2], "", "accepted", "expired"),
        4: (some[3], "", "rejected", ""),
        5: (some[0], "1", "accepted", "delivered"),
        6: ("'=1+1", "", "invalid", ""),
        7: ("12345", "", "invalid", ""),
    } == found
    assert 7 == len(rows)
    assert all(row["message_ids"] for row in rows if row["category"] == "accepted")
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)


def test_the_page_stands_alone(journal: Path, tmp_path: Path) -> None:
    """No script, no link, nothing to load; the figures and three charts are in it, and no number of a person."""
    target = tmp_path / "report.html"
    now = datetime(2026, 1, 28, 12, tzinfo=UTC)
    with Journal(journal) as opened:
        summary = write_report(opened, html_file=target, now=now)
    page = target.read_text("utf-8")
    assert (7, 3, {"delivered": 2, "expired": 1}) == (summary.tally.rows, summary.segments, dict(summary.statuses))
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert 3 == len(charts)
    for chart in charts:
        ET.fromstring(chart)  # noqa: S314 - our own drawing
    assert [] == re.findall(r"<(?:script|link|img|iframe|object)\b|@import|url\((?!#)|\bsrc=", page)
    assert "default-src 'none'" in page
    assert "2026-01-28 12:00:00+00:00" in page
    assert all(number.removeprefix("+") not in page for number in numbers(4))


def test_the_same_journal_gives_the_same_page(journal: Path, tmp_path: Path) -> None:
    """Nothing in it is made up anew."""
    now = datetime(2026, 1, 28, 12, tzinfo=UTC)
    pages = []
    for name in ("a.html", "b.html"):
        with Journal(journal) as opened:
            write_report(opened, html_file=tmp_path / name, now=now)
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]


def test_a_report_that_fails_leaves_the_old_one(journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is replaced whole or not at all."""
    target = tmp_path / "out.csv"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("devinotify.bulk.report._cells", fail)
    with Journal(journal) as opened, pytest.raises(OSError, match="no space"):
        write_report(opened, csv_file=target)
    assert ("old", []) == (target.read_text(), list(tmp_path.glob(".*")))


def test_many_reasons_are_added_up(tmp_path: Path) -> None:
    """A chart has a dozen bars at most, the last for all others."""
    from collections import Counter

    from devinotify.bulk.charts import MOST, bars

    chart = bars(Counter({f"reason {number} $ {'x' * 60}": number + 1 for number in range(MOST + 5)}), "Why")
    assert ("all others" in chart, 'aria-label="Why"' in chart) == (True, True)


def test_an_error_of_a_look_comes_out(journal: Path, gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that cannot be read ends the poll with its error."""
    with Journal(journal) as opened, Notifier(gateway.url) as notifier:
        deliveries = Deliveries(notifier, opened)

        def fail(_: int) -> None:
            raise OSError("gone")

        monkeypatch.setattr(opened.outbox, "watch_due", fail)
        with pytest.raises(OSError, match="gone"):
            deliveries.poll()


def test_watching_can_be_stopped(journal: Path, gateway: Sandbox) -> None:
    """Nothing is looked at after a stop."""
    with Journal(journal) as opened, Notifier(gateway.url) as notifier:
        deliveries = Deliveries(notifier, opened)
        deliveries.stop()
        deliveries.watch()
        assert 0 == deliveries.poll()
