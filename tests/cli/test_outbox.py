"""``devinotify outbox``: what is in the file, masked unless asked for, and what a person does about it."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from devinotify import Message, Notifier, Outbox
from devinotify.cli.output import moment
from devinotify.exceptions import InvalidOperation, NotEnoughCredits, OutcomeUnknown, Verdict
from devinotify.models import Outcome, Receipt
from tests.cli.conftest import Run, document
from tests.cli.servers import PASSWORD
from tests.outbox.support import step

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox

NUMBERS = tuple(f"+7916123456{digit}" for digit in range(5))
STATES = ["accepted", "rejected", "unknown", "queued", "queued"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the path of an outbox with a row in several states, named by DEVINOTIFY_OUTBOX."""
    found = tmp_path / "outbox.db"
    with Outbox(found) as outbox:
        outbox.enqueue(Message("secret words", NUMBERS, title="a title"), watch=False)
        batch = outbox.claim(3)
        assert batch is not None
        outbox.settle(
            batch,
            [
                Outcome(NUMBERS[0], Verdict.ACCEPTED, "sms", Receipt(NUMBERS[0], ("id-of-message",), 1)),
                Outcome(NUMBERS[1], Verdict.REJECTED, "sms", error=NotEnoughCredits("no money", code=5)),
                Outcome(NUMBERS[2], Verdict.UNKNOWN, "sms", error=OutcomeUnknown("perhaps")),
            ],
        )
    monkeypatch.setenv("DEVINOTIFY_OUTBOX", str(found))
    return found


def states(path: Path) -> list[str]:
    """Return the state of every row."""
    with Outbox(path) as outbox:
        return [str(row.state) for row in outbox]


# --- where it is


def test_the_option_comes_first(run: Run, path: Path, tmp_path: Path) -> None:
    """--outbox names another file."""
    with Outbox(tmp_path / "other.db"):
        pass
    result = run("outbox", "list", "--outbox", str(tmp_path / "other.db"))
    assert (0, "in all: nothing\n") == (result.exit_code, result.stdout)


def test_the_urls_outbox_comes_next(run: Run, path: Path, tmp_path: Path) -> None:
    """The file of the worker that has the same URL."""
    with Outbox(tmp_path / "other.db"):
        pass
    result = run("outbox", "list", url=f"devino://a:{PASSWORD}@S?outbox={tmp_path / 'other.db'}")
    assert "in all: nothing\n" == result.stdout


def test_no_outbox_is_a_usage_error_and_makes_none(run: Run, tmp_path: Path) -> None:
    """Looking does not make a file."""
    result = run("outbox", "list", "--outbox", str(tmp_path / "none.db"))
    assert (2, True, False) == (
        result.exit_code,
        "there is no outbox at" in result.stderr,
        (tmp_path / "none.db").exists(),
    )


def test_another_file_is_a_usage_error_and_left_alone(run: Run, tmp_path: Path) -> None:
    """A foreign file is named and untouched."""
    (tmp_path / "notes.txt").write_text("mine" * 100)
    result = run("outbox", "list", "--outbox", str(tmp_path / "notes.txt"))
    assert (2, True, "mine" * 100) == (
        result.exit_code,
        "left untouched" in result.stderr,
        (tmp_path / "notes.txt").read_text(),
    )


def test_a_wrong_url_is_a_usage_error(run: Run, path: Path) -> None:
    """A URL that may name another outbox is not passed over."""
    assert 2 == run("outbox", "list", url="devino://me:p").exit_code


# --- list


def test_list_shows_rows_and_counts(run: Run, path: Path) -> None:
    """Every row with its state, and how many there are of each."""
    result = run("outbox", "list")
    assert (0, True, "in all: 2 queued, 1 accepted, 1 rejected, 1 unknown") == (
        result.exit_code,
        all(state in result.stdout for state in STATES),
        result.stdout.splitlines()[-1],
    )


def test_people_read_states_in_their_language(run: Run, path: Path) -> None:
    """In the list, of a single row with what went wrong, and where a row cannot be sent again."""
    listed = run("outbox", "list", "--lang", "ru").stdout
    rows = [line.split("sms")[1] for line in listed.splitlines() if "sms" in line]
    assert [True] * 5 == [
        row.strip().startswith(word)
        for row, word in zip(rows, ["принято", "отклонено", "неизвестно", "в очереди", "в очереди"], strict=True)
    ]
    told = run("outbox", "show", "2", "--lang", "ru").stdout
    assert ("отклонено", "сообщение") == (label(told, "состояние"), label(told, "роль"))
    refused = run("outbox", "retry", "1", "--lang", "ru").stderr
    assert "запись 1 в состоянии «принято», отправить её ещё раз нельзя" in refused


