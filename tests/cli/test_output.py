"""What goes to stdout and stderr."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from rich.console import Console

from devinotify.cli import output


def test_json_is_ascii_with_amounts_as_text_and_instants_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    """Any stdout can carry the document, and no digit of an amount is lost."""
    moment = datetime(2026, 1, 31, 12, 0, tzinfo=timezone(timedelta(hours=3)))
    output.emit({"text": "Привет", "price": Decimal("2.50"), "at": moment})
    printed = capsys.readouterr().out
    assert (True, {"text": "Привет", "price": "2.50", "at": "2026-01-31T09:00:00Z"}) == (
        printed.isascii(),
        json.loads(printed),
    )


def test_json_refuses_what_it_has_no_form_for() -> None:
    """A value of another type is a fault, not a guess."""
    with pytest.raises(TypeError):
        output.emit({"x": object()})


def test_control_characters_are_not_acted_upon() -> None:
    """An escape sequence or a reordering mark in a text is shown as a replacement; joined emoji stay."""
    assert "\ufffd[31mred\ufffd 👨‍👩‍👧\n" == output.printable("\x1b[31mred\u202e 👨‍👩‍👧\n")


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
    """A table for a log is folded at the width that is asked for."""
    output.show(output.table(("id",), [("x" * 500,)]), 40)
    assert 40 >= max(map(len, capsys.readouterr().out.splitlines()))


def test_the_console_takes_texts_as_they_are() -> None:
    """Neither markup nor emoji codes are interpreted."""
    console = output.console()
    console.file = io.StringIO()
    console.print(":smile: [b]")
    assert isinstance(console, Console)
    assert ":smile: [b]\n" == console.file.getvalue()
