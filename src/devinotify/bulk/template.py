"""Personal texts: ``Hello {name}`` with the columns of a row. Pure.

Only plain names stand in braces: no attributes, no indexes, no formats, so that a template can read nothing but the
row. What stands after a bar takes the place of an empty column: ``{name|friend}``. A brace itself is written twice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify.bulk.columns import listed, shown
from devinotify.exceptions import InvalidText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_BRACES = {"{{": "{", "}}": "}"}


class InvalidTemplate(InvalidText):
    """The template has a brace that names no column, or the list has not the column that it names."""

    hint = "Columns of the list stand in braces by their names: {name}, or {name|friend} for empty ones."


class Template:
    """A text with columns in braces; ``fields`` are their names. Raises InvalidTemplate for a bad brace."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._parts: list[tuple[str, str | None, str | None]] = []  # what stands before a column, its name, its default
        literal, end = "", 0
        for found in _PART.finditer(source):
            literal += source[end : found.start()]
            end = found.end()
            if found[0] in _BRACES:
                literal += _BRACES[found[0]]
                continue
            if found[1] is None:
                raise InvalidTemplate("the template has a bad brace: it stands alone; a brace itself is written twice")
            name, bar, default = found[1].partition("|")
            if any(sign in name for sign in ".[]!:") or not name.strip():
                raise InvalidTemplate("the template has a bad brace: only the name of a column stands in { and }")
            self._parts.append((literal, name.strip(), default if bar else None))
            literal = ""
        self._parts.append((literal + source[end:], None, None))
        self.fields: tuple[str, ...] = tuple(dict.fromkeys(name for _, name, _ in self._parts if name is not None))

    def check(self, columns: Sequence[str]) -> None:
        """Raise InvalidTemplate where a column is missing, naming those there are, or is there twice."""
        for name in self.fields:
            count = columns.count(name)
            if not count:
                raise InvalidTemplate(f"the template needs the column {shown(name)}; the input has: {listed(columns)}")
            if count > 1:
                raise InvalidTemplate(
                    f"the template needs the column {shown(name)}, and {count} columns are called that"
                )

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text of one row; raises InvalidTemplate where the row has not all of its columns."""
        parts = []
        for literal, name, default in self._parts:
            parts.append(literal)
            if name is not None:
                value = values.get(name)
                if default is not None and not (value or "").strip():
                    value = default
                if value is None:
                    raise InvalidTemplate(f"the row has no column {shown(name)}, which the template needs")
                parts.append(value)
        return "".join(parts)

    def is_blank(self, values: Mapping[str, str]) -> bool:
        """Whether a column of the row is empty that has no default: ``Hello !``."""
        return any(
            name is not None and default is None and not values.get(name, "").strip()
            for _, name, default in self._parts
        )


def unfilled(text: str, columns: Sequence[str]) -> list[str]:
    """Return the columns that a text for all has in braces: it may have been meant for a template."""
    there = {column.casefold(): column for column in columns if column}
    named = (found[1].partition("|")[0].strip().casefold() for found in _PART.finditer(text) if found[1])
    return [there[name] for name in dict.fromkeys(named) if name in there]
