"""The list's own columns in the CSV of a report, whatever the list is written in."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from devinotify.bulk import Campaign, Journal
from devinotify.bulk.report import COLUMNS, write_report
from devinotify.exceptions import InvalidInput
from tests.bulk.conftest import numbers

if TYPE_CHECKING:
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from tests.bulk.conftest import Begin

ONE, TWO, THREE = numbers(3)
CSV = (
    f'name,phone,city\nAnna,{ONE},=1+1\nBoris,12345,Omsk\nVera,{TWO},"Tver\n＝2"\nAnna again,{ONE},Perm\nGleb,{THREE}\n'
)
EXPECTED = {
    "1": ("Anna", ONE, "'=1+1"),
    "2": ("Boris", "12345", "Omsk"),
    "3": ("Vera", TWO, "Tver\n'＝2"),
    "4": ("Anna again", ONE, "Perm"),
    "5": ("Gleb", THREE, ""),
}


def report(journal: Path, source: Path | None = None) -> tuple[list[dict[str, str]], str | None]:
    """Return the rows of the CSV, and why the list's columns are not among them."""
    target = journal.with_name("out.csv")
    with Journal(journal) as opened:
        summary = write_report(opened, csv_file=target, source=source)
    with target.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file)), summary.unlisted


@pytest.fixture
def journal(begin: Begin, tmp_path: Path) -> Path:
    """The journal of a campaign whose list has columns of its own, a repeated number and one that is none."""
    begin(CSV).run()
    return tmp_path / "campaign.db"


def test_the_lists_own_columns_stand_beside_ours(journal: Path) -> None:
    """Each row has its own, repeated and refused ones too, whatever order they come in; no cell is a formula."""
    rows, unlisted = report(journal)
    assert (None, [*COLUMNS, "name", "phone", "city"]) == (unlisted, list(rows[0]))
    assert EXPECTED == {row["row"]: (row["name"], row["phone"], row["city"]) for row in rows}
    assert ["1", "4", "2", "3", "5"] == [row["row"] for row in rows]


def test_a_list_of_json_has_columns_too(begin: Begin, tmp_path: Path) -> None:
    """One of each key."""
    begin(
        "".join(json.dumps({"phone": each, "n": place}) + "\n" for place, each in enumerate((ONE, TWO))), name="a.jsonl"
    ).run()
    rows, _ = report(tmp_path / "campaign.db")
    assert [(ONE, "0"), (TWO, "1")] == [(row["recipient"], row["n"]) for row in rows]


def test_a_list_without_a_header_has_numbered_columns(begin: Begin, tmp_path: Path) -> None:
    """By their place."""
    begin(f"Anna;{ONE}\nBoris;{TWO}\n").run()
    rows, _ = report(tmp_path / "campaign.db")
    assert [("Anna", ONE), ("Boris", TWO)] == [(row["column_1"], row["column_2"]) for row in rows]


def test_a_list_of_numbers_alone_has_none(begin: Begin, tmp_path: Path) -> None:
    """The number is there already."""
    begin(f"phone\n{ONE}\n", name="a.txt").run()
    assert list(COLUMNS) == list(report(tmp_path / "campaign.db")[0][0])


def test_a_column_of_our_name_has_another(begin: Begin, tmp_path: Path) -> None:
    """Nothing of ours is hidden by it, and a name that stands twice is told apart."""
    begin(f"status,phone,note,note\ngold,{ONE},a,b\n").run()
    ((row,), _) = report(tmp_path / "campaign.db")
    assert ("gold", "a", "b", "") == (row["list_status"], row["note"], row["note_2"], row["status"])


def test_cells_behind_the_last_column_stay(begin: Begin, tmp_path: Path) -> None:
    """At the end of their row."""
    begin(f"phone,name\n{ONE},Anna,behind\n").run()
    ((row,), _) = report(tmp_path / "campaign.db")
    assert ["behind"] == row[None]  # type: ignore[index]  # what DictReader calls cells without a name


@pytest.mark.parametrize("change", ["gone", "changed"])
def test_a_list_that_is_not_the_same_is_left_out(journal: Path, tmp_path: Path, change: str) -> None:
    """Nobody's row gets the columns of another; the summary says why there are none."""
    path = tmp_path / "recipients.csv"
    if change == "gone":
        path.unlink()
    else:
        path.write_text("name,phone\nStranger," + ONE)
    rows, unlisted = report(journal)
    assert (list(COLUMNS), True) == (list(rows[0]), "recipients.csv" in str(unlisted))


def test_a_list_can_be_named(journal: Path, tmp_path: Path) -> None:
    """Where it is now; another one is refused, and nothing is written."""
    moved = (tmp_path / "recipients.csv").rename(tmp_path / "moved.csv")
    assert "Anna" == report(journal, source=moved)[0][0]["name"]
    (tmp_path / "out.csv").unlink()
    (tmp_path / "other.csv").write_text(f"name,phone\nStranger,{ONE}\n")
    with pytest.raises(InvalidInput, match="is not the list of this campaign"):
        report(journal, source=tmp_path / "other.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_list_from_a_stream_has_to_be_named(gateway: Sandbox, tmp_path: Path) -> None:
    """Nobody knows where it is."""
    with Campaign(gateway.url, io.BytesIO(CSV.encode()), text="Hi", journal=tmp_path / "campaign.db") as campaign:
        campaign.run()
    rows, unlisted = report(tmp_path / "campaign.db")
    assert (list(COLUMNS), "the list was read from a stream") == (list(rows[0]), unlisted)


def test_the_list_is_never_written_over(journal: Path, tmp_path: Path) -> None:
    """It is what the report is read from."""
    path = tmp_path / "recipients.csv"
    with Journal(journal) as opened, pytest.raises(InvalidInput, match="is the list of the campaign and must stay"):
        write_report(opened, csv_file=path)
    assert CSV == path.read_text("utf-8")
