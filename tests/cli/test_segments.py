"""``devinotify segments``: what people see and what machines read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests import forked
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


def results(run: Run, *arguments: str, stdin: str | bytes | None = None) -> list[dict[str, Any]]:
    """The documents of a run with ``--json`` that ended well."""
    done = run("segments", "--json", *arguments, stdin=stdin)
    document: dict[str, Any] = json.loads(done.stdout)
    assert (0, 0) == (done.exit_code, document["exit_code"])
    found: list[dict[str, Any]] = document["results"]
    return found


def test_json_has_all_that_the_library_knows(run: Run) -> None:
    """Encoding, counts, parts with positions, blockers with names and what replacing them saves."""
    text = "It’s " + "a" * 70
    assert [
        {
            "text": text,
            "encoding": "UCS-2",
            "segments": 2,
            "units": 75,
            "capacity": 67,
            "remaining": 59,
            "characters": 75,
            "characters_remaining": {"sms": 1925, "viber": 925},
            "parts": [
                {"text": text[:67], "units": 67, "position": 0, "end": 67},
                {"text": text[67:], "units": 8, "position": 67, "end": 75},
            ],
            "blockers": [
                {
                    "character": "’",
                    "position": 2,
                    "name": "RIGHT SINGLE QUOTATION MARK",
                    "replacement": "'",
                    "step": "typography",
                    "lost": False,
                }
            ],
            "replaced": {"text": text.replace("’", "'"), "segments": 1, "savings": 1},
            "changes": None,
            "cost": None,
        }
    ] == results(run, text)


def test_the_parts_are_drawn_and_the_blockers_marked(run: Run) -> None:
    """Each part has its number, its fill and its place; a blocker stands in brackets where there is no colour."""
    shown = run("segments", "It’s " + "a" * 70).stdout
    expected = [
        "UCS-2, 2 segments: 75 UTF-16 units, 59 left in the last; 75 characters",
        "1 of 2",
        "67 of 67 UTF-16 units, characters 0-66",
        "It⟦’⟧s",
        "2 of 2",
        "8 of 67 UTF-16 units, characters 67-74",
        "UCS-2 because of 1 characters:",
        "RIGHT SINGLE QUOTATION MARK   2    '           typography",
        "In GSM-7 (--to-gsm7) it would take 1 segment, which saves 1.",
    ]
    assert [] == [line for line in expected if line not in shown]


@pytest.mark.once
def test_blockers_are_coloured_on_a_terminal() -> None:
    """With colour there are no brackets."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    line = [*forked.command(), "segments", "It’s"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "PYTHONUTF8": "1"}
    environment.pop("NO_COLOR", None)
    subprocess.run(line, stdout=theirs, env=environment, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert (True, False) == ("\x1b[30;43m’\x1b[0m" in shown, "⟦" in shown)


@table(
    "text, expected",
    [
        pytest.param("щ" * 70, "it would take 2 segments, 1 more.", id="it grows"),
        pytest.param("я", "it would take 1 segment, as many.", id="it stays"),
        pytest.param("a😀", "as many; characters that nothing stands for: 1.", id="something is lost"),
    ],
)
def test_what_replacing_would_come_to_is_told(run: Run, text: str, expected: str) -> None:
    """Whether it saves, costs or loses something."""
    assert expected in run("segments", text).stdout


def test_many_different_blockers_are_cut_short_for_people(run: Run) -> None:
    """Twelve rows, and how many more there are."""
    alphabet = "абвгдежзиклмно"
    assert "… and 2 more (--json lists them all)" in run("segments", alphabet).stdout
    assert 14 == len(results(run, alphabet)[0]["blockers"])


def test_a_blocker_that_repeats_shows_its_first_places(run: Run) -> None:
    """Four positions, then dots."""
    assert "0, 1, 2, 3, …" in run("segments", "я" * 6).stdout


def test_a_control_character_does_not_reach_the_terminal(run: Run) -> None:
    """An escape sequence in a text is shown and not obeyed."""
    shown = run("segments", "a\x1b[2Jb").stdout
    assert (False, True) == ("\x1b" in shown, "CONTROL CHARACTER U+001B" in shown)


def test_the_empty_text_is_one_segment(run: Run) -> None:
    """And has nothing in it."""
    assert "0 of 160 septets, no characters" in run("segments", "").stdout


@table("stdin", ["привет\n", "привет\r\n", "привет", b"\xef\xbb\xbf" + "привет\n".encode()])
@table("arguments", [(), ("-",), ("--file", "-")])
def test_stdin_is_read_without_its_last_line_break(run: Run, stdin: str | bytes, arguments: tuple[str, ...]) -> None:
    """What echo adds is not part of the text; nor is a byte order mark."""
    assert ["привет"] == [each["text"] for each in results(run, *arguments, stdin=stdin)]


def test_files_are_read_and_come_after_the_arguments(run: Run, tmp_path: Path) -> None:
    """Several texts have several answers, in order."""
    path = tmp_path / "text.txt"
    path.write_text("из файла\nв две строки\n", encoding="utf-8")
    found = results(run, "first", "second", "--file", str(path))
    assert ["first", "second", "из файла\nв две строки"] == [each["text"] for each in found]


def test_several_texts_are_shown_one_after_the_other(run: Run) -> None:
    """A blank line between them."""
    shown = run("segments", "one", "two").stdout
    assert 1 == shown.count("\n\nGSM-7, 1 segment")


@table(
    "stdin, expected",
    [(b"\xff\xfe", "not UTF-8 (at byte 0)"), (b"a" * (1024 * 1024 + 1), "more than 1 MiB")],
    ids=["another encoding", "no end"],
)
def test_stdin_that_is_no_text_is_a_usage_error(run: Run, stdin: bytes, expected: str) -> None:
    """One line that says why, and exit code 2."""
    done = run("segments", stdin=stdin)
    assert (2, True) == (done.exit_code, expected in done.stderr)


def test_a_terminal_is_not_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a text there is a hint, and no waiting for one."""

    class Terminal:
        """A stdin that somebody types into."""

        def isatty(self) -> bool:
            """Say so."""
            return True

    monkeypatch.setattr("devinotify.cli.segments.sys", type(sys)("sys"))
    monkeypatch.setattr("devinotify.cli.segments.sys.stdin", Terminal(), raising=False)
    done = run("segments")
    assert (2, True) == (done.exit_code, "no text: give some as arguments, with --file, or on stdin" in done.stderr)


def test_to_gsm7_shows_the_text_as_it_becomes(run: Run) -> None:
    """With each change in the JSON."""
    (found,) = results(run, "--to-gsm7", "Да — “нет”")
    assert ('Da - "net"', "GSM-7", 8) == (found["text"], found["encoding"], len(found["changes"]))


def test_to_gsm7_tells_what_is_lost(run: Run) -> None:
    """A question mark stands for what no step knows, and is no secret; it is what a send would transliterate to."""
    shown = run("segments", "--to-gsm7", "да, 北京").stdout
    assert (True, True) == ("da, ??" in shown, "Lost in GSM-7: 北京" in shown)


def test_fit_shows_the_text_shortened(run: Run) -> None:
    """To the budget."""
    (found,) = results(run, "--fit", "1", "word " * 60)
    assert (1, True) == (found["segments"], found["text"].endswith("word..."))


def test_a_price_gives_the_cost(run: Run) -> None:
    """For people and for machines, exact."""
    arguments = ("--price", "2.35", "--recipients", "100", "я" * 71)
    assert "Cost: 2 segments x 100 x 2.35 = 470.00" in run("segments", *arguments).stdout
    assert {"recipients": 100, "price": "2.35", "total": "470.00"} == results(run, *arguments)[0]["cost"]


@table("limits, expected", [("140/134", 2), ("160/153/70/67", 1)])
def test_limits_are_those_of_the_gateway_that_bills(run: Run, limits: str, expected: int) -> None:
    """Two numbers for GSM-7, or four."""
    assert expected == results(run, "--limits", limits, "a" * 150)[0]["segments"]


@table(
    "arguments, expected",
    [
        (("--limits", "160", "a"), "expected SINGLE/PART"),
        (("--limits", "160/-1", "a"), "expected SINGLE/PART"),
        (("--limits", "160/1", "a"), "a part of GSM-7"),
        (("--price", "free", "a"), "--price"),
        (("--fit", "0", "a"), "--fit"),
        (("--file", "/nowhere/at/all"), "does not exist"),
    ],
)
def test_a_wrong_option_is_a_usage_error(run: Run, arguments: tuple[str, ...], expected: str) -> None:
    """One line that names it, and exit code 2."""
    done = run("segments", *arguments)
    assert (2, True) == (done.exit_code, expected in done.stderr)


def test_a_text_beyond_the_gateways_length_says_so(run: Run) -> None:
    """The gateway counts characters, not segments."""
    shown = run("segments", "a" * 1500).stdout
    assert (True, False) == (
        "Too long for viber: 500 characters more than 1000." in shown,
        "Too long for sms" in shown,
    )


def test_a_text_that_cannot_be_sent_says_so(run: Run) -> None:
    """Half of a surrogate pair comes from an argument that is not UTF-8."""
    assert "It cannot be sent" in run("segments", "a\udcff").stdout