def label(told: str, name: str) -> str:
    """Return what a line of ``show`` has behind its label."""
    return next(line.partition(":")[2].strip() for line in told.splitlines() if line.startswith(f"{name}:"))


def test_a_long_label_stands_apart_from_its_value(run: Run, path: Path) -> None:
    """All values begin in one column."""
    with Outbox(path) as outbox:
        outbox.retry([2])
    lines = run("outbox", "show", "2", "--lang", "ru").stdout.splitlines()
    starts = {len(line) - len(line.partition(":")[2].lstrip()) for line in lines if line}
    assert (True, 1) == (any(line.startswith("следующая попытка: ") for line in lines), len(starts))


def test_an_error_that_was_stored_is_told_in_the_readers_language(run: Run, tmp_path: Path) -> None:
    """Where it is one that the catalogue has."""
    path = tmp_path / "refused.db"
    with Outbox(path) as outbox:
        outbox.enqueue(Message("text", (NUMBERS[0],)), watch=False)
        batch = outbox.claim()
        assert batch is not None
        error = InvalidOperation("Sms/Send: Invalid operation (code 6, HTTP 400): Invalid source address", code=6)
        outbox.settle(batch, [Outcome(NUMBERS[0], Verdict.REJECTED, "sms", error=error)])
    told = run("outbox", "show", "1", "--outbox", str(path), "--lang", "ru").stdout
    assert "Sms/Send: операция не разрешена (код 6, HTTP 400): Invalid source address" == label(told, "текст ошибки")


def test_list_masks_unless_full(run: Run, path: Path) -> None:
    """No number and no text without --full."""
    masked, full = run("outbox", "list").stdout, run("outbox", "list", "--full").stdout
    assert (False, False, True, True) == (
        NUMBERS[0] in masked,
        "secret" in masked,
        NUMBERS[0] in full,
        "secret words" in full,
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--state", "queued"), [4, 5]),
        (("--state", "queued", "--state", "rejected"), [2, 4, 5]),
        (("--channel", "viber"), []),
        (("--to", NUMBERS[2]), [3]),
        (("--message", "1", "--after", "3"), [4, 5]),
        (("--limit", "2"), [1, 2]),
    ],
)
def test_list_filters(run: Run, path: Path, arguments: tuple[str, ...], expected: list[int]) -> None:
    """By state, channel, recipient and message, a page at a time."""
    assert expected == [row["row"] for row in document(run("outbox", "list", *arguments, "--json"))["rows"]]


def test_list_says_that_there_are_more(run: Run, path: Path) -> None:
    """With what to ask for next, to people and to machines; the last page says nothing."""
    shown = run("outbox", "list", "--limit", "2").stdout
    found = document(run("outbox", "list", "--limit", "2", "--json"))
    last = document(run("outbox", "list", "--json"))
    assert (True, 2, None) == ("there are more: --after 2" in shown, found["next_after"], last["next_after"])


@pytest.mark.parametrize("named", [False, True])
def test_list_says_which_outbox_it_is(named: bool, run: Run, path: Path) -> None:
    """Beside the rows, for whoever looks into another one than he thinks; who names it knows."""
    result = run("outbox", "list", *(("--outbox", str(path)) if named else ()))
    expected = "" if named else f"devinotify: this is the outbox {path}; --outbox names another\n"
    assert (0, expected) == (result.exit_code, result.stderr)


# --- show


def test_show_tells_all_of_a_row(run: Run, path: Path) -> None:
    """Name and value a line, what is empty left out, masked unless --full."""
    masked, full = run("outbox", "show", "2").stdout, run("outbox", "show", "2", "--full").stdout
    assert (True, False, True, False) == (
        "error text:      no money" in masked,
        "secret" in masked,
        "text:            secret words" in full,
        "deadline:        \n" in full,
    )


def test_show_tells_the_deadline_of_what_is_still_tried(run: Run, tmp_path: Path, sandbox: Sandbox) -> None:
    """What was sent at once has one that passed as it was written: nothing for people."""
    at = ("--outbox", str(tmp_path / "deadlines.db"))
    with Notifier(sandbox.url, outbox=str(tmp_path / "deadlines.db")) as notifier:
        notifier.notify("now", NUMBERS[0], channel="sms-viber")
        notifier.enqueue("later", NUMBERS[1], deadline=datetime.now(UTC) + timedelta(hours=1))
    shown = ["deadline:" in run("outbox", "show", row, *at).stdout for row in ("1", "2")]
    told = [row["deadline"] is None for row in document(run("outbox", "show", "1", "2", "--json", *at))["rows"]]
    assert ([False, True], [False, False]) == (shown, told)


