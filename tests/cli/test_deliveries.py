"""``devinotify bulk status`` and ``bulk report``: what they tell, where they write, and their exit codes."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from devinotify import Outbox
from devinotify import url as urls
from devinotify.bulk import Tally, deliveries
from devinotify.bulk.report import COLUMNS, INCOMPLETE
from devinotify.cli import deliveries as command
from devinotify.cli.tallies import INNER, tally_rows
from devinotify.outbox import Counts, RowState
from devinotify.outbox.states import CODES
from tests import forked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from devinotify.bulk.journal import Journal
    from devinotify.exceptions import DevinotifyError
    from devinotify.notifier import Notifier
    from devinotify.outbox import Row
    from devinotify.sandbox import Sandbox
    from tests.cli.conftest import Run

NUMBERS = [f"+7916{number:07d}" for number in range(1_000_000, 1_000_005)]


class Hurried(deliveries.Deliveries):
    """Looks that find at once that nobody sends, and pause for nothing."""

    def __init__(self, notifier: Notifier, journal: Journal, *, connections: int, rate: float) -> None:
        super().__init__(notifier, journal, connections=connections, rate=rate, nap=0.05, quiet=0.0)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a watch find at once that nobody sends."""
    monkeypatch.setattr(deliveries, "Deliveries", Hurried)


@pytest.fixture
def journal(run: Run, account: Sandbox, tmp_path: Path) -> Path:
    """The journal of a campaign to five numbers, whose deliveries are due."""
    return sent(run, account, tmp_path)


def sent(run: Run, account: Sandbox, folder: Path, *options: str) -> Path:
    """Send a campaign, and return its journal, with every delivery due."""
    numbers, path = folder / "list.csv", folder / "campaign.db"
    numbers.write_text("\n".join(["phone", *NUMBERS]))
    run("bulk", str(numbers), "--text", "Hi", "--journal", str(path), "--yes", *options)
    change(path, "UPDATE rows SET next_poll_at = 0 WHERE next_poll_at IS NOT NULL")
    account.advance(60)
    return path


def change(path: Path, statement: str) -> None:
    """Change a journal."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(statement)


def status_of(result: Result) -> dict[str, Any]:
    """Return the last event."""
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def refused(account: Sandbox) -> str:
    """Return the URL of an account whose password is wrong."""
    return f"devino://demo:no@DEVINO?gateway={account.gateway}"


# --- status


def test_a_status_is_quiet_where_all_went_well(run: Run, journal: Path) -> None:
    """The table alone."""
    result = run("bulk", "status", str(journal))
    assert (0, "", True) == (result.exit_code, result.stderr, "of them delivered   5" in result.stdout)


def test_what_is_a_part_of_the_accepted_stands_under_it() -> None:
    """And so with the others: each name that is indented is a part of the last that is not."""
    tally = Tally(accepted=9, not_sent=3, unknown=2, duplicates=1, waiting=2, in_flight=1, delivered=5, failed=2)
    assert [
        ("rows", "14"),
        ("  of them duplicates", "1"),
        ("accepted", "9"),
        ("  of them delivered", "5"),
        ("  of them failed", "2"),
        ("rejected", "0"),
        ("invalid", "0"),
        ("not sent", "3"),
        ("  of them waiting", "2"),
        ("unknown", "2"),
        ("  of them in flight", "1"),
    ] == tally_rows(tally)
    assert {"rows"} | {each.name for each in fields(Tally)} == {name for one, some in INNER for name in (one, *some)}


def test_a_wrong_password_is_told(run: Run, account: Sandbox, journal: Path) -> None:
    """With how many could not be looked at and what to do, besides the table; the code is that of the error."""
    result = run("bulk", "status", str(journal), "--url", refused(account))
    assert (3, True, True, 1) == (
        result.exit_code,
        result.stderr.startswith("devinotify: deliveries that could not be looked at: 5. "),
        "Check the login and the password." in result.stderr,
        len(result.stderr.splitlines()),
    )
    assert "accepted" in result.stdout


def test_a_gateway_that_is_away_is_told(run: Run, account: Sandbox, journal: Path, closed_url: str) -> None:
    """It was not reached; the account's gateway has moved there, so the looks are its own."""
    with Outbox(journal) as outbox:
        outbox.adopt(urls.parse(account.url).account, urls.parse(closed_url).account)
    result = run("bulk", "status", str(journal), "--url", closed_url)
    assert (4, True) == (result.exit_code, "looked at: 5. " in result.stderr)


def test_another_account_is_told_whose_campaign_it_is(run: Run, journal: Path, closed_url: str) -> None:
    """Nobody looks at another account's messages, and no option that this command lacks is advised."""
    result = run("bulk", "status", str(journal), "--url", closed_url)
    assert (2, True, False) == (
        result.exit_code,
        "is the journal of a campaign of another account, demo@127.0.0.1:" in result.stderr,
        "--other-account" in result.stderr,
    )


