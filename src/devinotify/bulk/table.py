"""The rows of the input: which format it is in, which column holds the numbers, and the rows in pages."""

from __future__ import annotations

import csv
import itertools
import json
import re
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify import phones
from devinotify.bulk.columns import is_header, is_known, listed, shown
from devinotify.exceptions import InvalidInput, InvalidPhoneNumber

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterator, Mapping, Sequence

    from devinotify.bulk.source import Source

PAGE = 25_000
"""Rows that are in memory at a time."""


class Format(StrEnum):
    """How the rows are written."""

    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    LINES = "lines"


SUFFIXES: Mapping[str, Format] = MappingProxyType(
    {"csv": Format.CSV, "tsv": Format.TSV, "tab": Format.TSV, "jsonl": Format.JSONL, "ndjson": Format.JSONL}
)
"""The formats that a file's name tells; any other name tells nothing, and the first line is looked at."""

_DELIMITERS = ";,|\t"
_QUOTED = re.compile(r'"[^"]*"')
_SEPARATOR = re.compile(r'"?sep=([^\w"\r\n])"?', re.IGNORECASE)  # Excel's own first line
_STEP = 250  # rows that are taken apart at a time: many more leave the processor's cache before they are read
_SAMPLE = 20  # rows that are looked at for one with a number
_BARE = ""  # the key of a JSON line that is no object


class Page(NamedTuple):
    """Some rows: the number of the first (from 1, the header apart), what each gives as its number, and all it has.

    ``records`` is empty where nobody asked for more than the numbers.
    """

    first: int
    raws: list[str | int]
    records: list[dict[str, str]]


