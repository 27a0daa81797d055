"""The report: every row as CSV, and a page that stands alone."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify import Message, Notifier
from devinotify.bulk import Journal, Speed
from devinotify.bulk.deliveries import Deliveries
from devinotify.bulk.report import COLUMNS, INCOMPLETE, _moment, write_invalid, write_report
from devinotify.exceptions import InvalidInput
from devinotify.instants import iso
from devinotify.outbox import RowState
from tests.bulk.conftest import numbers
from tests.waiting import ended

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


def test_what_the_gateway_resends_is_paid_for_too(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """The cost of a campaign on viber-sms is that of each Viber message, and of each SMS that was sent in its place."""
    some = numbers(3)
    gateway.set_fate(some[0], "not-a-viber-user")
    before = gateway.balance
    campaign = begin("\n".join(some), name="a.txt", channel="viber-sms", price="1.50", second_price="2.50")
    plan = campaign.plan()
    assert (Decimal("4.50"), Decimal(12), "sms", 3) == (plan.cost, plan.most, plan.second, plan.segments)
    campaign.run()
    gateway.advance(60)
    path = tmp_path / "campaign.db"
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE rows SET next_poll_at = 0 WHERE next_poll_at IS NOT NULL")
    with Journal(path) as opened, Notifier(gateway.url) as notifier:
        Deliveries(notifier, opened).poll()
        summary = write_report(opened, csv_file=tmp_path / "out.csv")
        prices = [row.price for row in opened.rows()]
    assert ([Decimal(4), Decimal("1.50"), Decimal("1.50")], Decimal(7)) == (prices, summary.cost)
    assert summary.cost == before - gateway.balance


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


def test_the_csv_adds_up_to_what_the_page_says(journal: Path, tmp_path: Path) -> None:
    """A row that repeats another was no message of its own: its segments and price stand at the first one alone."""
    target = tmp_path / "out.csv"
    with Journal(journal) as opened:
        summary = write_report(opened, csv_file=target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert summary.cost == sum(Decimal(row["price"] or 0) for row in rows) == summary.listed
    assert summary.segments == sum(int(row["segments"]) for row in rows if row["sent_at"] and row["segments"])
    assert [("", "")] == [(row["segments"], row["price"]) for row in rows if row["repeats_row"]]


def test_the_csv_is_what_a_russian_spreadsheet_expects(journal: Path, tmp_path: Path) -> None:
    """Semicolons between the cells, and a decimal comma in the prices."""
    target = tmp_path / "out.csv"
    with Journal(journal) as opened:
        write_report(opened, csv_file=target, delimiter=";")
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert list(COLUMNS) == list(rows[0])
    assert {"", "2,5"} == {row["price"] for row in rows}


def test_another_delimiter_is_refused(journal: Path, tmp_path: Path) -> None:
    """A letter for one would be in the cells too."""
    with Journal(journal) as opened, pytest.raises(InvalidInput, match="a comma, a semicolon or a tab"):
        write_report(opened, csv_file=tmp_path / "out.csv", delimiter="x")


def test_the_page_stands_alone(journal: Path, tmp_path: Path) -> None:
    """Nothing to load and no link; the figures and a curve are in it, and no number of a person."""
    target = tmp_path / "report.html"
    now = datetime(2026, 1, 28, 12, tzinfo=UTC)
    with Journal(journal) as opened:
        summary = write_report(opened, html_file=target, now=now)
    page = target.read_text("utf-8")
    assert (7, 3, {"delivered": 2, "expired": 1}) == (summary.tally.rows, summary.segments, dict(summary.statuses))
    assert (1, 1) == (page.count('class="bar"'), page.count('id="curve"'))
    assert [] == re.findall(r"<(?:link|img|iframe|object)\b|@import|url\((?!#)|\bsrc=", page)
    assert "default-src 'none'" in page
    assert "2026-01-28 12:00:00+00:00" in page
    assert all(number.removeprefix("+") not in page for number in numbers(4))


def test_no_script_of_the_page_runs_but_its_own(journal: Path, tmp_path: Path) -> None:
    """Its policy names their digests, and none that is not there."""
    target = tmp_path / "report.html"
    with Journal(journal) as opened:
        write_report(opened, html_file=target)
    page = target.read_text("utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts]
    assert (2, digests) == (len(scripts), re.findall(r"'sha256-([^']+)'", page[: page.index("<style>")]))


def test_the_curves_library_is_the_one_that_is_named() -> None:
    """With its version, where it is from, and its licence beside it."""
    folder = resources.files("devinotify.bulk").joinpath("static", "uplot")
    version = re.search(r"\(v([\d.]+)\)", folder.joinpath("uPlot.iife.min.js").read_text("utf-8")[:100])
    assert version is not None
    assert f"uplot/-/uplot-{version[1]}.tgz" in folder.joinpath("README.md").read_text("utf-8")
    assert folder.joinpath("LICENSE").read_text("utf-8").startswith("The MIT License")


def test_the_first_line_tells_what_campaign_it_is(journal: Path, tmp_path: Path) -> None:
    """What was delivered so far, the cost that the gateway told, the list, the sender and how long it took."""
    target = tmp_path / "report.html"
    with Journal(journal) as opened:
        write_report(opened, html_file=target)
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)<", target.read_text("utf-8")))
    begun, took = facts.pop("Begun"), facts.pop("Sending took")
    assert {
        "Cost": "7.50",
        "Recipients": "4",
        "Channel": "SMS",
        "Sender": "DEVINO",
        "List": "a.txt",
        "Segments": "3",
    } == {name: value.strip() for name, value in facts.items()}
    assert (True, True) == (bool(re.match(r"\d+\W\w+ \d{4}, \d\d:\d\d", begun)), bool(took))
    assert "<b>50\N{NO-BREAK SPACE}%</b>" in target.read_text("utf-8")


def test_the_price_of_the_last_run_estimates_the_cost(begin: Begin, tmp_path: Path) -> None:
    """As long as the gateway has told no price; what was given before is not forgotten."""
    begin("\n".join(numbers(3)), name="a.txt", price="2.10").run(Speed(limit=2))
    begin("\n".join(numbers(3)), name="a.txt").run()
    with Journal(tmp_path / "campaign.db") as opened:
        write_report(opened, html_file=tmp_path / "x.html")
    assert "<dd>6.30 <small>estimated, by the price given</small></dd>" in (tmp_path / "x.html").read_text("utf-8")


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


@pytest.mark.parametrize(
    "name",
    ["campaign.db", "campaign.db-wal", "campaign.db-shm", "campaign.db-worker-1-a", "sub/../campaign.db", "link"],
)
def test_the_journal_is_never_written_over(journal: Path, tmp_path: Path, name: str) -> None:
    """Neither it nor what belongs to it, by whatever name: it alone knows who was sent to."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(journal)
    with Journal(journal) as opened:
        with pytest.raises(InvalidInput, match="name another file"):
            write_report(opened, csv_file=tmp_path / name, html_file=tmp_path / "x.html")
        assert (7, False) == (opened.tally().rows, (tmp_path / "x.html").exists())


