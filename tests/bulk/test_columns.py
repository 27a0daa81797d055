"""No stranger gets a message: the column of the numbers is certain, or has to be named."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinotify.bulk.columns import says_other, says_phone
from devinotify.bulk.source import Source
from devinotify.bulk.table import Format, Table
from devinotify.exceptions import InvalidInput
from tests.tables import table

if TYPE_CHECKING:
    from tests.bulk.conftest import Write

A, B, C, D = (f"+7916123456{last}" for last in "7890")
ID = "9031234567"  # an id, or an INN, that reads as a mobile


def read(content: str, **options: Any) -> tuple[str | None, list[str | int]]:  # noqa: ANN401 - the table's own
    """Return the column of an input, and its numbers."""
    with Source(io.BytesIO(content.encode())) as source:
        table = Table(source, **options)
        return table.column, [raw for page in table.pages() for raw in page.raws]


@table(
    "content, why",
    [
        (f"ID клиента;Контактный телефон\n{ID};{A}\n", "'ID клиента', 'Контактный телефон' may hold the numbers"),
        (f"ИНН;Телефон клиента\n{ID};{A}\n", "'ИНН', 'Телефон клиента' may hold"),
        (f"ИНН;Название\n{ID};ООО\n", "'ИНН' may hold something else"),
        (f"sep=;\nИНН\n{ID}\n", "'ИНН' may hold something else"),
        (f"client_id,name\n{ID},Anna\n", "'client_id' may hold something else"),
        (f"name,telegramId\nAnna,{ID}\n", "'telegramId' may hold something else"),
        (f"Client;Сумма\n{A};5\n", "'Client' may hold something else"),
        (f"Клиент;Сумма\n{A};5\n", "'Клиент' may hold something else"),
        (f"login,name\n{A},Anna\n", "'login' may hold something else"),
        (f"Номер;Имя\n{ID};Анна\n", "'Номер' may hold something else"),
        (f"Number,name\n{ID},Anna\n", "'Number' may hold something else"),
        (f"Номер дела;Имя\n{ID};Анна\n", "'Номер дела' may hold something else"),
        (f'{{"to": {ID}, "name": "Anna"}}\n', "'to' may hold something else"),
        (f"Client;Клиент;login;Номер\n{A};Анна;anna;5\n", "'Client' may hold something else"),
        (f"Client;Клиент;login;Номер\n{A};Анна;{ID};{B}\n", "'Client', 'login', 'Номер' look like numbers"),
        (f"{ID};Анна\n", "'1' may hold something else"),
        (f"Анна;{ID}\nВера;9031234568\n", "'2' may hold something else"),
        (f"{ID};Анна\n9031234568;Вера\n{A};Олег\n", "'1' may hold something else"),
        (f";Имя\n{ID};Анна\n", "'1' may hold something else"),
        (f"phone,phone2\n,{A}\n{B},{C}\n", "'phone', 'phone2' speak of a telephone"),
        (f"phone,contact\n,{A}\n,{B}\n", "'phone', 'contact' may hold"),
        (f"Телефон рабочий;Сотовый\n{A};{B}\n", "speak of a telephone"),
        (f"number,mobile\n{ID},{A}\n", "'number', 'mobile' may hold"),
        (f"one,two\n{A},{B}\n", "'one', 'two' look like numbers"),
        (f"{A};{B};{C}\n", "'1', '2', '3' look like numbers"),
        (f"Anna;{ID};x\nVera;;{A}\n", "'2', '3' look like numbers"),
        (f"Anna;12\nVera;13\nZoya;14\nOlga;{ID}\n", "'12' may hold something else"),
        (f'{{"id": "{ID}", "Телефон клиента": "{A}"}}\n', "keys 'id', 'Телефон клиента' may hold"),
        (f'{{"phone2": "{A}"}}\n{{"phone": "{B}", "phone2": "{C}"}}\n', "'phone2', 'phone' speak of"),
    ],
)
def test_what_is_not_certain_is_asked(content: str, why: str) -> None:
    """Where two columns may hold the numbers, none is guessed, and the error says how to name one."""
    with pytest.raises(InvalidInput, match=f"{why}.*--column"):
        read(content)


@table("content, offered", [(f"phone,phone2\n{A},{B}\n", True), (f"ID;Телефон клиента\n{ID};{A}\n", False)])
def test_both_are_offered_where_both_are_telephones(content: str, offered: bool) -> None:
    """An id is not offered as something to send to."""
    with pytest.raises(InvalidInput) as caught:
        read(content)
    assert offered == ("takes the first number of each row" in str(caught.value))


def test_a_list_of_something_else() -> None:
    """One column that is called otherwise is no list of telephones."""
    with pytest.raises(InvalidInput, match="the list is called 'ИНН', which is not a telephone"):
        read(f"ИНН\n{ID}\n")


@table(
    "content, column",
    [
        (f"ID клиента;Контактный телефон\n1;{A}\n", "Контактный телефон"),
        (f"id,phone\n{ID},{A}\n", "phone"),
        (f'{{"id": {ID}, "phone": "{A}"}}\n', "phone"),
        (f'{{"phone": {A[1:]}, "id": "{ID}"}}\n', "phone"),
        (f"Phone 1 - Type,Phone 1 - Value\nMobile,{A}\n", "Phone 1 - Value"),
        (f"name;phone confirmed;homePhone\nAnna;yes;{A}\n", "homePhone"),
        (f"ФИО;Тел. (моб.)\nАнна;{A}\n", "Тел. (моб.)"),
        (f"ip;контакт\n94.181.97.164;{A}\n", "контакт"),
        (f"дата;карта;снилс;куда\n01.05.2026;2202 2001 1234 5678;112-233-445 95;{A}\n", "куда"),
        (f"Ad;Cep telefonu\nAyşe;{A}\n", "Cep telefonu"),
        (f"Номер;Имя\n{A};Анна\n", "Номер"),
        ("Номер;Имя\n89161234567;Анна\n(903) 123-45-67;Вера\n", "Номер"),
        (f"phone;Имя\n{ID};Анна\n", "phone"),
        (f"куда;Имя\n{A};Анна\n", "куда"),
        ("name,Контактный телефон\nAnna,7.91612E+10\n", "Контактный телефон"),
    ],
)
def test_what_is_certain_is_taken(content: str, column: str) -> None:
    """The one that is called telephone, or that alone looks like one, needs no word."""
    assert column == read(content)[0]


@table("name", ["Контактный телефон", "mob. phone", "homePhone2", "Тел.", "Telefonnummer", "WhatsApp"])
def test_names_that_speak_of_a_telephone(name: str) -> None:
    """Inside of longer names, in the languages of the region."""
    assert (True, False) == (says_phone(name), says_other(name))


@table(
    "name",
    [
        "ИНН", "Client_ID", "Номер карты", "Дата рождения", "СНИЛС", "IP", "order id", "Факс", "ИНН2", "userId",
        "clientID", "Telegram", "VK", "№ полиса", "Заявка", "IMEI", "Client", "Клиент", "login",
        "Номер клиента", "Логин",
    ],
)  # fmt: skip
def test_names_that_speak_of_something_else(name: str) -> None:
    """However much its values look like numbers."""
    assert (False, True) == (says_phone(name), says_other(name))


@table(
    "content, column, found",
    [
        (f"phone,phone2\n,{A}\n{B},{C}\n12,{D}\n13,\n", "phone,phone2", [A, B, D, "13"]),
        (f"phone,phone2\n{A},{B}\n", "phone2, Phone", [B]),
        (f"{A};x;{B}\n;x;{C}\n", "1,3", [A, C]),
        (f'{{"a": "", "b": "{A}"}}\n{{"a": {B[1:]}, "b": null}}\n', "a,b", [A, B[1:]]),
        (f'"phone, home",x\n{A},1\n', "phone, home", [A]),
    ],
)
def test_the_first_number_of_several_columns(content: str, column: str, found: list[str]) -> None:
    """Several columns are a choice of the caller's: each row has the first that is a number."""
    assert found == read(content, column=column)[1]


