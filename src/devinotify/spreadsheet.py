"""Cells that no spreadsheet takes for a formula: one rule for every CSV that we write. Pure.

Whoever fills in a form may write ``=HYPERLINK(…)`` for a name, and whoever opens the list afterwards runs it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BREAKS = r"\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
_SEPARATORS = rf";\t{_BREAKS}"
_BLANK = rf"[^\S{_BREAKS}\t]|[\u200b-\u200f\u2060\ufeff]"
"""What stands before a sign and is not seen; a spreadsheet may leave it out."""
_BEGINS = rf"(?:{_BLANK})*(?:[=@＝＠﹦﹫＋－﹢﹣]|[+-](?!(?:[0-9 ()-]+|[0-9]+[*]{{3}}[0-9]+)(?:$|[{_SEPARATORS}])))"
_FORMULA = re.compile(rf"(?:^|(?<=[{_SEPARATORS}]))(?={_BEGINS})")
_DOUBTFUL = re.compile(rf"[{_SEPARATORS}](?:[\t{_BREAKS}]|{_BEGINS})")
_SIGN = re.compile("[-=+@＝＠﹦﹫＋－﹢﹣]")
_LEADING = re.compile(rf"[\t{_BREAKS}]")


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe stands before what would begin one.

    That is a sign (``=``, ``+``, ``-``, ``@``, also in full width) at the start of the cell, of a line in it, or behind
    a tab or semicolon, at which a spreadsheet may cut it; and a tab or line break at the start. A number with its sign
    stays as it is: ``+79161234567``, ``-5``, and a masked one, ``+7916***4567``.
    """
    if not _LEADING.match(cell) and not _SIGN.search(cell):
        return cell
    if (
        cell[1:].isdecimal() and cell.isascii() and cell[0] in "+-"
    ):  # quicker so, and most cells with a sign are numbers
        return cell
    found = _FORMULA.sub("'", cell)
    return f"'{found}" if _LEADING.match(found) else found


def all_harmless(cells: Sequence[str]) -> Sequence[str]:
    """Return ``harmless`` of each cell: quicker than one by one, for most rows hold nothing that begins a formula."""
    if _DOUBTFUL.search(f";{';'.join(cells)}") is None:
        return cells
    return list(map(harmless, cells))
