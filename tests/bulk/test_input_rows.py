"""Nobody vanishes between the lines of a list and its rows: quotes, headers and columns with a known name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinotify.bulk.sorting import Refusals, sort_out
from devinotify.bulk.source import Source
from devinotify.bulk.table import Table
from devinotify.exceptions import InvalidInput
from tests.laws import both_ways
from tests.tables import table

if TYPE_CHECKING:
    from tests.bulk.conftest import Write

A, B, C, D = (f"+7916123456{last}" for last in "7890")
LANDLINE = "+74951234567"


def read(write: Write, content: str, name: str = "a.csv", **options: Any) -> tuple[bool, str | None, list[str | int]]:  # noqa: ANN401 - the table's own
    """Return whether there is a header, the column of the numbers, and what it holds."""
    with Source(write(content, name)) as source:
        table = Table(source, **options)
        return table.header, table.column, [raw for page in table.pages() for raw in page.raws]


# --- quotes


@table(
    "rows, line",
    [
        (f'Anna;{A}\n"Roga i kopyta;{B}\nBoris;{C}\nVera;{D}\n', 3),
        (f'Anna;{A}\n"Roga i kopyta;{B}\nBoris;{C}\n"Vera";{D}\n', 3),
        (f'Anna;{A}\n"Roga i kopyta;{B}\nBoris";{C}\nVera;{D}\n', 3),
        (f'Anna;{A}\n\nBoris;{B}\nVera;"{C}', 5),
        (f'Anna;{A}\r"Boris;{B}\rVera;{C}\r', 3),
        (f'"Anna;{A}\nBoris;{B}\n', 2),
    ],
    ids=["to the end", "to a quote", "to a quote that closes", "in the last line", "with CR", "in the first row"],
)
def test_a_quote_that_swallows_rows(write: Write, rows: str, line: int) -> None:
    """A quote that does not close on its line is refused, and the line is named."""
    with Source(write(f"name;phone\n{rows}")) as source:
        table = Table(source)
        with pytest.raises(InvalidInput, match=f"line {line} is not CSV: a quote opens in it that does not close"):
            list(table.pages())


def test_a_quote_in_a_later_page(write: Write) -> None:
    """However far down it is, and however much of it is read at a time."""
    rows = f"Anna;{A}\n" * 50
    with Source(write(f'sep=;\nname;phone\n{rows}"Boris;{B}\n{rows}')) as source:
        table = Table(source)
        with pytest.raises(InvalidInput, match="line 53 is not CSV: a quote opens"):
            list(table.pages(size=3))


def test_a_quote_in_the_header(write: Write) -> None:
    """Without a header nothing can be found, and the table itself is refused."""
    with pytest.raises(InvalidInput, match="line 1 is not CSV: a quote opens"):
        read(write, f'name;"phone\nAnna;{A}\n')


def test_a_quote_within_quotes(write: Write) -> None:
    """A quote within a quoted cell that is not doubled may end it anywhere: it is refused, with what is right."""
    with pytest.raises(InvalidInput, match=r"line 3 is not CSV: .*is written twice"):
        read(write, f'name;phone\nAnna;{A}\n"OOO "Roga"";{B}\n')


def test_a_cell_that_is_too_long(write: Write) -> None:
    """A cell that is too long for the reader of CSV is told with its line."""
    with pytest.raises(InvalidInput, match=r"line 3 is not CSV: field larger than field limit \(131072\)$"):
        read(write, f"name;phone\nAnna;{A}\n{'x' * 140_000};{B}\n")


def test_quotes_that_fit(write: Write) -> None:
    """Delimiters and doubled quotes stand in a quoted cell, and a quote within another is a character."""
    content = f'name,phone\n"Petrov, Ivan",{A}\n"OOO ""Roga""",{B}\n5" pipes,{C}\n'
    with Source(write(content)) as source:
        (page,) = Table(source).pages(records=True)
    assert [("Petrov, Ivan", A), ('OOO "Roga"', B), ('5" pipes', C)] == [
        (row["name"], row["phone"]) for row in page.records
    ]


def test_quotes_in_tsv_are_characters(write: Write) -> None:
    """A quote opens nothing where tabs part the cells."""
    content = f'name\tphone\nAnna\t{A}\n"Roga\t{B}\nBoris\t{C}\n"Vera"\t{D}\n'
    assert (True, "phone", [A, B, C, D]) == read(write, content, "a.tsv")