def test_google_s_cells_with_several_numbers() -> None:
    """The first that is a number is taken, and the others are counted."""
    with Source(io.BytesIO(f"Name,Phone 1 - Value\nAnna,12 ::: {A} ::: {B}\nVera,{C}\n".encode())) as source:
        (page,) = Table(source).pages()
    assert ([A, C], 2) == (page.raws, page.further)


@table(
    "line, content",
    [
        (4, f"sep=;\nphone\n{A}\n{B};{C};{D}\n"),
        (3, f"phone;name\n{A};Anna\n{B};Vera;{C}\n"),
        (6, f'phone;name\n\n{A};"Anna\nmaybe"\n\n{B};Vera;{C}\n'),
    ],
)
def test_numbers_behind_the_last_column(line: int, content: str) -> None:
    """A line with more numbers than columns is an error: none is dropped without a word."""
    with pytest.raises(InvalidInput, match=rf"line {line} of the CSV .* a number behind the last column"):
        read(content, format_="csv")


def test_words_behind_the_last_column() -> None:
    """What is no number there is left alone, as an unquoted comma in a note makes it."""
    assert ("phone", [A, B]) == read(f"phone,note\n{A},x\n{B},yes, please\n")


# --- formats


VCARD = f"""BEGIN:VCARD
VERSION:3.0
N:Петрова;Анна;;;
FN:Анна Петрова
ORG:Ромашка\\, ООО;Склад
item1.TEL;TYPE=WORK:+7 495 123-45-67
TEL;TYPE="cell,voice":{A}
TEL;TYPE=FAX:{D}
END:VCARD
begin:vcard
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=9F=D0=B5=D1=82=D1=80=D0=BE=D0=B2;=D0=9F=
=D1=91=D1=82=D1=80
TEL;CELL:tel:{B}
NOTE:folded
  line
END:VCARD
BEGIN:VCARD
FN:Nobody
END:VCARD
"""


