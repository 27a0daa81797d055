"""The line of a row is the one that an editor or a spreadsheet shows, in each format."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from devinotify.bulk.numbering import Numbering
from devinotify.bulk.source import Source
from devinotify.bulk.table import Table
from tests.bulk.test_columns import A, B, C, workbook
from tests.tables import table


@given(st.sets(st.integers(1, 300)))
def test_each_row_has_its_line(lines: set[int]) -> None:
    """However they are spread over the file."""
    numbering = Numbering(sorted(lines))
    assert sorted(lines) == [numbering.line(row) for row in range(1, len(lines) + 1)]


@table(
    "content, expected",
    [
        (f"{A}\n\n{B}\n{C}\n", [1, 3, 4]),
        (f"phone\n{A}\n\n\n{B}\n", [2, 5]),
        (f'sep=;\nname;phone\n"An\nna";{A}\n;\n\n"Vera";{B}\n', [3, 7]),
        (f"name\tphone\nAnna\t{A}\n\nVera\t{B}\n", [2, 4]),
        (f'{{"phone": "{A}"}}\n\n{{"phone": "{B}"}}\n', [1, 3]),
        (f'[{{"phone": "{A}"}},\n\n{{"phone": "{B}"}}]\n', [1, 2]),
        (f"BEGIN:VCARD\nFN:Anna\nTEL:{A}\nEND:VCARD\nBEGIN:VCARD\nFN:V\nTEL:{B}\nEND:VCARD\n", [1, 2]),
        (workbook([["", ""], ["name", "phone"], ["Anna", A], ["", ""], ["Vera", B]]), [3, 5]),
    ],
    ids=["lines", "with a header", "CSV", "TSV", "JSON lines", "JSON array", "vCards", "workbook"],
)
def test_the_line_is_that_of_the_file(content: str | bytes, expected: list[int]) -> None:
    """Headers, empty lines and cells of several lines are counted; what has no lines is numbered itself."""
    with Source(io.BytesIO(content if isinstance(content, bytes) else content.encode())) as source:
        numbering = Table(source).numbering()
    assert expected == [numbering.line(row) for row in range(1, len(expected) + 1)]
