"""``devinotify opt-out``: the list seen and changed by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result
from devinotify import Outbox

from devinotify_opt_out import StopList, plugin

if TYPE_CHECKING:
    from pathlib import Path

NUMBER, OTHER = "+79161234567", "+79161234568"
MORNING = datetime(2026, 1, 15, 9, tzinfo=UTC)


@pytest.fixture
def group() -> click.Group:
    """Give a command line with the plugin's commands."""
    found = click.Group("devinotify")
    plugin.devinotify_register_commands(found)
    return found


def run(group: click.Group, *arguments: str, stdin: str | bytes | None = None) -> Result:
    """Run ``devinotify opt-out``."""
    return CliRunner().invoke(group, ["opt-out", *arguments], input=stdin, prog_name="devinotify")


def test_numbers_are_put_on_and_taken_off(group: click.Group) -> None:
    """In any notation; what is known already is told apart."""
    shown = [
        run(group, *arguments).stdout
        for arguments in (
            ("add", "8 (916) 123-45-67", NUMBER, OTHER),
            ("add", NUMBER),
            ("remove", NUMBER),
            ("remove", NUMBER),
        )
    ]
    assert [
        "2 put on the stop list, 0 known\n",
        "0 put on the stop list, 1 known\n",
        "1 taken off the stop list, 0 known\n",
        "0 taken off the stop list, 1 known\n",
    ] == shown
    assert run(group, "list").stdout.startswith(f"{OTHER}  20")


def test_the_list_is_told_to_machines(group: click.Group) -> None:
    """In the form of the other commands: what ``export`` has of each number, and the exit code."""
    assert {"numbers": [], "exit_code": 0} == json.loads(run(group, "list", "--json").stdout)
    run(group, "add", NUMBER, OTHER)
    (first, second) = json.loads(run(group, "list", "--json").stdout)["numbers"]
    exported = run(group, "export").stdout.splitlines()
    assert [",".join(first), ",".join(first.values()), ",".join(second.values())] == exported
    assert ({NUMBER, OTHER}, "hand") == ({first["number"], second["number"]}, first["by"])


def test_an_error_of_the_list_is_told_to_machines_too() -> None:
    """As of the core's own commands."""
    done = subprocess.run(
        [sys.executable, "-m", "devinotify", "opt-out", "list", "--json", "--outbox", "/dev/null/x"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    document = json.loads(done.stdout)
    assert (done.returncode, True) == (document["exit_code"], done.returncode != 0 and bool(document["error"]))


def test_the_outbox_of_a_url_in_a_file(group: click.Group, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of all commands: the list that is changed is the one that whatever sends keeps to."""
    file = tmp_path / "url"
    file.write_text(f"devino://login:password@SENDER?outbox={tmp_path / 'shared.db'}\n", "utf-8")
    monkeypatch.setenv("DEVINOTIFY_URL_FILE", str(file))
    assert 0 == run(group, "add", NUMBER).exit_code
    with Outbox(str(tmp_path / "shared.db")) as outbox:
        assert {NUMBER} == set(StopList(outbox).among([NUMBER, OTHER]))
    assert run(group, "list").stdout.startswith(NUMBER)


def test_one_that_is_not_a_number_changes_nothing(group: click.Group) -> None:
    """Of none of them."""
    result = run(group, "add", NUMBER, "12")
    assert (1, True, "") == (result.exit_code, "nothing was changed" in result.stderr, run(group, "list").stdout)


def test_the_region_is_the_urls(group: click.Group, tmp_path: Path) -> None:
    """And so is the outbox, unless it is named."""
    url = f"devino://me:secret@SENDER?region=GB&outbox={tmp_path / 'own.db'}"
    run(group, "add", "07912 345678", "--url", url)
    run(group, "add", NUMBER, "--outbox", str(tmp_path / "named.db"), "--url", url)
    found = []
    for name in ("own.db", "named.db", "outbox.db"):
        with Outbox(tmp_path / name) as outbox:
            found.append([number for number, _ in StopList(outbox)])
    assert [["+447912345678"], [NUMBER], []] == found


@pytest.mark.parametrize(
    "arguments", [("add",), ("add", NUMBER, "--url", "devino://"), ("list", "--outbox", "/dev/null/x")]
)
def test_what_is_wrong_is_a_usage_error(group: click.Group, arguments: tuple[str, ...]) -> None:
    """Before anything is changed."""
    assert 2 == run(group, *arguments).exit_code


def test_an_export_is_imported(group: click.Group, tmp_path: Path) -> None:
    """Into another outbox, say; the file is not written over."""
    with Outbox.named() as outbox:
        StopList(outbox).set([NUMBER, OTHER], out=True, by="hand", at=MORNING)
    written = f"number,since,by\n{NUMBER},2026-01-15T09:00:00Z,hand\n{OTHER},2026-01-15T09:00:00Z,hand\n"
    file, other = tmp_path / "stop.csv", str(tmp_path / "other.db")
    assert (written, 0) == (run(group, "export").stdout, run(group, "export", str(file)).exit_code)
    assert (written, 2) == (file.read_text("utf-8"), run(group, "export", str(file)).exit_code)
    assert 2 == run(group, "export", str(tmp_path / "nowhere" / "stop.csv")).exit_code
    shown = [run(group, "import", str(file), "--outbox", other).stdout for _ in range(2)]
    assert ["2 put on the stop list, 0 known, 0 refused\n", "0 put on the stop list, 2 known, 0 refused\n"] == shown


def test_a_line_that_is_not_a_number_is_told(group: click.Group) -> None:
    """The others are taken, and the exit code says so."""
    result = run(group, "import", "-", stdin=f"{NUMBER}\n\nAnna\n12;x\n")
    assert (1, "1 put on the stop list, 0 known, 2 refused\n") == (result.exit_code, result.stdout)
    assert ["line 3", "line 4"] == [line.partition(":")[0] for line in result.stderr.splitlines()]


def test_what_is_not_utf_8_is_told(group: click.Group, tmp_path: Path) -> None:
    """A workbook, say."""
    (tmp_path / "stop.xlsx").write_bytes(b"PK\xff\xfe\x00")
    result = run(group, "import", str(tmp_path / "stop.xlsx"))
    assert (1, True) == (result.exit_code, "is not a list in UTF-8" in result.stderr)


def test_many_are_imported_page_by_page(group: click.Group) -> None:
    """Each once."""
    numbers = "\n".join(f"+7916{number:07d}" for number in range(2500))
    assert "2500 put on the stop list, 0 known, 0 refused\n" == run(group, "import", "-", stdin=numbers).stdout


def test_it_speaks_russian_where_the_command_line_does(tmp_path: Path) -> None:
    """Its help, what it says and its errors, by the package's own catalogue."""
    environment = os.environ | {"DEVINOTIFY_OUTBOX": str(tmp_path / "outbox.db"), "PYTHONUTF8": "1", "COLUMNS": "200"}

    def told(*arguments: str) -> str:
        command = [sys.executable, "-m", "devinotify", "opt-out", *arguments, "--lang", "ru"]
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=60)
        return done.stdout + done.stderr

    assert "Внести номера в стоп-лист." in told("add", "--help")
    assert "внесено в стоп-лист: 1, уже были: 0\n" == told("add", NUMBER)
    assert told("add", "12").startswith("devinotify: ничего не изменено: ***: номер слишком короткий")