def test_a_journal_opened_by_a_link_is_locked_beside_the_file(journal: Path, tmp_path: Path) -> None:
    """Whoever opens it by its own name sees that somebody sends, and takes nobody for dead."""
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(journal)
    with Journal(link) as linked, Journal(journal) as opened:
        linked.outbox.enqueue(Message("hi", ("+79169999999",), channel="sms"))
        batch = linked.outbox.claim(rows=[row.id for row in linked.outbox.rows(states={RowState.QUEUED})])
        assert batch is not None
        assert (True, 0, ["link.db"]) == (
            opened.outbox.senders_alive(),
            opened.recover(),
            [each.name for each in link.parent.iterdir()],
        )
        assert [journal.parent] == [each.parent for each in tmp_path.rglob("*-worker-*")]
        linked.outbox.release(batch)


def test_the_locks_beside_a_linked_journal_are_its_own(journal: Path, tmp_path: Path) -> None:
    """No report takes the name of one, beside what the link leads to or beside the link."""
    link = tmp_path / "link.db"
    link.symlink_to(journal)
    with Journal(link) as opened:
        for name in ("link.db-worker-1-a", "campaign.db-wal", "campaign.db"):
            with pytest.raises(InvalidInput, match="name another file"):
                write_report(opened, csv_file=tmp_path / name)


def test_a_name_that_begins_like_the_journals_is_free(journal: Path, tmp_path: Path) -> None:
    """A report may be called after its campaign."""
    target = tmp_path / "campaign.db-walk.csv"
    with Journal(journal) as opened:
        write_report(opened, csv_file=target)
    assert target.exists()


def test_both_reports_in_one_file_are_refused(journal: Path, tmp_path: Path) -> None:
    """However it is spelt; nothing is written."""
    (tmp_path / "sub").mkdir()
    with Journal(journal) as opened, pytest.raises(InvalidInput, match="name two"):
        write_report(opened, csv_file=tmp_path / "same", html_file=tmp_path / "sub" / ".." / "same")
    assert not (tmp_path / "same").exists()