@pytest.mark.parametrize("command", [("list",), ("show", "2")])
def test_times_are_as_in_every_table(command: tuple[str, ...], run: Run, path: Path) -> None:
    """An instant is in this machine's zone with its offset, to the second; JSON has it exactly, in UTC."""
    written = document(run("outbox", *command, "--json"))["rows"][-1]["created_at"]
    shown = run("outbox", *command).stdout
    assert (True, False) == (moment(datetime.fromisoformat(written)) in shown, written in shown)


def test_show_has_the_steps_of_a_fallback(run: Run, path: Path) -> None:
    """What followed a row is shown with it."""
    with Outbox(path) as outbox:
        step(outbox, 2)
    found = document(run("outbox", "show", "2", "--json"))
    assert [("sms", None), ("viber", 2)] == [(row["channel"], row["parent"]) for row in found["rows"]]


def test_a_message_that_falls_back_is_listed_once(run: Run, tmp_path: Path) -> None:
    """Its order stands for it; the steps are counted apart, shown on request, and marked in the export."""
    with Outbox(tmp_path / "o.db") as outbox:
        outbox.enqueue(Message("hi", NUMBERS[:1], channel="sms-viber"), watch=False)
        order = outbox.claim()
        step = outbox.begin(Message("hi", NUMBERS[:1], channel="sms-viber"), channel="sms", orders={NUMBERS[0]: 1})
        assert order is not None
        assert step is not None
        for batch in (step, order):
            outbox.settle(
                batch,
                [
                    Outcome(
                        NUMBERS[0], Verdict.REJECTED, batch.rows[0].channel, error=NotEnoughCredits("no money", code=5)
                    )
                ],
            )
    at = ("--outbox", str(tmp_path / "o.db"))
    found = {
        arguments: [row["row"] for row in document(run("outbox", "list", *arguments, "--json", *at))["rows"]]
        for arguments in ((), ("--steps",), ("--channel", "sms"))
    }
    assert {(): [1], ("--steps",): [1, 2], ("--channel", "sms"): [2]} == found
    assert "in all: 1 rejected (and 1 step that these tell of)" == run("outbox", "list", *at).stdout.splitlines()[-1]
    assert ["order", "step"] == [row["role"] for row in document(run("outbox", "show", "1", "--json", *at))["rows"]]
    exported = [json.loads(line) for line in run("outbox", "export", *at).stdout.splitlines()]
    assert [("order", None), ("step", 1)] == [(row["role"], row["order"]) for row in exported]


def test_show_by_the_key(run: Run, tmp_path: Path) -> None:
    """All rows of what was enqueued under it; one that is not known is a usage error, and so is no choice."""
    with Outbox(tmp_path / "o.db") as outbox:
        outbox.enqueue(Message("hi", NUMBERS[:2]), key="backup-7")
    at = ("--outbox", str(tmp_path / "o.db"))
    found = document(run("outbox", "show", "--key", "backup-7", "--json", *at))
    unknown, neither = run("outbox", "show", "--key", "backup-8", *at), run("outbox", "show", *at)
    assert [1, 2] == [row["row"] for row in found["rows"]]
    assert (2, True, 2) == (unknown.exit_code, "backup-8" in unknown.stderr, neither.exit_code)


def test_show_has_lists_and_meta_in_one_line(run: Run, tmp_path: Path) -> None:
    """Ids are separated by blanks, what the caller gave along is JSON."""
    with Outbox(tmp_path / "o.db") as outbox:
        outbox.enqueue(Message("hi", NUMBERS[:1]), meta={"who": "me"}, watch=False)
        batch = outbox.claim()
        assert batch is not None
        outbox.settle(batch, [Outcome(NUMBERS[0], Verdict.ACCEPTED, "sms", Receipt(NUMBERS[0], ("a", "b"), 2))])
    shown = run("outbox", "show", "1", "--full", "--outbox", str(tmp_path / "o.db")).stdout
    assert (True, True) == ("message ids:     a b" in shown, 'meta:            {"who": "me"}' in shown)


@pytest.mark.parametrize(("number", "named"), [("99", "99"), ("99999999999999999999", "9999***9999")])
def test_show_of_a_row_that_is_not_there(run: Run, path: Path, number: str, named: str) -> None:
    """A usage error that names it, masked where it is as long as a number of a phone."""
    result = run("outbox", "show", number)
    assert (2, f"devinotify: there is no row {named}\n") == (result.exit_code, result.stderr)