def test_vcards(write: Write) -> None:
    """A card is a row: its name, and of its telephones the mobile first, no fax."""
    with Source(write(VCARD.replace("\n", "\r\n"), "contacts.vcf")) as source:
        table = Table(source)
        (page,) = table.pages(records=True)
    assert (Format.VCARD, "phone", [A, B, ""], 1) == (table.format, table.column, page.raws, page.further)
    assert ["Анна Петрова", "Пётр Петров", "Nobody"] == [record["name"] for record in page.records]
    assert "Ромашка, ООО, Склад" == page.records[0]["organization"]


@table(
    "content, why",
    [
        ("BEGIN:VCARD\nTEL:1\n", "the last vCard does not end"),
        ("BEGIN:VCARD\nBEGIN:VCARD\n", "line 2 begins a vCard within another"),
        ("BEGIN:VCARD\nEND:VCARD\nTEL:1\n", "line 3 is in no vCard"),
    ],
)
def test_broken_vcards(content: str, why: str) -> None:
    """A card that was cut may have lost people: it is refused."""
    with pytest.raises(InvalidInput, match=why):
        read(content)


@table(
    "content",
    [
        f'[{{"phone": "{A}"}}, {{"phone": {B[1:]}}}]',
        f'[\n  {{\n    "phone": "{A}"\n  }},\n  {{"phone": {B[1:]}}}\n]\n',
    ],
)
def test_a_json_array(content: str) -> None:
    """Its items are the rows, on one line or on many."""
    assert ("phone", [A, int(B)]) == read(content)


@given(st.lists(st.one_of(st.integers(0, 10**12), st.text(max_size=5), st.none()), max_size=6), st.integers(1, 9))
def test_a_json_array_in_blocks(items: list[int | str | None], size: int) -> None:
    """Wherever one block of text ends and the next begins, the items are the same."""
    import json

    from devinotify.bulk.objects import BARE, of_array

    text = json.dumps(items)
    found = [row[BARE] for row in of_array(text[at : at + size] for at in range(0, len(text), size))]
    assert [item if item is not None else "null" for item in items] == found


@table(
    "content, why",
    [
        (f'["{A}", ', "item 2 of the JSON array cannot be read"),
        (f'["{A}" "{B}"]', "breaks off behind item 1"),
        (f'["{A}"] ["{B}"]', "something stands behind"),
        ("[", "item 1 of the JSON array"),
    ],
)
def test_a_broken_json_array(content: str, why: str) -> None:
    """What breaks off is refused with its place."""
    with pytest.raises(InvalidInput, match=why):
        read(content)


def test_no_json_array() -> None:
    """Another document than an array is told."""
    with pytest.raises(InvalidInput, match="is not a JSON array"):
        read("1", format_="json")


