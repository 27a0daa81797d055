"""``devinotify bulk``: the plan, the confirmation, the sending, the deliveries and the report."""

from __future__ import annotations

import json
import signal
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from devinotify import Outbox
from devinotify.bulk import Campaign, Progress
from devinotify.cli import bulk, campaigns, tallies
from devinotify.cli.app import cli
from tests import forked
from tests.distributions import install, make_site
from tests.noon import noon
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from devinotify.sandbox import Sandbox
    from tests.cli.conftest import Run

NUMBERS = [f"+7916{number:07d}" for number in range(1_000_000, 1_000_010)]


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """A list of ten numbers, one of them twice, and one that is none."""
    path = tmp_path / "recipients.csv"
    path.write_text("phone;name\n" + "".join(f"{number};Ann\n" for number in [*NUMBERS, NUMBERS[0], "12345"]))
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "campaign.db"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder on the path to install plugins in."""
    yield from make_site(tmp_path, monkeypatch)


def events(result: Result) -> list[dict[str, Any]]:
    """Return the events on stdout."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_campaign(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """Plan and result are shown; the exit code is that of the invalid row."""
    result = run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes", "--price", "2.5")
    assert (4, 10) == (result.exit_code, len(account.messages()))
    for words in ("recipients", "GSM-7 10", "25.0", "accepted", "11", "for 25.0"):
        assert words in result.stdout
    assert "all recipients are dealt with" in result.stderr


def test_a_dry_run_sends_nothing(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """The plan alone, and no journal needed."""
    result = run("bulk", str(numbers), "--template", "Hi {name}", "--dry-run")
    assert (0, [], False) == (result.exit_code, account.messages(), journal.exists())
    assert "Hi Ann" in result.stdout


def test_a_poor_account_is_warned(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """The plan says when the money will not do; the run stops cleanly, and goes on after a top-up."""
    account.balance = Decimal(10)
    arguments = ["bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--price", "2.5"]
    assert "does not cover" in run(*arguments, "--dry-run").stderr
    stopped = run(*arguments, "--yes", "--batch", "2", "--connections", "1")
    assert (4, True, 4) == (stopped.exit_code, "top it up" in stopped.stderr, len(account.messages()))
    account.balance = Decimal(1000)
    again = run(*arguments, "--yes")
    assert (10, True) == (len(account.messages()), "still to send to" in again.stdout)


def test_json_events(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """A plan, progress, and a result, one document a line."""
    result = run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes", "--json")
    first, *_, last = events(result)
    assert ("plan", 12, 10, 1, 1) == (
        first["event"],
        first["rows"],
        first["recipients"],
        first["duplicates"],
        first["invalid"],
    )
    assert ("result", "done", 12, 11, 1, 4) == (
        last["event"],
        last["end"],
        last["rows"],
        last["accepted"],
        last["invalid"],
        last["exit_code"],
    )


def test_json_progress_and_lines(
    account: Sandbox, numbers: Path, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Progress is an event for machines, and a line where there is no terminal."""
    for shown in (campaigns.Events(every=0.0), campaigns.Lines(every=0.0)):
        name = type(shown).__name__
        with Campaign(account.url, numbers, text="Hi", journal=f"{journal}.{name}", price="2.5") as campaign:
            campaign.run(observe=shown.progress)
    told, lines = capsys.readouterr()
    progress = [json.loads(line) for line in told.splitlines()]
    assert ({"progress"}, 10) == ({each["event"] for each in progress}, progress[-1]["accepted"])
    assert ("reading: 12 of 12 rows" in lines, "10 of 10: " in lines, "cost 25.0" in lines) == (True, True, True)


def test_progress_is_shown_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """What comes sooner than it is to be shown is left out."""
    for shown in (campaigns.Events(every=3600.0), campaigns.Lines(every=3600.0)):
        shown.progress(Progress("sending", 5, 10))
    assert ("", "") == capsys.readouterr()