# --- whose they are

MINE, THEIRS = "me@integrationapi.net/rest", "they@old.example/rest"


@pytest.fixture
def shared(path: Path) -> Path:
    """Give the path of an outbox that another account has queued in, too."""
    with Outbox(path) as outbox:
        outbox.enqueue(Message("theirs", NUMBERS[:2]), account=THEIRS)
    return path


def test_list_shows_whose_rows_they_are(run: Run, shared: Path) -> None:
    """In a column where they are of several, and how many wait by account."""
    shown, found = run("outbox", "list").stdout, document(run("outbox", "list", "--json"))
    assert (3, True, f"2 queued of {THEIRS}", [None, THEIRS], {THEIRS: 2}) == (
        shown.count(THEIRS),
        "account" in shown,
        shown.splitlines()[-1],
        [found["rows"][number]["account"] for number in (4, 5)],
        found["queued_by_account"],
    )


def test_list_filters_by_account(run: Run, shared: Path) -> None:
    """An account's rows, and those that are nobody's; what is no account is a usage error."""
    mine, theirs = (document(run("outbox", "list", "--account", each, "--json"))["rows"] for each in (MINE, THEIRS))
    wrong = run("outbox", "list", "--account", "me")
    assert (5, 7, 2, True) == (len(mine), len(theirs), wrong.exit_code, "LOGIN@host" in wrong.stderr)


def test_adopt_hands_rows_over(run: Run, shared: Path) -> None:
    """To the account that is named, and to that of the URL."""
    named = run("outbox", "adopt", "--from", THEIRS, "--to", "next@old.example/rest")
    by_url = document(
        run("outbox", "adopt", "--from", "next@old.example/rest", "--json", url=f"devino://me:{PASSWORD}@S")
    )
    assert ("2 rows are next@old.example/rest's from now on\n", {"adopted": 2, "account": MINE, "exit_code": 0}) == (
        named.stdout,
        by_url,
    )
    with Outbox(shared) as outbox:
        assert {MINE: 2} == outbox.waiting()


def test_adopt_needs_somebody_to_hand_over_to(run: Run, shared: Path) -> None:
    """Without --to and without a URL nothing is done; an account that has nothing has nothing to hand over."""
    nobody, stranger = (
        run("outbox", "adopt", "--from", THEIRS),
        run("outbox", "adopt", "--from", "none@old.example/rest", "--to", MINE),
    )
    with Outbox(shared) as outbox:
        assert (2, "0 rows", {THEIRS: 2}) == (nobody.exit_code, stranger.stdout[:6], outbox.waiting())


# --- retry


def test_retry_queues_a_row_again(run: Run, path: Path) -> None:
    """What was rejected is safe to send again."""
    result = run("outbox", "retry", "2")
    assert (0, "queued", True) == (result.exit_code, states(path)[1], "1 queued again" in result.stdout)


def test_retry_takes_all_in_a_state(run: Run, path: Path) -> None:
    """By state, and in JSON."""
    found = document(run("outbox", "retry", "--state", "rejected", "--json"))
    assert ({"queued": 1, "forced": False, "exit_code": 0}, "queued") == (found, states(path)[1])


@pytest.mark.parametrize("which", [("3",), ("2", "3"), ("--state", "unknown")])
def test_retry_of_what_is_unknown_takes_force_and_says_what_it_risks(
    run: Run, path: Path, which: tuple[str, ...]
) -> None:
    """It may arrive twice; nothing is changed, not even the rows that would be safe."""
    result = run("outbox", "retry", *which)
    assert (2, True, STATES) == (result.exit_code, "may arrive twice" in result.stderr, states(path))


@pytest.mark.parametrize("which", [("3",), ("--state", "unknown")])
def test_force_sends_what_is_unknown_again(run: Run, path: Path, which: tuple[str, ...]) -> None:
    """And warns once more."""
    result = run("outbox", "retry", *which, "--force")
    assert (0, "queued", True) == (result.exit_code, states(path)[2], "arrive twice" in result.stderr)


@pytest.mark.parametrize("row", ["1", "99"])
def test_retry_of_what_cannot_be_sent_again(run: Run, path: Path, row: str) -> None:
    """A row that was accepted, or that is not there, even with force."""
    result = run("outbox", "retry", row, "--force")
    assert (2, 1, STATES) == (result.exit_code, len(result.stderr.splitlines()), states(path))


