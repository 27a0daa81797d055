"""Cells of a CSV: none is a formula, however a spreadsheet cuts it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from devinotify.spreadsheet import all_harmless, harmless
from tests.tables import table

SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫"
CELLS = st.text(st.sampled_from([*SIGNS, *"a1 (;,'\"\t\r\n\v\u2028\u200b\ufeff"]) | st.characters(codec="utf-8"))


@table(
    "cell, expected",
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\nAnna", "'\nAnna"),
        ("＝1+1", "'＝1+1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠a", "'＠a"),
        (" =1+1", "' =1+1"),
        ("\ufeff=1+1", "'\ufeff=1+1"),
        ("Anna\n=1+1", "Anna\n'=1+1"),
        ("Anna\r\n@b", "Anna\r\n'@b"),
        ("Anna;=1+1", "Anna;'=1+1"),
        ("Anna\u2028=1+1", "Anna\u2028'=1+1"),
    ],
)
def test_what_begins_a_formula_is_text(cell: str, expected: str) -> None:
    """An apostrophe stands before it."""
    assert expected == harmless(cell)


@table(
    "cell",
    [
        *("", "Anna", "+79161234567", "+7916***4567", "+7 (916) 123-45-67", "-5"),
        *("a=b", "Hello, +5 today", "a\nb", "'=1", "anna@b.ru"),
    ],
)
def test_what_begins_none_stays(cell: str) -> None:
    """Numbers with their sign above all, which programs read."""
    assert cell == harmless(cell)


@given(CELLS)
def test_no_part_of_a_cell_begins_a_formula(cell: str) -> None:
    """However it is cut at line breaks, tabs and semicolons, and whatever invisible stands before the sign."""
    parts = re.split(r"[;\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", harmless(cell))
    bare = [re.sub(r"^[\s\u200b-\u200f\u2060\ufeff]+", "", part) for part in parts]
    assert [] == [
        part
        for part in bare
        if part[:1] in tuple(SIGNS) and not re.fullmatch(r"[+-]([0-9 ()-]+|[0-9]+[*]{3}[0-9]+)", part)
    ]
    assert not harmless(cell).startswith(("\t", "\r", "\n"))


@given(CELLS)
def test_it_is_done_once(cell: str) -> None:
    """What is harmless stays as it is, and nothing but apostrophes is put in."""
    assert harmless(cell) == harmless(harmless(cell))
    assert cell.replace("'", "") == harmless(cell).replace("'", "")


@given(st.lists(CELLS, max_size=5))
def test_a_row_is_made_harmless_as_its_cells_are(cells: list[str]) -> None:
    """It is only quicker where none of them begins a formula."""
    assert list(map(harmless, cells)) == list(all_harmless(cells))