def test_both_reports_in_one_stream_are_refused(journal: Path) -> None:
    """They could not be told apart."""
    stream = io.StringIO()
    with Journal(journal) as opened, pytest.raises(InvalidInput, match="name two"):
        write_report(opened, csv_file=stream, html_file=stream)
    assert "" == stream.getvalue()


def test_a_link_stays_and_what_it_leads_to_is_written(journal: Path, tmp_path: Path) -> None:
    """A report may be kept elsewhere."""
    (tmp_path / "there").mkdir()
    link = tmp_path / "out.csv"
    link.symlink_to(tmp_path / "there" / "real.csv")
    with Journal(journal) as opened:
        write_report(opened, csv_file=link)
    assert (True, 8) == (link.is_symlink(), len((tmp_path / "there" / "real.csv").read_text("utf-8").splitlines()))


def test_a_pipe_is_written_to(journal: Path, tmp_path: Path) -> None:
    """What is no regular file stays what it is; a program that reads it wants no byte order mark."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")))
    reader.start()
    with Journal(journal) as opened:
        write_report(opened, csv_file=pipe)
    ended(reader)
    assert (True, list(COLUMNS), 8) == (pipe.is_fifo(), read[0].splitlines()[0].split(","), len(read[0].splitlines()))


def test_an_open_file_is_written_to(journal: Path) -> None:
    """Such as stdout; it is left open."""
    stream = io.StringIO()
    with Journal(journal) as opened:
        write_report(opened, csv_file=stream)
    assert 8 == len(stream.getvalue().splitlines())


def test_a_missing_folder_is_told_before_anything_is_written(journal: Path, tmp_path: Path) -> None:
    """Of two files neither is written, and the error names the one that cannot be."""
    before = sorted(tmp_path.iterdir())
    missing = tmp_path / "no" / "x.html"
    with Journal(journal) as opened, pytest.raises(FileNotFoundError, match="folder does not exist") as raised:
        write_report(opened, csv_file=tmp_path / "out.csv", html_file=missing)
    assert (str(missing), before) == (raised.value.filename, sorted(tmp_path.iterdir()))


def test_a_page_that_fails_leaves_the_old_csv(journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are put in place, or none."""
    target = tmp_path / "out.csv"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("devinotify.bulk.report.render", fail)
    with Journal(journal) as opened, pytest.raises(OSError, match="no space"):
        write_report(opened, csv_file=target, html_file=tmp_path / "x.html")
    assert ("old", [], False) == (target.read_text(), list(tmp_path.glob(".*")), (tmp_path / "x.html").exists())


def test_a_journal_that_is_not_complete_says_so(journal: Path, tmp_path: Path) -> None:
    """Its campaign was ended while it read the input; the page says what to do."""
    with closing(sqlite3.connect(journal)) as file, file:
        file.execute("DELETE FROM meta WHERE name = 'user.fed'")
    page = tmp_path / "x.html"
    with Journal(journal) as opened:
        summary = write_report(opened, html_file=page)
    assert (False, True) == (summary.complete, INCOMPLETE in page.read_text("utf-8"))


def test_a_journal_that_is_complete_is_not_doubted(journal: Path, tmp_path: Path) -> None:
    """All of the input is in it."""
    page = tmp_path / "x.html"
    with Journal(journal) as opened:
        summary = write_report(opened, html_file=page)
    assert (True, False) == (summary.complete, INCOMPLETE in page.read_text("utf-8"))


@given(st.floats(0, 253_402_300_799))
def test_times_are_written_as_everywhere(seconds: float) -> None:
    """In the form of every JSON document and export, to the second."""
    assert iso(datetime.fromtimestamp(int(seconds), UTC), "seconds") == _moment(seconds)


def test_an_error_of_a_look_comes_out(journal: Path, gateway: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that cannot be read ends the poll with its error."""
    with Journal(journal) as opened, Notifier(gateway.url) as notifier:
        deliveries = Deliveries(notifier, opened)

        def fail(limit: int, *, account: str | None) -> None:
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


def test_no_cell_of_what_cannot_be_sent_to_begins_a_formula(tmp_path: Path) -> None:
    """Neither what stands in the list nor why it is refused, which may name a column of it."""
    path = tmp_path / "invalid.csv"
    errors = {
        "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
        "no column: ;@SUM(1)": "no column: ;'@SUM(1)",
        "\uff1d1+1": "'\uff1d1+1",
        "it is empty": "it is empty",
    }
    rows = [(row, "=1+1", InvalidInput(error)) for row, error in enumerate(errors, 2)]
    assert 4 == write_invalid(rows, path, lambda row: row)
    told = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    assert [[str(row), "'=1+1", error] for row, error in enumerate(errors.values(), 2)] == told[1:]