def test_a_command_shows_the_progress(
    run: Run, account: Sandbox, numbers: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it runs is told to what shows it, each time."""
    shown: list[Progress] = []
    monkeypatch.setattr(campaigns.Lines, "progress", lambda _, progress: shown.append(progress))
    run("bulk", str(numbers), "--text", "Hi", "--yes", "--journal", str(journal))
    assert 10 == shown[-1].accepted


def test_an_empty_list_is_told(run: Run, account: Sandbox, tmp_path: Path, journal: Path) -> None:
    """Nobody to send to is not the same as everybody dealt with."""
    path = tmp_path / "empty.csv"
    path.write_text("phone;name\n")
    result = run("bulk", str(path), "--text", "Hi", "--journal", str(journal), "--yes")
    assert (0, 1) == (result.exit_code, result.stderr.count("the list is empty"))
    plan = run("bulk", str(path), "--text", "Hi", "--dry-run")
    assert (0, 1) == (plan.exit_code, plan.stderr.count("the list is empty: there is nobody to send to"))
    path.write_text("phone;name\n12;Ann\n")
    assert "the list has nobody who can be sent to" in run("bulk", str(path), "--text", "Hi", "--dry-run").stderr


def test_a_wrong_password_is_seen_in_the_plan(run: Run, account: Sandbox, numbers: Path) -> None:
    """The plan says why the balance is not known."""
    wrong = f"devino://demo:wrong@DEVINO?gateway={account.gateway}"
    result = run("bulk", str(numbers), "--text", "Hi", "--dry-run", "--url", wrong)
    assert (0, True) == (result.exit_code, "Check the login and the password" in result.stderr)
    told = events(run("bulk", str(numbers), "--text", "Hi", "--dry-run", "--json", "--url", wrong))
    assert "Unauthorized" == told[0]["trouble"]["type"]


def test_an_error_is_an_event(run: Run, account: Sandbox, journal: Path) -> None:
    """Machines are told of a list that is not there, which is a wrong use as any other wrong file is."""
    result = run("bulk", "absent.csv", "--text", "Hi", "--journal", str(journal), "--yes", "--json")
    assert (2, "error", 2) == (result.exit_code, events(result)[0]["event"], events(result)[0]["exit_code"])
    plain = run("bulk", "absent.csv", "--text", "Hi", "--dry-run")
    assert (2, True) == (plain.exit_code, "absent.csv cannot be read" in plain.stderr)


@pytest.mark.parametrize(
    ("name", "content", "options", "why"),
    [
        ("list.csv", "phone\n+79161234567\n", ("--template", "Hi {naem}"), "naem"),
        ("list.csv", "phone\n+79161234567\n", ("--text", "Hi", "--column", "Mobile"), "there is no column"),
        ("list.csv", "a,b\nx,y\n", ("--text", "Hi"), "no column looks like numbers"),
        ("list.csv", 'phone,name\n+79161234567,"Ann\n', ("--text", "Hi"), "quote"),
        ("list.csv", "phone\n+79161234567\n", ("--text", "Hi", "--exclude", "gone.csv"), "gone.csv"),
        ("list.csv", "phone\n+79161234567\n", ("--text", "Hi", "--exclude-journal", "gone.db"), "gone.db"),
        ("list.csv", "phone\n+79161234567\n", ("--text", "Hi", "--append"), "no journal to append to"),
    ],
)
def test_wrong_files_and_words_are_a_wrong_use(
    run: Run,
    account: Sandbox,
    tmp_path: Path,
    journal: Path,
    name: str,
    content: str,
    options: tuple[str, ...],
    why: str,
) -> None:
    """Exit code 2 by the table: nothing was to be sent yet."""
    (tmp_path / name).write_text(content)
    result = run("bulk", str(tmp_path / name), *options, "--journal", str(journal), "--yes")
    assert (2, True, []) == (result.exit_code, why in result.stderr, account.messages()), result.stderr


def test_what_our_checks_refuse_is_not_sent(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """A text that is too long, a time that has passed: code 4, as for a single message."""
    arguments = ["bulk", str(numbers), "--journal", str(journal), "--yes"]
    assert [4, 4] == [
        run(*arguments, "--text", "x" * 2001).exit_code,
        run(*arguments, "--text", "Hi", "--send-at", "2020-01-01T10:00:00+00:00").exit_code,
    ]
    assert [] == account.messages()


def test_the_last_line_says_what_the_exit_code_is_for(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """A campaign that went well but for a row ends with 4; one that went well is silent about it."""
    ended = run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes")
    assert (
        4,
        "devinotify: exit code 4, for rows that are invalid 1: `devinotify bulk report JOURNAL --csv FILE` names them",
    ) == (
        ended.exit_code,
        ended.stderr.splitlines()[-1],
    )
    (numbers.parent / "good.txt").write_text(NUMBERS[0])
    good = run("bulk", str(numbers.parent / "good.txt"), "--text", "Hi", "--journal", f"{journal}2", "--yes")
    assert (0, False) == (good.exit_code, "exit code" in good.stderr)


@table(
    "arguments, why",
    [
        ((), "either --text or --template"),
        (("--text", "a", "--template", "b"), "either --text or --template"),
        (("--text", "a", "--send-at", "2099-01-02", "--local-time", "2099-01-01"), "one of them"),
        (("--text", "a", "--send-at", "soon", "--dry-run"), "give an ISO date or time"),
        (("--text", "a", "--dry-run", "--retry", "unknown"), "give not_sent, rejected, or both"),
        (("--text", "a"), "needs a --journal"),
        (("--text", "a", "--journal", "j.db"), "nobody can be asked"),
        (("--text", "a", "--dry-run", "--price", "x"), "give a price"),
        (("--text", "a", "--dry-run", "--price", "-1"), "zero or more"),
    ],
)
def test_usage_errors(run: Run, account: Sandbox, numbers: Path, arguments: tuple[str, ...], why: str) -> None:
    """What is missing or too much is said, and nothing is sent."""
    result = run("bulk", str(numbers), *arguments)
    assert (2, True, []) == (result.exit_code, why in result.stderr, account.messages())


@pytest.mark.parametrize(("answer", "sent", "code"), [("y\n", 10, 4), ("n\n", 0, 0), ("", 0, 130)])
def test_it_asks(
    account: Sandbox, numbers: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, answer: str, sent: int, code: int
) -> None:
    """At a terminal the plan has to be confirmed; whoever leaves at the question has sent nothing, and is told so."""
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    arguments = ["bulk", str(numbers), "--text", "Hi", "--journal", str(journal)]
    result = CliRunner().invoke(cli, arguments, input=answer, prog_name="devinotify")
    assert (True, sent, code) == ("Send?" in result.stderr, len(account.messages()), result.exit_code)
    assert (sent == 0) == ("nothing was sent" in result.stderr)


@pytest.mark.parametrize(
    ("answer", "sent"),
    [("да\n", 10), ("Д\n", 10), ("yes\n", 10), ("нет\n", 0), ("н\n", 0), ("\n", 0), ("ok\nда\n", 10)],
)
def test_it_asks_in_russian(
    account: Sandbox, numbers: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, answer: str, sent: int
) -> None:
    """An answer may be in either language, and what is neither yes nor no is asked again."""
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    arguments = ["bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--lang", "ru"]
    result = CliRunner().invoke(cli, arguments, input=answer, prog_name="devinotify")
    again = "Ошибка: ответьте да или нет" in result.stderr
    assert (True, sent, answer[0] == "o") == ("Отправить? [д/Н]: " in result.stderr, len(account.messages()), again)


def test_stdin(run: Run, account: Sandbox, journal: Path) -> None:
    """The list may come through a pipe."""
    result = run("bulk", "-", "--text", "Hi", "--journal", str(journal), "--yes", stdin="\n".join(NUMBERS))
    assert (0, 10) == (result.exit_code, len(account.messages()))


@pytest.mark.parametrize(("fate", "code"), [("delivered", 0), ("forbidden", 3)])
def test_the_text_is_tried_on_one_number(run: Run, account: Sandbox, numbers: Path, fate: str, code: int) -> None:
    """One message, and no campaign; machines get an event."""
    account.set_fate("+79031234567", fate)
    arguments = ["bulk", str(numbers), "--template", "Hi {name}", "--test-to", "+79031234567"]
    assert (code, code) == (run(*arguments).exit_code, (told := run(*arguments, "--json")).exit_code)
    assert (code, code == 0) == (events(told)[0]["exit_code"], "Hi Ann" in {each.text for each in account.messages()})


def test_a_limit_is_no_failure(run: Run, account: Sandbox, tmp_path: Path, journal: Path) -> None:
    """What is left for the next run does not make this one fail."""
    path = tmp_path / "a.txt"
    path.write_text("\n".join(NUMBERS))
    result = run("bulk", str(path), "--text", "Hi", "--journal", str(journal), "--yes", "--limit", "3")
    assert (0, 3, True) == (result.exit_code, len(account.messages()), "limit of this run" in result.stderr)


def test_the_risk_of_sending_again_is_said(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """Unknown ones are left alone, and sent again where that is asked for, with what it means."""
    arguments = ["bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes"]
    account.add_fault("drop", times=1, operation="Sms/SendBulk")
    assert 5 == run(*arguments).exit_code
    left = run(*arguments)
    assert (5, True) == (left.exit_code, "11 are not sent to again" in left.stderr)
    assert "11 are unknown: `devinotify bulk report` tells why" in left.stderr
    again = run(*arguments, "--resend-unknown")
    assert (4, True) == (again.exit_code, "would get it twice" in again.stderr)
    assert 20 == len(account.messages())


def test_status(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """Deliveries are asked for when they are due, until all are decided."""
    run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes")
    known = run("bulk", "status", str(journal), "--no-poll", "--json")
    assert (0, 11, 0) == (known.exit_code, events(known)[0]["accepted"], events(known)[0]["delivered"])
    due(journal)
    account.advance(60)
    watched = run("bulk", "status", str(journal), "--watch", "--json")
    assert (["deliveries", "status"], 10) == (
        list(dict.fromkeys(each["event"] for each in events(watched))),
        events(watched)[-1]["delivered"],
    )
    plain = run("bulk", "status", str(journal))
    assert (0, True) == (plain.exit_code, "of them delivered" in plain.stdout)
    assert "delivered 10" in run("bulk", "status", str(journal), "--watch").stderr


def due(journal: Path) -> None:
    """Make every delivery due now, as fifteen seconds later it would be."""
    import sqlite3

    with sqlite3.connect(journal) as file:
        file.execute("UPDATE rows SET next_poll_at = 0 WHERE next_poll_at IS NOT NULL")
    file.close()


@pytest.mark.once
def test_report(run: Run, account: Sandbox, numbers: Path, journal: Path, tmp_path: Path) -> None:
    """Every row is in the CSV, and the page refers to nothing outside."""
    run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes")
    csv_file, html_file = tmp_path / "out.csv", tmp_path / "report.html"
    result = run("bulk", "report", str(journal), "--csv", str(csv_file), "--html", str(html_file))
    assert (0, 1 + 12) == (result.exit_code, len(csv_file.read_text("utf-8-sig").splitlines()))
    assert 'id="curve"' in html_file.read_text("utf-8")
    told = run("bulk", "report", str(journal), "--csv", str(csv_file), "--json")
    assert ("report", 12) == (events(told)[0]["event"], events(told)[0]["rows"])


def test_a_report_in_russian(run: Run, account: Sandbox, numbers: Path, journal: Path, tmp_path: Path) -> None:
    """--lang says in which language the page is."""
    run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes")
    result = run("bulk", "report", str(journal), "--html", str(tmp_path / "x.html"), "--lang", "ru")
    page = (tmp_path / "x.html").read_text("utf-8")
    assert (0, True, True) == (result.exit_code, '<html lang="ru">' in page, "доставлено к этому времени" in page)


def test_a_report_in_the_language_of_the_locale(
    run: Run, account: Sandbox, numbers: Path, journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is for a person, whatever the events for machines are in."""
    run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes")
    english = run("bulk", "report", str(journal), "--html", str(tmp_path / "x.html"), "--json")
    monkeypatch.setenv("LANGUAGE", "ru")
    russian = run("bulk", "report", str(journal), "--html", str(tmp_path / "x.html"), "--json")
    assert english.stdout == russian.stdout
    assert '<html lang="ru">' in (tmp_path / "x.html").read_text("utf-8")


def test_a_list_that_is_gone_is_told(run: Run, account: Sandbox, numbers: Path, journal: Path, tmp_path: Path) -> None:
    """The CSV lacks its columns, and --list names where it is."""
    run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes")
    columns = ",phone,name"
    moved = numbers.rename(tmp_path / "moved.csv")
    without = run("bulk", "report", str(journal), "--csv", str(tmp_path / "x.csv"))
    named = run("bulk", "report", str(journal), "--csv", str(tmp_path / "y.csv"), "--list", str(moved))
    heads = [(tmp_path / name).read_text("utf-8-sig").splitlines()[0] for name in ("x.csv", "y.csv")]
    assert (0, True, False) == (without.exit_code, "--list FILE names it" in without.stderr, columns in heads[0])
    assert (0, "", True) == (named.exit_code, named.stderr, heads[1].endswith(columns))


@table(
    "arguments, why",
    [
        (("report", "absent.db", "--csv", "x.csv"), "there is no journal absent.db"),
        (("status", "absent.db", "--no-poll"), "there is no journal absent.db"),
    ],
)
def test_no_journal(run: Run, arguments: tuple[str, ...], why: str) -> None:
    """A journal that is not there is not made."""
    assert why in run("bulk", *arguments).stderr


def test_a_report_has_to_be_written_somewhere(
    run: Run, account: Sandbox, numbers: Path, journal: Path, tmp_path: Path
) -> None:
    """Without a file to write, or with one that cannot be, the command says so."""
    run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes")
    assert 2 == run("bulk", "report", str(journal)).exit_code
    nowhere = run("bulk", "report", str(journal), "--csv", str(tmp_path / "no" / "out.csv"))
    assert (2, True) == (nowhere.exit_code, "cannot be written" in nowhere.stderr)


def test_the_further_commands_have_help(run: Run) -> None:
    """Status and report explain themselves."""
    for name in bulk.FURTHER:
        assert f"Usage: devinotify bulk {name} " in run("bulk", name, "--help").stdout


def test_the_bar_at_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """The live bar takes reading and sending."""

    bar = campaigns.Terminal()
    with bar.running():
        bar.progress(Progress("reading", 5, 10))
        bar.progress(Progress("sending", 5, 10, accepted=4, unknown=1, rate=2.0, remaining=3700.0))
    assert "1 h 1 min left" in tallies.progress_line(Progress("sending", 5, 10, remaining=3700.0))
    assert (5, "sending") == (bar._bar.tasks[0].completed, bar._bar.tasks[0].description)


@pytest.mark.once
def test_ctrl_c_stops_gently(account: Sandbox, numbers: Path, journal: Path) -> None:
    """The batches under way are finished and settled, nothing is unknown, and the same command goes on."""
    account.add_fault("latency", seconds=60, operation="Sms/SendBulk")
    account.add_fault("latency", seconds=60, operation="Sms/Send")
    line = [*forked.command(), "bulk", str(numbers), "--text", "Hi", "--journal", str(journal)]
    line += ["--yes", "--batch", "1", "--connections", "1"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert account.wait(lambda: any(fault.hits for fault in account.faults()), 60)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = next((line for line in process.stderr if "stopping after the requests under way" in line), None)
        account.remove_fault()
        process.communicate(timeout=60)
    assert (130, True) == (process.returncode, said is not None)
    result = CliRunner().invoke(cli, ["bulk", "status", str(journal), "--no-poll", "--json"], prog_name="devinotify")
    tally = json.loads(result.stdout)
    assert (0, True) == (tally["unknown"], tally["waiting"] > 0)


def test_every_channel_of_the_url_is_a_campaigns(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """``null`` is one as well; a name that nobody has is a usage error that lists those there are."""
    arguments = ["bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes", "--channel"]
    unknown = run(*arguments, "pigeon")
    assert (2, True, False) == (unknown.exit_code, "the channels are" in unknown.stderr, journal.exists())
    assert (4, []) == (run(*arguments, "null").exit_code, account.messages())


PIGEON = """
from datetime import UTC, datetime
from pathlib import Path
from devinotify import Attempt, Outcome, Receipt, Verdict, hookimpl

class Pigeon:
    name, max_length, segmented, schedulable = "pigeon", 20, False, False

    def check_sender(self, sender):
        pass

    def send(self, message, client):
        outcomes = []
        with Path(__file__).with_name("flown").open("a") as flown:
            for to in message.recipients:
                print(to, message.text, file=flown)
                receipt = Receipt(to, (to,), 1, self.name, sent_at=datetime.now(UTC))
                attempt = Attempt(self.name, Verdict.ACCEPTED, receipt)
                outcomes.append(Outcome(to, Verdict.ACCEPTED, self.name, receipt, attempts=(attempt,)))
        return outcomes

    def state(self, receipt, client):
        raise NotImplementedError

@hookimpl
def devinotify_register_channels():
    return [Pigeon()]
"""


def test_a_channel_of_an_installed_plugin_is_a_campaigns(
    run: Run, account: Sandbox, numbers: Path, journal: Path, site: Path
) -> None:
    """Named on the command line it is sent on, within its own limits, and nothing goes to the gateway."""
    install(site, "devinotify_pigeon", PIGEON)
    arguments = ["bulk", str(numbers), "--journal", str(journal), "--yes", "--channel", "pigeon", "--text"]
    long = run(*arguments, "x" * 21)
    assert (4, True, False) == (long.exit_code, "21 of at most 20" in long.stderr, (site / "flown").exists())
    assert (4, []) == (run(*arguments, "Hi").exit_code, account.messages())
    assert [f"{number} Hi" for number in NUMBERS] == sorted((site / "flown").read_text().splitlines())
    with Outbox(journal) as outbox:
        sent = {(row.channel, str(row.state)) for row in outbox if row.recipient in NUMBERS}
    assert {("pigeon", "accepted")} == sent


def test_another_account_goes_on_where_it_is_told_to(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """Not by itself: the error names the option."""
    arguments = ["bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes"]
    run(*arguments, "--limit", "2")
    other = account.url.replace("127.0.0.1", "localhost")
    refused = run(*arguments, url=other)
    assert (True, 2) == ("--other-account" in refused.stderr, len(account.messages()))
    run(*arguments, "--other-account", url=other)
    assert 10 == len(account.messages())


# --- before it is sent


def test_a_plan_without_an_account(numbers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run needs none: the balance is not known, and nobody is asked."""
    monkeypatch.delenv("DEVINOTIFY_URL", raising=False)
    arguments = ["bulk", str(numbers), "--text", "Hi", "--dry-run"]
    result = CliRunner().invoke(cli, arguments, prog_name="devinotify")
    assert (0, True, "") == (result.exit_code, "not known" in result.stdout, result.stderr)


def test_invalid_rows_are_shown_and_written(run: Run, account: Sandbox, numbers: Path, tmp_path: Path) -> None:
    """The first are shown masked, and a file has all of them in full, with the reason."""
    file = tmp_path / "invalid.csv"
    result = run("bulk", str(numbers), "--text", "Hi", "--dry-run", "--invalid", str(file))
    assert ("12345" in result.stdout, "too short" in result.stdout) == (False, True)
    assert ["line,recipient,error", "13,12345,it is too short: digits are missing"] == (
        file.read_text("utf-8-sig").splitlines()
    )
    told = events(run("bulk", str(numbers), "--text", "Hi", "--dry-run", "--json"))
    assert ("invalid", 12, 13) == (told[-1]["event"], told[-1]["row"], told[-1]["line"])
    refused = run("bulk", str(numbers), "--text", "Hi", "--dry-run", "--invalid", str(numbers))
    assert (2, True) == (refused.exit_code, "write over the list" in refused.stderr)


def test_more_invalid_rows_than_are_shown(run: Run, account: Sandbox, tmp_path: Path) -> None:
    """The others are counted."""
    path = tmp_path / "bad.csv"
    path.write_text("phone\n" + "12345\n" * 25)
    assert "and 15 more rows: --invalid FILE" in run("bulk", str(path), "--text", "Hi", "--dry-run").stderr


def test_a_number_that_excel_has_rounded(run: Run, account: Sandbox, tmp_path: Path) -> None:
    """It is said who has done it, and what helps."""
    path = tmp_path / "rounded.csv"
    path.write_text("phone;name\n7,91612E+10;Ann\n7.91612E+10;Bob\n")
    assert 2 == run("bulk", str(path), "--text", "Hi", "--dry-run").stdout.count("a spreadsheet has rounded the number")


def test_holes_in_texts_are_warned_of(run: Run, account: Sandbox, tmp_path: Path) -> None:
    """An empty column, and a text for all with a column in braces."""
    path = tmp_path / "names.csv"
    path.write_text(f"phone;name\n{NUMBERS[0]};\n{NUMBERS[1]};Ann\n")
    arguments = ["bulk", str(path), "--dry-run"]
    assert "1 texts have an empty column" in run(*arguments, "--template", "Hi {name}!").stderr
    assert "empty column" not in run(*arguments, "--template", "Hi {name|friend}!").stderr
    assert "the text has {name} in it" in run(*arguments, "--text", "Hi {name}!").stderr


@pytest.mark.parametrize("odd", ["\x1b[31mA\ud800nn\x1b[0m", "A\ud800nn\a"], ids=["colours", "a bell"])
@pytest.mark.parametrize("place", ["text", "cell"])
def test_what_no_phone_can_show_is_left_out(
    place: str, odd: str, run: Run, account: Sandbox, tmp_path: Path, journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A colour code, a control character and half a character cost no message: not in a text, and not in a cell."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"phone": NUMBERS[0], "name": odd if place == "cell" else ""}) + "\n")
    text = ("--text", f"Hi {odd}") if place == "text" else ("--template", "Hi {name}")
    result = run("bulk", str(rows), *text, "--journal", str(journal), "--yes")
    assert (0, ["Hi A?nn"]) == (result.exit_code, [message.text for message in account.messages()])
    assert "the text held a lone surrogate" in caplog.text


def test_further_numbers_are_told(run: Run, account: Sandbox, tmp_path: Path, journal: Path) -> None:
    """A row is sent to once, by the first number of the columns that are named."""
    path = tmp_path / "two.csv"
    path.write_text(f"phone;phone2\n{NUMBERS[0]};{NUMBERS[1]}\n;{NUMBERS[2]}\n")
    arguments = ["bulk", str(path), "--text", "Hi", "--journal", str(journal), "--yes"]
    assert (2, True) == ((stopped := run(*arguments)).exit_code, "name the one with --column" in stopped.stderr)
    result = run(*arguments, "--column", "phone,phone2")
    assert (0, True) == (result.exit_code, "1, not sent to" in result.stdout)
    assert {NUMBERS[0], NUMBERS[2]} == {"+" + each.recipient.lstrip("+") for each in account.messages()}


def test_what_plugins_would_do_is_warned_of(
    account: Sandbox, numbers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Messages that would be held back or refused now are told with the plan, to people and machines."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from devinotify.exceptions import InvalidSchedule

    with Campaign(account.url, numbers, text="Hi") as campaign:
        plan = campaign.plan(ask=False)
    campaigns.Lines().plan(replace(plan, held=datetime(2099, 1, 1, tzinfo=UTC)), resend_unknown=False)
    assert "would hold messages back now: the last until 2099" in capsys.readouterr().err
    refused = replace(plan, refused=InvalidSchedule("viber cannot send later"))
    campaigns.Lines().plan(refused, resend_unknown=False)
    assert "would refuse messages now: viber cannot send later" in capsys.readouterr().err
    campaigns.Events().plan(refused, resend_unknown=False)
    assert "InvalidSchedule" == json.loads(capsys.readouterr().out)["refused"]["type"]


def test_what_was_not_sent_is_told_with_the_reason_and_what_to_do(
    run: Run, account: Sandbox, tmp_path: Path, journal: Path
) -> None:
    """Whoever reads the end of a run need not know the option."""
    path = tmp_path / "one.txt"
    path.write_text(NUMBERS[0])
    account.add_fault("error", code=2, operation="Sms/SendBulk")
    account.add_fault("error", code=2, operation="Sms/Send")
    arguments = ["bulk", str(path), "--text", "Hi", "--journal", str(journal), "--yes"]
    told = run(*arguments).stderr
    assert (True, True) == ("1 rejected: " in told, "The same command with --retry rejected sends" in told)


# --- when it is sent


def test_the_instant_of_a_duration_is_the_journal_s(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """A campaign that goes on keeps its instant, and says so; another instant is another campaign."""
    arguments = ["bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes", "--send-at"]
    assert "kept" not in run(*arguments, "2h", "--limit", "2").stderr
    again = run(*arguments, "3h")
    assert (4, True, 10) == (again.exit_code, "time of sending is kept" in again.stderr, len(account.messages()))
    assert 1 == len({each.send_at for each in account.messages()})
    assert "the time of sending is another" in run(*arguments, "2099-01-01").stderr


def test_a_time_that_has_passed(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """Nothing goes out at once that was meant for another day."""
    arguments = ["bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes", "--send-at", "2020-01-01"]
    result = run(*arguments)
    assert (4, True, []) == (result.exit_code, "has passed" in result.stderr, account.messages())


def test_those_refused_are_retried(run: Run, account: Sandbox, tmp_path: Path, journal: Path) -> None:
    """A campaign goes on with those that were refused where that is asked for, and not otherwise."""
    path = tmp_path / "a.txt"
    path.write_text("\n".join(NUMBERS))
    account.set_fate(NUMBERS[0], "forbidden")
    arguments = ["bulk", str(path), "--text", "Hi", "--journal", str(journal), "--yes"]
    assert (3, 9) == (run(*arguments).exit_code, len(account.messages()))
    account.set_fate(NUMBERS[0], "delivered")
    assert (3, 9) == (run(*arguments).exit_code, len(account.messages()))
    assert (0, 10) == (run(*arguments, "--retry", "not-sent,rejected").exit_code, len(account.messages()))


def test_it_fails_fast(run: Run, numbers: Path, journal: Path) -> None:
    """A gateway that is not there ends the run at once where that is asked for, and nothing is lost."""
    away = "devino://demo:demo@DEVINO?gateway=http://127.0.0.1:1/rest"
    arguments = ["bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes", "--url", away]
    result = run(*arguments, "--fail-fast", "--json")
    last = events(result)[-1]
    assert ("failing", 11, "NotSent") == (last["end"], last["not_sent"], last["error"]["type"])


@pytest.mark.parametrize("words", [("--text", "Hi"), ("--template", "Hi {number}")])
def test_a_limit_is_not_blamed_for_a_gateway_that_is_away(
    run: Run, tmp_path: Path, journal: Path, words: tuple[str, str]
) -> None:
    """An account that sends nothing has used nothing up, whatever is under way at the same time."""
    path = tmp_path / "list.csv"
    path.write_text("\n".join(("number", *NUMBERS[:4])))
    away = "devino://demo:demo@DEVINO?gateway=http://127.0.0.1:1/rest&price=2.5&limit=5RUB/day"
    away += f"&outbox={tmp_path / 'limits.db'}&limit_zone={noon()}"
    arguments = ["bulk", str(path), *words, "--journal", str(journal), "--yes", "--url", away]
    last = events(run(*arguments, "--fail-fast", "--json"))[-1]
    assert ("failing", 4) == (last["end"], last["not_sent"])


def test_the_reason_stands_in_the_progress() -> None:
    """While nothing goes out, it is said why, and when it is tried again."""
    from devinotify.exceptions import NotSent

    line = tallies.progress_line(Progress("sending", 0, 400, error=NotSent("connection refused"), next_try=12.0))
    assert line.endswith("nothing goes out: connection refused; the next try is in 12 s")


def test_a_worker_leaves_a_journal_alone(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """What is left of a campaign that was stopped is the campaign's to send."""
    run("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--yes", "--limit", "2")
    result = run("worker", "--outbox", str(journal), "--once")
    assert (2, True, 2) == (result.exit_code, "is the journal of a campaign" in result.stderr, len(account.messages()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--price", "2.5"), "the campaign may cost 25.0, which is more than 24.99: nothing was sent"),
        ((), "not known without the price"),
        (("--channel", "sms-viber", "--price", "2"), "not known without the price of viber"),
        (("--channel", "sms-viber", "--price", "2", "--second-price", "1"), "may cost 30, which is more than 24.99"),
        (("--channel", "viber-sms", "--price", "2"), "not known without the price of sms"),
        (("--channel", "viber-sms", "--price", "2", "--second-price", "1"), "may cost 30, which is more than 24.99"),
    ],
)
def test_nothing_is_sent_for_more_than_the_most(
    run: Run, account: Sandbox, numbers: Path, journal: Path, arguments: tuple[str, ...], words: str
) -> None:
    """A run that may cost more, or nobody knows how much, does not begin."""
    common = ("bulk", str(numbers), "--text", "Hi", "--journal", str(journal), "--max-cost", "24.99", *arguments)
    for more in ("--yes", "--dry-run"):
        result = run(*common, more)
        assert (4, True) == (result.exit_code, words in result.stderr)
    assert ([], False) == (account.messages(), journal.exists())
    assert "error" in events(run(*common, "--yes", "--json"))[-1]


def test_what_costs_no_more_is_sent(run: Run, account: Sandbox, numbers: Path, journal: Path) -> None:
    """By the URL's price, and with what the account has beside it."""
    arguments = ("--journal", str(journal), "--yes", "--max-cost", "25", "--url", f"{account.url}&price=2.5")
    result = run("bulk", str(numbers), "--text", "Hi", *arguments)
    assert (10, True) == (len(account.messages()), "for 25.0" in result.stdout)


def test_a_dry_run_needs_no_account(run: Run, numbers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for a balance, and the price that is given makes the cost."""
    monkeypatch.delenv("DEVINOTIFY_URL", raising=False)
    result = run("bulk", str(numbers), "--text", "Hi", "--dry-run", "--price", "2.5")
    assert (0, True, True) == (result.exit_code, "25.0" in result.stdout, "not known" in result.stdout)


def test_nobody_is_advised_to_send_again_to_who_is_left_out(
    run: Run, account: Sandbox, tmp_path: Path, journal: Path
) -> None:
    """They are told of apart, with why, and the advice to retry is not for them."""
    path, stop = tmp_path / "list.txt", tmp_path / "stop.txt"
    path.write_text("\n".join(NUMBERS[:3]))
    stop.write_text(NUMBERS[0])
    arguments = ["bulk", str(path), "--text", "Hi", "--journal", str(journal), "--yes", "--limit", "1"]
    run(*arguments)
    stop.write_text("\n".join(NUMBERS[1:3]))
    result = run(*arguments[:-2], "--exclude", str(stop))
    assert (True, False) == ("2 are not to be sent to: " in result.stderr, "--retry" in result.stderr)
