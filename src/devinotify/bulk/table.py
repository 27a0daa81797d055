"""The rows of the input: which format it is in, which columns hold the numbers, and the rows in pages."""

from __future__ import annotations

import itertools
import json
import re
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify import phones
from devinotify.bulk import objects
from devinotify.bulk.cells import Cells, Chunks
from devinotify.bulk.columns import choose, is_header, is_known, listed, says_other, says_phone, shown
from devinotify.bulk.numbering import Numbering
from devinotify.bulk.vcard import COLUMNS, SEVERAL, VCards
from devinotify.exceptions import DevinotifyError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from devinotify.bulk.source import Source

PAGE = 25_000
"""Rows that are in memory at a time."""
FIRST_PAGE = 2_500
"""Rows of the first page: sending begins with them, while the others are read. Each page may have twice as many as the
one before, so that what has begun to send is not left without work either."""


class Format(StrEnum):
    """How the rows are written."""

    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    JSON = "json"
    VCARD = "vcard"
    XLSX = "xlsx"
    LINES = "lines"


SUFFIXES: Mapping[str, Format] = MappingProxyType(
    {
        "csv": Format.CSV,
        "tsv": Format.TSV,
        "tab": Format.TSV,
        "jsonl": Format.JSONL,
        "ndjson": Format.JSONL,
        "vcf": Format.VCARD,
        "vcard": Format.VCARD,
    }
)
"""The formats that a file's name tells; any other name tells nothing, and the first line is looked at."""

_DELIMITERS = ";,|\t"
_QUOTED = re.compile(r'"[^"]*"')
_SEPARATOR = re.compile(r'"?sep=([^\w"\r\n])"?', re.IGNORECASE)  # Excel's own first line
STEP = 250  # rows that are taken apart at a time: many more leave the processor's cache before they are read
_SAMPLE = 200  # rows that are looked at for numbers
_BETWEEN = SEVERAL.strip()
_OBJECTS = frozenset({Format.JSONL, Format.JSON})


class Page(NamedTuple):
    """Some rows: the number of the first (from 1, the header apart), what each gives as its number, and all it has.

    ``records`` is empty where nobody asked for more than the numbers. ``further`` numbers of these rows are not sent
    to, since each row is sent to once.
    """

    first: int
    raws: list[str | int]
    records: list[dict[str, str]]
    further: int = 0


