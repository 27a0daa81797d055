"""Formats and columns: found out, or given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from devinotify.bulk.source import Source
from devinotify.bulk.table import Format, Table
from devinotify.exceptions import InvalidInput
from tests.tables import table

if TYPE_CHECKING:
    from tests.bulk.conftest import Write

A, B = "+79161234567", "+79161234568"


def read(write: Write, content: str, name: str = "input", **options: Any) -> tuple[Format, str | None, list[str | int]]:  # noqa: ANN401 - the table's own
    """Return format, column and numbers of an input."""
    with Source(write(content, name)) as source:
        table = Table(source, **options)
        return table.format, table.column, [raw for page in table.pages() for raw in page.raws]


@table(
    "content, name, found",
    [
        (f"phone,name\n{A},x\n{B},y\n", "a.csv", (Format.CSV, "phone")),
        (f"имя;Телефон\nx;{A}\ny;{B}\n", "a.csv", (Format.CSV, "Телефон")),
        (f"id\tmsisdn\n1\t{A}\n2\t{B}\n", "input", (Format.TSV, "msisdn")),
        (f"x,{A}\ny,{B}\n", "a.csv", (Format.CSV, "2")),
        (f"who,where\nx,{A}\ny,{B}\n", "a.csv", (Format.CSV, "where")),
        (f"contacts\n{A}\n{B}\n", "a.csv", (Format.CSV, "contacts")),
        (f"{A}\n\n  {B}\n", "input", (Format.LINES, None)),
        (f'{{"tel": "{A}", "n": 1}}\n\n{{"tel": "{B}"}}\n', "input", (Format.JSONL, "tel")),
        (f'{{"n": 1, "to whom": "{A}"}}\n{{"to whom": "{B}"}}\n', "a.jsonl", (Format.JSONL, "to whom")),
        (f'{{"one": "{A}"}}\n{{"one": "{B}"}}\n', "a.ndjson", (Format.JSONL, "one")),
        (f'"{A}"\n"{B}"\n', "a.jsonl", (Format.JSONL, "number")),
        (f'phone|n\n{A}|"a|b"\n{B}|c\n', "input", (Format.CSV, "phone")),
        (f'"Petrov, Ivan, Jr";{A}\n"Vera";{B}\n', "input", (Format.CSV, "2")),
        (f'"{A}";"Ann"\n"{B}";"Vera"\n', "input", (Format.CSV, "1")),
        (f'"{A}"\n"{B}"\n', "input", (Format.JSONL, "number")),
        (f"sep=|\nname, etc.|phone\nx|{A}\ny|{B}\n", "input", (Format.CSV, "phone")),
        (f'\n"sep=\t"\nx\t{A}\ny\t{B}\n', "a.csv", (Format.CSV, "2")),
    ],
)
def test_formats_are_found_out(write: Write, content: str, name: str, found: tuple[Format, str | None]) -> None:
    """Format, header and column come out of the name and the first lines."""
    assert (*found, [A, B]) == read(write, content, name)


@table(
    "content, options, column, raws",
    [
        (f"home,work\n{A},{B}\n", {"column": "WORK"}, "work", [B]),
        (f"home,work\n{A},{B}\n", {"column": "2"}, "work", [B]),
        (f"{A},{B}\n", {"column": "2"}, "2", [B]),
        (f"{A},x\n", {"format_": "lines"}, None, [f"{A},x"]),
        (f'{{"a": "{A}", "b": "{B}"}}\n', {"column": "b"}, "b", [B]),
    ],
)
def test_the_column_may_be_given(write: Write, content: str, options: Any, column: str, raws: list[str]) -> None:  # noqa: ANN401 - the table's own
    """By its name in any case, or by its place."""
    assert (column, raws) == read(write, content, **options)[1:]


@table(
    "content, options, why",
    [
        ("home,work\n1,2\n", {}, "no column looks like numbers; name it: 'home', 'work'"),
        ("home,work\n1,2\n", {"column": "tel"}, "no column 'tel'; the input has: 'home', 'work'"),
        (f"{A},{B}\n", {"column": "3"}, "no column '3'; the input has: columns 1 to 2"),
        ("phone,phone\n1,2\n", {}, "two columns are called 'phone': give the place of one, 1 to 2"),
        ("phone,phone\n1,2\n", {"column": "phone"}, "two columns are called 'phone'"),
        (f"{A}\n", {"column": "tel"}, "has no columns"),
        (f"{A}\n", {"format_": "xlsx"}, "no format 'xlsx'"),
        (
            f'{{\n  "contacts": [\n    {{"phone": "{A}"}}\n  ]\n}}\n',
            {},
            "a JSON object over several lines: give an array",
        ),
        ('{"a": 1, "b": 2}\n', {}, "no key looks like numbers"),
        ('{"a": 1}\n', {"column": "b"}, "no key 'b'; the first row has: 'a'"),
    ],
)
def test_what_cannot_be_told(write: Write, content: str, options: Any, why: str) -> None:  # noqa: ANN401 - the table's own
    """An input whose numbers cannot be found is refused, with what there is."""
    with pytest.raises(InvalidInput, match=why):
        read(write, content, **options)


def test_json_values(write: Write) -> None:
    """Integers are numbers; what is neither text nor integer, and what is no JSON, is kept to be refused."""
    content = '{"tel": 79161234567}\n{"tel": null}\n{"x": 1}\n{"tel": [1]}\n{"tel": true}\n{broken\n[1]\n89161234567\n'
    assert [79161234567, "", "", "?", "?", "{broken", "[1]", 89161234567] == read(write, content, "a.jsonl")[2]


def test_records_have_all_columns(write: Write) -> None:
    """What a template needs is there by name: a short row lacks its last, JSON values are as they stand in a text."""
    with Source(write(f"phone,name\n{A},Ann\n{B}\n")) as source:
        (page,) = Table(source).pages(records=True)
    assert [{"phone": A, "name": "Ann"}, {"phone": B}] == page.records
    with Source(write(f'{{"phone": "{A}", "n": 1.5, "x": null, "y": ["я"]}}\n', "a.jsonl")) as source:
        (page,) = Table(source).pages(records=True)
    assert [{"phone": A, "n": "1.5", "x": "", "y": '["я"]'}] == page.records
    with Source(write(A, "a.txt")) as source:
        assert [{}] == next(Table(source).pages(records=True)).records


@table("name", ["a.csv", "a.jsonl", "a.txt"])
def test_an_empty_input(write: Write, name: str) -> None:
    """Nothing has no rows."""
    assert [] == read(write, "\n \n", name)[2]


def test_an_unclosed_quote(write: Write) -> None:
    """A field that swallows the rest of the file is told, with the line that it begins on."""
    with pytest.raises(InvalidInput, match="line 2 is not CSV: a quote opens in it"):
        read(write, f'phone,n\n{A},"' + "x\n" * 100_000, "a.csv")
