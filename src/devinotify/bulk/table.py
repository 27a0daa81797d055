"""The rows of the input: which format it is in, which column holds the numbers, and the rows in pages."""

from __future__ import annotations

import csv
import itertools
import json
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from devinotify import phones
from devinotify.exceptions import InvalidInput, InvalidPhoneNumber

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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

NAMES = frozenset(
    {
        *(
            "phone",
            "phones",
            "phone number",
            "phone_number",
            "phonenumber",
            "number",
            "numbers",
            "mobile",
            "cell",
            "to",
        ),
        *("mobile phone", "mobile_phone", "msisdn", "tel", "telephone", "recipient", "to", "телефон", "номер"),
        *(
            "номер телефона",
            "номера",
            "телефоны",
            "мобильный",
            "мобильный телефон",
            "сотовый",
            "моб",
            "тел",
            "получатель",
        ),
    }
)
"""What a column of numbers is called, in any case."""

_DELIMITERS = ";,|\t"
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

    ``column`` is a name, or a position from 1 where there is no header. Raises InvalidInput where the column is
    missing or cannot be told.
    """

    def __init__(
        self, source: Source, *, column: str | None = None, format_: str | None = None, region: str = "RU"
    ) -> None:
        if format_ is not None and format_ not in tuple(Format):
            raise InvalidInput(f"there is no format {format_!r}: the formats are {', '.join(Format)}")
        self._source = source
        self._region = region
        first = next((line for line in source.lines() if line.strip()), "").strip("\r\n")
        self.format = Format(format_) if format_ else _guess(source.name, first)
        self.columns: tuple[str, ...] = ()
        self.column: str | None = None
        self._header = False
        self._index = 0
        self._delimiter = "\t" if self.format is Format.TSV else max(_DELIMITERS, key=first.count)
        if self.format is Format.LINES:
            if column is not None:
                raise InvalidInput("a list of one number a line has no columns")
        elif first:
            (self._find_key if self.format is Format.JSONL else self._find_cell)(column)

    def pages(self, *, records: bool = False) -> Iterator[Page]:
        """Yield the rows from the start, PAGE at a time; with ``records`` all their columns by name.

        Empty lines are no rows. Raises InvalidInput for a line that cannot be taken apart as CSV.
        """
        make = {Format.LINES: self._plain, Format.JSONL: self._objects}.get(self.format, self._cells)
        rows = make()
        first = 1
        while some := list(itertools.islice(rows, PAGE)):
            yield Page(first, *self._read(some, records=records))
            first += len(some)

    def _read(self, some: list[Any], *, records: bool) -> tuple[list[str | int], list[dict[str, str]]]:
        if self.format is Format.LINES:
            return some, [{} for _ in some] if records else []
        if self.format is Format.JSONL:
            raws = [_number(row.get(self.column, row.get(_BARE))) for row in some]
            return raws, [{key: _text(value) for key, value in row.items()} for row in some] if records else []
        index, columns = self._index, self.columns
        cells = [row[index] if len(row) > index else "" for row in some]
        return cells, [dict(zip(columns, row, strict=False)) for row in some] if records else []

    # --- rows by format

    def _plain(self) -> Iterator[str]:
        return (line for line in map(str.strip, self._source.lines()) if line)

    def _cells(self) -> Iterator[list[str]]:
        reader = csv.reader(self._source.lines(), delimiter=self._delimiter)
        skip = self._header
        try:
            for row in reader:
                if not "".join(row).strip():
                    continue
                if skip:
                    skip = False
                    continue
                yield row
        except csv.Error as error:
            raise InvalidInput(f"line {reader.line_num} is no {self.format.upper()}: {error}") from None

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

    def _find_cell(self, wanted: str | None) -> None:
        rows = itertools.islice(self._cells(), 2)
        first = [cell.strip() for cell in next(rows, [])]
        then = next(rows, [])
        folded = [name.casefold() for name in first]
        named = [index for index, name in enumerate(folded) if name in NAMES]
        numbers = [index for index, cell in enumerate(first) if self._is_number(cell)]
        self._header = bool(named) or not numbers
        if wanted is not None and wanted.strip().casefold() in folded:
            self._header = True
            self._index = folded.index(wanted.strip().casefold())
        elif wanted is not None:
            if not wanted.isdigit() or not 1 <= int(wanted) <= len(first):
                there = ", ".join(map(repr, first)) if self._header else f"1 to {len(first)}"
                raise InvalidInput(f"there is no column {wanted!r}; the input has: {there}")
            self._index = int(wanted) - 1
        else:
            below = [index for index, cell in enumerate(then) if self._is_number(cell)]
            chosen = named or numbers or below or [0] * (len(first) == 1)
            if not chosen:
                raise InvalidInput(f"no column looks like numbers; name it: {', '.join(map(repr, first))}")
            self._index = chosen[0]
        self.columns = tuple(first) if self._header else tuple(str(n) for n in range(1, len(first) + 1))
        twice = next((name for name in self.columns if name and self.columns.count(name) > 1), None)
        if twice is not None:
            raise InvalidInput(f"two columns are called {twice!r}")
        self.column = self.columns[self._index]

    def _find_key(self, wanted: str | None) -> None:
        first = next(self._objects(), {})
        columns = self.columns = tuple(name for name in first if name != _BARE)
        if wanted is None:
            named = [name for name in columns if name.casefold() in NAMES]
            numbers = [name for name in columns if self._is_number(_text(first[name]))]
            chosen = named or numbers or columns[:1] * (len(columns) == 1)
            if columns and not chosen:
                raise InvalidInput(f"no key looks like numbers; name it: {', '.join(map(repr, columns))}")
            wanted = chosen[0] if chosen else "number"
        elif columns and wanted not in columns:
            raise InvalidInput(f"there is no key {wanted!r}; the first row has: {', '.join(map(repr, columns))}")
        self.column = wanted

    def _is_number(self, cell: str) -> bool:
        try:
            phones.normalize(cell, region=self._region)
        except InvalidPhoneNumber:
            return False
        return True


def _guess(name: str | None, first: str) -> Format:
    suffix = name.rpartition(".")[2].casefold() if name else ""
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if first.lstrip().startswith(("{", '"+', "[")):
        return Format.JSONL
    if "\t" in first:
        return Format.TSV
    return Format.CSV if any(sign in first for sign in ";,|") else Format.LINES


def _number(value: object) -> str | int:
    """Return what stands for the number in JSON; what is neither text nor integer is no number, and refused as one."""
    return value if isinstance(value, str | int) and not isinstance(value, bool) else ("" if value is None else "?")


def _text(value: object) -> str:
    """Return a JSON value as it stands in a text; a list or an object is none and stands as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