class Table:
    """The rows of a source; ``format``, ``columns`` and ``column`` (that of the numbers) as given or found out.

    ``column`` is a name, or a position from 1: it stays one where there is no header, or the name is not the only
    one. Several, with commas between them, take the first number of each row, as is done for several in one cell with
    Google's ``:::`` between them. ``header`` tells whether the first line, not a row, names the columns. ``columns``
    may hold a name twice. ``read`` reads a number where a plugin has a say in that. Raises InvalidInput where the
    column is missing or is not certain.

    In TSV a quote is a character like others (quoted TSV can be read as CSV). Excel's first line ``sep=;`` names the
    delimiter.
    """

    def __init__(
        self,
        source: Source,
        *,
        column: str | None = None,
        format_: str | None = None,
        region: str = "RU",
        read: Callable[[str], object] | None = None,
    ) -> None:
        if format_ is not None and format_ not in tuple(Format):
            raise InvalidInput(f"there is no format {format_!r}: the formats are {', '.join(Format)}")
        self._source = source
        self._read_number = read or (lambda raw: phones.normalize(raw, region=region))
        self.columns: tuple[str, ...] = ()
        self.column: str | None = None
        self.header: bool = False
        self._indexes: tuple[int, ...] = (0,)
        self._keys: tuple[str, ...] = ()
        wanted = column if column is None else column.strip()
        first = "1"
        if source.is_workbook:
            if format_ not in (None, Format.XLSX):
                raise InvalidInput(f"the input is a workbook, and no {format_}")
            self.format: Format = Format.XLSX
            self._cells: Chunks = source.workbook()
        else:
            first = self._look(format_)
        if self.format is Format.LINES:
            self._find_name(first.strip(), wanted)
        elif first:
            (self._find_keys if self.format in _OBJECTS else self._find_cells)(wanted)

    def _look(self, format_: str | None) -> str:
        """Find out the format, and return the first line."""
        source = self._source
        lines = ((number, line.strip("\r\n")) for number, line in enumerate(source.lines(), 1) if line.strip())
        skipped = 0  # lines before the header
        number, first = next(lines, (0, ""))
        separator = None if format_ not in (None, Format.CSV, Format.TSV) else _SEPARATOR.fullmatch(first)
        if separator:
            skipped = number
            first = next(lines, (0, ""))[1]
        bare = _QUOTED.sub("", first)
        self.format = Format(format_) if format_ else _guess(source.name, first, bare, separated=separator is not None)
        if self.format is Format.XLSX:
            raise InvalidInput("the input is not a workbook, and so has no format 'xlsx'")
        delimiter = "\t" if self.format is Format.TSV else max(_DELIMITERS, key=bare.count)
        self._cells = (
            VCards(source.lines)
            if self.format is Format.VCARD
            else Cells(
                source.lines,
                separator[1] if separator else delimiter,
                quoted=self.format is not Format.TSV,
                skipped=skipped,
                is_number=self._is_number,
                name=self.format.upper(),
            )
        )
        return first

    @property
    def description(self) -> str:
        """How the rows are read, in words: ``CSV in cp1251, with a header, numbers in 'Телефон'``."""
        parts = [self.format.upper() + ("" if self._source.is_workbook else f" in {self._source.encoding}")]
        if self.format in (Format.CSV, Format.TSV, Format.XLSX):
            parts.append("with a header" if self.header else "without a header")
        if self.column is not None:
            parts.append(f"numbers in {shown(self.column)}")
        return ", ".join(parts)

    def pages(self, *, records: bool = False, size: int = PAGE, step: int = STEP) -> Iterator[Page]:
        """Yield the rows from the start, at most ``size`` at a time; with ``records`` all their columns by name.

        The first pages are short, so that something is done with them soon. ``step`` rows are taken apart at a time.
        Empty lines are not rows. Raises InvalidInput for a line that cannot be taken apart.
        """
        page = Page(1, [], [])
        most = min(size, FIRST_PAGE)
        for some in self._chunks(min(step, most)):
            if len(page.raws) + len(some) > most:
                yield page
                page = Page(page.first + len(page.raws), [], [])
                most = min(size, 2 * most)
            raws, more = self._read(some, records=records)
            further = self._choose_first(raws)
            page.raws.extend(raws)
            page.records.extend(more)
            page = page._replace(further=page.further + further)
        if page.raws:
            yield page

    def rows(self) -> Iterator[list[str]]:
        """Yield all cells of each row from the start, in the order of ``columns``; further ones may stand behind."""
        width = len(self.columns)
        for some in self._chunks(STEP):
            if self.format is Format.LINES:
                yield from ([row] for row in some)
            elif self.format in _OBJECTS:
                yield from ([_text(row.get(name)) for name in self.columns] for row in some)
            elif min(map(len, some)) >= width:
                yield from some
            else:
                yield from (row if len(row) >= width else row + [""] * (width - len(row)) for row in some)

    def numbering(self) -> Numbering:
        """Return where the rows stand in the file; of a JSON array, and of vCards, which of them each is."""
        rows = sum(len(some) for some in self._chunks(PAGE))
        return Numbering(itertools.islice(self._places(), rows))

    def _places(self) -> Iterator[int]:
        if self.format is Format.JSON:
            return itertools.count(1)
        if self.format in (Format.LINES, Format.JSONL):
            found = (place for place, line in enumerate(self._source.lines(), 1) if line.strip())
            return itertools.islice(found, int(self.header), None)
        return self._cells.places(header=self.header)

    def _read(self, some: list[Any], *, records: bool) -> tuple[list[str | int], list[dict[str, str]]]:
        if self.format is Format.LINES:
            return some, [dict(zip(self.columns, [row], strict=False)) for row in some] if records else []
        if self.format in _OBJECTS:
            raws = [self._of_keys(row) for row in some]
            return raws, [{key: _text(value) for key, value in row.items()} for row in some] if records else []
        index, columns = self._indexes[0], self.columns
        if len(self._indexes) == 1:
            cells = [row[index] if len(row) > index else "" for row in some]
        else:
            cells = [SEVERAL.join(row[place] for place in self._indexes if place < len(row)) for row in some]
        return cells, [dict(zip(columns, row, strict=False)) for row in some] if records else []

    def _of_keys(self, row: Mapping[str, object]) -> str | int:
        if objects.BARE in row:
            return _number(row[objects.BARE])
        if len(self._keys) == 1:
            return _number(row.get(self._keys[0]))
        return SEVERAL.join(str(_number(row.get(key))) for key in self._keys)

    def _choose_first(self, raws: list[str | int]) -> int:
        """Put the first number of each cell with several in its place; return how many there are beside those."""
        further = 0
        for place, raw in enumerate(raws):
            if isinstance(raw, str) and _BETWEEN in raw:
                some = [part.strip() for part in raw.split(_BETWEEN) if part.strip()]
                raws[place] = next(filter(self._is_number, some), next(iter(some), ""))
                further += max(len(dict.fromkeys(some)) - 1, 0)
        return further

    # --- rows by format

    def _chunks(self, size: int) -> Iterator[list[Any]]:
        if self.format not in (Format.LINES, *_OBJECTS):
            yield from self._cells.chunks(size, header=self.header)
            return
        rows: Iterator[Any] = self._plain() if self.format is Format.LINES else self._objects()
        while some := list(itertools.islice(rows, size)):
            yield some

    def _plain(self) -> Iterator[str]:
        lines = (line for line in map(str.strip, self._source.lines()) if line)
        return itertools.islice(lines, int(self.header), None)

    def _objects(self) -> Iterator[Mapping[str, object]]:
        if self.format is Format.JSON:
            return objects.of_array(self._source.blocks())
        return objects.of_lines(self._source.lines())

    # --- which column

    def _find_name(self, first: str, wanted: str | None) -> None:
        self.header = is_known(first) or (says_phone(first) and is_header([first]))
        if self.header:
            self.columns = (first.strip('"'),)
            self.column = self.columns[0]
        elif says_other(first) and is_header([first]):
            raise InvalidInput(
                f"the list is called {shown(first)}, which is not a telephone: take the line out if it is"
            )
        if wanted is not None and wanted.casefold() not in [name.casefold() for name in self.columns]:
            raise InvalidInput("a list of one number a line has no columns")

    def _find_cells(self, wanted: str | None) -> None:
        if self.format is Format.VCARD:
            first: list[str] = list(COLUMNS)
            wanted = wanted or COLUMNS[-1]
            self.header = named = True
        else:
            rows = self._sample()
            if not rows:
                return
            first = [cell.strip() for cell in rows[0]]
            self.header = named = is_header(first)
        places = tuple(map(str, range(1, len(first) + 1)))
        if wanted is None:
            below = rows[int(named) :]
            self._indexes = (choose(first if named else None, below, self._is_number),)
            asked = [""]
        else:
            asked = [wanted] if _same(first, wanted) else [part.strip() for part in wanted.split(",")]
            self._indexes = tuple(self._index_of(part, first, places) for part in asked)
        self.columns = tuple(first) if self.header else places
        self.column = ",".join(
            self._title(index, wanted is None or one not in places, places)
            for index, one in zip(self._indexes, asked, strict=True)
        )

    def _index_of(self, wanted: str, first: Sequence[str], places: Sequence[str]) -> int:
        # A digit in the first row is a place, unless the row is a header and the digit a name.
        by_name = [] if wanted in places and not self.header else _same(first, wanted)
        self.header = self.header or bool(by_name)
        if by_name:
            return by_name[0]
        if wanted in places:
            return places.index(wanted)
        there = listed(first if self.header else places)
        raise InvalidInput(f"there is no column {shown(wanted)}; the input has: {there}")

    def _title(self, index: int, by_name: bool, places: Sequence[str]) -> str:
        """Return what a column is called, or its place where that is not certain."""
        name = self.columns[index]
        once = self.columns.count(name) == 1
        if name and not once and by_name:
            raise InvalidInput(f"two columns are called {shown(name)}: give the place of one, 1 to {len(places)}")
        return name if name and once else places[index]

    def _sample(self) -> list[list[str]]:
        """Return the first rows, as far as they are sound: what is behind them is told when all is read."""
        rows: list[list[str]] = []
        try:
            for some in itertools.islice(self._cells.chunks(1, header=False), _SAMPLE):
                rows += some
        except InvalidInput:
            if not rows:
                raise
        return rows

    def _find_keys(self, wanted: str | None) -> None:
        rows: list[Mapping[str, object]] = []
        try:
            rows.extend(itertools.islice(self._objects(), _SAMPLE))
        except InvalidInput:
            if not rows:
                raise
        names = list(dict.fromkeys(name for row in rows for name in row if name != objects.BARE))
        self.columns = tuple(names)
        if rows and rows[0].get(objects.BARE) == "{":
            raise InvalidInput(
                "the input is a JSON object over several lines: give an array of rows, or one object a line"
            )
        if not names:
            self._keys = (wanted or "number",)
        elif wanted is None:
            cells = [[_text(row.get(name)) for name in names] for row in rows if objects.BARE not in row]
            self._keys = (names[choose(names, cells, self._is_number, noun="key")],)
        else:
            self._keys = (wanted,) if wanted in names else tuple(part.strip() for part in wanted.split(","))
            for key in self._keys:
                if key not in names:
                    raise InvalidInput(f"there is no key {shown(key)}; the first row has: {listed(list(rows[0]))}")
        self.column = ",".join(self._keys)

    def _is_number(self, cell: str) -> bool:
        """Whether a cell holds a number, or several of one person."""
        try:
            self._read_number(cell.partition(_BETWEEN)[0])
        except DevinotifyError:
            return False
        return True