CELLS = st.sampled_from(["Anna", '"Petrov; Ivan"', '"a ""b"""', '5" b', '""', ""]) | st.text('ab";,', max_size=4)


@both_ways(
    given(lines=st.lists(CELLS, min_size=1, max_size=3), ends=st.sampled_from(["\n", "\r\n", "\r"])),
    settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60),
)
def test_a_line_is_a_row_or_an_error(write: Write, lines: list[str], ends: str) -> bool:
    """Whatever the quotes, there are as many rows as lines, or none is sent to."""
    content = f"name;phone{ends}" + "".join(f"{line};{A}{ends}" for line in lines)
    try:
        rows = read(write, content, column="1")[2]
    except InvalidInput:
        return False
    assert len(lines) == len(rows)
    return True


# --- the header


@table(
    "content, options, found",
    [
        (f"Anna,{LANDLINE}\nBoris,{B}\n", {}, (False, "2", [LANDLINE, B])),
        (f"Anna,{LANDLINE}\nBoris,{B}\n", {"column": "2"}, (False, "2", [LANDLINE, B])),
        (f"Anna,mobile,{LANDLINE}\nBoris,work,{B}\n", {}, (False, "3", [LANDLINE, B])),
        (f"2,Anna,{A}\n2,Boris,{B}\n", {"column": "3"}, (False, "3", [A, B])),
        (f"2,{A}\n2,{B}\n", {"column": "2"}, (False, "2", [A, B])),
        (f"who,where\nx,{A}\n", {}, (True, "where", [A])),
        (f"who,where,12345\nx,{A},1\n", {"column": "Where"}, (True, "where", [A])),
        (f"phone,01.05.2026\n{A},1\n", {}, (True, "phone", [A])),
        (f"who,where\nx,12\ny,{A}\n", {}, (True, "where", ["12", A])),
        ("phone\n", {}, (True, "phone", [])),
    ],
)
def test_a_first_row_that_is_none(
    write: Write, content: str, options: dict[str, Any], found: tuple[bool, str, list[str]]
) -> None:
    """A header has a known name, or the wanted one, or nothing like a number; anything else is somebody's row."""
    assert found == read(write, content, **options)


@table(
    "content, found",
    [
        (f";;;\nAnna;{A};x;\n", (False, "2", [A])),
        (f";;;\nname;phone;;\nAnna;{A};;\n", (True, "phone", [A])),
        (f",,\n{A},x,\n", (False, "1", [A])),
        (";;;\n", (False, None, [])),
    ],
)
def test_a_first_line_of_separators_alone(
    write: Write, content: str, found: tuple[bool, str | None, list[str]]
) -> None:
    """It is an empty row as a spreadsheet writes it: neither a header nor a recipient."""
    assert found == read(write, content)


@table("first", ["phone", "Телефон", '"Phone Number"', "№ телефона", "  MSISDN "])
@table("options", [{}, {"format_": "lines"}], ids=["found out", "lines"])
def test_a_header_over_one_number_a_line(write: Write, first: str, options: dict[str, Any]) -> None:
    """A known name in the first line is a header there too, and a column."""
    name = first.strip("\n").strip().strip('"')
    assert (True, name, [A, B]) == read(write, f"{first}\n{A}\n{B}\n", "a.txt", **options)


@table("first", ["тел. 89161234567", "contacts", LANDLINE])
def test_a_line_that_is_no_known_name(write: Write, first: str) -> None:
    """Anything else in the first of the lines is a row, if only to be refused."""
    assert (False, None, [first, A]) == read(write, f"{first}\n{A}\n", "a.txt")


def test_a_header_over_lines_as_a_column(write: Write) -> None:
    """It may be named, and stand in a template."""
    with Source(write(f"Phone\n{A}\n", "a.txt")) as source:
        (page,) = Table(source, column="phone").pages(records=True)
    assert [{"Phone": A}] == page.records
    with pytest.raises(InvalidInput, match="has no columns"):
        read(write, f"Phone\n{A}\n", "a.txt", column="name")


# --- which of the columns


@table(
    "content, column",
    [
        (f"order number,number,name,mobile phone\n1,17,Anna,{A}\n", "mobile phone"),
        (f"to,mobile\nAnna,{A}\n", "mobile"),
        (f"id,phone\n{A},12\n", "phone"),
        ("to,mobile\nAnna,12\n", "to"),
    ],
)
def test_the_named_column_that_has_a_number(write: Write, content: str, column: str) -> None:
    """Of several known names the one with a number below it is taken; where none has one, the first."""
    assert column == read(write, content)[1]


