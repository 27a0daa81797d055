"""The rows of CSV and TSV, and what is wrong with a line that is none.

A line is a row. A quote that does not close on its line may have swallowed the people of the next ones: it is taken
for a note with line breaks only where it closes soon, the columns come out as many as in the first row, and nothing
within it looks like somebody's number. Anything else is an error with the number of the line.
"""

from __future__ import annotations

import csv
import itertools
import re
from typing import TYPE_CHECKING, Protocol

from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Callable, Iterable, Iterator

MOST_LINES = 50
"""Lines that one row may have."""
_BREAK = re.compile(r"\r\n|\r|\n")


class Chunks(Protocol):
    """What gives rows as lists of cells."""

    def chunks(self, size: int, *, header: bool) -> Iterator[list[list[str]]]:
        """Yield the rows that are not empty, so many at a time, without the first one where it is a ``header``."""
        ...

    def places(self, *, header: bool) -> Iterator[int]:
        """Yield where each of these rows stands, as an editor or a spreadsheet numbers it."""
        ...


class Cells:
    """The rows of ``lines()`` as lists of cells; ``quoted`` tells whether quotes mean something, as they do in CSV.

    ``skipped`` lines at the start are none, ``is_number`` tells whether a text looks like a recipient, and ``name`` is
    what errors call the format.
    """

    def __init__(
        self,
        lines: Callable[[], Iterable[str]],
        delimiter: str,
        *,
        quoted: bool,
        skipped: int,
        is_number: Callable[[str], bool],
        name: str,
    ) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._quoted = quoted
        self._skipped = skipped
        self._is_number = is_number
        self._name = name

    def chunks(self, size: int, *, header: bool) -> Iterator[list[list[str]]]:
        """Yield the rows that are not empty, without the header; many at a time, as most of it is then done in C.

        Raises InvalidInput for a line that is not a row, and for a row that has further numbers behind its last column.
        """
        reader = self._reader()
        skip = header
        width = count = 0
        while True:
            before = reader.line_num
            try:
                lines = list(itertools.islice(reader, size))
            except csv.Error:
                raise self._fault() from None
            if not lines:
                return
            width = width or next((len(row) for row in lines if "".join(row).strip()), 0)
            if reader.line_num - before != len(lines) and not self._add_up(lines, reader.line_num - before, width):
                raise self._fault()
            rows = [row for row in lines if "".join(row).strip()]
            if max(map(len, lines)) > width:
                self._check_width(rows, width, count)
            count += len(rows)
            if rows and skip:
                del rows[0]
                skip = False
            if rows:
                yield rows

    def places(self, *, header: bool) -> Iterator[int]:
        """Yield the lines that the rows begin in, of those that ``chunks`` yields."""
        reader, skip, begin = self._reader(), header, 1
        for row in reader:
            if "".join(row).strip():
                if not skip:
                    yield self._skipped + begin
                skip = False
            begin = reader.line_num + 1

    def _reader(self) -> Reader:
        lines = itertools.islice(self._lines(), self._skipped, None)
        if self._quoted:
            return csv.reader(lines, delimiter=self._delimiter, strict=True)
        return csv.reader(lines, delimiter=self._delimiter, quoting=csv.QUOTE_NONE)

    def _add_up(self, rows: list[list[str]], lines: int, width: int) -> bool:
        """Whether some rows are as many lines as were read, each that has several being a sound one."""
        breaks = 0
        for row in rows:
            found = _breaks(row)
            if found and not self._is_sound(row, found, width):
                return False
            breaks += found
        return len(rows) + breaks == lines

    def _is_sound(self, row: list[str], breaks: int, width: int) -> bool:
        if breaks >= MOST_LINES or len(row) != width:
            return False
        inner = [
            part for cell in row if _BREAK.search(cell) for line in _BREAK.split(cell) for part in self._parts(line)
        ]
        return not any(map(self._is_number, inner))

    def _parts(self, line: str) -> list[str]:
        return [part.strip(' "') for part in line.split(self._delimiter)]

    def _check_width(self, rows: list[list[str]], width: int, before: int) -> None:
        """Raise InvalidInput where a number stands behind the last column: nobody is dropped silently."""
        for place, row in enumerate(rows, before):
            if any(map(self._is_number, row[width:])):
                line = next(itertools.islice(self.places(header=False), place, None))
                raise InvalidInput(
                    f"line {line} of the {self._name} has {len(row)} cells where the first has {width}, and a number"
                    " behind the last column: give each number a line of its own, or a column with a name"
                )

    def _fault(self) -> InvalidInput:
        """Return the error for the first line that is not a row, looked for one by one."""
        reader = self._reader()
        count = width = 0
        why = "a quote opens in it that does not close on the same line"
        try:
            for row in reader:
                width = width or (len(row) if "".join(row).strip() else 0)
                breaks = reader.line_num - count - 1
                if breaks and not (breaks == _breaks(row) and self._is_sound(row, breaks, width)):
                    break
                count = reader.line_num
        except csv.Error as error:
            if reader.line_num == count + 1 and "end of data" not in str(error):
                why = f"{error} (a quote within a quoted cell is written twice)" if '"' in str(error) else str(error)
        return InvalidInput(f"line {self._skipped + count + 1} is not {self._name}: {why}")


def _breaks(row: list[str]) -> int:
    return sum(len(_BREAK.findall(cell)) for cell in row)