def _guess(name: str | None, first: str, bare: str, *, separated: bool) -> Format:
    """Return the format by the file's name, else by its first line, as it is and without what is in quotes."""
    suffix = name.rpartition(".")[2].casefold() if name else ""
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if separated:
        return Format.CSV
    start = first.lstrip()
    if start.upper().startswith("BEGIN:VCARD"):
        return Format.VCARD
    if start.startswith("["):
        return Format.JSON
    if start.startswith("{") or (start.startswith('"+') and not bare.strip()):
        return Format.JSONL
    if "\t" in bare:
        return Format.TSV
    return Format.CSV if any(sign in bare for sign in ";,|") else Format.LINES


def _same(first: Sequence[str], wanted: str) -> list[int]:
    """Return where the columns of a name are; in another case only where none has it in this one."""
    exact = [index for index, name in enumerate(first) if name == wanted]
    return exact or [index for index, name in enumerate(first) if name.casefold() == wanted.casefold()]


def _number(value: object) -> str | int:
    """Return what stands for the number in JSON; anything but text and integers is refused as not a number."""
    return value if isinstance(value, str | int) and not isinstance(value, bool) else ("" if value is None else "?")


def _text(value: object) -> str:
    """Return a JSON value as it stands in a text; a list or an object is none and stands as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