@pytest.mark.parametrize("command", ["retry", "forget"])
@pytest.mark.parametrize("arguments", [(), ("1", "--state", "unknown")])
def test_rows_or_a_state_are_to_be_named(run: Run, path: Path, command: str, arguments: tuple[str, ...]) -> None:
    """Nothing is done to everything by a slip."""
    assert (2, STATES) == (run("outbox", command, *arguments).exit_code, states(path))


# --- forget


def test_forget_cancels_what_is_queued(run: Run, path: Path) -> None:
    """A row is removed by its id."""
    result = run("outbox", "forget", "4")
    assert ("1 forgotten\n", STATES[:3] + STATES[4:]) == (result.stdout, states(path))


@pytest.mark.parametrize("rows", [("99",), ("4", "99")])
def test_forget_of_a_row_that_is_not_there(run: Run, path: Path, rows: tuple[str, ...]) -> None:
    """As `retry` and `show` say it, and nothing is removed."""
    result = run("outbox", "forget", *rows)
    assert (2, "", STATES) == (result.exit_code, result.stdout, states(path))
    assert "there is no row 99" in result.stderr


def test_forget_takes_all_in_states(run: Run, path: Path) -> None:
    """By state, several at a time, and in JSON."""
    found = document(run("outbox", "forget", "--state", "rejected", "--state", "accepted", "--json"))
    assert (2, ["unknown", "queued", "queued"]) == (found["forgotten"], states(path))


def test_forget_takes_what_is_old(run: Run, path: Path) -> None:
    """What was enqueued within the time stays."""
    assert "0 forgotten\n" == run("outbox", "forget", "--state", "rejected", "--older-than", "30d").stdout


def test_older_than_goes_with_a_state(run: Run, path: Path) -> None:
    """A row that is named is meant."""
    assert 2 == run("outbox", "forget", "1", "--older-than", "30d").exit_code


def test_what_is_being_sent_cannot_be_forgotten(run: Run, path: Path) -> None:
    """Its outcome must find it."""
    with Outbox(path) as outbox:
        outbox.claim()
        result = run("outbox", "forget", "4")
    assert (2, True) == (result.exit_code, "being sent" in result.stderr)


# --- export


def test_export_writes_a_line_a_row(run: Run, path: Path) -> None:
    """JSON lines, masked."""
    result = run("outbox", "export")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert (STATES, False, False) == (
        [row["state"] for row in rows],
        "secret" in result.stdout,
        NUMBERS[0] in result.stdout,
    )


def test_export_in_full(run: Run, path: Path) -> None:
    """Numbers, ids, title and text, of the rows in a state."""
    (row,) = [
        json.loads(line)
        for line in run("outbox", "export", "--full", "--state", "accepted", "--json").stdout.splitlines()
    ]
    assert (NUMBERS[0], ["id-of-message"], "a title", "secret words") == (
        row["recipient"],
        row["message_ids"],
        row["title"],
        row["text"],
    )


def test_export_as_csv(run: Run, path: Path) -> None:
    """With a header; empty cells for what there is not."""
    rows = list(csv.DictReader(io.StringIO(run("outbox", "export", "--csv", "--full").stdout)))
    assert (STATES, "id-of-message", "", "secret words") == (
        [row["state"] for row in rows],
        rows[0]["message_ids"],
        rows[3]["error_type"],
        rows[0]["text"],
    )


def test_an_export_as_csv_holds_no_formula(run: Run, tmp_path: Path) -> None:
    """Neither in a text nor in a title, at its start or on a later line; numbers stay, masked and in full."""
    with Outbox(tmp_path / "o.db") as outbox:
        outbox.enqueue(Message("Hello\n=1+1", NUMBERS[:1], title="＝2+2"), watch=False)
    options = ("outbox", "export", "--csv", "--outbox", str(tmp_path / "o.db"))
    (full,), (masked,) = (
        list(csv.DictReader(io.StringIO(run(*options, *more).stdout, newline=""))) for more in (["--full"], [])
    )
    assert ("Hello\n'=1+1", "'＝2+2", NUMBERS[0], "+7916***4560") == (
        full["text"],
        full["title"],
        full["recipient"],
        masked["recipient"],
    )


def test_an_empty_outbox_exports_nothing(run: Run, tmp_path: Path) -> None:
    """Not even a header."""
    with Outbox(tmp_path / "o.db"):
        pass
    assert "" == run("outbox", "export", "--csv", "--outbox", str(tmp_path / "o.db")).stdout


def test_csv_and_json_exclude_each_other(run: Run, path: Path) -> None:
    """One form at a time."""
    assert 2 == run("outbox", "export", "--csv", "--json").exit_code
