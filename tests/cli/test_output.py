"""What goes to stdout and stderr."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from rich.console import Console

from devinotify.cli import output


def test_json_is_utf_8_with_amounts_as_text_and_instants_in_utc(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Whatever the locale, a text stays readable, and no digit of an amount is lost."""
    moment = datetime(2026, 1, 31, 12, 0, tzinfo=timezone(timedelta(hours=3)))
    output.emit({"text": "Привет", "price": Decimal("2.50"), "at": moment})
    printed = capfdbinary.readouterr().out.decode("utf-8")
    assert (True, {"text": "Привет", "price": "2.50", "at": "2026-01-31T09:00:00Z"}) == (
        "Привет" in printed,
        json.loads(printed),
    )


def test_json_has_an_escape_for_a_lone_surrogate(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """What has no UTF-8 is written as JSON writes it, and read back the same."""
    output.emit_line({"text": "a\ud800"})
    assert {"text": "a\ud800"} == json.loads(capfdbinary.readouterr().out)


@pytest.mark.parametrize("width", [20, 80])
def test_numbers_and_ids_are_never_cut(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal that is too narrow gets longer lines: a number in two parts cannot be copied."""
    monkeypatch.setattr(output, "console", lambda _: Console(width=width, markup=False))
    ids = " ".join(["579700854169272358"] * 3)
    output.show(output.table(("recipient", "message ids", "text"), [("+79161234567", ids, "word " * 40)]))
    lines = capsys.readouterr().out.splitlines()
    assert (1, 1, True) == (
        sum("+79161234567" in line for line in lines),
        sum(ids in line for line in lines),
        len(lines) > 3,
    )


@pytest.mark.parametrize("width", [20, 60, 80])
def test_the_numbers_of_an_incoming_message_are_never_cut(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender has up to fifteen digits, and is what one answers to."""
    monkeypatch.setattr(output, "console", lambda _: Console(width=width, markup=False))
    row = ("2026-01-31 12:00:00+03:00", "870123456789012", "79161234567", "word " * 40)
    output.show(output.table(("time", "from", "to", "text"), [row]))
    lines = capsys.readouterr().out.splitlines()
    assert ([1, 1, 1], True) == ([sum(cell in line for line in lines) for cell in row[:3]], len(lines) > 3)


@pytest.mark.parametrize(("colour", "expected"), [(True, "\x1b[32maccepted"), (False, "accepted")])
def test_a_verdict_has_its_colour_on_a_terminal_alone(
    colour: bool, expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Green for what is well; nothing where nobody looks."""
    monkeypatch.setattr(
        output, "console", lambda _: Console(force_terminal=colour, color_system="standard" if colour else None)
    )
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: not colour)
    output.show(output.table(("verdict", "text"), [("accepted", "accepted")]))
    printed = capsys.readouterr().out
    assert (True, 1 if colour else 0) == (expected in printed, printed.count("\x1b[32m"))


def test_json_refuses_what_it_has_no_form_for() -> None:
    """A value of another type is a fault, not a guess."""
    with pytest.raises(TypeError):
        output.emit({"x": object()})


def test_control_characters_are_not_acted_upon() -> None:
    """An escape sequence or a reordering mark in a text is shown as a replacement; joined emoji stay."""
    assert "\ufffd[31mred\ufffd 👨‍👩‍👧\n" == output.printable("\x1b[31mred\u202e 👨‍👩‍👧\n")


def test_the_spaces_of_a_number_are_shown() -> None:
    """Russian sets thousands apart by a space that does not break, and it is no control character."""
    assert "99\xa0966,00 99\u202f966" == output.printable("99\xa0966,00 99\u202f966")


def test_markup_in_a_text_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Square brackets and emoji codes are shown as they are."""
    output.show(output.table(("text",), [("[red]:smile:[/red]",)]))
    assert "[red]:smile:[/red]" in capsys.readouterr().out


def test_long_cells_are_not_folded_where_stdout_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A script finds a long id on one line."""
    output.show(output.table(("id",), [("x" * 500,)]))
    assert "x" * 500 in capsys.readouterr().out


def test_an_empty_cell_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    """None is no word in a table."""
    output.show(output.table(("id",), [(None,)]))
    assert "None" not in capsys.readouterr().out


def test_a_moment_has_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instant is shown with the offset of this machine's zone."""
    shown = output.moment(datetime(2026, 1, 31, 9, 0, tzinfo=UTC))
    assert datetime(2026, 1, 31, 9, 0, tzinfo=UTC) == datetime.fromisoformat(shown)


def test_no_moment_is_nothing() -> None:
    """A date that the gateway does not tell is an empty cell."""
    assert "" == output.moment(None)


def test_the_width_of_a_log_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    """A table for a log is folded at the width that is asked for, where its cells may be."""
    output.show(output.table(("text",), [("x" * 500,)]), 40)
    assert 40 >= max(map(len, capsys.readouterr().out.splitlines()))


def test_the_console_takes_texts_as_they_are() -> None:
    """Neither markup nor emoji codes are interpreted."""
    console = output.console()
    console.file = io.StringIO()
    console.print(":smile: [b]")
    assert isinstance(console, Console)
    assert ":smile: [b]\n" == console.file.getvalue()