class Table:
    """The rows of a source; ``format``, ``columns`` and ``column`` (that of the numbers) as given or found out.

    ``column`` is a name, or a position from 1: it stays one where there is no header, or the name is not the only
    one. ``header`` tells whether the first line names the columns, and is no row. ``columns`` may hold a name twice.
    Raises InvalidInput where the column is missing or cannot be told.

    A line is a row: a quote that does not close on its line may have swallowed the people of the next ones, and
    is an error with the number of the line, as is any other quote that is not as CSV has it. In TSV a quote is a
    character like others (quoted TSV can be read as CSV). Excel's first line ``sep=;`` names the delimiter.
    """

    def __init__(
        self, source: Source, *, column: str | None = None, format_: str | None = None, region: str = "RU"
    ) -> None:
        if format_ is not None and format_ not in tuple(Format):
            raise InvalidInput(f"there is no format {format_!r}: the formats are {', '.join(Format)}")
        self._source = source
        self._region = region
        self._skipped = 0  # lines before the header
        lines = ((number, line.strip("\r\n")) for number, line in enumerate(source.lines(), 1) if line.strip())
        number, first = next(lines, (0, ""))
        separator = None if format_ in (Format.LINES, Format.JSONL) else _SEPARATOR.fullmatch(first)
        if separator:
            self._skipped = number
            first = next(lines, (0, ""))[1]
        bare = _QUOTED.sub("", first)
        self.format = Format(format_) if format_ else _guess(source.name, first, bare, separated=separator is not None)
        self.columns: tuple[str, ...] = ()
        self.column: str | None = None
        self.header = False
        self._index = 0
        self._delimiter = "\t" if self.format is Format.TSV else max(_DELIMITERS, key=bare.count)
        if separator:
            self._delimiter = separator[1]
        if self.format is Format.LINES:
            self._find_name(first.strip(), column)
        elif first:
            (self._find_key if self.format is Format.JSONL else self._find_cell)(column)

    @property
    def description(self) -> str:
        """How the rows are read, in words: ``CSV in cp1251, with a header, numbers in 'Телефон'``."""
        parts = [f"{self.format.upper()} in {self._source.encoding}"]
        if self.format in (Format.CSV, Format.TSV):
            parts.append("with a header" if self.header else "without a header")
        if self.column is not None:
            parts.append(f"numbers in {shown(self.column)}")
        return ", ".join(parts)

    def pages(self, *, records: bool = False) -> Iterator[Page]:
        """Yield the rows from the start, at most PAGE at a time; with ``records`` all their columns by name.

        Empty lines are no rows. Raises InvalidInput for a line that cannot be taken apart as CSV.
        """
        page = Page(1, [], [])
        for some in self._chunks(min(_STEP, PAGE)):
            if len(page.raws) + len(some) > PAGE:
                yield page
                page = Page(page.first + len(page.raws), [], [])
            raws, more = self._read(some, records=records)
            page.raws.extend(raws)
            page.records.extend(more)
        if page.raws:
            yield page

    def _read(self, some: list[Any], *, records: bool) -> tuple[list[str | int], list[dict[str, str]]]:
        if self.format is Format.LINES:
            return some, [dict(zip(self.columns, [row], strict=False)) for row in some] if records else []
        if self.format is Format.JSONL:
            raws = [_number(row.get(self.column, row.get(_BARE))) for row in some]
            return raws, [{key: _text(value) for key, value in row.items()} for row in some] if records else []
        index, columns = self._index, self.columns
        cells = [row[index] if len(row) > index else "" for row in some]
        return cells, [dict(zip(columns, row, strict=False)) for row in some] if records else []

    # --- rows by format

    def _chunks(self, size: int) -> Iterator[list[Any]]:
        if self.format in (Format.CSV, Format.TSV):
            yield from self._cells(size)
            return
        rows = self._objects() if self.format is Format.JSONL else self._plain()
        while some := list(itertools.islice(rows, size)):
            yield some

    def _plain(self) -> Iterator[str]:
        lines = (line for line in map(str.strip, self._source.lines()) if line)
        return itertools.islice(lines, int(self.header), None)

    def _reader(self) -> Reader:
        lines = itertools.islice(self._source.lines(), self._skipped, None)
        if self.format is Format.TSV:
            return csv.reader(lines, delimiter=self._delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self._delimiter, strict=True)

    def _cells(self, size: int) -> Iterator[list[list[str]]]:
        """Yield the rows that are not empty, without the header; many at a time, as most of it is then done in C."""
        reader = self._reader()
        skip = int(self.header)
        count = 0
        while True:
            try:
                lines = list(itertools.islice(reader, size))
            except csv.Error:
                raise self._fault() from None
            count += len(lines)
            if reader.line_num != count:
                raise self._fault()
            if not lines:
                return
            rows = [row for row in lines if "".join(row).strip()]
            if rows and skip:
                del rows[0]
                skip = 0
            if rows:
                yield rows

    def _fault(self) -> InvalidInput:
        """Return the error for the first line that is no row, looked for one by one."""
        reader = self._reader()
        count = 0
        why = "a quote opens in it that does not close on the same line"
        try:
            for _ in reader:
                if reader.line_num > count + 1:
                    break
                count += 1
        except csv.Error as error:
            if reader.line_num == count + 1 and "end of data" not in str(error):
                why = f"{error} (a quote within a quoted cell is written twice)" if '"' in str(error) else str(error)
        return InvalidInput(f"line {self._skipped + count + 1} is no {self.format.upper()}: {why}")

    def _objects(self) -> Iterator[Mapping[str, object]]:
        for line in self._source.lines():
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, dict):
                yield found
            elif isinstance(found, str | int) and not isinstance(found, bool):
                yield {_BARE: found}  # a bare number is a row as well
            else:
                yield {_BARE: line.strip()}  # no object: its own text will be refused as a number

    # --- which column

    def _find_name(self, first: str, wanted: str | None) -> None:
        self.header = is_known(first)
        if self.header:
            self.columns = (first.strip('"'),)
            self.column = self.columns[0]
        if wanted is not None and wanted.strip().casefold() not in [name.casefold() for name in self.columns]:
            raise InvalidInput("a list of one number a line has no columns")

    def _find_cell(self, wanted: str | None) -> None:
        rows = self._sample()
        if not rows:
            return
        first = [cell.strip() for cell in rows[0]]
        places = tuple(map(str, range(1, len(first) + 1)))
        wanted = wanted if wanted is None else wanted.strip()
        self.header = is_header(first)
        # A digit in the first row is a place, unless the row is a header and the digit a name.
        by_name = [] if wanted is None or (wanted in places and not self.header) else _same(first, wanted)
        self.header = self.header or bool(by_name)
        if by_name:
            self._index = by_name[0]
        elif wanted in places:
            self._index = places.index(wanted)
        elif wanted is not None:
            there = listed(first if self.header else places)
            raise InvalidInput(f"there is no column {shown(wanted)}; the input has: {there}")
        else:
            self._index = self._guess_cell(first, rows)
        self.columns = tuple(first) if self.header else places
        name = self.columns[self._index]
        once = self.columns.count(name) == 1
        if name and not once and (by_name or wanted is None):
            raise InvalidInput(f"two columns are called {shown(name)}: give the place of one, 1 to {len(first)}")
        self.column = name if name and once else places[self._index]

    def _sample(self) -> list[list[str]]:
        """Return the first rows, as far as they are sound: what is behind them is told when all is read."""
        rows: list[list[str]] = []
        try:
            for some in itertools.islice(self._cells(1), _SAMPLE):
                rows += some
        except InvalidInput:
            if not rows:
                raise
        return rows

    def _guess_cell(self, first: list[str], rows: list[list[str]]) -> int:
        """Return the first of the named columns that has a number below it, or of all columns where none is named."""
        named = [index for index, name in enumerate(first) if self.header and is_known(name)]
        for row in rows[int(self.header) :]:
            for index in named or range(len(first)):
                if index < len(row) and self._is_number(row[index]):
                    return index
        if not named and len(first) > 1:
            there = listed(first) if self.header else f"columns 1 to {len(first)}"
            raise InvalidInput(f"no column looks like numbers; name it: {there}")
        return named[0] if named else 0

    def _find_key(self, wanted: str | None) -> None:
        rows = list(itertools.islice(self._objects(), _SAMPLE))
        columns = self.columns = tuple(name for name in rows[0] if name != _BARE)
        if wanted is None:
            named = [name for name in columns if is_known(name)]
            numbers = (name for row in rows for name in named or columns if self._is_number(_text(row.get(name))))
            wanted = next(numbers, None)
            if wanted is None and not named and len(columns) > 1:
                raise InvalidInput(f"no key looks like numbers; name it: {listed(columns)}")
            wanted = wanted or next(iter(named or columns), "number")
        elif columns and wanted not in columns:
            raise InvalidInput(f"there is no key {shown(wanted)}; the first row has: {listed(columns)}")
        self.column = wanted

    def _is_number(self, cell: str) -> bool:
        try:
            phones.normalize(cell, region=self._region)
        except InvalidPhoneNumber:
            return False
        return True


def _guess(name: str | None, first: str, bare: str, *, separated: bool) -> Format:
    """Return the format by the file's name, else by its first line, as it is and without what is in quotes."""
    suffix = name.rpartition(".")[2].casefold() if name else ""
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if separated:
        return Format.CSV
    if first.lstrip().startswith(("{", "[")) or (first.lstrip().startswith('"+') and not bare.strip()):
        return Format.JSONL
    if "\t" in bare:
        return Format.TSV
    return Format.CSV if any(sign in bare for sign in ";,|") else Format.LINES


def _same(first: Sequence[str], wanted: str) -> list[int]:
    """Return where the columns of a name are; in another case only where none has it in this one."""
    exact = [index for index, name in enumerate(first) if name == wanted]
    return exact or [index for index, name in enumerate(first) if name.casefold() == wanted.casefold()]


def _number(value: object) -> str | int:
    """Return what stands for the number in JSON; what is neither text nor integer is no number, and refused as one."""
    return value if isinstance(value, str | int) and not isinstance(value, bool) else ("" if value is None else "?")


def _text(value: object) -> str:
    """Return a JSON value as it stands in a text; a list or an object is none and stands as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
