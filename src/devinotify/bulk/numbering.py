"""Where the rows of a list stand in its file, as an editor or a spreadsheet numbers its lines. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Numbering:
    """The line of the file in which each row begins; ``lines`` are those of all rows, in order.

    Nothing but what is not one after the other is kept: a header, an empty line, a cell of several lines.
    """

    def __init__(self, lines: Iterable[int]) -> None:
        self._rows, self._lines = array("q", [1]), array("q", [1])
        expected = 1
        for row, line in enumerate(lines, 1):
            if line != expected:
                self._rows.append(row)
                self._lines.append(line)
            expected = line + 1

    def line(self, row: int) -> int:
        """Return the line of a row, which is from 1, without the header and empty lines."""
        place = max(bisect_right(self._rows, row) - 1, 0)
        return self._lines[place] + row - self._rows[place]
