"""A campaign whose list has grown: the new rows are sent to, nobody else again, and what has changed is told."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from devinotify.bulk import End, Journal, Speed, Tally
from devinotify.bulk.journal import FED, FEEDER, PUT
from devinotify.bulk.report import write_report
from devinotify.bulk.sorting import Sorted
from devinotify.cli.app import cli
from devinotify.exceptions import InvalidInput, InvalidPhoneNumber
from devinotify.outbox import Outbox
from tests.bulk.conftest import numbers
from tests.outbox.conftest import postgres_server
from tests.outbox.support import arrivals
from tests.postgres_server import fresh, needs_server

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin, Write

pytestmark = pytest.mark.once

SOME = numbers(6)
LIST = ["phone,name", f"8{SOME[0][2:]},Anna", f"{SOME[1]},Boris", f"{SOME[0]},Anna again", "12345,Vera"]
"""A list with a repeated row, and one that cannot be sent to."""
MORE = [f"{SOME[2]},Gleb", f"{SOME[1]},Boris again", "12,Dina", f"{SOME[3]},Eva"]
"""Rows that are added to it: two new numbers, a repetition of an old one, and one that cannot be sent to."""


def text(*rows: str) -> str:
    """Return the rows as a file holds them."""
    return "\n".join(rows) + "\n"


@pytest.fixture(params=["file", pytest.param("database", marks=needs_server)])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the place of a journal that is not there yet."""
    if request.param == "file":
        return str(tmp_path / "campaign.db")
    return f"{postgres_server().url(schema=fresh())}&campaign=May"