def workbook(*sheets: list[list[str | int | float]]) -> bytes:
    """Return a workbook as Excel writes it, as far as it is read."""
    kinds = "http://schemas.openxmlformats.org"
    names = [f"sheet{number}" for number in range(1, len(sheets) + 1)]

    def cell(value: str | float) -> str:
        return f"<c t='inlineStr'><is><t>{value}</t></is></c>" if isinstance(value, str) else f"<c><v>{value}</v></c>"

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(
            "_rels/.rels",
            f"<Relationships xmlns='{kinds}/package/2006/relationships'><Relationship Id='r1'"
            f" Type='{kinds}/officeDocument/2006/relationships/officeDocument' Target='xl/workbook.xml'/>"
            "</Relationships>",
        )
        ids = "".join(f"<sheet name='{name}' sheetId='{at}' r:id='r{at}'/>" for at, name in enumerate(names, 1))
        file.writestr(
            "xl/workbook.xml",
            f"<workbook xmlns='{kinds}/spreadsheetml/2006/main'"
            f" xmlns:r='{kinds}/officeDocument/2006/relationships'><sheets>{ids}</sheets></workbook>",
        )
        kind = f"{kinds}/officeDocument/2006/relationships/worksheet"
        links = "".join(
            f"<Relationship Id='r{at}' Type='{kind}' Target='worksheets/{name}.xml'/>"
            for at, name in enumerate(names, 1)
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f"<Relationships xmlns='{kinds}/package/2006/relationships'>{links}</Relationships>",
        )
        for name, rows in zip(names, sheets, strict=True):
            body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
            file.writestr(
                f"xl/worksheets/{name}.xml",
                f"<worksheet xmlns='{kinds}/spreadsheetml/2006/main'><sheetData>{body}</sheetData></worksheet>",
            )
    return buffer.getvalue()


def test_a_workbook(write: Write) -> None:
    """The one sheet with rows is read, and a number is one, however Excel has it."""
    content = workbook([["Имя", "Телефон"], ["Анна", 79161234567], ["Вера", B], ["", ""], ["Олег", 1.5]], [])
    with Source(write(content, "list.xlsx")) as source:
        table = Table(source)
        (page,) = table.pages(records=True)
    assert ("XLSX, with a header, numbers in 'Телефон'", ["79161234567", B, "1.5"]) == (table.description, page.raws)
    assert {"Имя": "Анна", "Телефон": "79161234567"} == page.records[0]


def test_a_workbook_with_two_sheets() -> None:
    """Which of them is meant cannot be told."""
    with (
        Source(io.BytesIO(workbook([["phone"], [A]], [["phone"], [B]]))) as source,
        pytest.raises(InvalidInput, match="2 sheets of the workbook have rows"),
    ):
        Table(source)


def test_what_is_no_workbook(write: Write) -> None:
    """Another archive, and a workbook under another format, are refused."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.txt", "1")
    with (
        Source(write(buffer.getvalue())) as source,
        pytest.raises(InvalidInput, match=r"recipients\.csv begins as a workbook does and cannot be read as one"),
    ):
        Table(source)
    with Source(io.BytesIO(workbook([]))) as source, pytest.raises(InvalidInput, match="is a workbook, and no csv"):
        Table(source, format_="csv")


@table("kept", [4, 200, -30])
def test_a_workbook_that_is_damaged(write: Write, kept: int) -> None:
    """Cut short it is no list of one number a line: the error names the file, and what is wrong."""
    path = write(workbook([["phone"], [A]])[:kept], "list.xlsx")
    with Source(path) as source, pytest.raises(InvalidInput, match=r"list\.xlsx begins as a workbook .* damaged"):
        Table(source)


def test_a_workbook_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can read it, it is said what is needed."""
    monkeypatch.setitem(__import__("sys").modules, "python_calamine", None)
    with (
        Source(io.BytesIO(workbook([["phone"], [A]]))) as source,
        pytest.raises(InvalidInput, match=r"pip install 'devinotify\[bulk\]'"),
    ):
        Table(source)


# --- line breaks in quotes


@table("ends", ["\n", "\r\n", "\r"])
def test_a_note_of_several_lines(ends: str) -> None:
    """A quoted note that closes soon is one cell of one row."""
    rows = ["name;phone;note", f'Anna;{A};"rings', "", 'twice; at noon"', f"Boris;{B};", '"Ve', f'ra";{C};x', ""]
    with Source(io.BytesIO(ends.join(rows).encode())) as source:
        (page,) = Table(source).pages(records=True)
    assert ([A, B, C], f"rings{ends}{ends}twice; at noon") == (page.raws, page.records[0]["note"])


@table(
    "rows, line",
    [
        (f'Anna;"a\nb;{A}\nVera";{B}\n', 2),
        (f'Anna;{A}\n"Boris\nx";{B};y\n', 3),
        (f'Anna;{A}\nBoris;{B};"x' + "\ny" * 60 + '"\n', 3),
    ],
    ids=["swallows a number", "another count of columns", "too long"],
)
def test_a_note_that_is_none(rows: str, line: int) -> None:
    """A quote that may have swallowed somebody is an error, as before."""
    with pytest.raises(InvalidInput, match=f"line {line} is not CSV: a quote opens"):
        read(f"name;phone\n{rows}", column="phone")