def test_the_named_key_that_has_a_number(write: Write) -> None:
    """The same goes for JSON lines."""
    assert "mobile" == read(write, f'{{"to": "Anna", "mobile": "{A}"}}\n', "a.jsonl")[1]


@table(
    "content, column, found",
    [
        (f"phone,note,note\n{A},x,y\n", None, ("phone", [A])),
        (f"phone,note,\n{A},x,\n", None, ("phone", [A])),
        (f"phone,phone\n{A},{B}\n", "2", ("2", [B])),
        (f"Phone,phone\n{A},{B}\n", "phone", ("phone", [B])),
        (f"who,\nAnna,{A}\n", None, ("2", [A])),
    ],
)
def test_two_columns_with_one_name(
    write: Write, content: str, column: str | None, found: tuple[str, list[str]]
) -> None:
    """They are a fault only where one of them is meant and cannot be told; its place tells it."""
    assert found == read(write, content, column=column)[1:]


# --- errors tell no number


@table(
    "content, options, told",
    [
        (f"Anna,{LANDLINE}\nBoris,{LANDLINE}\n", {}, "no column looks like numbers; name it: columns 1 to 2"),
        (f"Anna,{A}\n", {"column": "tel"}, "there is no column 'tel'; the input has: columns 1 to 2"),
        (f"Anna,{A}\n", {"column": B}, "there is no column '+7916***4568'; the input has: columns 1 to 2"),
        (
            f'{{"{LANDLINE}": 1, "b": 2}}\n',
            {},
            "no key looks like numbers; name it: '+7495***4567', 'b'",
        ),
        (f'{{"{A}": 1}}\n', {"column": "b"}, "there is no key 'b'; the first row has: '+7916***4567'"),
        (
            ",".join("x y " * 20 for _ in range(30)),
            {},
            "no column looks like numbers; name it: " + ", ".join([f"'{'x y ' * 9}x y…'"] * 20) + " and 10 more",
        ),
    ],
    ids=["no numbers", "no column", "a number as a column", "no key with numbers", "no key", "long"],
)
def test_no_number_in_an_error(write: Write, content: str, options: dict[str, Any], told: str) -> None:
    """Cells are masked, cut and at most 20, and places stand for them where there is no header."""
    with pytest.raises(InvalidInput) as caught:
        read(write, content, "a.jsonl" if content.startswith("{") else "a.csv", **options)
    assert told == str(caught.value)


# --- pages


@table(
    "name, head, row",
    [("a.csv", "phone;x\n", "{};1\n\n"), ("a.jsonl", "", '{{"phone": "{}"}}\n\n'), ("a.txt", "phone\n", "{}\n\n")],
)
@table("step", [1, 2, 3, 100])
def test_pages_follow_each_other(write: Write, name: str, head: str, row: str, step: int) -> None:
    """None is larger than it may be, none is empty, and each begins with the row after the last of the one before."""
    numbers = [f"+7916{number:07d}" for number in range(1_000_000, 1_000_011)]
    with Source(write(head + "".join(map(row.format, numbers)), name)) as source:
        pages = list(Table(source).pages(records=True, size=4, step=step))
    found: list[str | int] = []
    for page in pages:
        assert (len(found) + 1, True) == (page.first, 1 <= len(page.raws) <= 4)
        assert page.raws == [record["phone"] for record in page.records]
        found += page.raws
    assert numbers == found


def test_a_refusal_that_is_known_is_the_same(write: Write) -> None:
    """Read again, each row has the reason of before, although its number is not judged again."""
    rows = ["phone", "abc", "84951234567", "89161234567", "8916123", "7.91612E+10", "2020-12-31", "abc"]
    refusals = Refusals()

    def told() -> list[tuple[int, str, str]]:
        with Source(write("\n".join(rows))) as source:
            table = Table(source, column="phone")
            pages = sort_out(table, region="RU", refusals=refusals)
            return [(row, raw, str(error)) for page in pages for row, raw, error in page.refused]

    first = told()
    assert (first, 6, [1, 2, 4, 5, 6, 7]) == (told(), len(first), [row for row, _, _ in first])
    assert {0, 1, 3, 4, 5, 6} == set(refusals.known(1, 7))