def test_an_error_of_the_looks_is_in_the_status_event(run: Run, account: Sandbox, journal: Path) -> None:
    """As a document, with how many had no answer; nothing is on stderr."""
    result = run("bulk", "status", str(journal), "--json", "--url", refused(account))
    told = status_of(result)
    assert (3, 3, "Unauthorized", 5, "") == (
        result.exit_code,
        told["exit_code"],
        told["error"]["type"],
        told["not_looked_at"],
        result.stderr,
    )


def test_a_status_event_without_errors(run: Run, journal: Path) -> None:
    """It says that there was none."""
    told = status_of(run("bulk", "status", str(journal), "--json"))
    assert (None, 0, True, 5) == (told["error"], told["not_looked_at"], told["complete"], told["delivered"])


def test_a_wrong_password_ends_the_watch(run: Run, account: Sandbox, journal: Path) -> None:
    """The error is told once."""
    result = run("bulk", "status", str(journal), "--watch", "--url", refused(account))
    assert (3, 1) == (result.exit_code, result.stderr.count("Unauthorized"))


def test_a_watch_tells_what_goes_wrong_meanwhile(
    run: Run, account: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on, and ends well when all have had an answer."""
    account.add_fault("error", code=9, operation="Sms/State", times=3)
    due, sentence = Outbox.watch_due, command._sentence
    told = threading.Event()

    def tell(error: DevinotifyError) -> str:
        told.set()
        return sentence(error)

    def soon(self: Outbox, limit: int, *, account: str | None = None) -> list[Row]:
        if any(row.state is RowState.DELIVERED for row in self.rows()):
            told.wait(60)
            change(journal, "UPDATE rows SET next_poll_at = 0 WHERE next_poll_at IS NOT NULL")
        return due(self, limit, account=account)

    monkeypatch.setattr(command, "_sentence", tell)
    monkeypatch.setattr(Outbox, "watch_due", soon)
    result = run("bulk", "status", str(journal), "--watch", "--connections", "1")
    assert (0, True, True) == (
        result.exit_code,
        "could not be looked at, and it is tried again: " in result.stderr,
        "delivered 5, not delivered 0, not decided 0" in result.stderr,
    )


def test_a_stopped_campaign_ends_the_watch(run: Run, account: Sandbox, tmp_path: Path) -> None:
    """How many still wait is said, and what to do."""
    journal = sent(run, account, tmp_path, "--limit", "2")
    result = run("bulk", "status", str(journal), "--watch")
    assert (0, True, True) == (
        result.exit_code,
        "delivered 2, not delivered 0, not decided 0, still to be sent 3" in result.stderr,
        "recipients that still wait: 3; no process is sending to them: run the campaign again" in result.stderr,
    )


def test_a_watch_says_a_line_now_and_then(
    run: Run, journal: Path, account: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one for each round that brings news; the last one is always said."""

    def one_more(_: deliveries.Deliveries, observe: Callable[[Counts], None]) -> int:
        for delivered in range(1, 6):
            observe(Counts(accepted=5 - delivered, delivered=delivered))
        change(journal, f"UPDATE rows SET state = {CODES[RowState.DELIVERED]}")  # noqa: S608 - ours
        return 0

    monkeypatch.setattr(deliveries.Deliveries, "watch", one_more)
    assert [
        "devinotify: delivered 1, not delivered 0, not decided 4",
        "devinotify: delivered 5, not delivered 0, not decided 0",
    ] == run("bulk", "status", str(journal), "--watch").stderr.splitlines()


def test_nothing_due_is_told(run: Run, account: Sandbox, journal: Path) -> None:
    """Else a status right after the sending would look as if the gateway had nothing to say."""
    change(journal, "UPDATE rows SET next_poll_at = 4e9 WHERE next_poll_at IS NOT NULL")
    result = run("bulk", "status", str(journal))
    assert (0, True) == (result.exit_code, "deliveries that are not decided: 5; none is due" in result.stderr)


def test_watching_without_asking_makes_no_sense(run: Run, journal: Path) -> None:
    """One of the options has to go."""
    result = run("bulk", "status", str(journal), "--watch", "--no-poll")
    assert (2, True) == (result.exit_code, "give one of them" in result.stderr)


def test_an_error_is_an_event(run: Run, account: Sandbox, tmp_path: Path) -> None:
    """One document a line, as all others."""
    result = run("bulk", "status", str(tmp_path / "absent.db"), "--json")
    assert (2, "error", 1) == (result.exit_code, status_of(result)["event"], len(result.stdout.splitlines()))


@pytest.mark.parametrize("command", [("status",), ("report", "--csv", os.devnull)])
def test_a_list_in_place_of_a_journal_is_told_as_such(
    run: Run, account: Sandbox, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """It is a journal that was asked for, and nobody is told of an outbox."""
    path = tmp_path / "list.csv"
    path.write_text("phone\n" + "\n".join(NUMBERS))
    result = run("bulk", command[0], str(path), *command[1:])
    assert (
        2,
        "devinotify: list.csv cannot be used as a journal: it is not a campaign's journal but another file;",
    ) == (
        result.exit_code,
        result.stderr.partition(" it was left")[0],
    )


def test_the_next_look_is_told(run: Run, account: Sandbox, journal: Path) -> None:
    """When it is due, to people and to machines; and that some are due where nobody has asked."""
    assert "not decided: 5; some are due to be asked for" in run("bulk", "status", str(journal), "--no-poll").stderr
    change(journal, "UPDATE rows SET next_poll_at = 4e9 WHERE next_poll_at IS NOT NULL")
    plain, told = run("bulk", "status", str(journal)), run("bulk", "status", str(journal), "--json")
    assert "none is due to be asked for now, and the next one is at 2096-10-02 07:06:40" in plain.stderr
    assert "2096-10-02T07:06:40Z" == status_of(told)["next_look"]


def test_a_report_says_what_it_wrote_and_what_is_open(
    run: Run, account: Sandbox, journal: Path, tmp_path: Path
) -> None:
    """Whoever looks into it too early knows how to have it whole."""
    files = [str(tmp_path / name) for name in ("out.csv", "out.html")]
    early = run("bulk", "report", str(journal), "--csv", files[0], "--html", files[1])
    assert (0, [f"written: {file}" for file in files]) == (early.exit_code, early.stdout.splitlines()[-3:-1])
    assert "not decided: 5; `devinotify bulk status JOURNAL` asks for them" in early.stdout.splitlines()[-1]
    assert "not decided: 5" in run("bulk", "report", str(journal), "--csv", "-").stderr
    run("bulk", "status", str(journal))
    assert "not decided" not in run("bulk", "report", str(journal), "--csv", files[0]).output


@pytest.mark.parametrize("command", [("status", "--no-poll"), ("report", "--csv", os.devnull)])
def test_a_journal_that_is_not_complete(run: Run, journal: Path, command: tuple[str, ...]) -> None:
    """Its campaign was ended while it read the input: people are told, and machines."""
    change(journal, "DELETE FROM meta WHERE name = 'user.fed'")
    name, *options = command
    plain = run("bulk", name, str(journal), *options)
    told = run("bulk", name, str(journal), *options, "--json")
    assert (0, f"devinotify: {INCOMPLETE}\n", False, "") == (
        plain.exit_code,
        plain.stderr,
        status_of(told)["complete"],
        told.stderr,
    )


# --- report


@pytest.mark.parametrize("option", ["--csv", "--html"])
def test_a_report_is_never_written_over_the_journal(run: Run, journal: Path, option: str) -> None:
    """It alone knows who was sent to."""
    before = journal.read_bytes()
    result = run("bulk", "report", str(journal), option, str(journal))
    assert (2, True, before) == (
        result.exit_code,
        "campaign.db is the journal or belongs to it and must stay: name another file" in result.stderr,
        journal.read_bytes(),
    )


def test_two_reports_need_two_files(run: Run, journal: Path, tmp_path: Path) -> None:
    """Only one would be left."""
    same = tmp_path / "same"
    result = run("bulk", "report", str(journal), "--csv", str(same), "--html", str(same))
    assert (2, True, False) == (result.exit_code, "name two files" in result.stderr, same.exists())


def test_a_missing_folder_is_named(run: Run, journal: Path, tmp_path: Path) -> None:
    """And the other file is not written."""
    page = tmp_path / "no" / "x.html"
    result = run("bulk", "report", str(journal), "--csv", str(tmp_path / "a.csv"), "--html", str(page))
    assert (2, True, False) == (
        result.exit_code,
        "x.html: its folder does not exist" in result.stderr,
        (tmp_path / "a.csv").exists(),
    )


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_the_csv_on_stdout(run: Run, journal: Path, name: str) -> None:
    """It stands there alone: no table, no byte order mark."""
    result = run("bulk", "report", str(journal), "--csv", name)
    rows = list(csv.reader(result.stdout.splitlines()))
    assert (0, list(COLUMNS), 6) == (result.exit_code, rows[0], len(rows))


def test_the_csv_on_stdout_has_no_room_for_events(run: Run, journal: Path) -> None:
    """Neither could be read."""
    result = run("bulk", "report", str(journal), "--csv", "-", "--json")
    assert (2, True) == (result.exit_code, "give a file" in result.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="who can write to a folder is not known from its mode there")
@pytest.mark.parametrize("option", ["--csv", "--html"])
def test_a_planted_link_is_no_place_for_a_report(option: str, run: Run, journal: Path, tmp_path: Path) -> None:
    """In a folder that others can write to, a link may lead over a file that is not to be lost."""
    shared, victim = tmp_path / "shared", tmp_path / "victim"
    victim.write_text("mine")
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "out").symlink_to(victim)
    result = run("bulk", "report", str(journal), option, str(shared / "out"))
    assert (2, "mine", True) == (
        result.exit_code,
        victim.read_text(),
        "out is a link in a folder that others can write to: not followed" in result.stderr,
    )


@pytest.mark.once
def test_a_reader_that_has_seen_enough(journal: Path) -> None:
    """``| head`` is no fault, and no report that cannot be written."""
    change(journal, "UPDATE rows SET error_text = hex(zeroblob(50000))")
    report = [*forked.command(), "bulk", "report", str(journal), "--csv", "-"]
    with subprocess.Popen(report, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        process.wait(60)
    assert (141, b"") == (process.returncode, said)
