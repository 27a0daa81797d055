"""Templates: columns in braces, and nothing else."""

from __future__ import annotations

import pytest

from devinotify.bulk.template import Template, unfilled
from devinotify.exceptions import InvalidText
from tests.tables import table


def test_columns_are_put_in() -> None:
    """Each brace becomes the row's column; doubled braces become braces."""
    template = Template("Hello {name}, {{code}}: {code}{ name }")
    assert (("name", "code"), "Hello Ann, {code}: 7Ann") == (
        template.fields,
        template.render({"name": "Ann", "code": "7"}),
    )


@table("source", ["{", "}", "{}", "{ }", "{a", "{name.x}", "{name[0]}", "{name!r}", "{name:>9}", "{a{b}}"])
def test_a_bad_brace(source: str) -> None:
    """A brace that names no column is refused: no attribute, no index, no format."""
    with pytest.raises(InvalidText, match="bad brace"):
        Template(source)


def test_a_missing_column() -> None:
    """A column that the input has not is named, with those that it has."""
    with pytest.raises(InvalidText, match="needs the column 'name'; the input has: 'phone'"):
        Template("Hello {name}").check(["phone"])


def test_a_column_there_is_twice() -> None:
    """Which of two columns with one name is meant cannot be told; two others may well have one name."""
    with pytest.raises(InvalidText, match="needs the column 'name', and 2 columns are called that"):
        Template("Hello {name}").check(["phone", "name", "name"])
    Template("Hello {phone}").check(["phone", "name", "name"])


def test_columns_in_an_error_tell_no_number() -> None:
    """What stands where a header should be is masked, or only counted where there is none."""
    with pytest.raises(InvalidText, match=r"the input has: 'Anna', '\+7916\*\*\*4567'"):
        Template("Hello {name}").check(["Anna", "+79161234567"])
    with pytest.raises(InvalidText, match=r"the input has: columns 1 to 2$"):
        Template("Hello {name}").check(["1", "2"])


def test_a_row_without_its_column() -> None:
    """A short row is told."""
    with pytest.raises(InvalidText, match="no column 'name'"):
        Template("Hello {name}").render({})


def test_a_default() -> None:
    """What stands after the bar takes the place of an empty or missing column, whatever its signs."""
    template = Template("Hi {name|dear friend!}: {code}")
    assert ["Hi Ann: 7", "Hi dear friend!: 7", "Hi dear friend!: 7"] == [
        template.render({"name": "Ann", "code": "7"}),
        template.render({"name": "  ", "code": "7"}),
        template.render({"code": "7"}),
    ]


@table("values, blank", [({"a": "", "b": "1"}, False), ({"a": "1", "b": " "}, True)])
def test_a_blank_column(values: dict[str, str], blank: bool) -> None:
    """A column that is empty and has no default leaves a hole in the text."""
    assert blank == Template("{a|x} {b}").is_blank(values)


def test_a_text_that_looks_like_a_template() -> None:
    """Columns in the braces of a text for all are found, whatever their case and default."""
    assert ["Name", "code"] == unfilled("Hi {name|you}, {code} {name} {other} {{", ["Name", "code", ""])