@pytest.mark.parametrize("personal", [False, True])
def test_who_was_added_gets_it_and_nobody_else_again(
    begin: Begin, gateway: Sandbox, journal: str, tmp_path: Path, personal: bool
) -> None:
    """The plan tells what is new, and plan, account and report of both lists add up, in one unit."""
    options = {"template": "Hello {name|friend}"} if personal else {"text": "Hello"}
    first = begin(text(*LIST), journal=journal, **options)
    assert Tally(accepted=3, invalid=1, duplicates=1) == first.run().tally
    first.close()
    grown = begin(text(*LIST, *MORE), journal=journal, append=True, **options)
    plan = grown.plan(ask=False)
    assert (8, 4, 4, 2, 2) == (plan.rows, plan.added, plan.recipients, plan.left, plan.now)
    result = grown.run()
    assert (End.DONE, 2, Tally(accepted=6, invalid=2, duplicates=2)) == (result.end, result.sent.done, result.tally)
    assert Counter(SOME[:4]) == arrivals(gateway)
    with Journal(journal) as opened:
        write_report(opened, csv_file=tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {int(row["row"]): (row["recipient"], row["repeats_row"], row["name"]) for row in csv.DictReader(file)}
    assert {
        1: (SOME[0], "", "Anna"),
        2: (SOME[1], "", "Boris"),
        3: (SOME[0], "1", "Anna again"),
        4: ("12345", "", "Vera"),
        5: (SOME[2], "", "Gleb"),
        6: (SOME[1], "2", "Boris again"),
        7: ("12", "", "Dina"),
        8: (SOME[3], "", "Eva"),
    } == rows


def test_a_list_may_grow_more_than_once_and_again_without_a_word(begin: Begin, gateway: Sandbox) -> None:
    """From then on the grown list is the campaign's own, as any other; the one of before is refused."""
    for rows in (LIST, [*LIST, *MORE], [*LIST, *MORE, f"{SOME[4]},Fima"]):
        campaign = begin(text(*rows), append=rows is not LIST)
        assert End.DONE is campaign.run().end
        campaign.close()
    assert 0 == begin(text(*LIST, *MORE, f"{SOME[4]},Fima")).run().sent.done
    with pytest.raises(InvalidInput, match="the input is another file"):
        begin(text(*LIST))
    assert Counter(SOME[:5]) == arrivals(gateway)


def test_without_a_word_a_grown_list_is_refused_and_append_named(begin: Begin, gateway: Sandbox) -> None:
    """Nobody is sent to who was not asked for; where the text is another too, it is another campaign."""
    begin(text(*LIST)).run()
    with pytest.raises(InvalidInput, match="--append sends to them"):
        begin(text(*LIST, *MORE))
    with pytest.raises(InvalidInput, match="the text is another") as raised:
        begin(text(*LIST, *MORE), text="Another", append=True)
    assert (2, False) == (arrivals(gateway).total(), "--append" in str(raised.value))


@pytest.mark.parametrize(
    ("row", "rows"),
    [
        (2, [*LIST[:2], f"{SOME[5]},Boris", *LIST[3:]]),
        (3, [*LIST[:3], f"{SOME[5]},Anna again", *LIST[4:]]),
        (4, [*LIST[:4], f"{SOME[5]},Vera"]),
        (1, [LIST[0], *LIST[2:]]),
        (4, LIST[:4]),
    ],
    ids=["a number", "a repetition", "what was refused", "a row that is gone", "the last one"],
)
def test_an_edited_row_is_told_and_nothing_sent(begin: Begin, gateway: Sandbox, row: int, rows: list[str]) -> None:
    """Whatever stood there: only rows at the end may be new."""
    begin(text(*LIST)).run()
    with pytest.raises(
        InvalidInput, match=f"line {row + 1} of the list is not what it was when campaign.db took it in"
    ):
        begin(text(*rows, *MORE[: len(rows) - 3]), append=True)
    assert 2 == arrivals(gateway).total()


def test_another_text_of_an_old_row_is_told(begin: Begin, gateway: Sandbox) -> None:
    """It went out with the one of before; of one text for all, other columns do not matter."""
    rows = [LIST[0], LIST[1], f"{SOME[1]},Bob", *LIST[3:], *MORE]
    begin(text(*LIST), template="Hello {name|friend}").run()
    with pytest.raises(InvalidInput, match="line 3 of the list"):
        begin(text(*rows), template="Hello {name|friend}", append=True)


def test_numbers_may_be_written_otherwise_and_other_columns_change(begin: Begin, gateway: Sandbox) -> None:
    """With one text for all they say nothing of what was sent to whom."""
    begin(text(*LIST)).run()
    rows = [LIST[0], f"{SOME[0]},Anna Ivanovna", *LIST[2:], *MORE]
    assert 2 == begin(text(*rows), append=True).run().sent.accepted
    assert Counter(SOME[:4]) == arrivals(gateway)


def test_who_was_left_out_may_stand_in_the_list_all_the_same(begin: Begin, gateway: Sandbox, write: Write) -> None:
    """And stays left out, whether the list of those is given again or not."""
    begin(text(*LIST), exclude=[write(SOME[0], "stop.txt")]).run()
    result = begin(text(*LIST, *MORE), append=True).run()
    assert (Counter(SOME[1:4]), 2) == (arrivals(gateway), result.tally.not_sent)


def test_an_append_that_was_cut_short_goes_on(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """Killed when the journal knew the new list and had nothing of it: the same command, or one without --append."""
    begin(text(*LIST)).run()
    grown = begin(text(*LIST, *MORE), append=True)
    with Journal(tmp_path / "campaign.db") as journal:
        journal.append(grown.identity)
        assert journal.fed is None
    assert Counter(SOME[:2]) == arrivals(gateway)
    assert 2 == begin(text(*LIST, *MORE)).run().sent.accepted
    assert Counter(SOME[:4]) == arrivals(gateway)


def test_a_list_that_was_never_wholly_in_may_grow(begin: Begin, gateway: Sandbox, tmp_path: Path) -> None:
    """What a killed run had put in has to stand in it still; what it had not is put in with what is new."""
    begin(text(*LIST)).run(Speed(limit=1, batch=1))
    with Journal(tmp_path / "campaign.db") as journal:
        journal.outbox.remember(FED, "")
        journal.outbox.remember(PUT, "0")
    with pytest.raises(InvalidInput, match="behind line 0"):
        begin(text(LIST[0], *MORE), append=True)
    assert 4 == begin(text(*LIST, *MORE), append=True).plan(ask=False).recipients
    result = begin(text(*LIST, *MORE), append=True).run()
    assert (Counter(SOME[:4]), 8) == (arrivals(gateway), result.tally.rows)


def test_while_another_puts_the_list_in_nothing_is_appended(begin: Begin, tmp_path: Path) -> None:
    """It would put in the one of before."""
    begin(text(*LIST)).run()
    grown = begin(text(*LIST, *MORE), append=True)
    with Outbox(tmp_path / "campaign.db") as other:
        assert other.take_on(FEEDER)
        with pytest.raises(InvalidInput, match="another process is sending"):
            grown.run()
    assert 2 == grown.run().sent.accepted


def test_there_has_to_be_a_campaign_to_append_to(begin: Begin) -> None:
    """Under a name that was mistyped, all would get it again."""
    with pytest.raises(InvalidInput, match="no journal to append to"):
        begin(text(*LIST), append=True)


def test_the_command_says_what_is_new(
    gateway: Sandbox, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the plan, before anybody is asked."""
    monkeypatch.setenv("DEVINOTIFY_URL", gateway.url)

    def run(rows: list[str], *options: str) -> str:
        source = str(write(text(*rows)))
        command = ["bulk", source, "--text", "Hi", "--journal", str(tmp_path / "a.db"), "--yes", *options]
        return CliRunner().invoke(cli, command).output

    assert "rows that were added" not in run(LIST)
    told = " ".join(run([*LIST, *MORE], "--append").split())
    assert all(each in told for each in ("rows that were added 4", "still to send to 2")), told


@given(st.lists(st.sampled_from("nrd"), max_size=12), st.integers(0, 14), st.integers(1, 3))
def test_a_page_is_cut_behind_a_row(kinds: list[str], row: int, first: int) -> None:
    """What stands behind it is what the rows behind it give, in their order."""
    page = Sorted(len(kinds))
    for place, kind in enumerate(kinds, first):
        if kind == "n":
            page.numbers.append(str(place))
            page.texts.append(f"text {place}")
        elif kind == "d":
            page.duplicates.append((place, "1"))
        else:
            page.refused.append((place, "x", InvalidPhoneNumber("no number", reason="empty")))
    rest = page.behind(row, first)
    behind = [place for place in range(first, first + len(kinds)) if place > row]
    of = {kind: [place for place in behind if kinds[place - first] == kind] for kind in "nrd"}
    assert (max(len(behind), 0), list(map(str, of["n"])), [f"text {place}" for place in of["n"]], of["d"], of["r"]) == (
        max(rest.rows, 0),
        rest.numbers,
        rest.texts,
        [place for place, _ in rest.duplicates],
        [place for place, _, _ in rest.refused],
    )
